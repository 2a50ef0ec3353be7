using Nibble.Files;

namespace Nibble.Tests.Models;

/// <summary>A small model with random weights, and the sizes by which <see cref="NaiveModel"/> runs it.</summary>
internal sealed record RandomModel(string Architecture)
{
    public int Width { get; init; } = 48;
    public int Hidden { get; init; } = 80;
    public int Layers { get; init; } = 2;
    public int Heads { get; init; } = 4;
    public int KeyHeads { get; init; } = 2;
    public int HeadSize { get; init; } = 12;
    public int Vocabulary { get; init; } = 61;
    public int Context { get; init; } = 128;
    public double RopeBase { get; init; } = 10_000;
    public int RopeDimensions { get; init; }
    public bool HasBias { get; init; }
    public bool HasHeadNorms { get; init; }
    public bool IsTied { get; init; }
    public int? Window { get; init; }
    public int Seed { get; init; } = 1;

    /// <summary>Further metadata under <c>ARCHITECTURE.</c></summary>
    public (string Name, MetadataValue Value)[] More { get; init; } = [];

    /// <summary>What each pair's frequency is divided by (Llama 3's <c>rope_freqs</c>).</summary>
    public float[]? FrequencyFactors { get; init; }

    /// <summary>Values of a head that are turned.</summary>
    public int Turned => RopeDimensions == 0 ? HeadSize : RopeDimensions;

    public GgufModel Build()
    {
        Random random = new(Seed);
        GgufModel model = new(Architecture);
        model.With("block_count", MetadataValue.Of((uint)Layers)).With("context_length", MetadataValue.Of((uint)Context))
            .With("embedding_length", MetadataValue.Of((uint)Width)).With("feed_forward_length", MetadataValue.Of((uint)Hidden))
            .With("attention.head_count", MetadataValue.Of((uint)Heads)).With("attention.head_count_kv", MetadataValue.Of((uint)KeyHeads))
            .With("attention.key_length", MetadataValue.Of((uint)HeadSize)).With("attention.value_length", MetadataValue.Of((uint)HeadSize))
            .With("attention.layer_norm_rms_epsilon", MetadataValue.Of(1e-6f)).With("rope.freq_base", MetadataValue.Of((float)RopeBase))
            .With("rope.dimension_count", MetadataValue.Of((uint)Turned)).With("vocab_size", MetadataValue.Of((uint)Vocabulary));
        if (Window is { } window) model.With("attention.sliding_window", MetadataValue.Of((uint)window));
        foreach ((string name, MetadataValue value) in More) model.With(name, value);
        model.Metadata["tokenizer.ggml.model"] = MetadataValue.Of("none");

        Matrix("token_embd.weight", Width, Vocabulary, 1);
        if (FrequencyFactors is not null) model.Add("rope_freqs.weight", FrequencyFactors, FrequencyFactors.Length);
        for (int layer = 0; layer < Layers; layer++)
        {
            string blk = $"blk.{layer}.";
            Vector(blk + "attn_norm.weight", Width, 1);
            Matrix(blk + "attn_q.weight", Width, Heads * HeadSize, 1.5);
            Matrix(blk + "attn_k.weight", Width, KeyHeads * HeadSize, 1.5);
            Matrix(blk + "attn_v.weight", Width, KeyHeads * HeadSize, 1);
            Matrix(blk + "attn_output.weight", Heads * HeadSize, Width, 1);
            if (HasBias)
            {
                Vector(blk + "attn_q.bias", Heads * HeadSize, 0);
                Vector(blk + "attn_k.bias", KeyHeads * HeadSize, 0);
                Vector(blk + "attn_v.bias", KeyHeads * HeadSize, 0);
            }
            if (HasHeadNorms)
            {
                Vector(blk + "attn_q_norm.weight", HeadSize, 1);
                Vector(blk + "attn_k_norm.weight", HeadSize, 1);
            }
            Vector(blk + "ffn_norm.weight", Width, 1);
            Matrix(blk + "ffn_gate.weight", Width, Hidden, 1);
            Matrix(blk + "ffn_up.weight", Width, Hidden, 1);
            Matrix(blk + "ffn_down.weight", Hidden, Width, 1);
        }
        Vector("output_norm.weight", Width, 1);
        if (!IsTied) Matrix("output.weight", Width, Vocabulary, 1);
        return model;

        // Outputs of a size near `size` for inputs near 1.
        void Matrix(string name, int columns, int rows, double size) =>
            model.Add(name, Values(columns * rows, 0, size / Math.Sqrt(columns)), columns, rows);

        void Vector(string name, int length, double mean) => model.Add(name, Values(length, mean, 0.3), length);

        float[] Values(int count, double mean, double deviation)
        {
            float[] values = new float[count];
            for (int i = 0; i < count; i++)
                values[i] = (float)(mean + deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
            return values;
        }
    }
}
