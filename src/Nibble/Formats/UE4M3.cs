using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// A positive floating-point number in a byte, as NVFP4 scales its groups; 0 and 127 both mean 0.
/// <code>
///  bit   7        6 5 4 3    2 1 0
///        unused   exponent   mantissa     (1 + mantissa / 8) * 2^(exponent - 7), with exponent 0 mantissa * 2^-9
/// </code>
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct UE4M3
{
    public byte Bits;

    /// <summary>Half of each of the 256 numbers, for levels that are stored doubled.</summary>
    private static readonly float[] s_halves = CreateHalves();

    /// <summary>Half the number.</summary>
    internal readonly float Half => s_halves[Bits];

    /// <summary>The nearest number up to 240, halves away from zero; what lies above becomes 448, the only one used with exponent 15.</summary>
    internal static UE4M3 Round(float value)
    {
        if (!(value > 0)) return default;
        uint bits = BitConverter.SingleToUInt32Bits(MathF.Min(value, 448));
        int exponent = (int)(bits >> 23) - 120;
        if (exponent <= 0) return new UE4M3 { Bits = (byte)Math.Min(7, (int)(value * 512 + 0.5f)) };
        // Half of the last bit that stays carries over into it, and from there into the exponent.
        uint rounded = (bits >> 19) + 1 >> 1;
        int code = (int)rounded - (120 << 3);
        return new UE4M3 { Bits = (byte)(code < 15 << 3 ? code : 0x7e) };
    }

    private static float[] CreateHalves()
    {
        float[] halves = new float[256];
        for (int bits = 0; bits < 256; bits++)
        {
            int exponent = bits >> 3 & 15, mantissa = bits & 7;
            if (bits == 127) continue;
            halves[bits] = 0.5f * (exponent == 0 ? MathF.ScaleB(mantissa, -9) : MathF.ScaleB(1 + mantissa / 8f, exponent - 7));
        }
        return halves;
    }
}
