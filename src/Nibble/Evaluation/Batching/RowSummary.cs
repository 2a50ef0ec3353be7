using System.Numerics.Tensors;
using Nibble.Kernels;

namespace Nibble.Evaluation.Batching;

/// <summary>What evaluating asks of the scores of one next token.</summary>
/// <param name="LogSum">The natural logarithm of the sum of e to each score: a score less this is a log-probability.</param>
/// <param name="Top">The token with the highest score, the first of equals.</param>
internal readonly record struct RowSummary(double LogSum, int Top)
{
    private const int Piece = 1024;

    public static RowSummary Of(ReadOnlySpan<float> scores)
    {
        int top = TensorPrimitives.IndexOfMax(scores);
        float highest = scores[top];
        Span<float> piece = stackalloc float[Piece];
        double sum = 0; // of single-precision sums of 1024: an error of about 1e-7
        for (int start = 0; start < scores.Length; start += Piece)
        {
            ReadOnlySpan<float> part = scores.Slice(start, Math.Min(Piece, scores.Length - start));
            Span<float> powers = piece[..part.Length];
            TensorPrimitives.Subtract(part, highest, powers);
            TensorPrimitives.Exp(powers, powers);
            sum += TensorPrimitives.Sum<float>(powers);
        }
        return new(highest + Math.Log(sum), top);
    }

    /// <summary>Summarizes every row of <paramref name="scores"/>.</summary>
    public static void OfAll(Activations scores, RowSummary[] summaries, WorkerPool pool) => pool.Run(new Work(scores, summaries), scores.Tokens);

    private readonly struct Work(Activations scores, RowSummary[] summaries) : IWork
    {
        public void Run(int start, int end)
        {
            for (int row = start; row < end; row++) summaries[row] = Of(scores.Read(row));
        }
    }
}
