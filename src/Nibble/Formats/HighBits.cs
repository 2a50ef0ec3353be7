namespace Nibble.Formats;

/// <summary>The fifth bits of 32 values in one word: bit i belongs to value i.</summary>
internal static partial class HighBits
{
    public static uint Pack(ReadOnlySpan<byte> values)
    {
        uint bits = 0;
        for (int i = 0; i < 32; i++) bits |= (uint)(values[i] >> 4 & 1) << i;
        return bits;
    }

    /// <summary>16 where the bit of value <paramref name="i"/> is set, else 0.</summary>
    public static int At(uint bits, int i) => (int)(bits >> i & 1) << 4;
}
