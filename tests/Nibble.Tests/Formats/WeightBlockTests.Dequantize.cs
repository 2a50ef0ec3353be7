using System.Reflection;
using System.Runtime.InteropServices;

namespace Nibble.Tests.Formats;

public abstract partial class WeightBlockTests<TWeight, TActivation>
{
    private delegate void Dequantization(ReadOnlySpan<TWeight> blocks, Span<float> destination);

    /// <summary>Missing where every value is a block of its own.</summary>
    private static readonly Dequantization? s_dequantizeScalar =
        typeof(TWeight).GetMethod("DequantizeScalar", BindingFlags.Static | BindingFlags.NonPublic)?.CreateDelegate<Dequantization>();

    [Fact]
    public void Vectors_give_the_values_of_the_scalar_code_for_every_number_of_blocks()
    {
        Random random = new(6);
        for (int count = 0; count <= 40; count++) AssertSameValues(RandomWeights(random, count));
    }

    [Fact]
    public void Vectors_give_the_values_of_the_scalar_code_for_every_byte()
    {
        TWeight[] blocks = new TWeight[256];
        for (int bits = 0; bits < 256; bits++)
        {
            MemoryMarshal.AsBytes(blocks.AsSpan(bits, 1)).Fill((byte)bits);
            RandomBlocks.SetScales(ref blocks[bits], () => 0.75f);
        }
        AssertSameValues(blocks);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(-1e-30f)] // -0 in half precision
    [InlineData(1e-7f)] // denormal in half precision
    [InlineData(-65504f)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    [InlineData(float.NaN)]
    public void Vectors_give_the_values_of_the_scalar_code_for_odd_scales(float odd)
    {
        Random random = new(7);
        TWeight[] blocks = RandomWeights(random, 20);
        for (int b = 0; b < blocks.Length; b++) RandomBlocks.SetScales(ref blocks[b], () => odd);
        AssertSameValues(blocks);
        for (int b = 0; b < blocks.Length; b++) RandomBlocks.SetScales(ref blocks[b], () => random.Next(2) == 0 ? odd : 1);
        AssertSameValues(blocks);
    }

    [Fact]
    public void Vectors_give_the_values_of_the_scalar_code_for_any_bits()
    {
        TWeight[] blocks = new TWeight[2000];
        new Random(8).NextBytes(MemoryMarshal.AsBytes(blocks.AsSpan()));
        AssertSameValues(blocks);
    }

    /// <summary>Compares bits, with NaN equal to NaN, from and to memory that ends at guard pages.</summary>
    private void AssertSameValues(TWeight[] blocks)
    {
        Assert.Equal(values == 1, s_dequantizeScalar is null);
        if (s_dequantizeScalar is null) return;
        float[] expected = new float[blocks.Length * values];
        s_dequantizeScalar(blocks, expected);
        using GuardedMemory<TWeight> guarded = new(blocks);
        using GuardedMemory<float> actual = new(new float[expected.Length]);
        actual.Span.Fill(-7);
        TWeight.Dequantize(guarded.Span, actual.Span);
        for (int i = 0; i < expected.Length; i++)
        {
            float value = actual.Span[i];
            bool isSame = BitConverter.SingleToInt32Bits(expected[i]) == BitConverter.SingleToInt32Bits(value) || float.IsNaN(expected[i]) && float.IsNaN(value);
            Assert.True(isSame, $"value {i % values} of block {i / values}: {value} instead of {expected[i]}");
        }
    }
}
