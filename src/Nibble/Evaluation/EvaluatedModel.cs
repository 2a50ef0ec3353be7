using Nibble.Generation;
using Nibble.Models;

namespace Nibble.Evaluation;

/// <summary>A model that reads a text.</summary>
/// <param name="Network">The model.</param>
/// <param name="Whose">How errors name it, such as <c>tiny-Q4_K_M.gguf: the model's</c>, which a noun follows.</param>
internal readonly record struct EvaluatedModel(Transformer Network, string Whose)
{
    /// <summary>A model with a file, by which errors name it.</summary>
    public static EvaluatedModel Of(LanguageModel model) => new(model.Network, $"{model.File.Path}: the model's");
}
