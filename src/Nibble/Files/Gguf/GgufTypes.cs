using Nibble.Formats;

namespace Nibble.Files.Gguf;

/// <summary>The numbers by which GGUF names the type of a tensor (<c>ggml_type</c>).</summary>
internal static class GgufTypes
{
    /// <summary>Plain numbers that are no weights; <see cref="WeightFormat"/> knows the rest.</summary>
    private static readonly (uint Type, string Name, int Bytes)[] s_plain = [(24, "I8", 1), (25, "I16", 2), (26, "I32", 4), (27, "I64", 8), (28, "F64", 8)];

    /// <summary>Weight formats that exist elsewhere, so that an error can name what it cannot read.</summary>
    private static readonly (uint Type, string Name)[] s_foreign =
    [
        (9, "Q8_1"), (15, "Q8_K"),
    ];

    /// <summary>What a number stands for: a weight format, or else a plain type of one value a block.</summary>
    public static bool TryGet(uint type, out string name, out WeightFormat? format, out int blockSize, out int blockBytes)
    {
        if (WeightFormat.TryFromGguf(type, out format))
        {
            (name, blockSize, blockBytes) = (format.Name, format.BlockSize, format.BlockBytes);
            return true;
        }
        (uint number, name, blockBytes) = s_plain.FirstOrDefault(p => p.Type == type);
        blockSize = 1;
        return blockBytes > 0 && number == type;
    }

    /// <summary>The number of a plain type such as <c>I32</c>.</summary>
    public static bool TryNumber(string name, out uint type, out int bytes)
    {
        (type, _, bytes) = s_plain.FirstOrDefault(p => p.Name == name);
        return bytes > 0;
    }

    /// <summary>How to name a type that <see cref="TryGet"/> does not know.</summary>
    public static string Describe(uint type) => s_foreign.FirstOrDefault(f => f.Type == type) is { Name: string name } ? $"{name} ({type})" : $"{type}";

    /// <summary>The names of all types that can be read, for error messages.</summary>
    public static string Known => string.Join(", ", WeightFormat.All.Select(f => f.Name).Concat(s_plain.Select(p => p.Name)));
}
