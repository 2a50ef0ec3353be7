using Nibble.Kernels;

namespace Nibble.Models;

/// <summary>Position embedding as a model's metadata describes it (<c>ARCHITECTURE.rope.*</c>) and, for Llama 3, the tensor <c>rope_freqs</c>.</summary>
internal static class RopeReader
{
    /// <summary>The kinds of <c>rope.scaling.type</c>. Llama 3's scaling has none: it is the tensor <c>rope_freqs</c>.</summary>
    private static readonly string[] s_scalings = ["linear", "none", "yarn"];

    public static Rope Read(ModelReader model, RopeStyle style, int headSize, int contextLength)
    {
        int dimensions = model.TryInt("rope.dimension_count") ?? headSize;
        if (dimensions > headSize || dimensions % 2 != 0) throw model.Refusal($"turns {dimensions} values of heads that have {headSize}");
        double frequencyBase = model.TryFloat("rope.freq_base") ?? 10_000;
        if (frequencyBase <= 1) throw model.Refusal($"has a RoPE base of {frequencyBase}");

        float[] frequencies = RopeFrequencies.Plain(dimensions, frequencyBase);
        if (model.Has("rope_freqs.weight")) frequencies = RopeFrequencies.Divided(frequencies, model.Vector("rope_freqs.weight", frequencies.Length));

        // Before `rope.scaling.*` existed, `rope.scale_linear` alone asked for linear scaling.
        double factor = model.TryFloat("rope.scaling.factor") ?? model.TryFloat("rope.scale_linear") ?? 1;
        string scaling = model.TryString("rope.scaling.type") ?? "linear";
        if (factor <= 0) throw model.Refusal($"has a RoPE scaling factor of {factor}");
        switch (scaling)
        {
            case "none":
                return new Rope(frequencies, style);
            case "linear":
                return new Rope(factor == 1 ? frequencies : RopeFrequencies.Linear(frequencies, factor), style);
            case "yarn":
                long original = model.TryInt("rope.scaling.original_context_length") ?? contextLength;
                frequencies = RopeFrequencies.Yarn(frequencies, frequencyBase, factor, original,
                    model.TryFloat("rope.scaling.yarn_beta_fast") ?? 32, model.TryFloat("rope.scaling.yarn_beta_slow") ?? 1);
                // A magnitude that the model states stands for itself; else the paper's, times what GGUF may add to it.
                double magnitude = model.TryFloat("rope.scaling.yarn_attn_factor")
                    ?? (model.TryFloat("rope.scaling.attn_factor") ?? 1) * RopeFrequencies.YarnMagnitude(factor);
                return new Rope(frequencies, style, (float)magnitude);
            default:
                throw model.Refusal($"asks for RoPE scaling '{scaling}'; supported are {string.Join(", ", s_scalings)}");
        }
    }
}
