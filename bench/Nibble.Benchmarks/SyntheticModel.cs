using System.Runtime.InteropServices;
using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Formats;

namespace Nibble.Benchmarks;

/// <summary>
/// A Llama of random F16 weights in the shape of Llama 3 8B, with as many layers as fill the wanted size. It has no tokenizer: it is there
/// to be quantized, not to be run.
/// </summary>
internal static class SyntheticModel
{
    private const int Width = 4096, Hidden = 14_336, Heads = 32, KeyHeads = 8, Vocabulary = 128_256;
    private const int HeadSize = Width / Heads;

    /// <summary>Random weights that are written again and again: 16 MB and a bit, so that rows do not repeat in step with it.</summary>
    private const int PoolWeights = (8 << 20) + 12_345;

    /// <summary>Writes the model and returns its layers.</summary>
    public static int Write(string path, double gigabytes)
    {
        long outside = 2L * Vocabulary * Width * 2, layer = TensorsOfLayer(0).Sum(t => t.Bytes);
        int layers = Math.Max(1, (int)Math.Round((gigabytes * 1e9 - outside) / layer));
        TensorInfo[] tensors =
        [
            Matrix("token_embd.weight", Width, Vocabulary),
            .. Enumerable.Range(0, layers).SelectMany(TensorsOfLayer),
            Norm("output_norm.weight"),
            Matrix("output.weight", Width, Vocabulary),
        ];
        using GgufWriter writer = GgufWriter.Create(path, Describe(layers, path), tensors);
        byte[] pool = RandomWeights(), ones = Ones();
        int position = 0;
        foreach (TensorInfo tensor in tensors)
        {
            if (tensor.TypeName == F32.Name)
            {
                writer.Write(ones);
                continue;
            }
            for (long left = tensor.Bytes; left > 0;)
            {
                int count = (int)Math.Min(left, pool.Length - position);
                writer.Write(pool.AsSpan(position, count));
                position = (position + count) % pool.Length;
                left -= count;
            }
        }
        writer.Commit();
        return layers;
    }

    private static TensorInfo[] TensorsOfLayer(int layer) =>
    [
        Norm($"blk.{layer}.attn_norm.weight"),
        Matrix($"blk.{layer}.attn_q.weight", Width, Width),
        Matrix($"blk.{layer}.attn_k.weight", Width, KeyHeads * HeadSize),
        Matrix($"blk.{layer}.attn_v.weight", Width, KeyHeads * HeadSize),
        Matrix($"blk.{layer}.attn_output.weight", Width, Width),
        Norm($"blk.{layer}.ffn_norm.weight"),
        Matrix($"blk.{layer}.ffn_gate.weight", Width, Hidden),
        Matrix($"blk.{layer}.ffn_up.weight", Width, Hidden),
        Matrix($"blk.{layer}.ffn_down.weight", Hidden, Width),
    ];

    private static TensorInfo Matrix(string name, long columns, long rows) => Tensor(name, [columns, rows], WeightFormat.Of<F16>());

    private static TensorInfo Norm(string name) => Tensor(name, [Width], WeightFormat.Of<F32>());

    private static TensorInfo Tensor(string name, long[] dimensions, WeightFormat format) =>
        new(name, dimensions, format.Name, format, format.ByteSize(dimensions.Aggregate(1L, (a, b) => a * b)));

    private static Metadata Describe(int layers, string path) => new(path)
    {
        ["general.architecture"] = MetadataValue.Of("llama"),
        ["general.name"] = MetadataValue.Of("synthetic"),
        ["general.file_type"] = MetadataValue.Of(1u),
        ["llama.block_count"] = MetadataValue.Of((uint)layers),
        ["llama.context_length"] = MetadataValue.Of(8192u),
        ["llama.embedding_length"] = MetadataValue.Of((uint)Width),
        ["llama.feed_forward_length"] = MetadataValue.Of((uint)Hidden),
        ["llama.attention.head_count"] = MetadataValue.Of((uint)Heads),
        ["llama.attention.head_count_kv"] = MetadataValue.Of((uint)KeyHeads),
        ["llama.attention.layer_norm_rms_epsilon"] = MetadataValue.Of(1e-5f),
    };

    private static byte[] RandomWeights()
    {
        Random random = new(7);
        Half[] weights = new Half[PoolWeights];
        for (int i = 0; i < weights.Length; i++) weights[i] = (Half)((random.NextSingle() + random.NextSingle() + random.NextSingle() - 1.5f) * 0.04f);
        return MemoryMarshal.AsBytes<Half>(weights).ToArray();
    }

    private static byte[] Ones()
    {
        float[] ones = new float[Width];
        Array.Fill(ones, 1);
        return MemoryMarshal.AsBytes<float>(ones).ToArray();
    }
}
