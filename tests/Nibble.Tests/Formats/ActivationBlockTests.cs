using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nibble.Formats;

namespace Nibble.Tests.Formats;

/// <summary>What holds for every format of activations, which are quantized once per matrix product.</summary>
public abstract class ActivationBlockTests<TBlock>(int bytes, int values) where TBlock : unmanaged, IBlock<TBlock>
{
    private delegate void Quantizer(ReadOnlySpan<float> source, Span<TBlock> blocks);

    private static readonly Quantizer s_quantizeScalar =
        typeof(TBlock).GetMethod("QuantizeScalar", BindingFlags.Static | BindingFlags.NonPublic)!.CreateDelegate<Quantizer>();

    [Fact]
    public void Block_has_its_size()
    {
        Assert.Equal(bytes, Unsafe.SizeOf<TBlock>());
        Assert.Equal(values, TBlock.BlockSize);
    }

    [Fact]
    public void Quantized_values_are_within_half_a_step()
    {
        Random random = new(4);
        float[] source = [.. Enumerable.Range(0, values).Select(_ => random.NextSingle() * 2 - 1)], back = new float[values];
        TBlock[] blocks = new TBlock[1];
        TBlock.Quantize(source, blocks);
        TBlock.Dequantize(blocks, back);
        float step = source.Max(MathF.Abs) / 127;
        for (int i = 0; i < values; i++) Assert.InRange(MathF.Abs(source[i] - back[i]), 0, step * 0.57f);
    }

    [Fact]
    public void Vector_quantizer_gives_the_bytes_of_the_scalar_one()
    {
        Random random = new(5);
        for (int round = 0; round < 400; round++)
        {
            float size = MathF.Pow(10, random.Next(-44, 38));
            float[] source = [.. Enumerable.Range(0, values * (1 + round % 3)).Select(i => Value(random, round, i) * size)];
            TBlock[] expected = new TBlock[source.Length / values];
            s_quantizeScalar(source, expected);
            using GuardedMemory<float> guardedSource = new(source);
            using GuardedMemory<TBlock> actual = new(new TBlock[expected.Length]);
            TBlock.Quantize(guardedSource.Span, actual.Span);
            Assert.Equal(MemoryMarshal.AsBytes(expected.AsSpan()), MemoryMarshal.AsBytes(actual.Span));
        }
    }

    /// <summary>Random values; exact halves of steps; values that are no numbers; mostly zeros.</summary>
    private static float Value(Random random, int round, int i) => (round % 5) switch
    {
        0 => random.NextSingle() - 0.5f,
        1 => i == 0 ? 127 : random.Next(-254, 255) / 2f,
        2 => random.Next(50) == 0 ? float.PositiveInfinity : random.NextSingle(),
        3 => random.Next(20) == 0 ? random.NextSingle() : 0,
        _ => random.Next(2) == 0 ? 1 : -1,
    };
}

public sealed class Q8_0ActivationTests() : ActivationBlockTests<Q8_0>(bytes: 34, values: 32);
public sealed class Q8_1ActivationTests() : ActivationBlockTests<Q8_1>(bytes: 36, values: 32);
public sealed class Q8_KActivationTests() : ActivationBlockTests<Q8_K>(bytes: 292, values: 256);
