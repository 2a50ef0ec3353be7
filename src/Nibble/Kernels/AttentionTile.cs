using System.Runtime.CompilerServices;

namespace Nibble.Kernels;

/// <summary>
/// The two products of attention over a block of 32 keys, for four queries at a time: what is loaded of a key or a value serves all four.
/// Each number is added up in the same order whichever queries are together.
/// </summary>
internal static unsafe class AttentionTile
{
    /// <summary>Keys of a block.</summary>
    public const int Keys = 32;

    /// <summary>Queries at a time.</summary>
    public const int Queries = 4;

    /// <summary>Products added up by themselves before they are added to the others: of 64 one after the other, the last bits would be lost.</summary>
    private const int ValuesAtATime = 8;

    /// <summary>Four rows of a matrix; a row may be there more than once where there are fewer.</summary>
    public struct Rows
    {
        public float* Row0, Row1, Row2, Row3;
    }

    /// <summary>Writes the scores of four queries, the scaled products with each key, <c>[32]</c> each.</summary>
    /// <param name="queries"><c>[headSize]</c> each.</param>
    /// <param name="keys"><c>[headSize, 32]</c></param>
    /// <param name="headSize">Values of a head.</param>
    /// <param name="scale">Factor on the products.</param>
    /// <param name="scores">Become <c>[32]</c> each.</param>
    public static void Score(in Rows queries, float* keys, int headSize, float scale, in Rows scores)
    {
        if (InstructionSets.HasAvx512) Score<Float16>(in queries, keys, headSize, scale, in scores);
        else if (InstructionSets.HasNeon) Score<Float4>(in queries, keys, headSize, scale, in scores);
        else Score<Float8>(in queries, keys, headSize, scale, in scores);
    }

    /// <summary>Adds weighted values to the sums of four queries.</summary>
    /// <param name="weights"><c>[32]</c> each.</param>
    /// <param name="values"><c>[32, stride]</c></param>
    /// <param name="stride">Values from one row to the next, a multiple of 32.</param>
    /// <param name="count">Rows to add.</param>
    /// <param name="rounds">Whether sums are rounded to half precision after each row.</param>
    /// <param name="sums"><c>[stride]</c> each.</param>
    public static void Accumulate(in Rows weights, float* values, int stride, int count, bool rounds, in Rows sums)
    {
        if (InstructionSets.HasAvx512 && rounds) Accumulate<Float16, Half>(in weights, values, stride, count, in sums);
        else if (InstructionSets.HasAvx512) Accumulate<Float16, float>(in weights, values, stride, count, in sums);
        else if (InstructionSets.HasNeon && rounds) Accumulate<Float4, Half>(in weights, values, stride, count, in sums);
        else if (InstructionSets.HasNeon) Accumulate<Float4, float>(in weights, values, stride, count, in sums);
        else if (rounds) Accumulate<Float8, Half>(in weights, values, stride, count, in sums);
        else Accumulate<Float8, float>(in weights, values, stride, count, in sums);
    }

