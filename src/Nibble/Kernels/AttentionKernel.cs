using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Kernels;

/// <summary>
/// Scaled dot-product attention of one layer for a batch of tokens that are already in the cache. An item is one key/value head of a few
/// tokens, with all query heads that share it. Keys pass in blocks with a running maximum and sum, so no row of scores as long
/// as the text is stored (Milakov and Gimelshein 2018, arXiv:1805.02867).
/// The cache is in half precision, and so is the arithmetic: queries and the weighted sum of values are rounded to it. llama.cpp
/// computes the same way, so that logits and perplexities can be compared with it.
/// </summary>
internal unsafe struct AttentionKernel : IWork
{
    /// <summary>
    /// Keys converted to single precision together: 32 of 128 values take half a first-level cache. Blocks begin at multiples of it,
    /// so that the result of a token does not depend on the batch it came in.
    /// </summary>
    private const int KeysAtATime = 32;

    /// <summary>Tokens of an item: what is converted serves all of them.</summary>
    private const int TokensAtATime = 8;

    /// <summary><c>[tokens, QueryHeads, HeadSize]</c>; rounded in place.</summary>
    public float* Queries;

    /// <summary>Becomes <c>[tokens, QueryHeads, HeadSize]</c>.</summary>
    public float* Result;

    /// <summary>First key/value head, <c>[capacity, HeadSize]</c>; the next heads follow <see cref="HeadStride"/> values apart.</summary>
    public Half* Keys, Values;

    public long HeadStride;
    public int QueryHeads, KeyHeads, HeadSize;

    /// <summary>Tokens of the batch.</summary>
    public int Tokens;

    /// <summary>Position of the first token of the batch.</summary>
    public int FirstPosition;

    /// <summary>Tokens that a token sees, itself included.</summary>
    public int Window;

    /// <summary>Factor on the products, usually 1 / √HeadSize.</summary>
    public float Scale;

    /// <summary>Items of the batch.</summary>
    public readonly int Items => (Tokens + TokensAtATime - 1) / TokensAtATime * KeyHeads;

    public readonly void Run(int start, int end)
    {
        float* keys = (float*)ThreadScratch.Take(2L * KeysAtATime * HeadSize * sizeof(float));
        for (int item = start; item < end; item++)
        {
            int first = item / KeyHeads * TokensAtATime;
            Attend(first, Math.Min(Tokens, first + TokensAtATime), item % KeyHeads, keys, keys + KeysAtATime * HeadSize);
        }
    }

