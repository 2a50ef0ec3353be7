using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

internal static partial class Nibbles
{
    /// <summary>Packs the low 4 bits of 32 values as a run with half = 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Pack(Vector256<byte> values, ref Byte16 bytes)
    {
        values &= Vector256.Create((byte)15);
        (values.GetLower() | (values.GetUpper().AsUInt16() << 4).AsByte()).StoreUnsafe(ref bytes[0]);
    }

    /// <summary>32 values of a run with half = 16: low nibbles in the lower half of the vector, high nibbles in the upper.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Unpack(ref readonly Byte16 bytes)
    {
        Vector128<byte> packed = Vector128.LoadUnsafe(in Unsafe.As<Byte16, byte>(ref Unsafe.AsRef(in bytes)));
        return Vector256.Create(packed, (packed.AsUInt16() >> 4).AsByte()) & Vector256.Create((byte)15);
    }
}
