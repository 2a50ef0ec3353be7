using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Nibble;

/// <summary>
/// Which vector instructions the hand-written code uses: the highest rung of the ladder that the processor has, or the one that the
/// environment variable <c>NIBBLE_ISA</c> names. It is read once, so that the JIT compiles only the code of one rung.
/// </summary>
public static class InstructionSets
{
    /// <summary>The environment variable that chooses a rung.</summary>
    public const string Variable = "NIBBLE_ISA";

    /// <summary>Numbers of the rungs. No processor has both those of x86 and that of Arm.</summary>
    private const int Avx2Rung = 1, Avx512Rung = 2, VnniRung = 3, NeonRung = 4;

    private static readonly bool s_hasAvx512Vnni = DetectAvx512Vnni();

    /// <summary>Every rung from the lowest to the highest, and whether this processor has it. <c>scalar</c> is without hand-written vector code.</summary>
    private static readonly (string Name, bool IsFound)[] s_ladder =
    [
        ("scalar", true),
        ("avx2", Avx2.IsSupported),
        ("avx512", Avx512BW.IsSupported),
        ("vnni", s_hasAvx512Vnni || AvxVnni.IsSupported),
        ("neon", AdvSimd.Arm64.IsSupported),
    ];

    private static readonly int s_rung = Choose(Environment.GetEnvironmentVariable(Variable));

    /// <summary>Any rung above <c>scalar</c>: what is written for 256 bits in the framework's vectors, which are two registers on Arm.</summary>
    internal static readonly bool HasVectors = s_rung > 0;

    internal static readonly bool HasAvx2 = s_rung is >= Avx2Rung and <= VnniRung;

    /// <summary>AVX-512 with its instructions for bytes and words.</summary>
    internal static readonly bool HasAvx512 = s_rung is Avx512Rung or VnniRung && Avx512BW.IsSupported;

    /// <summary>VPDPBUSD on 512 bits, for which .NET has no intrinsic.</summary>
    internal static readonly bool HasAvx512Vnni = s_rung == VnniRung && s_hasAvx512Vnni;

    /// <summary>VPDPBUSD on 256 bits, as processors without AVX-512 have it.</summary>
    internal static readonly bool HasAvxVnni = s_rung == VnniRung && AvxVnni.IsSupported;

    /// <summary>The vectors of 128 bits of Arm64; most of its processors have the dot product, too, for which <see cref="Dp"/> is asked where it is used.</summary>
    internal static readonly bool HasNeon = s_rung == NeonRung;

    /// <summary>The rungs that this processor has, the lowest first.</summary>
    public static IReadOnlyList<string> Found => [.. s_ladder.Where(rung => rung.IsFound).Select(rung => rung.Name)];

    /// <summary>The rung in use.</summary>
    /// <exception cref="TypeInitializationException"><c>NIBBLE_ISA</c> names none that the processor has; the inner exception says so.</exception>
    public static string Used => s_ladder[s_rung].Name;

    private static int Choose(string? wanted)
    {
        if (string.IsNullOrEmpty(wanted)) return Array.FindLastIndex(s_ladder, rung => rung.IsFound);
        int index = Array.FindIndex(s_ladder, rung => rung.Name.Equals(wanted, StringComparison.OrdinalIgnoreCase));
        if (index < 0) Throw.BadInput($"{Variable} is '{wanted}'; it can be {string.Join(", ", s_ladder.Select(rung => rung.Name))}");
        if (!s_ladder[index].IsFound) Throw.BadInput($"{Variable} is '{wanted}', which this processor does not have; it has {string.Join(", ", Found)}");
        return index;
    }

    private static bool DetectAvx512Vnni()
    {
        if (!Avx512BW.IsSupported) return false; // which also says that the system saves the registers
        (_, _, int features, _) = X86Base.CpuId(7, 0);
        return (features & 1 << 11) != 0;
    }
}
