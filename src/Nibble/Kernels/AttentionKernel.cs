using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Kernels;

/// <summary>
/// Scaled dot-product attention of one layer for a batch of tokens that are already in the cache. An item is one key/value head of one
/// token, with all query heads that share it. Keys pass one after the other with a running maximum and sum, so no row of scores as long
/// as the text is stored (Milakov and Gimelshein 2018, arXiv:1805.02867).
/// The cache is in half precision, and so is the arithmetic: queries and the weighted sum of values are rounded to it. llama.cpp
/// computes the same way, so that logits and perplexities can be compared with it.
/// </summary>
internal unsafe struct AttentionKernel : IWork
{
    /// <summary>Keys converted to single precision together: 32 of 128 values take half a first-level cache.</summary>
    private const int KeysAtATime = 32;

    /// <summary><c>[tokens, QueryHeads, HeadSize]</c></summary>
    public float* Queries;

    /// <summary>Becomes <c>[tokens, QueryHeads, HeadSize]</c>.</summary>
    public float* Result;

    /// <summary>First key/value head, <c>[capacity, HeadSize]</c>; the next heads follow <see cref="HeadStride"/> values apart.</summary>
    public Half* Keys, Values;

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
        float* keys = (float*)NativeMemory.AlignedAlloc((nuint)(2 * KeysAtATime * HeadSize * sizeof(float)), 64);
        try
        {
            for (int item = start; item < end; item++) Attend(item / KeyHeads, item % KeyHeads, keys, keys + KeysAtATime * HeadSize);
        }
        finally
        {
            NativeMemory.AlignedFree(keys);
        }
    }

    private readonly void Attend(int token, int keyHead, float* keys, float* values)
    {
        int sharing = QueryHeads / KeyHeads, position = FirstPosition + token;
        long first = ((long)token * QueryHeads + keyHead * sharing) * HeadSize;
        Span<float> largest = stackalloc float[sharing], sums = stackalloc float[sharing];
        largest.Fill(float.NegativeInfinity);
        sums.Clear();
        for (int h = 0; h < sharing; h++)
        {
            RoundToHalf(new Span<float>(Queries + first + h * HeadSize, HeadSize));
            new Span<float>(Result + first + h * HeadSize, HeadSize).Clear();
        }

        for (int key = Math.Max(0, position - Window + 1); key <= position; key += KeysAtATime)
        {
            int count = Math.Min(KeysAtATime, position - key + 1);
            long offset = keyHead * HeadStride + (long)key * HeadSize;
            TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>(Keys + offset, count * HeadSize), new Span<float>(keys, count * HeadSize));
            TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>(Values + offset, count * HeadSize), new Span<float>(values, count * HeadSize));
            for (int h = 0; h < sharing; h++)
                Accumulate(Queries + first + h * HeadSize, keys, values, count, Result + first + h * HeadSize, ref largest[h], ref sums[h]);
        }

        for (int h = 0; h < sharing; h++)
        {
            Span<float> result = new(Result + first + h * HeadSize, HeadSize);
            TensorPrimitives.Multiply(result, 1 / sums[h], result);
        }
    }

    /// <summary>Adds <paramref name="count"/> values to the weighted sum of one query head.</summary>
    private readonly void Accumulate(float* query, float* keys, float* values, int count, float* result, ref float largest, ref float sum)
    {
        for (int k = 0; k < count; k++)
        {
            float score = Scale * TensorPrimitives.Dot(new ReadOnlySpan<float>(query, HeadSize), new ReadOnlySpan<float>(keys + k * HeadSize, HeadSize));
            float weight = 1;
            if (score > largest)
            {
                float shrink = MathF.Exp(largest - score); // 0 for the first key
                largest = score;
                sum *= shrink;
                Span<float> soFar = new(result, HeadSize);
                TensorPrimitives.Multiply(soFar, shrink, soFar);
                RoundToHalf(soFar);
            }
            else
            {
                weight = MathF.Exp(score - largest);
            }
            sum += weight;

            float* value = values + k * HeadSize;
            int i = 0;
            for (; i <= HeadSize - Vector256<float>.Count; i += Vector256<float>.Count)
                RoundToHalf(Vector256.Load(result + i) + Vector256.Create(weight) * Vector256.Load(value + i)).Store(result + i);
            for (; i < HeadSize; i++) result[i] = (float)(Half)(result[i] + weight * value[i]);
        }
    }

    private static void RoundToHalf(Span<float> values)
    {
        foreach (ref float value in values) value = (float)(Half)value;
    }

    /// <summary>Rounds to the 11 significant bits of half precision, ties to even. Below 2^-14, where half precision has fewer, all 11 stay.</summary>
    private static Vector256<float> RoundToHalf(Vector256<float> values)
    {
        Vector256<uint> bits = values.AsUInt32();
        Vector256<uint> odd = Vector256.ShiftRightLogical(bits, 13) & Vector256<uint>.One;
        return ((bits + odd + Vector256.Create(0x0fffu)) & Vector256.Create(~0x1fffu)).AsSingle();
    }
}
