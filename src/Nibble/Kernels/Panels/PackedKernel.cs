using System.Collections.Concurrent;

namespace Nibble.Kernels.Panels;

/// <summary>The product of 16 packed rows and a few tokens, by AVX-512 VNNI: codes become numbers in registers.</summary>
internal readonly unsafe struct PackedKernel
{
    private static readonly ConcurrentDictionary<PackedShape, Lazy<PackedKernel>> Assembled = [];

    // For 1, 2, 4 and 8 tokens; the first for tiles of one token.
    private readonly nint _one, _two, _four, _eight;

    private PackedKernel(PackedShape shape)
    {
        _one = PackedAssembler.Load(shape, tokens: 1, slots: 1);
        _two = PackedAssembler.Load(shape, tokens: 2, slots: TokenTiles.Tokens);
        _four = PackedAssembler.Load(shape, tokens: 4, slots: TokenTiles.Tokens);
        _eight = PackedAssembler.Load(shape, tokens: 8, slots: TokenTiles.Tokens);
    }

    /// <summary>The kernel for a shape, assembled when first asked for, unless the processor or the system cannot run it.</summary>
    public static bool TryGet(PackedShape shape, out PackedKernel kernel)
    {
        kernel = InstructionSets.HasAvx512Vnni ? Assembled.GetOrAdd(shape, key => new(() => new PackedKernel(key))).Value : default;
        return kernel._one != 0 && kernel._two != 0 && kernel._four != 0 && kernel._eight != 0;
    }

    /// <param name="arguments">What to multiply.</param>
    /// <param name="tokens">1 to 8, of a tile with one slot where it is 1; the result may be written up to the next power of two.</param>
    public void Run(PackedArguments* arguments, int tokens)
    {
        nint code = tokens switch { 1 => _one, 2 => _two, <= 4 => _four, _ => _eight };
        ((delegate* unmanaged[SuppressGCTransition]<PackedArguments*, void>)code)(arguments);
    }
}
