namespace Nibble.Evaluation.Comparison.Writing;

/// <summary>Verdicts in words.</summary>
public static class Verdicts
{
    /// <summary>A verdict as it stands in a table.</summary>
    public static string Words(Verdict verdict) => verdict switch
    {
        Verdict.Within => "within bounds",
        Verdict.Beyond => "beyond bounds",
        _ => "undecided",
    };
}
