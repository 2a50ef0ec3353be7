using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Nibble.Formats;

namespace Nibble.Tests.Formats;

public abstract partial class WeightBlockTests<TWeight, TActivation>
{
    private delegate void Quantization(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<TWeight> blocks);

    private static readonly Quantization? s_quantizeScalar = Find("QuantizeScalar", null);

    /// <summary>Quantization with several groups side by side, at every width this processor has.</summary>
    private static readonly Quantization[] s_quantizeLanes =
    [
        .. new[] { Avx2.IsSupported ? Find("QuantizeLanes", typeof(Lanes8)) : null, Avx512BW.IsSupported ? Find("QuantizeLanes", typeof(Lanes16)) : null }.OfType<Quantization>(),
    ];

    [Fact]
    public void Lanes_give_the_bytes_of_the_scalar_code_for_every_number_of_blocks()
    {
        Random random = new(4);
        for (int count = 1; count <= 40; count++) AssertSameBytes(Values(random, count * values, 0), Importance(random, count * values, 0), $"{count} blocks");
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

    private static Quantization? Find(string name, Type? lanes)
    {
        MethodInfo? method = typeof(TWeight).GetMethods(BindingFlags.Static | BindingFlags.NonPublic).SingleOrDefault(m => m.Name == name && m.GetParameters().Length == 3);
        return (lanes is null ? method : method?.MakeGenericMethod(lanes))?.CreateDelegate<Quantization>();
    }

    private static void AssertSameBytes(float[] source, float[] importance, string what)
    {
        foreach (Quantization quantize in s_quantizeLanes)
        {
            foreach (float[] columns in new[] { [], importance })
            {
                TWeight[] expected = new TWeight[source.Length / TWeight.BlockSize], actual = new TWeight[expected.Length];
                MemoryMarshal.AsBytes(actual.AsSpan()).Fill(0xcc);
                s_quantizeScalar!(source, columns, expected);
                using GuardedMemory<float> guarded = new(source), guardedColumns = new(columns);
                quantize(guarded.Span, guardedColumns.Span, actual);
                int same = MemoryMarshal.AsBytes(expected.AsSpan()).CommonPrefixLength(MemoryMarshal.AsBytes(actual.AsSpan()));
                Assert.True(
                    same == expected.Length * Unsafe.SizeOf<TWeight>(),
                    $"{what}, {(columns.Length == 0 ? "no importance" : "importance")}: byte {same % Unsafe.SizeOf<TWeight>()} of block {same / Unsafe.SizeOf<TWeight>()} differs");
            }
        }
    }

    private const int Kinds = 14;

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
                6 => random.Next(50) == 0 ? float.NaN : value,
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
            result[i] = kind switch { 0 => value, 1 => value * value * value * 1000, 2 => random.Next(3) == 0 ? 0 : value, _ => random.Next(200) == 0 ? float.NaN : 1 };
        }
        return result;
    }

    private static float Normal(Random random) =>
        MathF.Sqrt(-2 * MathF.Log(1 - random.NextSingle())) * MathF.Cos(2 * MathF.PI * random.NextSingle());
}
