using System.Collections.Concurrent;

namespace Nibble.Kernels.Panels;

/// <summary>The kernel for AVX-512 VNNI, assembled by <see cref="VnniAssembler"/>.</summary>
internal readonly unsafe struct VnniKernel : IPanelKernel
{
    private static readonly ConcurrentDictionary<PanelShape, Lazy<VnniKernel>> s_assembled = [];

    // For 1, 2, 4 and 8 tokens.
    private readonly nint _one, _two, _four, _eight;

    private VnniKernel(PanelShape shape) =>
        (_one, _two, _four, _eight) = (VnniAssembler.Load(shape, 1), VnniAssembler.Load(shape, 2), VnniAssembler.Load(shape, 4), VnniAssembler.Load(shape, 8));

    /// <summary>VPDPBUSD multiplies unsigned by signed bytes.</summary>
    public byte Bias => 128;

    /// <summary>The kernel for a shape, assembled when first asked for, unless the system allows no assembled code.</summary>
    public static bool TryGet(PanelShape shape, out VnniKernel kernel)
    {
        kernel = InstructionSets.HasAvx512Vnni ? s_assembled.GetOrAdd(shape, key => new(() => new VnniKernel(key))).Value : default;
        return kernel._one != 0 && kernel._two != 0 && kernel._four != 0 && kernel._eight != 0;
    }

    public void Run(PanelArguments* arguments, int tokens)
    {
        nint code = tokens switch { 1 => _one, 2 => _two, <= 4 => _four, _ => _eight };
        ((delegate* unmanaged[SuppressGCTransition]<PanelArguments*, void>)code)(arguments);
    }
}
