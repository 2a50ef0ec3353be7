namespace Nibble.Files.HuggingFace;

/// <summary>
/// The parameters of RoPE in <c>config.json</c>, which has spelled them three ways: <c>rope_scaling</c> with <c>type</c>, the same with
/// <c>rope_type</c>, and <c>rope_parameters</c>, which holds <c>rope_theta</c> too.
/// </summary>
internal sealed class RopeConfig
{
    private static readonly string[] s_kinds = ["default", "linear", "llama3", "yarn"];

    private readonly JsonSection _config;
    private readonly JsonSection? _scaling;
    private readonly string _kind;

    public RopeConfig(JsonSection config)
    {
        _config = config;
        _scaling = config.TrySection("rope_parameters") ?? config.TrySection("rope_scaling");
        // Where layers with and without a sliding window differ, those without set the model's values.
        _scaling = _scaling?.TrySection("full_attention") ?? _scaling;
        _kind = _scaling?.TryString("rope_type") ?? _scaling?.TryString("type") ?? "default";
        if (!s_kinds.Contains(_kind))
            Throw.BadFile(config.Path, $"RoPE scaling {Quoted.Of(_kind)} is not supported; supported are {string.Join(", ", s_kinds)}");
        Base = _scaling?.TryPositive("rope_theta") ?? config.TryPositive("rope_theta") ?? 10_000;
    }

    /// <summary>The base of the frequencies (<c>rope_theta</c>).</summary>
    public double Base { get; }

    /// <summary>Writes <c>ARCHITECTURE.rope.*</c>, but for the number of dimensions.</summary>
    public void Write(Metadata metadata, string architecture, int contextLength)
    {
        metadata[$"{architecture}.rope.freq_base"] = MetadataValue.Of((float)Base);
        if (_kind is not ("linear" or "yarn")) return; // Llama 3's kind is a tensor instead
        metadata[$"{architecture}.rope.scaling.type"] = MetadataValue.Of(_kind);
        metadata[$"{architecture}.rope.scaling.factor"] = MetadataValue.Of((float)Factor);
        if (_kind == "linear") return;
        metadata[$"{architecture}.rope.scaling.original_context_length"] = MetadataValue.Of((uint)OriginalContext(contextLength));
        Optional("yarn_ext_factor", _scaling!.TryFloat("extrapolation_factor"));
        Optional("yarn_attn_factor", _scaling.TryFloat("attention_factor") ?? _scaling.TryFloat("attn_factor"));
        Optional("yarn_beta_fast", _scaling.TryFloat("beta_fast"));
        Optional("yarn_beta_slow", _scaling.TryFloat("beta_slow"));

        void Optional(string key, double? value)
        {
            if (value is { } number) metadata[$"{architecture}.rope.scaling.{key}"] = MetadataValue.Of((float)number);
        }
    }

    /// <summary>
    /// What Llama 3 divides each frequency by (the tensor <c>rope_freqs.weight</c>, one value per pair), or <see langword="null"/> for other kinds:
    /// 1 for wavelengths well inside the context that the model was first trained on, <c>factor</c> for those well beyond, and between the two a blend.
    /// </summary>
    /// <param name="dimensions">Values of a head.</param>
    public float[]? Divisors(int dimensions)
    {
        if (_kind != "llama3") return null;
        float factor = (float)Factor;
        float low = (float)(_scaling!.TryPositive("low_freq_factor") ?? 1), high = (float)(_scaling.TryPositive("high_freq_factor") ?? 4);
        if (low >= high) Throw.BadFile(_config.Path, $"RoPE's low_freq_factor {low} is not below its high_freq_factor {high}");
        float original = OriginalContext(otherwise: 8192);
        float[] divisors = new float[dimensions / 2];
        for (int i = 0; i < divisors.Length; i++)
        {
            float frequency = 1 / MathF.Pow((float)Base, 2f * i / dimensions);
            float wavelength = 2 * MathF.PI / frequency;
            if (wavelength < original / high) divisors[i] = 1;
            else if (wavelength > original / low) divisors[i] = factor;
            else
            {
                float smooth = (original / wavelength - low) / (high - low);
                divisors[i] = 1 / ((1 - smooth) / factor + smooth);
            }
        }
        return divisors;
    }

    private double Factor => _scaling!.TryPositive("factor") ?? Throw.BadFile<double>(_config.Path, $"RoPE scaling '{_kind}' lacks its key 'factor'");

    private int OriginalContext(int otherwise) =>
        _scaling!.TryInt("original_max_position_embeddings") ?? _config.TryInt("original_max_position_embeddings") ?? otherwise;
}
