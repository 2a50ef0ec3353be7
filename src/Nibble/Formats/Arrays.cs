using System.Runtime.CompilerServices;

namespace Nibble.Formats;

/// <summary>32 signed bytes in place.</summary>
[InlineArray(32)]
public struct SByte32
{
    private sbyte _first;
}
