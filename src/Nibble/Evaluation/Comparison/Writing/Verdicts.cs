namespace Nibble.Evaluation.Comparison.Writing;

/// <summary>Verdicts in words.</summary>
internal static class Verdicts
{
    public static string Words(Verdict verdict) => verdict switch
    {
        Verdict.Within => "within bounds",
        Verdict.Beyond => "beyond bounds",
        _ => "undecided",
    };

    /// <summary>A domain of tasks as a heading.</summary>
    public static string Words(TaskDomain domain) => domain == TaskDomain.Other ? "Other tasks" : domain.ToString();
}