    [SkipLocalsInit]
    private readonly void Attend(int firstToken, int endToken, int keyHead, float* keys, float* values)
    {
        int sharing = QueryHeads / KeyHeads, queries = (endToken - firstToken) * sharing;
        Span<float> largest = stackalloc float[queries], sums = stackalloc float[queries];
        float* weights = stackalloc float[KeysAtATime];
        largest.Fill(float.NegativeInfinity);
        sums.Clear();
        for (int q = 0; q < queries; q++)
        {
            RoundToHalf(new Span<float>(Queries + Offset(firstToken, keyHead, sharing, q), HeadSize));
            new Span<float>(Result + Offset(firstToken, keyHead, sharing, q), HeadSize).Clear();
        }

        int seenFirst = Math.Max(0, FirstPosition + firstToken - Window + 1), seenLast = FirstPosition + endToken - 1;
        for (int block = seenFirst / KeysAtATime * KeysAtATime; block <= seenLast; block += KeysAtATime)
        {
            int count = Math.Min(KeysAtATime, seenLast - block + 1);
            long offset = keyHead * HeadStride + (long)block * HeadSize;
            TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>(Keys + offset, count * HeadSize), new Span<float>(keys, count * HeadSize));
            TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>(Values + offset, count * HeadSize), new Span<float>(values, count * HeadSize));
            for (int q = 0; q < queries; q++)
            {
                int position = FirstPosition + firstToken + q / sharing;
                int first = Math.Max(0, position - Window + 1 - block), end = Math.Min(count, position - block + 1);
                if (first >= end) continue;
                float* result = Result + Offset(firstToken, keyHead, sharing, q);
                float highest = Score(Queries + Offset(firstToken, keyHead, sharing, q), keys, first, end, weights);
                if (highest > largest[q])
                {
                    if (sums[q] > 0) Shrink(result, MathF.Exp(largest[q] - highest), ref sums[q]);
                    largest[q] = highest;
                }
                Span<float> seen = new(weights + first, end - first);
                TensorPrimitives.Subtract(seen, largest[q], seen);
                TensorPrimitives.Exp(seen, seen);
                sums[q] += TensorPrimitives.Sum(seen);
                Accumulate(result, values, first, end, weights);
            }
        }

        for (int q = 0; q < queries; q++)
        {
            Span<float> result = new(Result + Offset(firstToken, keyHead, sharing, q), HeadSize);
            TensorPrimitives.Multiply(result, 1 / sums[q], result);
        }
    }

    /// <summary>Where query <paramref name="q"/> of an item begins: tokens in turn, each with the heads that share the key head.</summary>
    private readonly long Offset(int firstToken, int keyHead, int sharing, int q) =>
        ((long)(firstToken + q / sharing) * QueryHeads + keyHead * sharing + q % sharing) * HeadSize;

    /// <summary>Writes the scores of a query with keys first … end - 1 to <paramref name="scores"/> and returns the highest.</summary>
    private readonly float Score(float* query, float* keys, int first, int end, float* scores)
    {
        float highest = float.NegativeInfinity;
        for (int k = first; k < end; k++)
        {
            float* key = keys + k * HeadSize;
            float score = 0;
            int i = 0;
            if (InstructionSets.HasAvx512)
            {
                Vector512<float> sum = Vector512<float>.Zero;
                for (; i <= HeadSize - Vector512<float>.Count; i += Vector512<float>.Count) sum = Avx512F.FusedMultiplyAdd(Vector512.Load(query + i), Vector512.Load(key + i), sum);
                score = Vector512.Sum(sum);
            }
            else
            {
                Vector256<float> sum = Vector256<float>.Zero;
                for (; i <= HeadSize - Vector256<float>.Count; i += Vector256<float>.Count) sum = Vector256.MultiplyAddEstimate(Vector256.Load(query + i), Vector256.Load(key + i), sum);
                score = Vector256.Sum(sum);
            }
            for (; i < HeadSize; i++) score += query[i] * key[i];
            scores[k] = score *= Scale;
            highest = MathF.Max(highest, score);
        }
        return highest;
    }

    /// <summary>Makes up for a new highest score: what was added so far counts for less.</summary>
    private readonly void Shrink(float* result, float factor, ref float sum)
    {
        sum *= factor;
        Span<float> soFar = new(result, HeadSize);
        TensorPrimitives.Multiply(soFar, factor, soFar);
        RoundToHalf(soFar);
    }

    /// <summary>Adds values first … end - 1 to the weighted sum of one query.</summary>
    private readonly void Accumulate(float* result, float* values, int first, int end, float* weights)
    {
        int i = 0;
        // A step waits for the one before it: several sums side by side keep the processor busy.
        for (; InstructionSets.HasAvx512 && i <= HeadSize - 4 * Vector512<float>.Count; i += 4 * Vector512<float>.Count)
        {
            Vector512<float> sum0 = Vector512.Load(result + i), sum1 = Vector512.Load(result + i + 16), sum2 = Vector512.Load(result + i + 32), sum3 = Vector512.Load(result + i + 48);
            for (int k = first; k < end; k++)
            {
                Vector512<float> weight = Vector512.Create(weights[k]);
                float* value = values + k * HeadSize + i;
                sum0 = RoundToHalf(Avx512F.FusedMultiplyAdd(weight, Vector512.Load(value), sum0));
                sum1 = RoundToHalf(Avx512F.FusedMultiplyAdd(weight, Vector512.Load(value + 16), sum1));
                sum2 = RoundToHalf(Avx512F.FusedMultiplyAdd(weight, Vector512.Load(value + 32), sum2));
                sum3 = RoundToHalf(Avx512F.FusedMultiplyAdd(weight, Vector512.Load(value + 48), sum3));
            }
            sum0.Store(result + i);
            sum1.Store(result + i + 16);
            sum2.Store(result + i + 32);
            sum3.Store(result + i + 48);
        }
        for (; i <= HeadSize - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            Vector256<float> sum = Vector256.Load(result + i);
            for (int k = first; k < end; k++)
                sum = RoundToHalf(Vector256.MultiplyAddEstimate(Vector256.Create(weights[k]), Vector256.Load(values + k * HeadSize + i), sum));
            sum.Store(result + i);
        }
        for (; i < HeadSize; i++)
            for (int k = first; k < end; k++) result[i] = (float)(Half)(result[i] + weights[k] * values[k * HeadSize + i]);
    }

    private static void RoundToHalf(Span<float> values)
    {
        int i = 0;
        for (; i <= values.Length - Vector256<float>.Count; i += Vector256<float>.Count) RoundToHalf(Vector256.Create<float>(values[i..])).CopyTo(values[i..]);
        for (; i < values.Length; i++) values[i] = (float)(Half)values[i];
    }

    /// <summary>Rounds to the 11 significant bits of half precision, ties to even. Below 2^-14, where half precision has fewer, all 11 stay.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> RoundToHalf(Vector256<float> values)
    {
        Vector256<uint> bits = values.AsUInt32();
        Vector256<uint> odd = Vector256.ShiftRightLogical(bits, 13) & Vector256<uint>.One;
        return ((bits + odd + Vector256.Create(0x0fffu)) & Vector256.Create(~0x1fffu)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> RoundToHalf(Vector512<float> values)
    {
        Vector512<uint> bits = values.AsUInt32();
        Vector512<uint> odd = Vector512.ShiftRightLogical(bits, 13) & Vector512<uint>.One;
        return ((bits + odd + Vector512.Create(0x0fffu)) & Vector512.Create(~0x1fffu)).AsSingle();
    }
}
