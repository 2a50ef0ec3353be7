using System.Reflection;
using System.Runtime.InteropServices;
using Nibble.Formats;

namespace Nibble.Tests.Formats;

public abstract partial class WeightBlockTests<TWeight, TActivation>
{
    private delegate float DotProduct(ReadOnlySpan<TWeight> weights, ReadOnlySpan<TActivation> activations);

    private static readonly DotProduct s_dotScalar =
        typeof(TWeight).GetMethod("DotScalar", BindingFlags.Static | BindingFlags.NonPublic)!.CreateDelegate<DotProduct>();

    private int MostBlocks => values switch { 1 => 100, 32 => 17, _ => 5 };

    [Fact]
    public void Scalar_dot_is_the_sum_of_the_products_of_the_dequantized_values()
    {
        Random random = new(1);
        for (int count = 1; count <= MostBlocks; count++)
        {
            (TWeight[] weights, TActivation[] activations) = (RandomWeights(random, count), RandomActivations(random, count));
            (double expected, double size) = DotOfValues(weights, activations);
            AssertNear(expected, s_dotScalar(weights, activations), ((count + 32) * Math.Pow(2, -24) + sumError) * size);
        }
    }

    [Fact]
    public void Vector_dot_equals_scalar_dot_exactly_where_the_scales_are_powers_of_two()
    {
        Random random = new(2);
        for (int count = 1; count <= MostBlocks; count++)
        {
            // All products are then whole multiples of a power of two, and their sums below 2^24 of them: nothing is rounded.
            TWeight[] weights = values == 1 ? Quantized<TWeight>(SmallIntegers(random, count)) : RandomWeights(random, count);
            TActivation[] activations = values == 1 ? Quantized<TActivation>(SmallIntegers(random, count)) : RandomActivations(random, count);
            for (int b = 0; b < weights.Length && values > 1; b++) RandomBlocks.SetScales(ref weights[b], () => 1);
            for (int b = 0; b < activations.Length && values > 1; b++) RandomBlocks.SetScales(ref activations[b], () => 1);
            Assert.Equal(s_dotScalar(weights, activations), GuardedDot(weights, activations));
        }
    }

    [Fact]
    public void Vector_dot_equals_scalar_dot_within_rounding()
    {
        Random random = new(3);
        for (int count = 1; count <= MostBlocks; count++)
        {
            (TWeight[] weights, TActivation[] activations) = (RandomWeights(random, count), RandomActivations(random, count));
            AssertSameDot(weights, activations);
        }
    }

    [Theory]
    [InlineData(0x00)]
    [InlineData(0x7f)]
    [InlineData(0x80)]
    [InlineData(0xff)]
    public void Vector_dot_holds_the_extremes(byte extreme)
    {
        if (values == 1) return;
        float[] signs = new float[values];
        foreach (int period in (int[])[1, 2, 16, 32])
        {
            TWeight[] weights = new TWeight[1];
            MemoryMarshal.AsBytes(weights.AsSpan()).Fill(extreme);
            RandomBlocks.SetScales(ref weights[0], () => 0.5f);
            for (int i = 0; i < values; i++) signs[i] = i / period % 2 == 0 ? 127 : -127;
            AssertSameDot(weights, Quantized<TActivation>(signs));
        }
    }

    [Fact]
    public void Dot_of_nothing_is_zero() => Assert.Equal(0, TWeight.Dot([], []));

    private static float GuardedDot(TWeight[] weights, TActivation[] activations)
    {
        using GuardedMemory<TWeight> guardedWeights = new(weights);
        using GuardedMemory<TActivation> guardedActivations = new(activations);
        return TWeight.Dot(guardedWeights.Span, guardedActivations.Span);
    }

    private void AssertSameDot(TWeight[] weights, TActivation[] activations)
    {
        (_, double size) = DotOfValues(weights, activations);
        AssertNear(s_dotScalar(weights, activations), GuardedDot(weights, activations), (weights.Length + 32) * Math.Pow(2, -24) * size);
    }

    /// <summary>The exact sum of products, and a bound of the sum of the sizes of the terms it may have been added up from.</summary>
    private (double Sum, double Size) DotOfValues(TWeight[] weights, TActivation[] activations)
    {
        float[] w = new float[weights.Length * values], x = new float[w.Length];
        TWeight.Dequantize(weights, w);
        TActivation.Dequantize(activations, x);
        double sum = 0, size = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            double largestWeight = 0, largestActivation = 0;
            for (int i = b * values; i < (b + 1) * values; i++)
            {
                sum += (double)w[i] * x[i];
                largestWeight = Math.Max(largestWeight, Math.Abs(w[i]));
                largestActivation = Math.Max(largestActivation, Math.Abs(x[i]));
            }
            // scale * quant and minimum may each be larger than their difference, on random bytes not than twice the largest.
            size += 2 * values * largestWeight * largestActivation;
        }
        return (sum, size);
    }

    private static void AssertNear(double expected, double actual, double tolerance) =>
        Assert.True(Math.Abs(expected - actual) <= tolerance, $"{actual} is not within {tolerance} of {expected}");

    private TWeight[] RandomWeights(Random random, int count)
    {
        if (values == 1) return Quantized<TWeight>(RandomValues(random, count));
        return RandomBlocks.Create<TWeight>(random, count, () => random.NextSingle() - 0.5f);
    }

    private TActivation[] RandomActivations(Random random, int count) => Quantized<TActivation>(RandomValues(random, count * values));

    private static float[] RandomValues(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 20 - 10)];

    private static float[] SmallIntegers(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (float)random.Next(-8, 9))];

    private static T[] Quantized<T>(float[] source) where T : unmanaged, IBlock<T>
    {
        T[] blocks = new T[source.Length / T.BlockSize];
        T.Quantize(source, blocks);
        return blocks;
    }
}
