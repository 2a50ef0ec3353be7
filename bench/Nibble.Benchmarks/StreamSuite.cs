using System.Diagnostics;
using Nibble.Evaluation;
using Nibble.Formats;
using Nibble.Kernels;
using Nibble.Memory;

namespace Nibble.Benchmarks;

/// <summary>
/// How fast generating a token reads weights: one token times a matrix that no cache holds, on all cores, in turn with plain reading.
/// What the machine does beside it changes both alike, so the share of each pair holds, and their median is shown.
/// </summary>
internal static class StreamSuite
{
    private const int Columns = 2048, Rounds = 7;
    private const long Bytes = 512 << 20;
    private static readonly TimeSpan s_round = TimeSpan.FromMilliseconds(300);

    public static void Run(params ReadOnlySpan<string> formats)
    {
        using WorkerPool pool = new(ProcessorCores.Count);
        Report.Start("stream", "format", "kernel", "product, GB/s", "reading, GB/s", "share, %");
        foreach (WeightFormat format in WeightFormat.All.OrderBy(f => f.BitsPerWeight))
        {
            if (formats.Length > 0 && !formats.Contains(format.Name)) continue;
            int rowBytes = (int)format.ByteSize(Columns), rows = (int)(Bytes / rowBytes) / WeightMatrix.RowsPerTile * WeightMatrix.RowsPerTile;
            using AlignedBuffer data = AlignedBuffer.Uninitialized(format.TensorBytes((long)rows * Columns));
            Fill(format, data, rows, rowBytes);
            WeightMatrix matrix = WeightMatrix.Create(format, data.Region, rows, Columns);
            using Activations input = new(Columns), result = new(rows);
            input.Resize(1);
            Random random = new(2);
            foreach (ref float value in input.Write(0)) value = random.NextSingle() - 0.5f;
            matrix.Multiply(input, result, pool); // also to pack the rows
            using MemoryReader memory = new(pool);
            List<(double Product, double Reading)> rates = [];
            for (int i = 0; i < Rounds; i++)
            {
                double reading = MachineMeasurement.ReadBandwidth(memory), seconds = 0;
                int products = 0;
                for (Stopwatch round = Stopwatch.StartNew(); round.Elapsed < s_round;)
                {
                    long start = Stopwatch.GetTimestamp();
                    matrix.Multiply(input, result, pool);
                    seconds += Stopwatch.GetElapsedTime(start).TotalSeconds;
                    products++;
                }
                rates.Add((products * matrix.BytesRead / seconds, reading));
            }
            Report.Row(format.Name, matrix.Kernel(1), Report.Number(Median(rates.Select(r => r.Product)) / 1e9, 1), Report.Number(Median(rates.Select(r => r.Reading)) / 1e9, 1),
                Report.Number(100 * Median(rates.Select(r => r.Product / r.Reading)), 0));
        }
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Rounds / 2);

    /// <summary>The same rows again and again: what they are makes no difference.</summary>
    private static void Fill(WeightFormat format, AlignedBuffer data, int rows, int rowBytes)
    {
        Random random = new(1);
        float[] values = [.. Enumerable.Range(0, WeightMatrix.RowsPerTile * Columns).Select(_ => (random.NextSingle() + random.NextSingle() - 1) * 0.05f)], importance = new float[Columns];
        Array.Fill(importance, 1);
        byte[] tail = format.TailBytes == 0 ? [] : format.FitTail(new ValuesInMemory(values, importance));
        Span<byte> tile = data.AsSpan<byte>(0, WeightMatrix.RowsPerTile * rowBytes);
        format.Quantize(values, importance, tail, tile);
        for (long row = WeightMatrix.RowsPerTile; row < rows; row += WeightMatrix.RowsPerTile) tile.CopyTo(data.AsSpan<byte>(row * rowBytes, tile.Length));
        tail.CopyTo(data.AsSpan<byte>(data.Length - tail.Length, tail.Length));
    }
}
