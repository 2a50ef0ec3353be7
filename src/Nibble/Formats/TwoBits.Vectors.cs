using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

internal static partial class TwoBits
{
    /// <summary>The numbers of 256 values, plus <paramref name="offset"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Unpack(ref readonly Byte64 bytes, sbyte offset, ref Levels levels)
    {
        Vector256<byte> low = Vector256.Create((byte)3);
        Vector256<sbyte> start = Vector256.Create(offset);
        for (int run = 0; run < 2; run++)
        {
            Vector256<ushort> bits = Vector256.LoadUnsafe(in bytes[0], (nuint)(run * 32)).AsUInt16();
            levels.Put(run * 128, (bits.AsByte() & low).AsSByte() + start);
            levels.Put(run * 128 + 32, ((bits >> 2).AsByte() & low).AsSByte() + start);
            levels.Put(run * 128 + 64, ((bits >> 4).AsByte() & low).AsSByte() + start);
            levels.Put(run * 128 + 96, ((bits >> 6).AsByte() & low).AsSByte() + start);
        }
    }
}
