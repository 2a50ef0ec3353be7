using Nibble.Evaluation.Tasks.Data;

namespace Nibble.Evaluation.Tasks.Named;

/// <summary>GSM8K (Cobbe et al. 2021, arXiv:2110.14168): word problems, of which the solution is written and the number at its end compared.</summary>
internal static class Gsm8k
{
    private static readonly string[] s_until = ["Question:", "</s>", "<|im_end|>"];

    /// <summary>Tokens of a solution where the harness is not told otherwise.</summary>
    internal const int MostTokens = 256;

    public const int UsualShots = 5;

    public static IReadOnlyList<TaskMetric> Metrics { get; } =
    [
        new("exact_match", (item, outcome) => IsRight(item, AnswerExtraction.AfterHashes(outcome.Text!)), "strict-match"),
        new("exact_match", (item, outcome) => IsRight(item, AnswerExtraction.LastNumber(outcome.Text!)), "flexible-extract"),
    ];

    public static TaskItem Read(TaskRow row)
    {
        bool isPublished = row.Has("question");
        string answer = isPublished ? row.String("answer") : $"{row.String("chain_of_thought")}\n#### {row.String("answer")}";
        string prompt = $"Question: {row.String(isPublished ? "question" : "context")}\nAnswer:";
        return new GenerationItem(row.Id, prompt, answer, s_until, MostTokens, $"{prompt} {answer}");
    }

    private static double IsRight(TaskItem item, string found) => AnswerExtraction.IsSameNumber(found, ((GenerationItem)item).Answer!) ? 1 : 0;
}
