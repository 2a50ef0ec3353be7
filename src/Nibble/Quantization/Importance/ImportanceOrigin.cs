namespace Nibble.Quantization.Importance;

/// <summary>All that an importance matrix depends on, as short texts: only what was collected from the same can be gone on with.</summary>
/// <param name="Model">The content of the model, and how its weights are packed.</param>
/// <param name="Text">SHA-256 of the text.</param>
/// <param name="Window">Tokens of a window.</param>
/// <param name="IncludeOutput">Whether the output matrix counts too.</param>
public sealed record ImportanceOrigin(string Model, string Text, int Window, bool IncludeOutput)
{
    /// <summary>One line, as a checkpoint holds it; the model comes last, since its text may have any characters.</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Window}|{IncludeOutput}|{Text}|{Model}");

    /// <summary>How an earlier collection differs from this, in words that follow "was collected"; <see langword="null"/> where it does not.</summary>
    /// <param name="earlier">What <see cref="ToString"/> gave for it.</param>
    public string? Difference(string? earlier)
    {
        if (earlier == ToString()) return null;
        string[] then = (earlier ?? "").Split('|', 4), now = ToString().Split('|', 4);
        if (then.Length < now.Length) return "by another version of Nibble";
        if (then[3] != now[3]) return "from another model";
        if (then[2] != now[2]) return "on another text";
        return then[0] != now[0] ? $"with windows of {then[0]} tokens (--ctx), not {now[0]}" : "with another choice of --process-output";
    }
}
