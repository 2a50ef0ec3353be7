using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// 128 ternary weights in 2 bits each, w = Scale * (q - 1), with one scale for the whole tensor: its tail. As bitnet.cpp writes it on
/// x86; <see cref="I2_SLayout"/> has the others.
/// <code>
///  bit      7 6        5 4             3 2             1 0
///  byte j   weight j   weight j + 32   weight j + 64   weight j + 96        (j = 0 … 31)
/// </code>
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct I2_S : ITensorBlock<I2_S, Q8_0, I2_STail>
{
    public Byte32 Quants;

    public static string Name => "I2_S";
    public static int GgufType => 36;
    public static int BlockSize => 128;
    public static string? Readers => "bitnet.cpp, ik_llama.cpp and Nibble";

    /// <summary>Smaller values become zero.</summary>
    private const double Zero = 1e-6;

    /// <summary>The number of weight i of 128, 0 … 2 (3 where the file is damaged).</summary>
    private readonly int At(int i) => Quants[i % 32] >> 6 - i / 32 * 2 & 3;

    /// <summary>The largest magnitude, which in weights that are ternary already is that of all but zeros.</summary>
    public static I2_STail Fit(ITensorValues values)
    {
        float largest = 0;
        float[] row = new float[values.Columns];
        for (long r = 0; r < values.Rows; r++)
        {
            values.Read(r, row);
            largest = MathF.Max(largest, MathF.Abs(TensorPrimitives.MaxMagnitudeNumber<float>(row)));
        }
        return new() { Scale = largest };
    }

    public static void Dequantize(ReadOnlySpan<I2_S> blocks, in I2_STail tail, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            Span<float> values = destination.Slice(b * 128, 128);
            for (int i = 0; i < 128; i++) values[i] = (blocks[b].At(i) - 1) * tail.Scale;
        }
    }

    /// <summary>Keeps the signs of values that are not zero: meant for weights that are ternary already, as those of BitNet models are.</summary>
    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, in I2_STail tail, Span<I2_S> blocks)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ReadOnlySpan<float> values = source.Slice(b * 128, 128);
            blocks[b] = default;
            for (int i = 0; i < 128; i++)
            {
                int quant = Math.Abs((double)values[i]) < Zero ? 1 : (double)values[i] * tail.Scale > 0 ? 2 : 0;
                blocks[b].Quants[i % 32] |= (byte)(quant << 6 - i / 32 * 2);
            }
        }
    }

    public static float Dot(ReadOnlySpan<I2_S> weights, ReadOnlySpan<Q8_0> activations, in I2_STail tail) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations, in tail) : InstructionSets.HasNeon ? DotNeon(weights, activations, in tail) : DotScalar(weights, activations, in tail);

    internal static float DotScalar(ReadOnlySpan<I2_S> weights, ReadOnlySpan<Q8_0> activations, in I2_STail tail)
    {
        float total = 0;
        for (int run = 0; run < weights.Length * 4; run++)
        {
            ref readonly I2_S w = ref weights[run / 4];
            ReadOnlySpan<sbyte> x = activations[run].Quants;
            int products = 0;
            for (int i = 0; i < 32; i++) products += (w.At(run % 4 * 32 + i) - 1) * x[i];
            total += products * (float)activations[run].Scale;
        }
        return total * tail.Scale;
    }
}

/// <summary>What an I2_S tensor stores once: its scale, and zeros up to 32 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct I2_STail
{
    public float Scale;
    public Padding Zeros;

    /// <summary>28 bytes in place.</summary>
    [InlineArray(28)]
    public struct Padding
    {
        private byte _first;
    }
}
