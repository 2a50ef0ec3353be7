using Iced.Intel;
using Nibble.Memory;
using static Iced.Intel.AssemblerRegisters;

namespace Nibble.Kernels.Panels;

/// <summary>
/// Assembles <see cref="IPanelKernel"/> for AVX-512 VNNI, since .NET has no intrinsic for VPDPBUSD on 512 bits.
/// A lane is a row: for up to 8 tokens zmm8 to zmm15 hold the sums of a row, zmm16 to zmm23 those of a block, both in single
/// precision, and zmm24 to zmm31 those of a group as integers. Four columns of a token are broadcast from memory by the instruction that
/// multiplies them, so that a multiplication of 64 bytes costs one instruction and weights are loaded once for all tokens.
/// </summary>
internal static class VnniAssembler
{
    private const int RowsBytes = 64; // 16 rows of 4 bytes, or of one single-precision number
    private const int TokensBytes = 32; // 8 tokens of 4 bytes
    private const byte BiasBits = 7; // the bias of 128 is taken off again as a shift of the negated sums

    internal static readonly AssemblerRegisterZMM[] Zmm =
    [
        zmm0, zmm1, zmm2, zmm3, zmm4, zmm5, zmm6, zmm7, zmm8, zmm9, zmm10, zmm11, zmm12, zmm13, zmm14, zmm15,
        zmm16, zmm17, zmm18, zmm19, zmm20, zmm21, zmm22, zmm23, zmm24, zmm25, zmm26, zmm27, zmm28, zmm29, zmm30, zmm31,
    ];

    /// <summary>The address of a kernel for that many tokens, or 0 where the system allows no assembled code.</summary>
    public static nint Load(PanelShape shape, int tokens) => MachineCode.Load(Assemble(shape, tokens));

    private static byte[] Assemble(PanelShape shape, int tokens)
    {
        Assembler c = new(64);
        AssemblerRegister64 arguments = OperatingSystem.IsWindows() ? rcx : rdi;
        AssemblerRegister64 weights = rax, scales = rdx, offsets = r8, values = r9, tokenScales = r10, negatedSums = r11;
        AssemblerRegisterZMM scale = zmm0, offset = zmm1, weight0 = zmm2, weight1 = zmm3; // zmm4 and zmm5: scratch
        if (OperatingSystem.IsWindows()) SaveWindowsRegisters(c);

        // Blocks and groups are counted in registers that both calling conventions let us change but for rsi, saved above on Windows.
        AssemblerRegister64 blocks = OperatingSystem.IsWindows() ? rdi : rcx, groups = rsi;
        c.mov(weights, __qword_ptr[arguments]);
        c.mov(scales, __qword_ptr[arguments + 8]);
        if (shape.HasOffsets) c.mov(offsets, __qword_ptr[arguments + 16]);
        c.mov(values, __qword_ptr[arguments + 24]);
        c.mov(tokenScales, __qword_ptr[arguments + 32]);
        c.mov(negatedSums, __qword_ptr[arguments + 40]);
        c.mov(blocks, __qword_ptr[arguments + 64]);

        for (int t = 0; t < tokens; t++) c.vpxord(Row(t), Row(t), Row(t));
        Label nextBlock = c.CreateLabel(), nextGroup = c.CreateLabel();
        c.Label(ref nextBlock);
        for (int t = 0; t < tokens; t++) c.vpxord(Block(t), Block(t), Block(t));
        c.mov(groups, shape.Block / shape.Group);

        c.Label(ref nextGroup);
        for (int t = 0; t < tokens; t++) c.vpslld(Group(t), __dword_bcst[negatedSums + t * 4], BiasBits);
        for (int step = 0; step < shape.Group / 4; step++)
        {
            AssemblerRegisterZMM weight = step % 2 == 0 ? weight0 : weight1;
            c.vmovdqa64(weight, __zmmword_ptr[weights + step * RowsBytes]);
            for (int t = 0; t < tokens; t++) c.vpdpbusd(Group(t), weight, __dword_bcst[values + step * TokensBytes + t * 4]);
        }
        c.vmovaps(scale, __zmmword_ptr[scales]);
        if (shape.HasOffsets) c.vmovaps(offset, __zmmword_ptr[offsets]);
        for (int t = 0; t < tokens; t++)
        {
            c.vcvtdq2ps(Group(t), Group(t));
            c.vfmadd231ps(Block(t), Group(t), scale);
            if (!shape.HasOffsets) continue;
            AssemblerRegisterZMM sum = Zmm[4 + t % 2];
            c.vcvtdq2ps(sum, __dword_bcst[negatedSums + t * 4]);
            c.vfnmadd231ps(Block(t), sum, offset);
        }
        c.add(weights, shape.Group / 4 * RowsBytes);
        c.add(values, shape.Group / 4 * TokensBytes);
        c.add(scales, RowsBytes);
        if (shape.HasOffsets) c.add(offsets, RowsBytes);
        c.add(negatedSums, TokensBytes);
        c.dec(groups);
        c.jnz(nextGroup);

        for (int t = 0; t < tokens; t++) c.vfmadd231ps(Row(t), Block(t), __dword_bcst[tokenScales + t * 4]);
        c.add(tokenScales, TokensBytes);
        c.dec(blocks);
        c.jnz(nextBlock);

        c.mov(rax, __qword_ptr[arguments + 48]);
        c.mov(rdx, __qword_ptr[arguments + 56]);
        for (int t = 0; t < tokens; t++)
        {
            c.vmovups(__zmmword_ptr[rax], Row(t));
            if (t < tokens - 1) c.add(rax, rdx);
        }
        if (OperatingSystem.IsWindows()) RestoreWindowsRegisters(c);
        c.vzeroupper();
        c.ret();

        using MemoryStream code = new();
        c.Assemble(new StreamCodeWriter(code), 0);
        return code.ToArray();

        static AssemblerRegisterZMM Row(int token) => Zmm[8 + token];
        static AssemblerRegisterZMM Block(int token) => Zmm[16 + token];
        static AssemblerRegisterZMM Group(int token) => Zmm[24 + token];
    }

    /// <summary>Windows wants rsi, rdi and the low halves of xmm6 to xmm15 back.</summary>
    internal static void SaveWindowsRegisters(Assembler c)
    {
        c.push(rsi);
        c.push(rdi);
        c.sub(rsp, s_xmm.Length * 16);
        for (int i = 0; i < s_xmm.Length; i++) c.vmovdqu(__xmmword_ptr[rsp + i * 16], s_xmm[i]);
    }

    internal static void RestoreWindowsRegisters(Assembler c)
    {
        for (int i = 0; i < s_xmm.Length; i++) c.vmovdqu(s_xmm[i], __xmmword_ptr[rsp + i * 16]);
        c.add(rsp, s_xmm.Length * 16);
        c.pop(rdi);
        c.pop(rsi);
    }

    private static readonly AssemblerRegisterXMM[] s_xmm = [xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14, xmm15];
}
