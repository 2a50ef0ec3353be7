using Iced.Intel;
using Nibble.Memory;
using static Iced.Intel.AssemblerRegisters;

namespace Nibble.Kernels.Panels;

/// <summary>
/// Assembles <see cref="PackedKernel"/>: as <see cref="VnniAssembler"/>, with the same use of zmm8 to zmm31, but for weights that are
/// still packed. Codes are taken out of their planes by a shift and a mask, and where there is a table, looked up in it.
/// </summary>
internal sealed class PackedAssembler
{
    /// <summary>Bytes between what is read and what is asked for.</summary>
    private const int PrefetchDistance = 4096;

    private readonly Assembler _c = new(64);
    private readonly PackedShape _shape;
    private readonly int _tokens, _slotsBytes;

    // Blocks and groups are counted in registers that both calling conventions let us change, but for those that Windows wants back.
    private readonly AssemblerRegister64 _arguments = OperatingSystem.IsWindows() ? rcx : rdi, _blocks = OperatingSystem.IsWindows() ? rdi : rcx, _steps = rsi;
    private readonly AssemblerRegister64 _codes = rax, _multiples = rdx, _header = r8, _values = r9, _tokenScales = r10, _negatedSums = r11;
    private readonly AssemblerRegister64 _result = r9, _resultStride = r10; // when the values are used up
    private readonly AssemblerRegisterZMM _scale = zmm0, _offset = zmm1, _lowMask = zmm4, _highMask = zmm5, _table = zmm6, _scratch = zmm7;

    private PackedAssembler(PackedShape shape, int tokens, int slots)
    {
        _shape = shape;
        _tokens = tokens;
        _slotsBytes = slots * 4;
    }

    /// <summary>The address of a kernel, or 0 where the system allows no assembled code.</summary>
    /// <param name="shape">How the rows are packed.</param>
    /// <param name="tokens">Tokens that it multiplies with: 1, 2, 4 or 8.</param>
    /// <param name="slots">Tokens of a tile.</param>
    public static nint Load(PackedShape shape, int tokens, int slots) => MachineCode.Load(new PackedAssembler(shape, tokens, slots).Assemble());

    private byte[] Assemble()
    {
        Assembler c = _c;
        if (OperatingSystem.IsWindows()) VnniAssembler.SaveWindowsRegisters(c);
        Label lowMask = c.CreateLabel(), highMask = c.CreateLabel(), nextTile = c.CreateLabel(), nextRun = c.CreateLabel(), end = c.CreateLabel();
        (int low, int high) = Masks();
        if (low != 0) c.vpbroadcastd(_lowMask, __dword_ptr[lowMask]);
        if (high != 0) c.vpbroadcastd(_highMask, __dword_ptr[highMask]);
        c.mov(_codes, __qword_ptr[_arguments]);
        if (_shape.HasTable)
        {
            c.mov(_values, __qword_ptr[_arguments + 8]);
            c.vmovdqu64(_table, __zmmword_ptr[_values]);
        }

        c.Label(ref nextTile);
        c.mov(_values, __qword_ptr[_arguments + 16]);
        c.mov(_tokenScales, __qword_ptr[_arguments + 24]);
        c.mov(_negatedSums, __qword_ptr[_arguments + 32]);
        c.mov(_blocks, __qword_ptr[_arguments + 56]);
        for (int t = 0; t < _tokens; t++) Clear(Row(t));

        c.Label(ref nextRun);
        int headersBytes = _shape.BlocksPerRun * _shape.HeaderBytes;
        c.mov(_header, _codes);
        Prefetch(headersBytes);
        c.add(_codes, headersBytes);
        for (int block = 0; block < _shape.BlocksPerRun; block++)
        {
            OneBlock(block * _shape.HeaderBytes);
            c.dec(_blocks);
            if (block < _shape.BlocksPerRun - 1) c.jz(end); // the last run may be shorter
            else c.jnz(nextRun);
        }
        c.Label(ref end);

        c.mov(_result, __qword_ptr[_arguments + 40]);
        c.mov(_resultStride, __qword_ptr[_arguments + 48]);
        for (int t = 0; t < _tokens; t++)
        {
            c.vmovups(__zmmword_ptr[_result], Row(t));
            if (t < _tokens - 1) c.add(_result, _resultStride);
        }
        c.add(__qword_ptr[_arguments + 40], PackedShape.RowsBytes);
        c.dec(__qword_ptr[_arguments + 64]);
        c.jnz(nextTile);
        if (OperatingSystem.IsWindows()) VnniAssembler.RestoreWindowsRegisters(c);
        c.vzeroupper();
        c.ret();
        c.Label(ref lowMask);
        c.dd(low * 0x01010101);
        c.Label(ref highMask);
        c.dd(high * 0x01010101);

        using MemoryStream code = new();
        c.Assemble(new StreamCodeWriter(code), 0);
        return code.ToArray();
    }

