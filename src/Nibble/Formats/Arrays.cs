using System.Runtime.CompilerServices;

namespace Nibble.Formats;

/// <summary>4 bytes in place.</summary>
[InlineArray(4)]
public struct Byte4
{
    private byte _first;
}

/// <summary>8 bytes in place.</summary>
[InlineArray(8)]
public struct Byte8
{
    private byte _first;
}

/// <summary>16 bytes in place.</summary>
[InlineArray(16)]
public struct Byte16
{
    private byte _first;
}

/// <summary>32 bytes in place.</summary>
[InlineArray(32)]
public struct Byte32
{
    private byte _first;
}

/// <summary>48 bytes in place.</summary>
[InlineArray(48)]
public struct Byte48
{
    private byte _first;
}

/// <summary>64 bytes in place.</summary>
[InlineArray(64)]
public struct Byte64
{
    private byte _first;
}

/// <summary>128 bytes in place.</summary>
[InlineArray(128)]
public struct Byte128
{
    private byte _first;
}

/// <summary>16 signed 16-bit numbers in place.</summary>
[InlineArray(16)]
public struct Int16x16
{
    private short _first;
}

/// <summary>16 signed bytes in place.</summary>
[InlineArray(16)]
public struct SByte16
{
    private sbyte _first;
}

/// <summary>32 signed bytes in place.</summary>
[InlineArray(32)]
public struct SByte32
{
    private sbyte _first;
}

/// <summary>256 signed bytes in place.</summary>
[InlineArray(256)]
public struct SByte256
{
    private sbyte _first;
}

/// <summary>16 single-precision numbers in place.</summary>
[InlineArray(16)]
public struct Single16
{
    private float _first;
}

/// <summary>8 unsigned 16-bit numbers in place.</summary>
[InlineArray(8)]
public struct UInt16x8
{
    private ushort _first;
}

/// <summary>32 unsigned 16-bit numbers in place.</summary>
[InlineArray(32)]
public struct UInt16x32
{
    private ushort _first;
}

/// <summary>8 unsigned 32-bit numbers in place.</summary>
[InlineArray(8)]
public struct UInt32x8
{
    private uint _first;
}

/// <summary>16 unsigned 32-bit numbers in place.</summary>
[InlineArray(16)]
public struct UInt32x16
{
    private uint _first;
}

/// <summary>256 bytes in place.</summary>
[InlineArray(256)]
public struct Byte256
{
    private byte _first;
}
