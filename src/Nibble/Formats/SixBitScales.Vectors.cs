using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct SixBitScales
{
    /// <summary>The scales in bytes 0 … 7, the minimums in bytes 8 … 15.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly Vector128<byte> Unpack()
    {
        ref byte start = ref Unsafe.AsRef(in _first);
        uint scales = Unsafe.ReadUnaligned<uint>(ref start);
        uint minimums = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, 4));
        uint lows = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, 8));
        return Vector128.Create(
            scales & 0x3f3f_3f3f,
            lows & 0x0f0f_0f0f | scales >> 2 & 0x3030_3030,
            minimums & 0x3f3f_3f3f,
            lows >> 4 & 0x0f0f_0f0f | minimums >> 2 & 0x3030_3030).AsByte();
    }
}
