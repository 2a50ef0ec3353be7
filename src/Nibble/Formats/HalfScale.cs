using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// Half to single precision for the scales of blocks, by a table of all 65,536 values: one load where the BCL's cast takes
/// about fifteen instructions and, since it is a call, throws the running sums out of their registers.
/// </summary>
internal static class HalfScale
{
    private static readonly float[] s_values = CreateTable();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToSingle(Half half) =>
        Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(s_values), (nint)BitConverter.HalfToUInt16Bits(half));

    private static float[] CreateTable()
    {
        Half[] halves = new Half[65536];
        for (int bits = 0; bits < halves.Length; bits++) halves[bits] = BitConverter.UInt16BitsToHalf((ushort)bits);
        float[] values = new float[halves.Length];
        TensorPrimitives.ConvertToSingle(halves, values);
        return values;
    }
}
