using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct TernaryScales
{
    /// <summary>The sixteen odd numbers, those of even groups in the lower half of the vector: see <see cref="Products.Repeat"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly Vector256<short> Unpack()
    {
        ulong packed = Unsafe.ReadUnaligned<ulong>(ref Unsafe.As<ushort, byte>(ref Unsafe.AsRef(in _first)));
        // Each word twice; a multiplication moves the bits of the group to the top.
        Vector256<ushort> words = ByteVectors.Lookup(
            Vector256.Create(packed).AsByte(),
            Vector256.Create(0x0302_0302_0100_0100ul, 0x0706_0706_0504_0504, 0x0302_0302_0100_0100, 0x0706_0706_0504_0504).AsByte()).AsUInt16();
        Vector256<ushort> moves = Vector256.Create(
            0x2000, 0x80, 0x2000, 0x80, 0x2000, 0x80, 0x2000, 0x80,
            0x400, 0x10, 0x400, 0x10, 0x400, 0x10, 0x400, (ushort)0x10);
        Vector256<short> quants = (words * moves >>> 13).AsInt16();
        return quants + quants + Vector256<short>.One;
    }
}
