using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nibble.Formats;

namespace Nibble.Tests.Formats;

/// <summary>What holds for every weight format; each format's tests are one derived class.</summary>
/// <param name="bytes">Bytes of a block as GGUF defines it.</param>
/// <param name="values">Weights of a block as GGUF defines it.</param>
/// <param name="sumError">The relative error of the sum that the activation format stores.</param>
/// <param name="goldens">Inputs of which there are golden bytes.</param>
public abstract partial class WeightBlockTests<TWeight, TActivation>(int bytes, int values, double sumError = 0, int goldens = 5)
    where TWeight : unmanaged, IWeightBlock<TWeight, TActivation>
    where TActivation : unmanaged, IBlock<TActivation>
{
    [Fact]
    public void Block_has_the_size_GGUF_gives()
    {
        Assert.Equal(bytes, Unsafe.SizeOf<TWeight>());
        Assert.Equal(values, TWeight.BlockSize);
    }

    [Fact]
    public void Format_is_registered_under_its_name_and_number()
    {
        Assert.True(WeightFormat.TryParse(TWeight.Name, out WeightFormat? byName));
        Assert.True(WeightFormat.TryFromGguf((uint)TWeight.GgufType, out WeightFormat? byNumber));
        Assert.Same(byName, byNumber);
        Assert.Equal(typeof(TWeight).Name, TWeight.Name);
    }

    [Fact]
    public void Quantize_gives_the_golden_bytes()
    {
        int compared = 0;
        foreach (string input in GoldenInputs())
        {
            if (!GoldenTensors.Formats.Contains($"{input}.{TWeight.Name}")) continue;
            TWeight[] blocks = new TWeight[GoldenTensors.Formats.Floats(input).Length / values];
            TWeight.Quantize(GoldenTensors.Formats.Floats(input), blocks);
            AssertSameBytes($"{input}.{TWeight.Name}", blocks);
            compared++;
        }
        Assert.Equal(TWeight.NeedsImportance ? 0 : goldens, compared);
    }

    [Fact]
    public void Quantize_without_importance_throws_where_the_format_needs_it()
    {
        Assert.Equal(TWeight.NeedsImportance, WeightFormat.Of<TWeight>().NeedsImportance);
        if (!TWeight.NeedsImportance) return;
        NibbleException problem = Assert.Throws<NibbleException>(() => TWeight.Quantize(new float[values], new TWeight[1]));
        Assert.Contains(TWeight.Name, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Quantize_with_importance_gives_the_golden_bytes()
    {
        int compared = 0;
        foreach (string input in GoldenInputs())
        {
            string golden = $"{input}.{TWeight.Name}.imatrix";
            if (!GoldenTensors.Formats.Contains(golden)) continue;
            ReadOnlySpan<float> importance = GoldenTensors.Formats.Floats($"{input}.importance");
            TWeight[] blocks = new TWeight[GoldenTensors.Formats.Floats(input).Length / values];
            WeightFormat.Of<TWeight>().Quantize(GoldenTensors.Formats.Floats(input), importance, MemoryMarshal.AsBytes(blocks.AsSpan()));
            AssertSameBytes(golden, blocks);
            compared++;
        }
        Assert.Equal(goldens, compared);
    }

    [Fact]
    public void Dequantize_gives_the_golden_values()
    {
        string[] dequantized = [.. GoldenTensors.Formats.Names.Where(n => n.EndsWith(".dequantized", StringComparison.Ordinal) && n.Contains($".{TWeight.Name}.", StringComparison.Ordinal))];
        foreach (string golden in dequantized)
        {
            ReadOnlySpan<TWeight> blocks = MemoryMarshal.Cast<byte, TWeight>(GoldenTensors.Formats.Bytes(golden[..golden.LastIndexOf('.')]));
            float[] actual = new float[blocks.Length * values];
            TWeight.Dequantize(blocks, actual);
            ReadOnlySpan<float> expected = GoldenTensors.Formats.Floats(golden);
            for (int i = 0; i < expected.Length; i++)
                Assert.True(expected[i] == actual[i] || float.IsNaN(expected[i]) && float.IsNaN(actual[i]), $"{golden}, value {i}: {actual[i]} instead of {expected[i]}");
        }
        Assert.True(dequantized.Length >= goldens);
    }

    [Fact]
    public void Quantize_survives_numbers_that_are_none()
    {
        float[] source = new float[2 * Math.Max(values, 32)], importance = new float[source.Length];
        TWeight[] blocks = new TWeight[source.Length / values];
        foreach (float odd in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, float.MinValue, float.Epsilon, -1e-42f])
        {
            for (int every = 1; every <= source.Length; every *= 2)
            {
                for (int i = 0; i < source.Length; i++)
                {
                    source[i] = i % every == 0 ? odd : i - 40;
                    importance[i] = every == 4 ? odd : i % 3;
                }
                if (!TWeight.NeedsImportance) TWeight.Quantize(source, blocks);
                TWeight.Quantize(source, importance, blocks);
            }
        }
    }

    private static IEnumerable<string> GoldenInputs() =>
        GoldenTensors.Formats.Names.Where(n => n.EndsWith(".importance", StringComparison.Ordinal)).Select(n => n[..^".importance".Length]);

    private static void AssertSameBytes(string golden, TWeight[] blocks)
    {
        ReadOnlySpan<byte> expected = GoldenTensors.Formats.Bytes(golden), actual = MemoryMarshal.AsBytes(blocks.AsSpan());
        int same = expected.CommonPrefixLength(actual);
        Assert.True(
            same == expected.Length && same == actual.Length,
            $"{golden}: byte {same % Unsafe.SizeOf<TWeight>()} of block {same / Unsafe.SizeOf<TWeight>()} differs");
    }
}

public sealed class BF16Tests() : WeightBlockTests<BF16, F32>(bytes: 2, values: 1, goldens: 0);
public sealed class F16Tests() : WeightBlockTests<F16, F32>(bytes: 2, values: 1, goldens: 0);
public sealed class F32Tests() : WeightBlockTests<F32, F32>(bytes: 4, values: 1, goldens: 0);
public sealed class IQ1_MTests() : WeightBlockTests<IQ1_M, Q8_K>(bytes: 56, values: 256, goldens: 4);
public sealed class IQ1_STests() : WeightBlockTests<IQ1_S, Q8_K>(bytes: 50, values: 256, goldens: 4);
public sealed class IQ2_STests() : WeightBlockTests<IQ2_S, Q8_K>(bytes: 82, values: 256);
public sealed class IQ2_XSTests() : WeightBlockTests<IQ2_XS, Q8_K>(bytes: 74, values: 256, goldens: 4);
public sealed class IQ2_XXSTests() : WeightBlockTests<IQ2_XXS, Q8_K>(bytes: 66, values: 256, goldens: 4);
public sealed class IQ3_STests() : WeightBlockTests<IQ3_S, Q8_K>(bytes: 110, values: 256);
public sealed class IQ3_XXSTests() : WeightBlockTests<IQ3_XXS, Q8_K>(bytes: 98, values: 256);
public sealed class IQ4_NLTests() : WeightBlockTests<IQ4_NL, Q8_0>(bytes: 18, values: 32);
public sealed class IQ4_XSTests() : WeightBlockTests<IQ4_XS, Q8_K>(bytes: 136, values: 256);
public sealed class MXFP4Tests() : WeightBlockTests<MXFP4, Q8_0>(bytes: 17, values: 32);
public sealed class NVFP4Tests() : WeightBlockTests<NVFP4, Q8_0>(bytes: 36, values: 64);
public sealed class Q1_0Tests() : WeightBlockTests<Q1_0, Q8_0>(bytes: 18, values: 128);
public sealed class Q2_0Tests() : WeightBlockTests<Q2_0, Q8_0>(bytes: 18, values: 64);
public sealed class Q2_KTests() : WeightBlockTests<Q2_K, Q8_K>(bytes: 84, values: 256);
public sealed class Q3_KTests() : WeightBlockTests<Q3_K, Q8_K>(bytes: 110, values: 256);
public sealed class Q4_0Tests() : WeightBlockTests<Q4_0, Q8_0>(bytes: 18, values: 32);
public sealed class Q4_1Tests() : WeightBlockTests<Q4_1, Q8_1>(bytes: 20, values: 32, sumError: 1.0 / 2048);
public sealed class Q4_KTests() : WeightBlockTests<Q4_K, Q8_K>(bytes: 144, values: 256);
public sealed class Q5_0Tests() : WeightBlockTests<Q5_0, Q8_0>(bytes: 22, values: 32);
public sealed class Q5_1Tests() : WeightBlockTests<Q5_1, Q8_1>(bytes: 24, values: 32, sumError: 1.0 / 2048);
public sealed class Q5_KTests() : WeightBlockTests<Q5_K, Q8_K>(bytes: 176, values: 256);
public sealed class Q6_KTests() : WeightBlockTests<Q6_K, Q8_K>(bytes: 210, values: 256);
public sealed class Q8_0Tests() : WeightBlockTests<Q8_0, Q8_0>(bytes: 34, values: 32);
public sealed class TQ1_0Tests() : WeightBlockTests<TQ1_0, Q8_K>(bytes: 54, values: 256);
public sealed class TQ2_0Tests() : WeightBlockTests<TQ2_0, Q8_K>(bytes: 66, values: 256);
