using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

internal sealed partial class Codebook
{
    private readonly Lock _finding = new();

    /// <summary>Found when first needed, which is when quantizing.</summary>
    private Neighbours? _neighbours;

    /// <summary>
    /// The codes of the neighbours of the point with <paramref name="code"/>, by distance and index; none where it is in the book itself.
    /// </summary>
    public ReadOnlySpan<ushort> NeighboursOf(int code) => IndexOf(code) >= 0 ? [] : (_neighbours ?? FindNeighbours()).Of(code);

    /// <summary>
    /// The code of the point in the book that replaces one that is not: among its neighbours the one for which the sum of <c>weight * (scale * level - value)²</c> is least, the first of several. Neighbours are the
    /// points whose distance is among the smallest few (the number of shells) that occur.
    /// </summary>
    /// <param name="neighbours">What <see cref="NeighboursOf"/> gives for a point that is not in the book.</param>
    /// <param name="values">One per dimension.</param>
    /// <param name="weights">One per dimension.</param>
    /// <param name="scale">The scale of the levels.</param>
    /// <param name="levels">Eight numbers, by coordinate; where coordinates have two bits the second four repeat the first.</param>
    public int Nearest(ReadOnlySpan<ushort> neighbours, ReadOnlySpan<float> values, ReadOnlySpan<float> weights, float scale, Vector256<float> levels)
    {
        Debug.Assert(values.Length == Dimensions && weights.Length == Dimensions && !neighbours.IsEmpty, "one value and one weight per dimension");
        if (!InstructionSets.HasAvx2) return NearestScalar(neighbours, values, weights, scale, levels);
        return Dimensions == 8 ? NearestOfEight(neighbours, values, weights, scale, levels) : NearestOfFour(neighbours, values, weights, scale, levels);
    }

    private Neighbours FindNeighbours()
    {
        lock (_finding) return _neighbours ??= new Neighbours(this, _shells);
    }

    private int NearestScalar(ReadOnlySpan<ushort> neighbours, ReadOnlySpan<float> values, ReadOnlySpan<float> weights, float scale, Vector256<float> levels)
    {
        int nearest = neighbours[0];
        float least = float.MaxValue;
        foreach (int neighbour in neighbours)
        {
            float sum = 0;
            for (int i = 0; i < values.Length; i++)
            {
                float difference = scale * levels[Coordinate(neighbour, i)] - values[i];
                sum += weights[i] * difference * difference;
            }
            if (sum < least)
            {
                least = sum;
                nearest = neighbour;
            }
        }
        return nearest;
    }

    /// <summary>Eight neighbours side by side: each coordinate's three possible errors are computed once and looked up.</summary>
    private int NearestOfEight(ReadOnlySpan<ushort> neighbours, ReadOnlySpan<float> values, ReadOnlySpan<float> weights, float scale, Vector256<float> levels)
    {
        Vector256<float> scaled = levels * scale;
        Vector256<float> e0 = Errors(values[0], weights[0], scaled), e1 = Errors(values[1], weights[1], scaled);
        Vector256<float> e2 = Errors(values[2], weights[2], scaled), e3 = Errors(values[3], weights[3], scaled);
        Vector256<float> e4 = Errors(values[4], weights[4], scaled), e5 = Errors(values[5], weights[5], scaled);
        Vector256<float> e6 = Errors(values[6], weights[6], scaled), e7 = Errors(values[7], weights[7], scaled);
        Vector256<float> least = Vector256.Create(float.MaxValue);
        Vector256<int> nearest = Vector256<int>.Zero;
        for (int i = 0; i < neighbours.Length; i += 8)
        {
            Vector256<int> codes = Avx2.ConvertToVector256Int32(Vector128.LoadUnsafe(in MemoryMarshal.GetReference(neighbours), (nuint)i));
            // VPERMPS looks at the lowest three bits; the third belongs to the next coordinate, hence the repeated levels.
            Vector256<float> sums = Avx2.PermuteVar8x32(e0, codes);
            sums += Avx2.PermuteVar8x32(e1, codes >>> 2);
            sums += Avx2.PermuteVar8x32(e2, codes >>> 4);
            sums += Avx2.PermuteVar8x32(e3, codes >>> 6);
            sums += Avx2.PermuteVar8x32(e4, codes >>> 8);
            sums += Avx2.PermuteVar8x32(e5, codes >>> 10);
            sums += Avx2.PermuteVar8x32(e6, codes >>> 12);
            sums += Avx2.PermuteVar8x32(e7, codes >>> 14);
            Keep(sums, codes, ref least, ref nearest);
        }
        return TryFirst(least, nearest, neighbours.Length, out int code) ? code : NearestScalar(neighbours, values, weights, scale, levels);
    }

