using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct IQ1_M : IAvx2Step<IQ1_M, Q8_K>, IAvx2Levels<IQ1_M>
{
    internal static float DotAvx2(ReadOnlySpan<IQ1_M> weights, ReadOnlySpan<Q8_K> activations) => Avx2Loop.Dot(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<IQ1_M, Q8_K>.Step(in IQ1_M w, in Q8_K x, Vector256<float> total)
    {
        ref ulong table = ref MemoryMarshal.GetArrayDataReference(IQ1_S.Eighths);
        ref byte points = ref Unsafe.AsRef(in w.Points[0]);
        ref byte highBits = ref Unsafe.AsRef(in w.HighBits[0]);
        ref readonly sbyte values = ref x.Quants[0];
        Vector256<short> scales = w.Groups.Unpack();
        Vector256<int> products = Vector256<int>.Zero;
        for (int g = 0; g < 8; g++)
        {
            uint low = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref points, g * 4)), high = Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref highBits, g * 2));
            products += Products.SignedScaled(InEighths(ref table, low, high), Vector256.LoadUnsafe(in values, (nuint)(g * 32)), Products.Repeat(scales, g));
        }
        return Products.AddScaled(total, 0.125f * HalfScale.ToSingle(w.Groups.Scale) * x.Scale, products);
    }

    /// <summary>Eight times the shifted coordinates of 32 weights, by the low bytes of their four points and the four nibbles beside them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> InEighths(ref ulong table, uint low, uint high)
    {
        // Of the nibbles in two bytes, the shifts' bits before eight weights each.
        Vector256<byte> holders = Vector256.Create(0ul, 0, 0x0101_0101_0101_0101, 0x0101_0101_0101_0101).AsByte();
        Vector256<byte> bit = Vector256.Create(0x0808_0808_0808_0808ul, 0x8080_8080_8080_8080, 0x0808_0808_0808_0808, 0x8080_8080_8080_8080).AsByte();
        Vector256<sbyte> points = CodebookLookup.Eights(
            ref table, low & 255 | high << 8 & 0x700, low >> 8 & 255 | high << 4 & 0x700, low >> 16 & 255 | high & 0x700, low >> 24 | high >> 4 & 0x700).AsSByte();
        Vector256<byte> isDown = Vector256.Equals(Avx2.Shuffle(Vector256.Create((ushort)high).AsByte(), holders) & bit, bit);
        return points + (isDown | Vector256<byte>.One).AsSByte();
    }

    static int IAvx2Levels<IQ1_M>.GroupSize => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void IAvx2Levels<IQ1_M>.Unpack(in IQ1_M block, ref Levels levels)
    {
        ref ulong table = ref MemoryMarshal.GetArrayDataReference(IQ1_S.Eighths);
        ref byte points = ref Unsafe.AsRef(in block.Points[0]), highBits = ref Unsafe.AsRef(in block.HighBits[0]);
        levels.PutScales(0.125f * HalfScale.ToSingle(block.Groups.Scale), block.Groups.Unpack());
        for (int g = 0; g < 8; g++)
            levels.Put(g * 32, InEighths(ref table, Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref points, g * 4)), Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref highBits, g * 2))));
    }
}
