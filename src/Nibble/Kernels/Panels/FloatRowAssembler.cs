using Iced.Intel;
using Nibble.Memory;
using static Iced.Intel.AssemblerRegisters;

namespace Nibble.Kernels.Panels;

/// <summary>How floating-point weights become single precision.</summary>
internal enum WeightWidth
{
    /// <summary>Half precision, by VCVTPH2PS.</summary>
    Half,

    /// <summary>The upper half of a single-precision number, moved up.</summary>
    UpperHalf,

    /// <summary>They are single precision.</summary>
    Single,
}

/// <summary>
/// Assembles <see cref="FloatRowKernel"/>: called with the weights, the token, the number of steps and where 16 sums go, whose sum is the
/// result. In a step each of four registers, zmm0 to zmm3, gets 16 products, so that no addition waits for the one before.
/// </summary>
internal static class FloatRowAssembler
{
    /// <summary>Columns of a step.</summary>
    public const int ColumnsAtATime = Vectors * VectorColumns;

    private const int Vectors = 4, VectorColumns = 16, LineBytes = 64;

    /// <summary>Bytes between what is read and what is asked for: one token does too little with each byte for memory to be kept busy otherwise.</summary>
    private const int PrefetchDistance = 4096;

    /// <summary>The address of the kernel, or 0 where the system allows no assembled code.</summary>
    public static nint Load(WeightWidth width) => MachineCode.Load(Assemble(width));

    private static byte[] Assemble(WeightWidth width)
    {
        Assembler c = new(64);
        (AssemblerRegister64 weights, AssemblerRegister64 token, AssemblerRegister64 steps, AssemblerRegister64 sums) =
            OperatingSystem.IsWindows() ? (rcx, rdx, r8, r9) : (rdi, rsi, rdx, rcx);
        AssemblerRegisterZMM[] total = [zmm0, zmm1, zmm2, zmm3];
        int vectorBytes = VectorColumns * (width == WeightWidth.Single ? sizeof(float) : sizeof(ushort));
        foreach (AssemblerRegisterZMM register in total) c.vpxord(register, register, register);

        Label next = c.CreateLabel();
        c.Label(ref next);
        for (int line = 0; line < Vectors * vectorBytes; line += LineBytes) c.prefetcht0(__byte_ptr[weights + PrefetchDistance + line]);
        for (int v = 0; v < Vectors; v++)
        {
            AssemblerRegisterZMM weight = v % 2 == 0 ? zmm4 : zmm5;
            switch (width)
            {
                case WeightWidth.Half:
                    c.vcvtph2ps(weight, __ymmword_ptr[weights + v * vectorBytes]);
                    break;
                case WeightWidth.UpperHalf:
                    c.vpmovzxwd(weight, __ymmword_ptr[weights + v * vectorBytes]);
                    c.vpslld(weight, weight, 16);
                    break;
                default:
                    c.vmovups(weight, __zmmword_ptr[weights + v * vectorBytes]);
                    break;
            }
            c.vfmadd231ps(total[v], weight, __zmmword_ptr[token + v * VectorColumns * sizeof(float)]);
        }
        c.add(weights, Vectors * vectorBytes);
        c.add(token, ColumnsAtATime * sizeof(float));
        c.dec(steps);
        c.jnz(next);

        c.vaddps(zmm0, zmm0, zmm1);
        c.vaddps(zmm2, zmm2, zmm3);
        c.vaddps(zmm0, zmm0, zmm2);
        c.vmovups(__zmmword_ptr[sums], zmm0);
        c.vzeroupper();
        c.ret();

        using MemoryStream code = new();
        c.Assemble(new StreamCodeWriter(code), 0);
        return code.ToArray();
    }
}