    /// <param name="header">Where its header is in those of the run.</param>
    private void OneBlock(int header)
    {
        Assembler c = _c;
        Label nextStep = c.CreateLabel();
        for (int t = 0; t < _tokens; t++) Clear(Block(t));
        if (_shape.Scales == PackedScales.Multiples) c.lea(_multiples, __[_header + header + PackedShape.RowsBytes]);
        if (_shape.Group == 256) for (int t = 0; t < _tokens; t++) Clear(Group(t));
        if (_shape.StepsPerBlock > 1)
        {
            c.mov(_steps, _shape.StepsPerBlock);
            c.Label(ref nextStep);
        }
        Step(header);
        if (_shape.StepsPerBlock > 1)
        {
            c.dec(_steps);
            c.jnz(nextStep);
        }
        if (_shape.Group == 256) EndGroup(header, 0);
        for (int t = 0; t < _tokens; t++) c.vfmadd231ps(Row(t), Block(t), __dword_bcst[_tokenScales + t * 4]);
        c.add(_tokenScales, _slotsBytes);
    }

    /// <summary>32 columns.</summary>
    private void Step(int header)
    {
        Prefetch(_shape.CodeBytes);
        int quadsPerGroup = Math.Min(_shape.Group, PackedShape.StepColumns) / 4;
        for (int quad = 0; quad < PackedShape.StepColumns / 4; quad++)
        {
            if (quad % quadsPerGroup == 0) BeginGroup();
            AssemblerRegisterZMM weight = quad % 2 == 0 ? zmm2 : zmm3;
            Unpack(weight, quad);
            for (int t = 0; t < _tokens; t++) _c.vpdpbusd(Group(t), weight, __dword_bcst[_values + quad * _slotsBytes + t * 4]);
            if (_shape.Group < 256 && (quad + 1) % quadsPerGroup == 0) EndGroup(header, quad / quadsPerGroup);
        }
        _c.add(_codes, _shape.CodeBytes);
        _c.add(_values, PackedShape.StepColumns / 4 * _slotsBytes);
        if (_shape.Group == 256) _c.add(_negatedSums, _slotsBytes);
    }

    /// <summary>
    /// Asks for what will be read some runs later: there is so much to do with each byte that the processor by itself would not look
    /// ahead far enough to keep memory busy. With more tokens memory is not the limit.
    /// </summary>
    private void Prefetch(int bytes)
    {
        if (_tokens > 2) return;
        int distance = (PrefetchDistance + _shape.RunBytes - 1) / _shape.RunBytes * _shape.RunBytes;
        for (int line = 0; line < bytes; line += 64) _c.prefetcht0(__byte_ptr[_codes + distance + line]);
    }

    /// <summary>Starts the integer sums with what takes the bias off again.</summary>
    private void BeginGroup()
    {
        for (int t = 0; t < _tokens; t++)
        {
            AssemblerRegisterZMM target = _shape.Group == 256 ? _scratch : Group(t);
            if (_shape.BiasBits > 0) _c.vpslld(target, __dword_bcst[_negatedSums + t * 4], (byte)_shape.BiasBits);
            else if (_shape.BiasBits == 0) _c.vpbroadcastd(target, __dword_ptr[_negatedSums + t * 4]);
            else if (_shape.Group < 256) Clear(target);
            if (_shape.Group == 256 && _shape.BiasBits >= 0) _c.vpaddd(Group(t), Group(t), _scratch);
        }
    }

