using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct Q8_1
{
    internal static void QuantizeAvx2(ReadOnlySpan<float> source, Span<Q8_1> blocks)
    {
        for (int block = 0; block < blocks.Length; block++)
        {
            ref readonly float x = ref source.Slice(block * 32, 32)[0];
            Vector256<float> a = Vector256.LoadUnsafe(in x), b = Vector256.LoadUnsafe(in x, 8), c = Vector256.LoadUnsafe(in x, 16), d = Vector256.LoadUnsafe(in x, 24);
            // VMAXPS gives its second operand where one is NaN.
            Vector256<float> magnitudes = Avx.Max(Vector256.Abs(a), Vector256<float>.Zero);
            magnitudes = Avx.Max(Vector256.Abs(b), magnitudes);
            magnitudes = Avx.Max(Vector256.Abs(c), magnitudes);
            magnitudes = Avx.Max(Vector256.Abs(d), magnitudes);
            float scale = FloatLanes.Max(magnitudes) / 127;
            float inverse = scale != 0 ? 1 / scale : 0;
            Vector256<sbyte> quants = FloatLanes.Round32(a, b, c, d, inverse);
            quants.StoreUnsafe(ref blocks[block].Quants[0]);
            blocks[block].Scale = (Half)scale;
            // Bytes plus 128 are unsigned; VPSADBW sums each eight of them.
            Vector256<long> sums = Avx2.SumAbsoluteDifferences(quants.AsByte() ^ Vector256.Create((byte)128), Vector256<byte>.Zero).AsInt64();
            blocks[block].Sum = (Half)((int)(Vector256.Sum(sums) - 32 * 128) * scale);
        }
    }
}
