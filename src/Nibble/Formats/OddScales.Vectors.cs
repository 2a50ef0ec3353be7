using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct OddScales
{
    /// <summary>The sixteen odd numbers, those of even groups in the lower half of the vector: see <see cref="Products.Repeat"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly Vector256<short> Unpack()
    {
        ulong packed = Unsafe.ReadUnaligned<ulong>(ref Unsafe.AsRef(in _first));
        Vector128<byte> quants = Vector128.Create(packed & 0x0f0f_0f0f_0f0f_0f0ful, packed >> 4 & 0x0f0f_0f0f_0f0f_0f0ful).AsByte();
        return ByteVectors.Widen(quants + quants + Vector128<byte>.One);
    }
}