    /// <summary>Adds the integer sums, scaled, to those of the block.</summary>
    /// <param name="header">Where that of the block is in those of the run.</param>
    /// <param name="index">Of the group in the step.</param>
    private void EndGroup(int header, int index)
    {
        Assembler c = _c;
        switch (_shape.Scales)
        {
            case PackedScales.Multiples:
                c.vpmovsxbd(_scale, __xmmword_ptr[_multiples]);
                c.vcvtdq2ps(_scale, _scale);
                c.vmulps(_scale, _scale, __zmmword_ptr[_header + header]);
                if (_shape.HasOffsets)
                {
                    c.vpmovsxbd(_offset, __xmmword_ptr[_multiples + _shape.ScaleBytes]);
                    c.vcvtdq2ps(_offset, _offset);
                    c.vmulps(_offset, _offset, __zmmword_ptr[_header + header + _shape.ScaleBytes]);
                }
                c.add(_multiples, RowPanel.Rows);
                break;
            case PackedScales.One:
                c.vmovups(_scale, __zmmword_ptr[_header + header]);
                break;
            case PackedScales.Halves:
                c.vcvtph2ps(_scale, __ymmword_ptr[_header + header + index * RowPanel.Rows * 2]);
                if (_shape.HasOffsets) c.vcvtph2ps(_offset, __ymmword_ptr[_header + header + _shape.ScaleBytes + index * RowPanel.Rows * 2]);
                break;
            default:
                c.vpmovzxwd(_scale, __ymmword_ptr[_header + header + index * RowPanel.Rows * 2]);
                c.vpslld(_scale, _scale, 16);
                break;
        }
        for (int t = 0; t < _tokens; t++)
        {
            c.vcvtdq2ps(Group(t), Group(t));
            c.vfmadd231ps(Block(t), Group(t), _scale);
            if (!_shape.HasOffsets) continue;
            c.vcvtdq2ps(_scratch, __dword_bcst[_negatedSums + t * 4]);
            c.vfnmadd231ps(Block(t), _scratch, _offset);
        }
        if (_shape.Group < 256) c.add(_negatedSums, _slotsBytes);
    }

    /// <summary>The masks of the lower and the upper plane, once shifted into place.</summary>
    private (int Low, int High) Masks() => _shape.Bits switch
    {
        1 => (0x01, 0),
        2 => (0x03, 0),
        3 => (0x03, 0x04),
        4 => (0x0f, 0),
        5 => (0x0f, 0x10),
        6 => (0x0f, 0x30),
        _ => (0, 0),
    };

    /// <summary>Loads the unsigned numbers of four columns.</summary>
    private void Unpack(AssemblerRegisterZMM weight, int quad)
    {
        switch (_shape.Bits)
        {
            case 1: OnePlane(weight, 1, quad); break;
            case 2: OnePlane(weight, 2, quad); break;
            case 3: TwoPlanes(weight, quad, lowBits: 2, highBits: 1); break;
            case 4: OnePlane(weight, 4, quad); break;
            case 5: TwoPlanes(weight, quad, lowBits: 4, highBits: 1); break;
            case 6: TwoPlanes(weight, quad, lowBits: 4, highBits: 2); break;
            default: _c.vmovdqu64(weight, __zmmword_ptr[_codes + quad * PackedShape.RowsBytes]); break;
        }
        if (_shape.HasTable) _c.vpshufb(weight, _table, weight);
    }

    private void OnePlane(AssemblerRegisterZMM weight, int bits, int quad)
    {
        (int vector, int shift) = PackedRows.Place(bits, quad);
        AssemblerMemoryOperand plane = __zmmword_ptr[_codes + vector * PackedShape.RowsBytes];
        if (shift == 0)
        {
            _c.vpandd(weight, _lowMask, plane);
            return;
        }
        _c.vpsrlw(weight, plane, (byte)shift);
        _c.vpandd(weight, weight, _lowMask);
    }

    private void TwoPlanes(AssemblerRegisterZMM weight, int quad, int lowBits, int highBits)
    {
        const byte FirstAndSecondOrThird = 0xea; // of VPTERNLOG
        (int vector, int shift) = PackedRows.Place(highBits, quad);
        AssemblerMemoryOperand high = __zmmword_ptr[_codes + lowBits * PackedShape.RowsBytes + vector * PackedShape.RowsBytes];
        if (shift < lowBits) _c.vpsllw(_scratch, high, (byte)(lowBits - shift));
        else if (shift > lowBits) _c.vpsrlw(_scratch, high, (byte)(shift - lowBits));
        else _c.vmovdqu64(_scratch, high);
        _c.vpandd(_scratch, _scratch, _highMask);
        (vector, shift) = PackedRows.Place(lowBits, quad);
        AssemblerMemoryOperand low = __zmmword_ptr[_codes + vector * PackedShape.RowsBytes];
        if (shift == 0) _c.vmovdqu64(weight, low);
        else _c.vpsrlw(weight, low, (byte)shift);
        _c.vpternlogd(weight, _lowMask, _scratch, FirstAndSecondOrThird);
    }

    private void Clear(AssemblerRegisterZMM register) => _c.vpxord(register, register, register);

    private static AssemblerRegisterZMM Row(int token) => VnniAssembler.Zmm[8 + token];

    private static AssemblerRegisterZMM Block(int token) => VnniAssembler.Zmm[16 + token];

    private static AssemblerRegisterZMM Group(int token) => VnniAssembler.Zmm[24 + token];
}
