using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>A power of two in a byte: 2^(Bits - 127), the scale of OCP's microscaling formats.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct E8M0
{
    public byte Bits;

    /// <summary>Half the number, for levels that are stored doubled.</summary>
    internal readonly float Half => BitConverter.UInt32BitsToSingle(Bits < 2 ? 0x20_0000u << Bits : (uint)(Bits - 1) << 23);
}
