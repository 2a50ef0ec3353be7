using System.Numerics.Tensors;

namespace Nibble.Kernels;

/// <summary>
/// Attention of some queries over the keys passed so far: the highest score, the sum of what the scores' exponentials are relative to it,
/// and the values weighted by these (Milakov and Gimelshein 2018, arXiv:1805.02867).
/// </summary>
/// <param name="start">Memory of <see cref="Size"/> numbers.</param>
/// <param name="queries">Queries.</param>
/// <param name="headSize">Values of a head.</param>
internal readonly unsafe struct AttentionState(float* start, int queries, int headSize)
{
    /// <summary>Numbers from one query's weighted values to the next: heads are filled up, so that kernels have whole vectors.</summary>
    public int Stride { get; } = StrideOf(headSize);

    public float* Highest => start;

    public float* Sums => start + queries;

    public float* Weighted(int query) => start + 2 * queries + (long)query * Stride;

    public static int StrideOf(int headSize) => (headSize + AttentionTile.Keys - 1) / AttentionTile.Keys * AttentionTile.Keys;

    /// <summary>Numbers that the state of some queries takes.</summary>
    public static long Size(int queries, int headSize) => checked((StrideOf(headSize) + 2L) * queries);

    /// <summary>No keys were passed.</summary>
    public void Clear()
    {
        new Span<float>(Highest, queries).Fill(float.NegativeInfinity);
        new Span<float>(Sums, queries).Clear();
        for (int q = 0; q < queries; q++) new Span<float>(Weighted(q), Stride).Clear();
    }

    /// <summary>Adds what later keys gave.</summary>
    public void Add(in AttentionState later)
    {
        for (int q = 0; q < queries; q++)
        {
            if (later.Sums[q] == 0) continue; // none of these keys is seen
            float highest = MathF.Max(Highest[q], later.Highest[q]);
            float factor = MathF.Exp(Highest[q] - highest), laterFactor = MathF.Exp(later.Highest[q] - highest);
            Span<float> sum = new(Weighted(q), Stride), more = new(later.Weighted(q), Stride);
            TensorPrimitives.Multiply(sum, factor, sum);
            TensorPrimitives.MultiplyAdd(more, laterFactor, sum, sum);
            Sums[q] = Sums[q] * factor + later.Sums[q] * laterFactor;
            Highest[q] = highest;
        }
    }
}
