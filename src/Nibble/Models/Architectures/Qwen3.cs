using Nibble.Kernels;

namespace Nibble.Models.Architectures;

/// <summary>Qwen3 is Llama with RoPE over halves and an RMS norm on every query and key head (arXiv:2505.09388).</summary>
public sealed class Qwen3 : IArchitecture
{
    public static string Name => "qwen3";

    public static Transformer Build(ModelReader model) => Llama.Compose(model, RopeStyle.Halves, headNorms: true);
}
