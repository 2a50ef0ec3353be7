using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct SignedSixBitScales
{
    /// <summary>The sixteen scales, -32 … 31.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly Vector128<sbyte> Unpack()
    {
        ref byte start = ref Unsafe.AsRef(in _first);
        ulong lows = Unsafe.ReadUnaligned<ulong>(ref start);
        uint highs = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, 8));
        ulong highs01 = highs << 4 & 0x3030_3030 | (ulong)(highs << 2 & 0x3030_3030) << 32;
        ulong highs23 = highs & 0x3030_3030 | (ulong)(highs >> 2 & 0x3030_3030) << 32;
        Vector128<ulong> stored = Vector128.Create(lows & 0x0f0f_0f0f_0f0f_0f0f | highs01, lows >> 4 & 0x0f0f_0f0f_0f0f_0f0f | highs23);
        return stored.AsSByte() - Vector128.Create((sbyte)32);
    }
}
