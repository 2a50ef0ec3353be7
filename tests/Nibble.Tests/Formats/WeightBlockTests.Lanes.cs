using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Nibble.Formats;

namespace Nibble.Tests.Formats;

public abstract partial class WeightBlockTests<TWeight, TActivation>
{
    private delegate void Quantization(ReadOnlySpan<float> source, Span<TWeight> blocks);

    private delegate void WeighedQuantization(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<TWeight> blocks);

    /// <summary>Only formats of which a block is one group have a method of their own for no importance.</summary>
    private static readonly Quantization? s_quantizeScalar = Find<Quantization>("QuantizeScalar", null);

    private static readonly WeighedQuantization? s_quantizeWeighedScalar = Find<WeighedQuantization>("QuantizeScalar", null);

    /// <summary>Quantization with several groups side by side, at every width this processor has.</summary>
    private static readonly WeighedQuantization[] s_quantizeLanes =
    [
        .. new[]
        {
            Avx2.IsSupported || AdvSimd.Arm64.IsSupported ? Find<WeighedQuantization>("QuantizeLanes", typeof(Lanes8)) : null,
            Avx512BW.IsSupported ? Find<WeighedQuantization>("QuantizeLanes", typeof(Lanes32)) : null,
        }.OfType<WeighedQuantization>(),
    ];

    [Fact]
    public void Lanes_give_the_bytes_of_the_scalar_code_for_every_number_of_blocks()
    {
        Random random = new(4);
        for (int count = 1; count <= 40; count++) AssertSameBytes(Values(random, count * values, 0), Importance(random, count * values, 0), $"{count} blocks");
        AssertSameBytes(Values(random, 150 * values, 0), Importance(random, 150 * values, 0), "150 blocks");
    }

    [Fact]
    public void Lanes_give_the_bytes_of_the_scalar_code_for_values_of_every_kind()
    {
        Random random = new(5);
        for (int round = 0; round < 2; round++)
        {
            for (int kind = 0; kind < Kinds; kind++)
            {
                int count = Math.Max(1, 8192 / values);
                AssertSameBytes(Values(random, count * values, kind), Importance(random, count * values, (kind + 2 * round) % 4), $"kind {kind}");
            }
        }
    }

    private static TDelegate? Find<TDelegate>(string name, Type? lanes) where TDelegate : Delegate
    {
        int parameters = typeof(TDelegate).GetMethod("Invoke")!.GetParameters().Length;
        MethodInfo? method = typeof(TWeight).GetMethods(BindingFlags.Static | BindingFlags.NonPublic).SingleOrDefault(m => m.Name == name && m.GetParameters().Length == parameters);
        return (lanes is null ? method : method?.MakeGenericMethod(lanes))?.CreateDelegate<TDelegate>();
    }

    private static void AssertSameBytes(float[] source, float[] importance, string what)
    {
        TWeight[] expected = new TWeight[source.Length / TWeight.BlockSize], actual = new TWeight[expected.Length];
        using GuardedMemory<float> values = new(source), columns = new(importance);
        foreach (WeighedQuantization quantize in s_quantizeLanes)
        {
            s_quantizeWeighedScalar!(source, importance, expected);
            MemoryMarshal.AsBytes(actual.AsSpan()).Fill(0xcc);
            quantize(values.Span, columns.Span, actual);
            AssertSameBytes(expected, actual, $"{what} with importance");
            if (s_quantizeScalar is not null) continue;
            s_quantizeWeighedScalar(source, [], expected);
            MemoryMarshal.AsBytes(actual.AsSpan()).Fill(0xcc);
            quantize(values.Span, [], actual);
            AssertSameBytes(expected, actual, what);
        }
        if (s_quantizeScalar is null) return;
        s_quantizeScalar(source, expected);
        TWeight.Quantize(values.Span, actual);
        AssertSameBytes(expected, actual, what);
    }

    private static void AssertSameBytes(TWeight[] expected, TWeight[] actual, string what)
    {
        int same = MemoryMarshal.AsBytes(expected.AsSpan()).CommonPrefixLength(MemoryMarshal.AsBytes(actual.AsSpan()));
        Assert.True(same == expected.Length * Unsafe.SizeOf<TWeight>(), $"{what}: byte {same % Unsafe.SizeOf<TWeight>()} of block {same / Unsafe.SizeOf<TWeight>()} differs");
    }

    private const int Kinds = 14;

    /// <summary>NaN with the sign that the processor gives its own: of two with different signs a sum may keep either.</summary>
    private static readonly float s_notANumber = MathF.Sqrt(-1);

    private static float[] Values(Random random, int count, int kind)
    {
        float[] result = new float[count];
        for (int i = 0; i < count; i++)
        {
            float value = Normal(random);
            result[i] = kind switch
            {
                0 => value,
                1 => value / (random.NextSingle() + 1e-3f) / (random.NextSingle() + 1e-3f), // heavy tails
                2 => i / 512 % 2 == 0 ? 0.25f : -3,                                        // constant
                3 => i / 64 % 2 == 0 ? 0 : value,
                4 => value * 1e-41f,                                                       // denormal
                5 => value * 1e38f,                                                        // to infinity, and overflowing sums
                6 => random.Next(50) == 0 ? s_notANumber : value,
                7 => random.Next(50) == 0 ? float.PositiveInfinity * MathF.Sign(value) : value,
                8 => MathF.Abs(value) + 3,                                                 // far above zero
                9 => -MathF.Abs(value) * 1e-4f - 3,                                        // far below zero, close together
                10 => random.Next(-2, 3),                                                  // ties
                11 => value * MathF.Pow(10, i / 16 % 8 * -2),                              // groups of very different sizes
                12 => (i / 256 % 4) switch { 0 => 0, 1 => -0f, 2 => 1e-16f * value, _ => value },
                _ => (float)(Half)(value * 0.02f),
            };
        }
        return result;
    }

    private static float[] Importance(Random random, int count, int kind)
    {
        float[] result = new float[count];
        for (int i = 0; i < count; i++)
        {
            float value = random.NextSingle();
            result[i] = kind switch { 0 => value, 1 => value * value * value * 1000, 2 => random.Next(3) == 0 ? 0 : value, _ => random.Next(200) == 0 ? s_notANumber : 1 };
        }
        return result;
    }

    private static float Normal(Random random) =>
        MathF.Sqrt(-2 * MathF.Log(1 - random.NextSingle())) * MathF.Cos(2 * MathF.PI * random.NextSingle());
}
