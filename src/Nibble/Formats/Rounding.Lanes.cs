using System.Runtime.CompilerServices;

namespace Nibble.Formats;

internal static partial class Rounding
{
    /// <summary>1.5 * 2^23: added to a number below 2^22 it leaves the nearest integer in the low bits of the sum.</summary>
    private const float Shift = 12_582_912f;

    /// <summary>The end of a range of quants in the form that <see cref="ToEven{TLanes}(TLanes, TLanes, TLanes)"/> takes.</summary>
    public static TLanes Bound<TLanes>(int quant) where TLanes : unmanaged, ILanes<TLanes> => TLanes.Create(Shift + quant);

    /// <summary>
    /// <see cref="ToEven(float)"/> of every lane, brought into the range between two bounds. What has no integer gives the
    /// same as there: the bits above the 23 that hold the integer are set to those that they have after a proper shift.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes ToEven<TLanes>(TLanes values, TLanes lowest, TLanes highest) where TLanes : unmanaged, ILanes<TLanes> =>
        TLanes.Larger(TLanes.Smaller(Shifted(values), highest), lowest) - TLanes.Create(Shift);

    /// <summary>The nearest integer of every lane, at most the upper bound.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes ToEven<TLanes>(TLanes values, TLanes highest) where TLanes : unmanaged, ILanes<TLanes> =>
        TLanes.Smaller(Shifted(values), highest) - TLanes.Create(Shift);

    /// <summary>What remains of integers between -2^22 and 2^22 when they are stored as bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes LowBytes<TLanes>(TLanes integers) where TLanes : unmanaged, ILanes<TLanes>
    {
        // 2^23 has no fraction bits set, and so its lowest byte is all that the mask leaves.
        TLanes bits = integers + TLanes.Create(Shift);
        return (bits & TLanes.CreateBits(255) | TLanes.Create(8_388_608f)) - TLanes.Create(8_388_608f);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Shifted<TLanes>(TLanes values) where TLanes : unmanaged, ILanes<TLanes> =>
        values + TLanes.Create(Shift) & TLanes.CreateBits(0x7f_ffff) | TLanes.Create(8_388_608f);
}
