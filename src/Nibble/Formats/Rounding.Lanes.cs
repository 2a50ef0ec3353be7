using System.Runtime.CompilerServices;

namespace Nibble.Formats;

/// <summary>How a search in lanes rounds.</summary>
internal interface ILaneRounding
{
    /// <summary>The nearest whole number of every lane, brought into the range from <paramref name="lowest"/> to <paramref name="highest"/>.</summary>
    static abstract TLanes Round<TLanes>(TLanes values, TLanes lowest, TLanes highest) where TLanes : unmanaged, ILanes<TLanes>;
}

/// <summary>Three instructions, for numbers that are known to be between -<see cref="Limit"/> and <see cref="Limit"/>.</summary>
internal readonly struct NearRounding : ILaneRounding
{
    public const float Limit = 4_000_000f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Round<TLanes>(TLanes values, TLanes lowest, TLanes highest) where TLanes : unmanaged, ILanes<TLanes> =>
        TLanes.Larger(TLanes.Smaller(TLanes.Round(values), highest), lowest);
}

/// <summary>The result of <see cref="Rounding.ToEven(float)"/> for numbers of any size, infinity and NaN.</summary>
internal readonly struct AnyRounding : ILaneRounding
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Round<TLanes>(TLanes values, TLanes lowest, TLanes highest) where TLanes : unmanaged, ILanes<TLanes> =>
        TLanes.Larger(TLanes.Smaller(Rounding.ToEven(values), highest), lowest);
}

internal static partial class Rounding
{
    /// <summary>1.5 * 2^23: added to a number below 2^22 it leaves the nearest integer in the low bits of the sum.</summary>
    private const float Shift = 12_582_912f;

    /// <summary>2^23, of which no fraction bit is set.</summary>
    private const float NoFraction = 8_388_608f;

    /// <summary>
    /// <see cref="ToEven(float)"/> of every lane. What has no integer gives the same as there: the bits above the 23 that
    /// hold the integer are set to those that they have after a proper shift.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes ToEven<TLanes>(TLanes values) where TLanes : unmanaged, ILanes<TLanes> =>
        (values + TLanes.Create(Shift) & TLanes.CreateBits(0x7f_ffff) | TLanes.Create(NoFraction)) - TLanes.Create(Shift);

    /// <summary>What remains of integers between -2^22 and 2^22 when they are stored as bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes LowBytes<TLanes>(TLanes integers) where TLanes : unmanaged, ILanes<TLanes> =>
        (integers + TLanes.Create(Shift) & TLanes.CreateBits(255) | TLanes.Create(NoFraction)) - TLanes.Create(NoFraction);
}
