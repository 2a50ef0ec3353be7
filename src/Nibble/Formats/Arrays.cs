using System.Runtime.CompilerServices;

namespace Nibble.Formats;

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

/// <summary>256 bytes in place.</summary>
[InlineArray(256)]
public struct Byte256
{
    private byte _first;
}
