using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

/// <summary>The sizes of values without their signs.</summary>
internal static class Magnitudes
{
    /// <summary>The magnitude of <see cref="ScaleSearch.Extreme(ReadOnlySpan{float})"/>: the largest, NaN left out. Values come in sixteens.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(ReadOnlySpan<float> values)
    {
        ref readonly float value = ref MemoryMarshal.GetReference(values);
        Vector256<float> even = Vector256<float>.Zero, odd = Vector256<float>.Zero;
        for (int i = 0; i < values.Length; i += 16)
        {
            // VMAXPS gives its second operand where one is NaN.
            even = Avx.Max(Vector256.Abs(Vector256.LoadUnsafe(in value, (nuint)i)), even);
            odd = Avx.Max(Vector256.Abs(Vector256.LoadUnsafe(in value, (nuint)(i + 8))), odd);
        }
        return FloatLanes.Max(Avx.Max(even, odd));
    }

    /// <summary>The sums of the magnitudes of up to eight groups, each added up value after value.</summary>
    /// <param name="values">Groups of <paramref name="size"/> values.</param>
    /// <param name="first">The first of the eight groups; what lies past the last gets the sum of the last.</param>
    /// <param name="size">Values of a group, a multiple of 8.</param>
    /// <param name="sums">Room for eight.</param>
    [SkipLocalsInit]
    public static void Sums(ReadOnlySpan<float> values, int first, int size, Span<float> sums)
    {
        Span<Lanes8> columns = stackalloc Lanes8[8];
        Lanes8 sum = Lanes8.Create(0);
        for (int column = 0; column < size; column += 8)
        {
            LaneGroups.Transpose(values[column..], first, values.Length / size, size, columns);
            foreach (Lanes8 value in columns) sum += Lanes8.Abs(value);
        }
        sum.Store(sums);
    }
}
