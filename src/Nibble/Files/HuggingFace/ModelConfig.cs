namespace Nibble.Files.HuggingFace;

/// <summary><c>config.json</c> of a model folder, checked, with the values that its absent keys stand for.</summary>
internal sealed class ModelConfig
{
    private const int MostLayers = 100_000;

    public ModelConfig(JsonSection json)
    {
        Json = json;
        if (json.TrySection("quantization_config") is { } quantization)
            Throw.BadFile(json.Path, $"the model is quantized already ({quantization.TryString("quant_method") ?? "unknown method"}), in a form that cannot be read; take the original model");
        Family = Family.Of(json);
        if (json.TryString("hidden_act") is { } activation and not "silu")
            Throw.BadFile(json.Path, $"the activation {Quoted.Of(activation)} is not supported; supported is silu");
        Layers = json.Int("num_hidden_layers");
        Context = json.Int("max_position_embeddings", "max_sequence_length", "n_ctx");
        Width = json.Int("hidden_size");
        Hidden = json.Int("intermediate_size");
        Heads = json.Int("num_attention_heads");
        KeyHeads = json.TryInt("num_key_value_heads") ?? Heads;
        StatedHeadSize = json.TryInt("head_dim") ?? Family.DefaultHeadSize;
        if (Layers > MostLayers) Throw.BadFile(json.Path, $"key 'num_hidden_layers' is {Layers:N0}, which no model has");
        if (Heads % KeyHeads != 0) Throw.BadFile(json.Path, $"{Heads:N0} attention heads cannot share {KeyHeads:N0} key and value heads");
        if (StatedHeadSize is null && Width % Heads != 0) Throw.BadFile(json.Path, $"a width of {Width:N0} cannot be divided into {Heads:N0} heads");
        if (HeadSize % 2 != 0) Throw.BadFile(json.Path, $"heads have {HeadSize:N0} values; RoPE needs an even number");
        Rope = new(json);
    }

    public JsonSection Json { get; }
    public Family Family { get; }
    public RopeConfig Rope { get; }
    public int Layers { get; }

    /// <summary>Tokens.</summary>
    public int Context { get; }

    /// <summary>Values per token between the layers.</summary>
    public int Width { get; }

    /// <summary>Values per token inside the feed-forward block.</summary>
    public int Hidden { get; }

    public int Heads { get; }
    public int KeyHeads { get; }

    /// <summary>Values of one head.</summary>
    public int HeadSize => StatedHeadSize ?? Width / Heads;

    /// <summary>Whether the output reuses the token embedding; <see langword="null"/> where the file does not say.</summary>
    public bool? TiesEmbeddings => Json.TryBool("tie_word_embeddings");

    private int? StatedHeadSize { get; }

    /// <summary>Writes what GGUF records of it, under <c>general.*</c> and <c>ARCHITECTURE.*</c>.</summary>
    /// <param name="metadata">Receives the values.</param>
    /// <param name="name">The model's name.</param>
    /// <param name="vocabulary">Rows of the token embedding.</param>
    public void Write(Metadata metadata, string name, int vocabulary)
    {
        string architecture = Family.Architecture;
        metadata["general.architecture"] = MetadataValue.Of(architecture);
        metadata["general.type"] = MetadataValue.Of("model");
        metadata["general.name"] = MetadataValue.Of(name);
        Count("block_count", Layers);
        Count("context_length", Context);
        Count("embedding_length", Width);
        Count("feed_forward_length", Hidden);
        Count("attention.head_count", Heads);
        Count("attention.head_count_kv", KeyHeads);
        Rope.Write(metadata, architecture, Context);
        metadata[$"{architecture}.attention.layer_norm_rms_epsilon"] = MetadataValue.Of((float)(Json.TryPositive("rms_norm_eps") ?? 1e-6));
        if (StatedHeadSize is { } size)
        {
            Count("attention.key_length", size);
            Count("attention.value_length", size);
        }
        WriteWindow(metadata, architecture);
        Count("vocab_size", vocabulary);
        Count("rope.dimension_count", HeadSize);

        void Count(string key, int value) => metadata[$"{architecture}.{key}"] = MetadataValue.Of((uint)value);
    }

    /// <summary>
    /// The sliding window: Mistral uses it where it is given, Qwen where <c>use_sliding_window</c> says so, and then in the layers that
    /// <c>layer_types</c> lists or from <c>max_window_layers</c> on. Llama has none.
    /// </summary>
    private void WriteWindow(Metadata metadata, string architecture)
    {
        bool isUsed = Family.ModelType switch
        {
            "mistral" => true,
            "qwen2" or "qwen3" => Json.TryBool("use_sliding_window") == true,
            _ => false,
        };
        if (!isUsed || Json.TryInt("sliding_window") is not { } window) return;
        metadata[$"{architecture}.attention.sliding_window"] = MetadataValue.Of((uint)window);
        if (Family.ModelType == "mistral") return;

        bool[] slides = new bool[Layers];
        if (Json.TryStrings("layer_types") is { } types)
        {
            if (types.Length != Layers) Throw.BadFile(Json.Path, $"key 'layer_types' lists {types.Length:N0} layers where the model has {Layers:N0}");
            for (int i = 0; i < slides.Length; i++) slides[i] = types[i] == "sliding_attention";
        }
        else
        {
            int first = Json.TryInt("max_window_layers") ?? 0;
            for (int i = first; i < slides.Length; i++) slides[i] = true;
        }
        metadata[$"{architecture}.attention.sliding_window_pattern"] = MetadataValue.Of(slides);
    }
}
