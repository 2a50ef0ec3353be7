using Nibble.Kernels;

namespace Nibble.Evaluation.Batching;

/// <summary>What a job wants next of its text.</summary>
/// <param name="Keep">Tokens of the text that stay; those after them are forgotten.</param>
/// <param name="Tokens">What is appended; at least one.</param>
/// <param name="Scored">How many of them, counted from the last, have their successor scored.</param>
internal readonly record struct BatchStep(int Keep, ReadOnlyMemory<int> Tokens, int Scored);

/// <summary>
/// Work on one text, in steps, each of which appends tokens and may look at scores. Many jobs go on at once in the same passes through
/// the model.
/// </summary>
internal abstract class BatchJob
{
    /// <summary>Tokens that the text has at its longest.</summary>
    public abstract int Capacity { get; }

    /// <summary>About how many tokens pass through the model for this job.</summary>
    public abstract int Cost { get; }

    /// <summary>The next step, or <see langword="null"/> where the job is finished.</summary>
    /// <param name="seen">The tokens of the text; at the beginning those of an earlier job, with which it may share its first tokens.</param>
    public abstract BatchStep? Next(IReadOnlyList<int> seen);

    /// <summary>Takes the scores of some tokens of the step at hand, in their order.</summary>
    /// <param name="scores">The scores of the pass, <c>[rows, vocabulary]</c>.</param>
    /// <param name="summaries">The summary of each row.</param>
    /// <param name="row">The first row of this job.</param>
    /// <param name="count">Rows of this job.</param>
    public abstract void Take(Activations scores, RowSummary[] summaries, int row, int count);

    /// <summary>How many tokens <paramref name="seen"/> and <paramref name="tokens"/> begin with in common.</summary>
    protected static int Shared(IReadOnlyList<int> seen, ReadOnlySpan<int> tokens)
    {
        int shared = 0;
        while (shared < seen.Count && shared < tokens.Length && seen[shared] == tokens[shared]) shared++;
        return shared;
    }
}
