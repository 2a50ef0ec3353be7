using Nibble.Formats;

namespace Nibble.Files.Safetensors;

/// <summary>The types that safetensors files name, in the order in which their specification lists them.</summary>
internal static class SafetensorsTypes
{
    private static readonly (string Name, int Bits)[] s_all =
    [
        ("BOOL", 8), ("F4", 4), ("F6_E2M3", 6), ("F6_E3M2", 6), ("U8", 8), ("I8", 8), ("F8_E5M2", 8), ("F8_E4M3", 8), ("F8_E8M0", 8),
        ("F8_E4M3FNUZ", 8), ("F8_E5M2FNUZ", 8), ("I16", 16), ("U16", 16), ("F16", 16), ("BF16", 16), ("I32", 32), ("U32", 32), ("F32", 32),
        ("C64", 64), ("F64", 64), ("I64", 64), ("U64", 64),
    ];

    /// <summary>Bits of one value of a type, or 0 where the type is unknown.</summary>
    public static int BitsOf(string name) => s_all.FirstOrDefault(t => t.Name == name).Bits;

    /// <summary>The weight format of a type, or <see langword="null"/> where it holds no weights that can be read.</summary>
    public static WeightFormat? FormatOf(string name) => name switch
    {
        "F32" => WeightFormat.Of<F32>(),
        "F16" => WeightFormat.Of<F16>(),
        "BF16" => WeightFormat.Of<BF16>(),
        _ => null,
    };

    public static string Known => string.Join(", ", s_all.Select(t => t.Name));
}
