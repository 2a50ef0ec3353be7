using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

/// <summary>32 weights at a time out of tables of points. Every index that fits its bits is in its table.</summary>
internal static class CodebookLookup
{
    /// <summary>Eight points of four bytes, by bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Fours(ref uint table, ref byte indices) => Vector256.Create(
        At(ref table, indices), At(ref table, Unsafe.Add(ref indices, 1)), At(ref table, Unsafe.Add(ref indices, 2)), At(ref table, Unsafe.Add(ref indices, 3)),
        At(ref table, Unsafe.Add(ref indices, 4)), At(ref table, Unsafe.Add(ref indices, 5)), At(ref table, Unsafe.Add(ref indices, 6)), At(ref table, Unsafe.Add(ref indices, 7))).AsByte();

    /// <summary>Eight points of four bytes, by bytes and a ninth bit each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Fours(ref uint table, ref byte indices, uint highBits) => Vector256.Create(
        At(ref table, indices | highBits << 8 & 256), At(ref table, Unsafe.Add(ref indices, 1) | highBits << 7 & 256),
        At(ref table, Unsafe.Add(ref indices, 2) | highBits << 6 & 256), At(ref table, Unsafe.Add(ref indices, 3) | highBits << 5 & 256),
        At(ref table, Unsafe.Add(ref indices, 4) | highBits << 4 & 256), At(ref table, Unsafe.Add(ref indices, 5) | highBits << 3 & 256),
        At(ref table, Unsafe.Add(ref indices, 6) | highBits << 2 & 256), At(ref table, Unsafe.Add(ref indices, 7) | highBits << 1 & 256)).AsByte();

    /// <summary>Four points of eight bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Eights(ref ulong table, uint a, uint b, uint c, uint d) =>
        Vector256.Create(At(ref table, a), At(ref table, b), At(ref table, c), At(ref table, d)).AsByte();

    /// <summary>1 and -1 by the lowest four times seven bits, as <see cref="EvenSigns"/> holds them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<sbyte> Signs(ref ulong factors, uint sevens) =>
        Eights(ref factors, sevens & 127, sevens >> 7 & 127, sevens >> 14 & 127, sevens >> 21 & 127).AsSByte();

    /// <summary>-1 where a bit is set, else 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<sbyte> Signs(uint bits) => (HighBits.Mask(bits) | Vector256<byte>.One).AsSByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T At<T>(ref T table, uint index) => Unsafe.Add(ref table, (nuint)index);
}
