namespace Nibble.Files;

/// <summary>
/// Metadata that tells how good a model is. It is true of the very tensors that it was measured on, so it does not pass on to a model made from them.
/// </summary>
public static class EvaluationKeys
{
    /// <summary>What all these keys begin with.</summary>
    public const string Prefix = "nibble.eval.";

    /// <summary>Removes them.</summary>
    public static void Remove(Metadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        foreach (string key in metadata.Select(pair => pair.Key).Where(key => key.StartsWith(Prefix, StringComparison.Ordinal)).ToArray()) metadata.Remove(key);
    }
}
