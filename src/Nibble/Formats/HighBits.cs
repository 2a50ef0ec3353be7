using System.Runtime.Intrinsics;

namespace Nibble.Formats;

/// <summary>The fifth bits of 32 values in one word: bit i belongs to value i.</summary>
internal static partial class HighBits
{
    public static uint Pack(ReadOnlySpan<byte> values) => (Vector256.Create(values) << 3).ExtractMostSignificantBits();

    /// <summary>16 where the bit of value <paramref name="i"/> is set, else 0.</summary>
    public static int At(uint bits, int i) => (int)(bits >> i & 1) << 4;
}