    /// <summary>As <see cref="Accumulate"/> with rounding, for one query; before row k is added, the sum is multiplied with factor k where that is not 1, and rounded.</summary>
    public static void AccumulateRising(float* weights, float* factors, float* values, int stride, int first, int end, float* sums)
    {
        if (InstructionSets.HasAvx512 && stride % (4 * Float16.Count) == 0) AccumulateRising<Float16>(weights, factors, values, stride, first, end, sums);
        else if (InstructionSets.HasNeon) AccumulateRising<Float4>(weights, factors, values, stride, first, end, sums);
        else AccumulateRising<Float8>(weights, factors, values, stride, first, end, sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AccumulateRising<TVector>(float* weights, float* factors, float* values, int stride, int first, int end, float* sums) where TVector : unmanaged, IFloatVector<TVector>
    {
        for (int i = 0; i < stride; i += 4 * TVector.Count)
        {
            TVector a = TVector.Load(sums + i), b = TVector.Load(sums + i + TVector.Count), c = TVector.Load(sums + i + 2 * TVector.Count), d = TVector.Load(sums + i + 3 * TVector.Count);
            for (int k = first; k < end; k++)
            {
                if (factors[k] != 1)
                {
                    TVector factor = TVector.Broadcast(factors[k]);
                    (a, b, c, d) = ((a * factor).RoundedToHalf(), (b * factor).RoundedToHalf(), (c * factor).RoundedToHalf(), (d * factor).RoundedToHalf());
                }
                TVector weight = TVector.Broadcast(weights[k]);
                float* row = values + (long)k * stride + i;
                a = Add<TVector, Half>(weight, TVector.Load(row), a);
                b = Add<TVector, Half>(weight, TVector.Load(row + TVector.Count), b);
                c = Add<TVector, Half>(weight, TVector.Load(row + 2 * TVector.Count), c);
                d = Add<TVector, Half>(weight, TVector.Load(row + 3 * TVector.Count), d);
            }
            Put(a, b, sums + i);
            Put(c, d, sums + i + 2 * TVector.Count);
        }
    }

    /// <summary>The highest of 32 scores.</summary>
    public static float Highest(float* scores) => InstructionSets.HasAvx512 ? Highest<Float16>(scores) : InstructionSets.HasNeon ? Highest<Float4>(scores) : Highest<Float8>(scores);

    /// <summary>The sum of 32 weights.</summary>
    public static float Sum(float* weights) => InstructionSets.HasAvx512 ? Sum<Float16>(weights) : InstructionSets.HasNeon ? Sum<Float4>(weights) : Sum<Float8>(weights);

    /// <summary>Replaces 32 scores by weights, the exponentials of what they are above <paramref name="highest"/>, and returns the weights' sum.</summary>
    public static float Weigh(float* scores, float highest) => InstructionSets.HasAvx512 ? Weigh<Float16>(scores, highest) : InstructionSets.HasNeon ? Weigh<Float4>(scores, highest) : Weigh<Float8>(scores, highest);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Highest<TVector>(float* scores) where TVector : unmanaged, IFloatVector<TVector>
    {
        TVector highest = TVector.Load(scores);
        for (int k = TVector.Count; k < Keys; k += TVector.Count) highest = TVector.Max(highest, TVector.Load(scores + k));
        return highest.Largest();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Sum<TVector>(float* weights) where TVector : unmanaged, IFloatVector<TVector>
    {
        TVector sum = default;
        for (int k = 0; k < Keys; k += TVector.Count) sum += TVector.Load(weights + k);
        return sum.Sum();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static float Weigh<TVector>(float* scores, float highest) where TVector : unmanaged, IFloatVector<TVector>
    {
        TVector reference = TVector.Broadcast(highest), sum = default;
        for (int k = 0; k < Keys; k += TVector.Count)
        {
            TVector weights = Exponential.OfNonPositive(TVector.Load(scores + k) - reference);
            weights.Store(scores + k);
            sum += weights;
        }
        return sum.Sum();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Score<TVector>(in Rows queries, float* keys, int headSize, float scale, in Rows scores) where TVector : unmanaged, IFloatVector<TVector>
    {
        float* q0 = queries.Row0, q1 = queries.Row1, q2 = queries.Row2, q3 = queries.Row3;
        for (int k = 0; k < Keys; k += 2 * TVector.Count)
        {
            TVector total0 = default, total1 = default, total2 = default, total3 = default, total4 = default, total5 = default, total6 = default, total7 = default;
            float* row = keys + k;
            for (int first = 0; first < headSize; first += ValuesAtATime)
            {
                TVector a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
                int end = Math.Min(headSize, first + ValuesAtATime);
                for (int i = first; i < end; i++, row += Keys)
                {
                    TVector a = TVector.Load(row), b = TVector.Load(row + TVector.Count);
                    TVector query = TVector.Broadcast(q0[i]);
                    (a0, b0) = (TVector.MultiplyAdd(query, a, a0), TVector.MultiplyAdd(query, b, b0));
                    query = TVector.Broadcast(q1[i]);
                    (a1, b1) = (TVector.MultiplyAdd(query, a, a1), TVector.MultiplyAdd(query, b, b1));
                    query = TVector.Broadcast(q2[i]);
                    (a2, b2) = (TVector.MultiplyAdd(query, a, a2), TVector.MultiplyAdd(query, b, b2));
                    query = TVector.Broadcast(q3[i]);
                    (a3, b3) = (TVector.MultiplyAdd(query, a, a3), TVector.MultiplyAdd(query, b, b3));
                }
                (total0, total1, total2, total3) = (total0 + a0, total1 + a1, total2 + a2, total3 + a3);
                (total4, total5, total6, total7) = (total4 + b0, total5 + b1, total6 + b2, total7 + b3);
            }
            TVector factor = TVector.Broadcast(scale);
            Put(total0 * factor, total4 * factor, scores.Row0 + k);
            Put(total1 * factor, total5 * factor, scores.Row1 + k);
            Put(total2 * factor, total6 * factor, scores.Row2 + k);
            Put(total3 * factor, total7 * factor, scores.Row3 + k);
        }
    }

    /// <typeparam name="TVector">The register.</typeparam>
    /// <typeparam name="TSum">Precision of the sums: <see cref="Half"/> or <see langword="float"/>.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Accumulate<TVector, TSum>(in Rows weights, float* values, int stride, int count, in Rows sums) where TVector : unmanaged, IFloatVector<TVector>
    {
        float* w0 = weights.Row0, w1 = weights.Row1, w2 = weights.Row2, w3 = weights.Row3;
        for (int i = 0; i < stride; i += 2 * TVector.Count)
        {
            TVector a0 = TVector.Load(sums.Row0 + i), b0 = TVector.Load(sums.Row0 + i + TVector.Count);
            TVector a1 = TVector.Load(sums.Row1 + i), b1 = TVector.Load(sums.Row1 + i + TVector.Count);
            TVector a2 = TVector.Load(sums.Row2 + i), b2 = TVector.Load(sums.Row2 + i + TVector.Count);
            TVector a3 = TVector.Load(sums.Row3 + i), b3 = TVector.Load(sums.Row3 + i + TVector.Count);
            float* row = values + i;
            for (int k = 0; k < count; k++, row += stride)
            {
                TVector a = TVector.Load(row), b = TVector.Load(row + TVector.Count);
                TVector weight = TVector.Broadcast(w0[k]);
                (a0, b0) = (Add<TVector, TSum>(weight, a, a0), Add<TVector, TSum>(weight, b, b0));
                weight = TVector.Broadcast(w1[k]);
                (a1, b1) = (Add<TVector, TSum>(weight, a, a1), Add<TVector, TSum>(weight, b, b1));
                weight = TVector.Broadcast(w2[k]);
                (a2, b2) = (Add<TVector, TSum>(weight, a, a2), Add<TVector, TSum>(weight, b, b2));
                weight = TVector.Broadcast(w3[k]);
                (a3, b3) = (Add<TVector, TSum>(weight, a, a3), Add<TVector, TSum>(weight, b, b3));
            }
            Put(a0, b0, sums.Row0 + i);
            Put(a1, b1, sums.Row1 + i);
            Put(a2, b2, sums.Row2 + i);
            Put(a3, b3, sums.Row3 + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Add<TVector, TSum>(TVector weight, TVector values, TVector sum) where TVector : unmanaged, IFloatVector<TVector>
    {
        sum = TVector.MultiplyAdd(weight, values, sum);
        return typeof(TSum) == typeof(Half) ? sum.RoundedToHalf() : sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<TVector>(TVector a, TVector b, float* target) where TVector : unmanaged, IFloatVector<TVector>
    {
        a.Store(target);
        b.Store(target + TVector.Count);
    }
}
