using System.Numerics;

namespace Nibble.Formats;

/// <summary>
/// The signs of eight weights in seven bits: the number of negative ones is even, so the eighth is the parity of the others.
/// </summary>
internal static class EvenSigns
{
    private static readonly ulong[] s_factors = CreateFactors();

    /// <summary>By the seven bits, 1 or -1 for each of eight weights in a byte each, the first lowest.</summary>
    public static ReadOnlySpan<ulong> Factors => s_factors;

    /// <summary>Bit i is set where weight i is negative.</summary>
    public static int Complete(uint seven) => (int)(seven & 127 | (uint)BitOperations.PopCount(seven & 127) % 2 << 7);

    /// <summary>-1 where bit <paramref name="i"/> is set, else 1.</summary>
    public static int At(int signs, int i) => 1 - (signs >> i & 1) * 2;

    private static ulong[] CreateFactors()
    {
        ulong[] factors = new ulong[128];
        for (uint seven = 0; seven < 128; seven++)
            for (int i = 0; i < 8; i++) factors[seven] |= (ulong)(byte)At(Complete(seven), i) << 8 * i;
        return factors;
    }
}