    private int NearestOfFour(ReadOnlySpan<ushort> neighbours, ReadOnlySpan<float> values, ReadOnlySpan<float> weights, float scale, Vector256<float> levels)
    {
        Vector256<float> scaled = levels * scale;
        Vector256<float> e0 = Errors(values[0], weights[0], scaled), e1 = Errors(values[1], weights[1], scaled);
        Vector256<float> e2 = Errors(values[2], weights[2], scaled), e3 = Errors(values[3], weights[3], scaled);
        Vector256<float> least = Vector256.Create(float.MaxValue);
        Vector256<int> nearest = Vector256<int>.Zero;
        for (int i = 0; i < neighbours.Length; i += 8)
        {
            Vector256<int> codes = Avx2.ConvertToVector256Int32(Vector128.LoadUnsafe(in MemoryMarshal.GetReference(neighbours), (nuint)i));
            Vector256<float> sums = Avx2.PermuteVar8x32(e0, codes);
            sums += Avx2.PermuteVar8x32(e1, codes >>> 3);
            sums += Avx2.PermuteVar8x32(e2, codes >>> 6);
            sums += Avx2.PermuteVar8x32(e3, codes >>> 9);
            Keep(sums, codes, ref least, ref nearest);
        }
        return TryFirst(least, nearest, neighbours.Length, out int code) ? code : NearestScalar(neighbours, values, weights, scale, levels);
    }

    /// <summary>The errors that a coordinate makes at each level.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Errors(float value, float weight, Vector256<float> scaledLevels)
    {
        Vector256<float> differences = scaledLevels - Vector256.Create(value);
        return Vector256.Create(weight) * differences * differences;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(Vector256<float> sums, Vector256<int> codes, ref Vector256<float> least, ref Vector256<int> nearest)
    {
        Vector256<float> isLess = Vector256.LessThan(sums, least);
        least = Vector256.ConditionalSelect(isLess, sums, least);
        nearest = Vector256.ConditionalSelect(isLess.AsInt32(), codes, nearest);
    }

    /// <summary>
    /// The code with the least sum. Where lanes have the same sum the first neighbour counts: with eight neighbours the first lane;
    /// with more the lanes do not tell, unless they all hold one code, as those do that fill up the eights.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryFirst(Vector256<float> least, Vector256<int> codes, int neighbours, out int code)
    {
        Vector128<float> four = Sse.Min(least.GetLower(), least.GetUpper());
        Vector128<float> two = Sse.Min(four, Sse.MoveHighToLow(four, four));
        Vector128<float> one = Sse.MinScalar(two, Sse.Shuffle(two, two, 1));
        uint lanes = Vector256.Equals(least, Avx2.BroadcastScalarToVector256(one)).ExtractMostSignificantBits();
        code = codes.GetElement(BitOperations.TrailingZeroCount(lanes) & 7);
        return neighbours == 8 || BitOperations.IsPow2(lanes) || (lanes & ~Vector256.Equals(codes, Vector256.Create(code)).ExtractMostSignificantBits()) == 0;
    }
}
