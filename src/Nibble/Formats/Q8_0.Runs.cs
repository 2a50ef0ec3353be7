using System.Runtime.CompilerServices;

namespace Nibble.Formats;

/// <summary>Two neighbouring blocks of activations, beside one block of 64 weights.</summary>
[InlineArray(2)]
internal struct Q8_0x2
{
    private Q8_0 _first;
}

/// <summary>Four neighbouring blocks of activations, beside one block of 128 weights.</summary>
[InlineArray(4)]
internal struct Q8_0x4
{
    private Q8_0 _first;
}
