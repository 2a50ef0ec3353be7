using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

internal sealed partial class Codebook
{
    private readonly Lazy<Neighbours> _neighbours;

    /// <summary>
    /// The code of the point in the book that replaces the one with <paramref name="code"/>, which is not: among its neighbours
    /// the one for which the sum of <c>weight * (scale * level - value)²</c> is least, the first of several. Neighbours are the
    /// points whose distance is among the smallest few (the number of shells) that occur.
    /// </summary>
    /// <param name="code">The code of a point that is not in the book.</param>
    /// <param name="values">One per dimension.</param>
    /// <param name="weights">One per dimension.</param>
    /// <param name="scale">The scale of the levels.</param>
    /// <param name="levels">Eight numbers, by coordinate; where coordinates have two bits the second four repeat the first.</param>
    public int Nearest(int code, ReadOnlySpan<float> values, ReadOnlySpan<float> weights, float scale, Vector256<float> levels)
    {
        Debug.Assert(values.Length == Dimensions && weights.Length == Dimensions && IndexOf(code) < 0, "one value and one weight per dimension");
        ReadOnlySpan<ushort> neighbours = _neighbours.Value.Of(code);
        if (!Avx2.IsSupported) return NearestScalar(neighbours, values, weights, scale, levels);
        return Dimensions == 8 ? NearestOfEight(neighbours, values, weights, scale, levels) : NearestOfFour(neighbours, values, weights, scale, levels);
    }

    internal int NearestScalar(ReadOnlySpan<ushort> neighbours, ReadOnlySpan<float> values, ReadOnlySpan<float> weights, float scale, Vector256<float> levels)
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
    private static int NearestOfEight(ReadOnlySpan<ushort> neighbours, ReadOnlySpan<float> values, ReadOnlySpan<float> weights, float scale, Vector256<float> levels)
    {
        levels *= scale;
        Vector256<float> e0 = Errors(values[0], weights[0], levels), e1 = Errors(values[1], weights[1], levels);
        Vector256<float> e2 = Errors(values[2], weights[2], levels), e3 = Errors(values[3], weights[3], levels);
        Vector256<float> e4 = Errors(values[4], weights[4], levels), e5 = Errors(values[5], weights[5], levels);
        Vector256<float> e6 = Errors(values[6], weights[6], levels), e7 = Errors(values[7], weights[7], levels);
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
            Keep(sums, i, ref least, ref nearest);
        }
        return neighbours[First(least, nearest)];
    }

    private static int NearestOfFour(ReadOnlySpan<ushort> neighbours, ReadOnlySpan<float> values, ReadOnlySpan<float> weights, float scale, Vector256<float> levels)
    {
        levels *= scale;
        Vector256<float> e0 = Errors(values[0], weights[0], levels), e1 = Errors(values[1], weights[1], levels);
        Vector256<float> e2 = Errors(values[2], weights[2], levels), e3 = Errors(values[3], weights[3], levels);
        Vector256<float> least = Vector256.Create(float.MaxValue);
        Vector256<int> nearest = Vector256<int>.Zero;
        for (int i = 0; i < neighbours.Length; i += 8)
        {
            Vector256<int> codes = Avx2.ConvertToVector256Int32(Vector128.LoadUnsafe(in MemoryMarshal.GetReference(neighbours), (nuint)i));
            Vector256<float> sums = Avx2.PermuteVar8x32(e0, codes);
            sums += Avx2.PermuteVar8x32(e1, codes >>> 3);
            sums += Avx2.PermuteVar8x32(e2, codes >>> 6);
            sums += Avx2.PermuteVar8x32(e3, codes >>> 9);
            Keep(sums, i, ref least, ref nearest);
        }
        return neighbours[First(least, nearest)];
    }

    /// <summary>The errors that a coordinate makes at each level.</summary>
    private static Vector256<float> Errors(float value, float weight, Vector256<float> scaledLevels)
    {
        Vector256<float> differences = scaledLevels - Vector256.Create(value);
        return Vector256.Create(weight) * differences * differences;
    }

    private static void Keep(Vector256<float> sums, int start, ref Vector256<float> least, ref Vector256<int> nearest)
    {
        Vector256<float> isLess = Vector256.LessThan(sums, least);
        least = Vector256.ConditionalSelect(isLess, sums, least);
        nearest = Vector256.ConditionalSelect(isLess.AsInt32(), Vector256.Create(start) + Vector256<int>.Indices, nearest);
    }

    /// <summary>The earliest place of the least sum.</summary>
    private static int First(Vector256<float> least, Vector256<int> places)
    {
        Vector128<float> four = Sse.Min(least.GetLower(), least.GetUpper());
        Vector128<float> two = Sse.Min(four, Sse.MoveHighToLow(four, four));
        Vector128<float> one = Sse.MinScalar(two, Sse.Shuffle(two, two, 1));
        Vector256<int> isLeast = Vector256.Equals(least, Avx2.BroadcastScalarToVector256(one)).AsInt32();
        Vector256<int> candidates = Vector256.ConditionalSelect(isLeast, places, Vector256.Create(int.MaxValue));
        Vector128<int> p = Sse41.Min(candidates.GetLower(), candidates.GetUpper());
        p = Sse41.Min(p, Sse2.Shuffle(p, 0b01_00_11_10));
        return Sse41.Min(p, Sse2.Shuffle(p, 0b10_11_00_01)).ToScalar();
    }
}
