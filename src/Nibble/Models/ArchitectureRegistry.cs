using Nibble.Files;
using Nibble.Models.Architectures;

namespace Nibble.Models;

/// <summary>The families of models that can be run.</summary>
public static class ArchitectureRegistry
{
    private static readonly (string Name, Func<ModelReader, Transformer> Build)[] s_all =
    [
        Entry<Llama>(),
        Entry<Qwen2>(),
        Entry<Qwen3>(),
    ];

    /// <summary>GGUF's names of the families, in alphabetical order.</summary>
    public static IEnumerable<string> Names => s_all.Select(a => a.Name);

    /// <summary>Composes the model in <paramref name="file"/>, which must stay open as long as the model is in use.</summary>
    /// <param name="file">The file.</param>
    /// <param name="repack">Whether weights may be packed anew in memory to suit the processor.</param>
    /// <exception cref="NibbleException">The family is unknown, or the file lacks something that the family has.</exception>
    public static Transformer Build(ModelFile file, bool repack = true)
    {
        ModelReader reader = new(file) { MayRepack = repack };
        foreach ((string name, Func<ModelReader, Transformer> build) in s_all)
            if (name == reader.Architecture) return build(reader);
        return Throw.BadFile<Transformer>(file.Path, $"architecture '{reader.Architecture}' cannot be run; supported are {string.Join(", ", Names)}");
    }

    private static (string, Func<ModelReader, Transformer>) Entry<T>() where T : IArchitecture => (T.Name, T.Build);
}
