using System.Collections.Concurrent;

namespace Nibble.Kernels.Panels;

/// <summary>The product of 16 packed rows and a few tokens, by AVX-512 VNNI, where codes become numbers in registers, or by <see cref="NeonPackedKernel"/>.</summary>
/// <param name="shape">How the rows are packed.</param>
internal sealed unsafe class PackedKernel(PackedShape shape)
{
    private static readonly ConcurrentDictionary<PackedShape, PackedKernel> s_all = [];

    private readonly Lock _assembling = new();

    // For 1, 2, 4 and 8 tokens, the first for tiles of one token; 0 until it is needed. A text that is generated needs the first alone.
    private nint _one, _two, _four, _eight;

    /// <summary>The kernel for a shape, which may be shared by many formats, or <see langword="null"/> where the processor or the system cannot run it.</summary>
    public static PackedKernel? TryGet(PackedShape shape)
    {
        if (!InstructionSets.HasAvx512Vnni && !InstructionSets.HasNeon) return null;
        PackedKernel kernel = s_all.GetOrAdd(shape, key => new(key));
        return InstructionSets.HasNeon || kernel.Code(1) != 0 ? kernel : null;
    }

    /// <summary>Assembles what <see cref="Run"/> needs for that many tokens, 8 at a time, so that threads find it ready.</summary>
    /// <exception cref="NibbleException">The system has no memory for it.</exception>
    public void Prepare(int tokens)
    {
        if (InstructionSets.HasNeon) return;
        if (tokens >= TokenTiles.Tokens) Require(TokenTiles.Tokens);
        if (tokens % TokenTiles.Tokens is > 0 and var rest) Require(tokens == 1 ? 1 : Math.Max(2, rest));

        void Require(int count)
        {
            if (Code(count) == 0) Throw.BadInput("the system gives no more memory for assembled code; run with --no-repack");
        }
    }

    /// <param name="arguments">What to multiply.</param>
    /// <param name="tokens">1 to 8, of a tile with one slot where it is 1; the result may be written up to the next power of two.</param>
    public void Run(PackedArguments* arguments, int tokens)
    {
        if (InstructionSets.HasNeon)
        {
            NeonPackedKernel.Run(shape, arguments, tokens);
            return;
        }
        nint code = tokens switch { 1 => _one, 2 => _two, <= 4 => _four, _ => _eight };
        ((delegate* unmanaged[SuppressGCTransition]<PackedArguments*, void>)code)(arguments);
    }

    private nint Code(int tokens) => tokens switch
    {
        1 => Assembled(ref _one, 1, slots: 1),
        2 => Assembled(ref _two, 2, TokenTiles.Tokens),
        <= 4 => Assembled(ref _four, 4, TokenTiles.Tokens),
        _ => Assembled(ref _eight, 8, TokenTiles.Tokens),
    };

    private nint Assembled(ref nint code, int tokens, int slots)
    {
        if (Volatile.Read(ref code) != 0) return code;
        lock (_assembling)
        {
            if (code == 0) Volatile.Write(ref code, PackedAssembler.Load(shape, tokens, slots));
            return code;
        }
    }
}
