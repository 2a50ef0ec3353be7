using Nibble.Evaluation.Divergence;
using Nibble.Files;
using Nibble.Formats;
using Nibble.Tokenizers;

namespace Nibble.Cli.Commands;

/// <summary>Two models that are to be compared, looked at before either of them runs.</summary>
internal static class ModelPair
{
    /// <summary>Refuses a file that is none or cannot be read, and two models whose tokens mean different texts.</summary>
    /// <param name="reference">The model that is compared with.</param>
    /// <param name="variant">The model in question.</param>
    /// <param name="layout">The layout of I2_S, where it was named.</param>
    /// <exception cref="NibbleException">There is something wrong; the message names the file.</exception>
    public static void Check(string reference, string variant, I2_SLayout? layout)
    {
        using ModelFile first = ModelFile.Open(reference, layout), second = ModelFile.Open(variant, layout);
        VocabularyComparison.Require(Tokenizer.FromMetadata(first.Metadata), reference, Tokenizer.FromMetadata(second.Metadata), variant);
    }
}
