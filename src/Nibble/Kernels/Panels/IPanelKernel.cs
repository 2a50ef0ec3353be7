namespace Nibble.Kernels.Panels;

/// <summary>
/// The product of 16 rows of weights and a few tokens, all of it in registers but for what streams through:
/// <c>result[t, r] = Σ_blocks tokenScale · Σ_groups (scale · Σ_c number · x[t, c] + offset · Σ_c x[t, c])</c>.
/// </summary>
internal unsafe interface IPanelKernel
{
    /// <summary>What weights are stored with to suit the kernel's instructions: it is added to their numbers, modulo 256.</summary>
    byte Bias { get; }

    /// <param name="arguments">What to multiply.</param>
    /// <param name="tokens">1 to 8; the result may be written for all 8.</param>
    void Run(PanelArguments* arguments, int tokens);
}
