using System.Reflection;
using System.Runtime.InteropServices;
using Nibble.Formats;

namespace Nibble.Benchmarks;

/// <summary>
/// Reading every format back: values per second on one thread. 16,384 weights and their values stay in the caches, so this is the speed of
/// computing, not of memory.
/// </summary>
internal static class DequantizeSuite
{
    private const int Values = 1 << 14;

    public static void Run()
    {
        Report.Start("dequantize", "format", "scalar, 10^9 values/s", "vector, 10^9 values/s", "ratio", "vector, GB/s written");
        foreach (WeightFormat format in WeightFormat.All.OrderBy(f => f.BitsPerWeight))
        {
            (double? scalar, double vector) = format.Accept(new Visitor(format));
            Report.Row(format.Name, scalar is { } s ? Report.Number(Values / s / 1e9, 2) : "", Report.Number(Values / vector / 1e9, 2),
                scalar is { } t ? Report.Number(t / vector, 1) : "", Report.Number(4 * Values / vector / 1e9, 1));
        }
    }

    private delegate void Dequantization<TWeight>(ReadOnlySpan<TWeight> blocks, Span<float> destination);

    private delegate void Dequantization<TWeight, TTail>(ReadOnlySpan<TWeight> blocks, in TTail tail, Span<float> destination);

    /// <summary>Seconds for all values, scalar where a format has such code and as it chooses on this machine.</summary>
    private sealed class Visitor(WeightFormat format) : IWeightVisitor<(double? Scalar, double Vector)>
    {
        public (double? Scalar, double Vector) Visit<TWeight, TActivation, TTail>()
            where TWeight : unmanaged, ITensorBlock<TWeight, TActivation, TTail>
            where TActivation : unmanaged, IBlock<TActivation>
            where TTail : unmanaged
        {
            Random random = new(1);
            float[] values = new float[Values];
            for (int i = 0; i < values.Length; i++) values[i] = (random.NextSingle() + random.NextSingle() + random.NextSingle() - 1.5f) * 0.05f;
            float[] importance = new float[Values];
            Array.Fill(importance, 1);
            byte[] stored = new byte[format.TensorBytes(Values)];
            format.Quantize(values, importance, stored);
            TWeight[] blocks = MemoryMarshal.Cast<byte, TWeight>(stored.AsSpan(0, stored.Length - format.TailBytes)).ToArray();
            TTail tail = format.TailBytes == 0 ? default : MemoryMarshal.Read<TTail>(stored.AsSpan(stored.Length - format.TailBytes));
            MethodInfo? method = typeof(TWeight).GetMethod("DequantizeScalar", BindingFlags.Static | BindingFlags.NonPublic);
            double vector = Measure.Best(() => TWeight.Dequantize(blocks, in tail, values));
            if (method is null) return (null, vector);
            if (format.TailBytes == 0)
            {
                Dequantization<TWeight> scalar = method.CreateDelegate<Dequantization<TWeight>>();
                return (Measure.Best(() => scalar(blocks, values)), vector);
            }
            Dequantization<TWeight, TTail> scalarWithTail = method.CreateDelegate<Dequantization<TWeight, TTail>>();
            return (Measure.Best(() => scalarWithTail(blocks, in tail, values)), vector);
        }
    }
}
