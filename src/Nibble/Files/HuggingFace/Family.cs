namespace Nibble.Files.HuggingFace;

/// <summary>A family of models that can be opened from a Hugging Face folder.</summary>
/// <param name="ClassName">Its name under <c>architectures</c>.</param>
/// <param name="ModelType">Its <c>model_type</c>, which decides where <c>architectures</c> is absent.</param>
/// <param name="Architecture">GGUF's name of the architecture.</param>
/// <param name="InterleavesHeads">Whether GGUF orders the rows of queries and keys by <see cref="RowOrder"/>.</param>
internal sealed record Family(string ClassName, string ModelType, string Architecture, bool InterleavesHeads)
{
    /// <summary>Every family, in alphabetical order. Mistral differs from Llama in nothing that GGUF records but its window.</summary>
    private static readonly Family[] s_all =
    [
        new("LlamaForCausalLM", "llama", "llama", InterleavesHeads: true),
        new("MistralForCausalLM", "mistral", "llama", InterleavesHeads: true),
        new("Qwen2ForCausalLM", "qwen2", "qwen2", InterleavesHeads: false),
        new("Qwen3ForCausalLM", "qwen3", "qwen3", InterleavesHeads: false),
    ];

    /// <summary>Values of a head where neither the configuration nor a division says it.</summary>
    public int? DefaultHeadSize => ModelType == "qwen3" ? 128 : null;

    /// <summary>The family of a model.</summary>
    /// <exception cref="NibbleException">It is of none that is supported.</exception>
    public static Family Of(JsonSection config)
    {
        string[] classes = config.TryStrings("architectures") ?? [];
        string? type = config.TryString("model_type");
        Family? family = classes.Length > 0
            ? s_all.FirstOrDefault(f => f.ClassName.Equals(classes[0], StringComparison.OrdinalIgnoreCase)) // the first Llama files said LLaMAForCausalLM
            : s_all.FirstOrDefault(f => f.ModelType == type);
        return family ?? Throw.BadFile<Family>(config.Path,
            $"the architecture {(classes.Length > 0 || type is not null ? Quoted.Of(classes.Length > 0 ? classes[0] : type!) : "is not given; it")} is not supported; supported are {string.Join(", ", s_all.Select(f => f.ClassName))}");
    }
}
