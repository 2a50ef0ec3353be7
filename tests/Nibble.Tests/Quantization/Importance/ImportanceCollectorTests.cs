using System.Runtime.InteropServices;
using Nibble.Generation;
using Nibble.Kernels;
using Nibble.Quantization.Importance;

namespace Nibble.Tests.Quantization.Importance;

public class ImportanceCollectorTests
{
    private const int Window = 16;
    private static readonly int[] s_tokens = [.. Enumerable.Range(0, 5 * Window + 3).Select(i => i * 37 % 4000 + 1)];

    [Fact]
    public void Sums_are_those_of_the_squares_of_the_normed_embedding()
    {
        GoldenTensors weights = GoldenTensors.Read(Path.Combine(Shared.TinyModel, "model.safetensors"));
        float[] embedding = Widen(weights.Bytes("model.embed_tokens.weight")), norm = Widen(weights.Bytes("model.layers.0.input_layernorm.weight"));
        double[] expected = new double[256];
        const int bos = 4093;
        for (int t = 0; t < 3 * Window; t++)
        {
            float[] row = embedding.AsSpan((t % Window == 0 ? bos : s_tokens[t]) * 256, 256).ToArray();
            double meanSquare = row.Sum(x => (double)x * x) / 256;
            for (int i = 0; i < 256; i++) expected[i] += Math.Pow(row[i] / Math.Sqrt(meanSquare + 1e-5) * norm[i], 2);
        }
        ImportanceMatrix matrix = Collect(3, bos: bos);
        foreach (string name in new[] { "attn_q", "attn_k", "attn_v" })
        {
            ImportanceEntry entry = matrix.Entries[$"blk.0.{name}.weight"];
            Assert.Equal([3L * Window], entry.Counts);
            for (int i = 0; i < 256; i++) Assert.InRange(entry.Sums[i], expected[i] * (1 - 1e-4), expected[i] * (1 + 1e-4));
        }
    }

    [Fact]
    public void Every_matrix_of_the_layers_counts_and_the_output_where_asked_for()
    {
        ImportanceMatrix matrix = Collect(1), withOutput = Collect(1, includeOutput: true);
        Assert.Equal(4 * 7, matrix.Entries.Count);
        Assert.Equal(4 * 7 + 1, withOutput.Entries.Count);
        Assert.Equal(768, matrix.Entries["blk.3.ffn_down.weight"].Columns);
        Assert.Contains("output.weight", withOutput.Entries.Keys);
        // The last token of a window comes in a batch of its own where only its successor is scored, and adds up in another order.
        foreach ((float one, float other) in matrix.Entries["blk.3.ffn_up.weight"].Sums.Zip(withOutput.Entries["blk.3.ffn_up.weight"].Sums)) Assert.Equal(other, one, 1e-4 * other);
    }

    [Fact]
    public void The_sums_do_not_depend_on_the_number_of_threads()
    {
        ImportanceMatrix expected = Collect(2, threads: 1);
        foreach (int threads in new[] { 2, 3 }) ImportanceFileTests.AssertSame(expected, Collect(2, threads: threads));
    }

    [Fact]
    public void A_collection_goes_on_from_a_checkpoint_as_if_nothing_had_happened()
    {
        using TemporaryFolder folder = new();
        ImportanceOrigin origin = new("model", "text", 16, IncludeOutput: false);
        ImportanceMatrix expected = Collect(5);
        Assert.Equal(5, expected.Chunks);
        using CancellationTokenSource stop = new();
        Assert.ThrowsAny<OperationCanceledException>(() => Collect(5, afterChunk: m =>
        {
            if (m.Chunks == 2) ImportanceFile.WriteCheckpoint(m, folder.At("checkpoint"), origin);
            if (m.Chunks == 3) stop.Cancel();
        }, cancellationToken: stop.Token));
        ImportanceMatrix resumed = ImportanceFile.TryReadCheckpoint(folder.At("checkpoint"), origin)!;
        Assert.Equal(2, resumed.Chunks);
        ImportanceFileTests.AssertSame(expected, Collect(5, resumed));
    }

    [Fact]
    public void A_text_shorter_than_a_window_is_refused()
    {
        using LanguageModel model = SampleModel.Open();
        ImportanceMatrix matrix = new() { ChunkLength = 200 };
        string message = Assert.Throws<NibbleException>(() => ImportanceCollector.Collect(model.Network, s_tokens, null, matrix, 9, false, model.Pool)).Message;
        Assert.Contains("200", message, StringComparison.Ordinal);
    }

    private static ImportanceMatrix Collect(int chunks, ImportanceMatrix? matrix = null, int? bos = null, bool includeOutput = false, int threads = 2,
        Action<ImportanceMatrix>? afterChunk = null, CancellationToken cancellationToken = default)
    {
        using LanguageModel model = SampleModel.Open();
        using WorkerPool pool = new(threads);
        matrix ??= new ImportanceMatrix { ChunkLength = Window };
        ImportanceCollector.Collect(model.Network, s_tokens, bos, matrix, chunks, includeOutput, pool, afterChunk, cancellationToken);
        return matrix;
    }

    /// <summary>The upper halves of single-precision numbers as such.</summary>
    private static float[] Widen(ReadOnlySpan<byte> bytes)
    {
        float[] result = new float[bytes.Length / 2];
        ReadOnlySpan<ushort> halves = MemoryMarshal.Cast<byte, ushort>(bytes);
        for (int i = 0; i < result.Length; i++) result[i] = BitConverter.UInt32BitsToSingle((uint)halves[i] << 16);
        return result;
    }
}
