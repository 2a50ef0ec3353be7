using System.Globalization;
using System.Text.RegularExpressions;
using Nibble.Formats;
using Nibble.Quantization;

namespace Nibble.Tests;

/// <summary>What the pages in <c>docs/</c> say about formats and recipes is what the code has.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string s_page = File.ReadAllText(Path.Combine(Shared.Repository, "docs", "Formats.md"));

    [Fact]
    public void The_table_of_formats_has_each_with_its_numbers()
    {
        string[] documented = [.. FormatRow().Matches(s_page).Select(m => m.Value).Order(StringComparer.Ordinal)];
        IEnumerable<string> expected = WeightFormat.All.Select(f => f.Accept(new Row(f))).Order(StringComparer.Ordinal);
        Assert.Equal(expected, documented);
    }

    [Fact]
    public void The_table_of_recipes_has_each()
    {
        string table = s_page[s_page.IndexOf("| recipe |", StringComparison.Ordinal)..];
        Assert.All(Recipe.All, recipe => Assert.Matches($@"(?m)^\|[^|]*\b{recipe.Name}\b[^|]*\|", table));
    }

    /// <summary>The line of a format, without what follows its GGUF number.</summary>
    private sealed class Row(WeightFormat format) : IWeightVisitor<string>
    {
        public string Visit<TWeight, TActivation, TTail>()
            where TWeight : unmanaged, ITensorBlock<TWeight, TActivation, TTail>
            where TActivation : unmanaged, IBlock<TActivation>
            where TTail : unmanaged =>
            string.Create(CultureInfo.InvariantCulture,
                $"| `{format.Name}` | {format.BlockSize} | {format.BlockBytes} | {format.BitsPerWeight:0.####} | {TActivation.Name} | {format.GgufType} |");
    }

    [GeneratedRegex(@"^\| `[A-Z0-9_]+` \| .*\|(?=\r?$)", RegexOptions.Multiline)]
    private static partial Regex FormatRow();
}
