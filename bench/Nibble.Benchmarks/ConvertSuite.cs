using Nibble.Formats;
using Nibble.Quantization;

namespace Nibble.Benchmarks;

/// <summary>
/// Where the time of converting goes on one thread: nanoseconds a weight of each step, on as many weights as a thread takes at a time, and
/// how much the check adds to the rest.
/// </summary>
internal static class ConvertSuite
{
    private const int Values = 1 << 15;

    public static void Run(ReadOnlySpan<string> pairs)
    {
        Report.Start($"convert {string.Join(' ', pairs)}", "from:to", "widen", "look for NaN", "quantize", "read back", "compare", "check, % of the rest");
        foreach (string pair in pairs)
        {
            string[] names = pair.Split(':');
            if (names.Length != 2 || !WeightFormat.TryParse(names[0], out WeightFormat? source) || !WeightFormat.TryParse(names[1], out WeightFormat? target))
                throw new NibbleException($"{pair} is not a pair of formats such as F16:Q4_K");
            Run(pair, source, target);
        }
    }

    private static void Run(string pair, WeightFormat source, WeightFormat target)
    {
        Random random = new(1);
        float[] values = new float[Values], result = new float[Values], importance = target.NeedsImportance ? new float[4096] : [];
        for (int i = 0; i < Values; i++) values[i] = (random.NextSingle() + random.NextSingle() + random.NextSingle() - 1.5f) * 0.05f;
        Array.Fill(importance, 1);
        byte[] data = new byte[source.ByteSize(Values)], blocks = new byte[target.ByteSize(Values)];
        byte[] sourceTail = source.FitTail(new ValuesInMemory(values, [])), targetTail = target.FitTail(new ValuesInMemory(values, importance));
        source.Quantize(values, [], sourceTail, data);
        double widen = Nanoseconds(() => source.Dequantize(data, sourceTail, values));
        double isFinite = Nanoseconds(() => ValueRange.AnyAbove(float.MaxValue, values));
        double quantize = Nanoseconds(() => target.Quantize(values, importance, targetTail, blocks));
        double readBack = Nanoseconds(() => target.Dequantize(blocks, targetTail, result));
        double compare = Nanoseconds(() => ErrorSums.Of(values, result));
        double check = (readBack + compare) / (widen + isFinite + quantize);
        Report.Row(pair, Report.Number(widen, 3), Report.Number(isFinite, 3), Report.Number(quantize, 3), Report.Number(readBack, 3), Report.Number(compare, 3), Report.Number(100 * check, 1));
    }

    private static double Nanoseconds(Action action) => Measure.Best(action) * 1e9 / Values;
}
