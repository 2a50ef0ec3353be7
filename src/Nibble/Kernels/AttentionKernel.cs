using System.Numerics.Tensors;

namespace Nibble.Kernels;

/// <summary>
/// Scaled dot-product attention of one layer for a batch of tokens that are already in the cache. An item is one query head of one
/// token. Keys pass in groups with a running maximum and sum, so no row of scores as long as the text is stored
/// (Milakov and Gimelshein 2018, arXiv:1805.02867).
/// </summary>
internal unsafe struct AttentionKernel : IWork
{
    private const int KeysAtATime = 64;

    /// <summary><c>[tokens, QueryHeads, HeadSize]</c></summary>
    public float* Queries;

    /// <summary>Becomes <c>[tokens, QueryHeads, HeadSize]</c>.</summary>
    public float* Result;

    /// <summary>First key/value head, <c>[capacity, HeadSize]</c>; the next heads follow <see cref="HeadStride"/> values apart.</summary>
    public float* Keys, Values;

    public long HeadStride;
    public int QueryHeads, KeyHeads, HeadSize;

    /// <summary>Position of the first token of the batch.</summary>
    public int FirstPosition;

    /// <summary>Tokens that a token sees, itself included.</summary>
    public int Window;

    /// <summary>Factor on the products, usually 1 / √HeadSize.</summary>
    public float Scale;

    public readonly void Run(int start, int end)
    {
        for (int item = start; item < end; item++) Attend(item / QueryHeads, item % QueryHeads);
    }

    private readonly void Attend(int token, int head)
    {
        long offset = ((long)token * QueryHeads + head) * HeadSize;
        int keyHead = head / (QueryHeads / KeyHeads);
        float* keys = Keys + keyHead * HeadStride, values = Values + keyHead * HeadStride;
        ReadOnlySpan<float> query = new(Queries + offset, HeadSize);
        Span<float> result = new(Result + offset, HeadSize);
        Span<float> weights = stackalloc float[KeysAtATime];
        result.Clear();

        int position = FirstPosition + token;
        float largest = float.NegativeInfinity, sum = 0;
        for (int first = Math.Max(0, position - Window + 1); first <= position; first += KeysAtATime)
        {
            int count = Math.Min(KeysAtATime, position - first + 1);
            Span<float> scores = weights[..count];
            for (int k = 0; k < count; k++)
                scores[k] = Scale * TensorPrimitives.Dot(query, new ReadOnlySpan<float>(keys + (long)(first + k) * HeadSize, HeadSize));

            float newLargest = MathF.Max(largest, TensorPrimitives.Max((ReadOnlySpan<float>)scores));
            float shrink = MathF.Exp(largest - newLargest); // 0 for the first group
            TensorPrimitives.Subtract(scores, newLargest, scores);
            TensorPrimitives.Exp(scores, scores);
            sum = sum * shrink + TensorPrimitives.Sum((ReadOnlySpan<float>)scores);
            TensorPrimitives.Multiply(result, shrink, result);
            for (int k = 0; k < count; k++)
                TensorPrimitives.MultiplyAdd(new ReadOnlySpan<float>(values + (long)(first + k) * HeadSize, HeadSize), scores[k], result, result);
            largest = newLargest;
        }
        TensorPrimitives.Multiply(result, 1 / sum, result);
    }
}
