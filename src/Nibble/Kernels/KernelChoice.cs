using System.Runtime.Intrinsics.Arm;
using Nibble.Formats;
using Nibble.Kernels.Panels;

namespace Nibble.Kernels;

/// <summary>With which instructions matrices are multiplied on this machine, by what <c>NIBBLE_ISA</c> and the system allow.</summary>
public static class KernelChoice
{
    /// <summary>Rows packed 16 side by side, for any number of tokens; <see langword="null"/> where rows are not packed.</summary>
    public static string? PackedRows => PackedKernel.TryGet(PackedShape.Of<Q8_0, Q8_0>()) is null ? null : InstructionSets.HasNeon ? NeonBytes : Avx512Vnni;

    /// <summary>Panels of 16 rows taken apart for several tokens; <see langword="null"/> where rows are multiplied one by one.</summary>
    public static string? Panels =>
        VnniKernel.TryGet(new PanelShape(32, 32, false), out _) ? Avx512Vnni
        : InstructionSets.HasAvx512 ? Avx512
        : InstructionSets.HasAvxVnni ? "AVX-VNNI"
        : InstructionSets.HasAvx2 ? Avx2
        : InstructionSets.HasNeon ? NeonBytes : null;

    /// <summary>Floating-point weights with several tokens; <see langword="null"/> where rows are multiplied one by one.</summary>
    public static string? FloatPanels => InstructionSets.HasAvx512 ? Avx512 : InstructionSets.HasAvx2 ? Avx2 : InstructionSets.HasNeon ? Neon : null;

    /// <summary>One row with one token; <see langword="null"/> for code without vectors.</summary>
    public static string? Rows => InstructionSets.HasAvx2 ? Avx2 : InstructionSets.HasNeon ? NeonBytes : null;

    private const string Avx2 = "AVX2", Avx512 = "AVX-512", Avx512Vnni = "AVX-512 VNNI", Neon = "Arm AdvSimd";

    private static string NeonBytes => Dp.IsSupported ? "Arm dot product" : Neon;
}
