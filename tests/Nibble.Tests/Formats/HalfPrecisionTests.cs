using System.Runtime.InteropServices;
using Nibble.Formats;

namespace Nibble.Tests.Formats;

/// <summary>The two 16-bit formats of one number each, over every one of their bit patterns.</summary>
public sealed class HalfPrecisionTests
{
    private static readonly ushort[] s_patterns = [.. Enumerable.Range(0, 65536).Select(n => (ushort)n)];

    [Fact]
    public void F16_converts_every_pattern_and_back()
    {
        float[] values = new float[65536];
        F16.Dequantize(MemoryMarshal.Cast<ushort, F16>(s_patterns), values);
        for (int n = 0; n < 65536; n++) Assert.Equal((float)BitConverter.UInt16BitsToHalf((ushort)n), values[n]);
        AssertBack<F16>(values, isNaN: n => (n & 0x7fff) > 0x7c00);
    }

    [Fact]
    public void BF16_converts_every_pattern_and_back()
    {
        float[] values = new float[65536];
        BF16.Dequantize(MemoryMarshal.Cast<ushort, BF16>(s_patterns), values);
        for (int n = 0; n < 65536; n++) Assert.Equal((uint)n << 16, BitConverter.SingleToUInt32Bits(values[n]));
        AssertBack<BF16>(values, isNaN: n => (n & 0x7fff) > 0x7f80);
    }

    [Fact]
    public void F16_rounds_to_nearest_and_halves_to_even()
    {
        float[] values = new float[65536 * 3];
        for (int n = 0; n < 65536; n++)
        {
            float here = (float)BitConverter.UInt16BitsToHalf((ushort)n), next = (float)BitConverter.UInt16BitsToHalf((ushort)(n + 1));
            float middle = (here + next) / 2;
            (values[3 * n], values[3 * n + 1], values[3 * n + 2]) = (middle, MathF.BitIncrement(middle), MathF.BitDecrement(middle));
        }
        AssertEachIsTheCast(values);
    }

    [Fact]
    public void BF16_rounds_to_nearest_and_halves_to_even()
    {
        uint[] bits = [0x3f80_8000, 0x3f81_8000, 0x3f80_8001, 0x3f80_7fff, 0xff7f_ffff, 0x7f80_0001, 0xffff_ffff];
        ushort[] rounded = [0x3f80, 0x3f82, 0x3f81, 0x3f80, 0xff80, 0x7fc0, 0xffff];
        for (int length = 1; length <= 40; length++)
        {
            using GuardedMemory<uint> source = new([.. Enumerable.Range(0, length).Select(i => bits[i % bits.Length])]);
            using GuardedMemory<BF16> blocks = new(new BF16[length]);
            BF16.Quantize(MemoryMarshal.Cast<uint, float>(source.Span), blocks.Span);
            for (int i = 0; i < length; i++) Assert.Equal(rounded[i % rounded.Length], blocks.Span[i].Bits);
        }
    }

    [Theory]
    [InlineData(0x7c00)]
    [InlineData(0xfc00)]
    [InlineData(0x7e00)]
    public void F16_dot_keeps_what_is_no_number(int pattern)
    {
        for (int place = 0; place < 40; place++)
        {
            ushort[] weights = new ushort[40];
            weights[place] = (ushort)pattern;
            float[] activations = [.. Enumerable.Repeat(1f, 40)];
            Assert.Equal(
                (float)BitConverter.UInt16BitsToHalf((ushort)pattern),
                F16.Dot(MemoryMarshal.Cast<ushort, F16>(weights), MemoryMarshal.Cast<float, F32>(activations)));
        }
    }

    [Fact]
    public void F16_dot_takes_every_finite_pattern()
    {
        float[] activations = new float[32];
        activations[5] = 1;
        for (int n = 0; n < 65536; n++)
        {
            Half half = BitConverter.UInt16BitsToHalf((ushort)n);
            if (!Half.IsFinite(half)) continue;
            F16[] weights = new F16[32];
            weights[5].Value = half;
            Assert.Equal((float)half, F16.Dot(weights, MemoryMarshal.Cast<float, F32>(activations)));
        }
    }

    private static void AssertBack<TBlock>(float[] values, Func<int, bool> isNaN) where TBlock : unmanaged, IBlock<TBlock>
    {
        TBlock[] blocks = new TBlock[65536];
        TBlock.Quantize(values, blocks);
        ReadOnlySpan<ushort> patterns = MemoryMarshal.Cast<TBlock, ushort>(blocks);
        for (int n = 0; n < 65536; n++)
            if (isNaN(n)) Assert.True(isNaN(patterns[n]));
            else Assert.Equal(n, patterns[n]);
    }

    private static void AssertEachIsTheCast(float[] values)
    {
        F16[] blocks = new F16[values.Length];
        F16.Quantize(values, blocks);
        for (int i = 0; i < values.Length; i++)
            Assert.True((Half)values[i] == blocks[i].Value || float.IsNaN(values[i]), $"{values[i]:g9} became {blocks[i].Value}");
    }
}
