namespace Nibble.Files.HuggingFace;

/// <summary>Which tokens play which part, and which of them go around a text, by the names that model folders use: bos, eos, unk, sep, pad, cls, mask.</summary>
internal sealed class SpecialIds
{
    /// <summary>The parts in the order in which they are written, with GGUF's names.</summary>
    public static IReadOnlyList<(string Role, string GgufRole)> Roles { get; } =
        [("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("sep", "seperator"), ("pad", "padding"), ("cls", "cls"), ("mask", "mask")];

    private readonly Dictionary<string, int?> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<string, bool> _adds = new(StringComparer.Ordinal);

    public int? this[string role] => _ids.GetValueOrDefault(role);

    /// <summary>Sets a part; numbers below 0 mean that no token has it.</summary>
    public void Set(string role, int? id) => _ids[role] = id >= 0 ? id : null;

    /// <summary>Sets a part that no token has so far.</summary>
    public void SetMissing(string role, int? id)
    {
        if (this[role] is null) Set(role, id);
    }

    public bool? Adds(string role) => _adds.TryGetValue(role, out bool adds) ? adds : null;

    public void SetAdds(string role, bool adds) => _adds[role] = adds;

    /// <summary>Writes the parts of tokens that exist.</summary>
    public void Write(Metadata metadata, int tokens)
    {
        foreach ((string role, string ggufRole) in Roles)
            if (this[role] is int id && id < tokens) metadata[$"tokenizer.ggml.{ggufRole}_token_id"] = MetadataValue.Of((uint)id);
        foreach ((string role, _) in Roles)
            if (Adds(role) is bool adds) metadata[$"tokenizer.ggml.add_{role}_token"] = MetadataValue.Of(adds);
    }
}
