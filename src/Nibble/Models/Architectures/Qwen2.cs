using Nibble.Kernels;

namespace Nibble.Models.Architectures;

/// <summary>Qwen2 and Qwen2.5 are Llama with biases on q, k and v and RoPE over halves; small ones tie the head to the embedding (arXiv:2407.10671).</summary>
public sealed class Qwen2 : IArchitecture
{
    public static string Name => "qwen2";

    public static Transformer Build(ModelReader model) => Llama.Compose(model, RopeStyle.Halves);
}
