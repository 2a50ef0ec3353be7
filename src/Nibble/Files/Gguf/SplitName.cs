using System.Globalization;
using System.Text.RegularExpressions;

namespace Nibble.Files.Gguf;

/// <summary>The name of one part of a split model: <c>STEM-00002-of-00003.gguf</c>, counted from 1.</summary>
public readonly partial record struct SplitName(string Folder, string Stem, int Part, int Count)
{
    /// <summary>Reads the name of a part, or returns <see langword="null"/> where the name is not of that form.</summary>
    public static SplitName? Parse(string path)
    {
        Match match = Pattern().Match(Path.GetFileName(path));
        if (!match.Success) return null;
        return new(Path.GetDirectoryName(path) ?? "", match.Groups[1].Value, Number(match.Groups[2]), Number(match.Groups[3]));
    }

    /// <summary>The name of the first of several parts that are called after <c>NAME.gguf</c>, <c>NAME</c> or a part of that name.</summary>
    public static SplitName ForTarget(string target, int count)
    {
        if (Parse(target) is { } part) return part with { Part = 1, Count = count };
        string name = Path.GetFileName(target);
        string stem = name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? name[..^".gguf".Length] : name;
        return new(Path.GetDirectoryName(target) ?? "", stem, 1, count);
    }

    /// <summary>The path of another part of the same model.</summary>
    public string PathOf(int part) =>
        Path.Combine(Folder, string.Create(CultureInfo.InvariantCulture, $"{Stem}-{part:00000}-of-{Count:00000}.gguf"));

    private static int Number(Group group) => int.Parse(group.ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(.+)-([0-9]{5})-of-([0-9]{5})\.gguf\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
