using System.Globalization;
using System.Text.RegularExpressions;
using Nibble.Formats;

namespace Nibble.Quantization;

/// <summary>
/// A format, or the mixture of a recipe, for the tensors that a pattern or a range of layers picks:
/// <c>attn_v=Q6_K</c>, <c>blk\.(0|1)\.=Q8_0</c>; for layers <c>0-3=Q6_K</c>, <c>first:4=Q6_K</c>, <c>last:2=Q5_K_M</c>.
/// </summary>
public sealed class TensorRule
{
    private static readonly TimeSpan s_longestMatch = TimeSpan.FromSeconds(1);

    private readonly Regex? _pattern;
    private readonly Func<int, int, bool>? _layers;
    private readonly WeightFormat? _format;
    private readonly Recipe? _recipe;
    private readonly int _layersNeeded;

    private TensorRule(string text, Regex? pattern, Func<int, int, bool>? layers, int layersNeeded, string type)
    {
        Text = text;
        _layersNeeded = layersNeeded;
        _pattern = pattern;
        _layers = layers;
        if (WeightFormat.TryParse(type, out _format)) return;
        if (!Recipe.TryParse(type, out _recipe))
            Throw.BadInput($"unknown type '{type}'; known are {string.Join(", ", WeightFormat.All.Select(f => f.Name).Union(Recipe.All.Select(r => r.Name)))}");
    }

    /// <summary>The rule as it was written.</summary>
    public string Text { get; }

    /// <summary>Whether it names a format, and tensors by their names.</summary>
    internal bool NamesFormatByName => _pattern is not null && _format is not null;

    /// <summary>A rule <c>REGEX=TYPE</c>; the expression may match any part of a tensor's name.</summary>
    /// <exception cref="NibbleException">It is no such rule.</exception>
    public static TensorRule ForNames(string text)
    {
        (string pattern, string type) = Split(text, "REGEX=TYPE, such as attn_v=Q6_K");
        try
        {
            return new TensorRule(text, new Regex(pattern, RegexOptions.CultureInvariant, s_longestMatch), null, 0, type);
        }
        catch (RegexParseException e)
        {
            throw new NibbleException($"'{pattern}' is no regular expression: {e.Message}", e);
        }
    }

    /// <summary>Rules <c>RANGE=TYPE</c>, separated by commas; a range is <c>3</c>, <c>0-3</c>, <c>first:4</c> or <c>last:4</c>.</summary>
    /// <exception cref="NibbleException">It is no such rule.</exception>
    public static IEnumerable<TensorRule> ForLayers(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            (string range, string type) = Split(part, "RANGE=TYPE, such as 0-3=Q6_K or last:2=Q5_K_M");
            (Func<int, int, bool> fits, int needed) = Range(range);
            yield return new TensorRule(part, null, fits, needed, type);
        }
    }

    /// <summary>The format for a tensor, or <see langword="null"/> where this rule does not fit it.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="layer">Its layer, or -1.</param>
    /// <param name="layers">Layers of the model.</param>
    /// <param name="role">What it does.</param>
    /// <param name="place">Where it stands, for the rules of a recipe.</param>
    internal WeightFormat? Choose(string name, int layer, int layers, TensorRole role, TensorPlace place)
    {
        bool fits = _pattern is not null ? Matches(_pattern, name) : layer >= 0 && _layers!(layer, layers);
        return fits ? _format ?? _recipe!.Choose(role, place) : null;
    }

    /// <summary>Whether it names tensors by an expression that finds none of <paramref name="names"/>.</summary>
    internal bool FindsNone(IEnumerable<string> names) => _pattern is { } pattern && !names.Any(name => Matches(pattern, name));

    /// <summary>Refuses a range that reaches beyond the last layer.</summary>
    /// <param name="layers">Layers of the model.</param>
    internal void CheckLayers(int layers)
    {
        if (_layersNeeded > layers)
            Throw.BadInput(string.Create(CultureInfo.InvariantCulture, $"'{Text}' names layers beyond the last: the model has {layers}, which count from 0 to {layers - 1}"));
    }

    private static bool Matches(Regex pattern, string name)
    {
        try
        {
            return pattern.IsMatch(name);
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new NibbleException($"'{pattern}' takes too long to match; write a simpler regular expression", e);
        }
    }

    private static (string Left, string Right) Split(string text, string wanted)
    {
        int equals = text.LastIndexOf('=');
        if (equals <= 0 || equals == text.Length - 1) Throw.BadInput($"'{text}' is no rule; write {wanted}");
        return (text[..equals].Trim(), text[(equals + 1)..].Trim());
    }

    /// <summary>Whether a layer of so many is meant, and how many there must be; <c>first:9</c> of four are all of them.</summary>
    private static (Func<int, int, bool> Fits, int Needed) Range(string text)
    {
        if (text.StartsWith("first:", StringComparison.OrdinalIgnoreCase) && TryNumber(text[6..], out int first)) return ((layer, _) => layer < first, 0);
        if (text.StartsWith("last:", StringComparison.OrdinalIgnoreCase) && TryNumber(text[5..], out int last)) return ((layer, layers) => layer >= layers - last, 0);
        string[] ends = text.Split('-');
        if (ends.Length is 1 or 2 && TryNumber(ends[0], out int from) && TryNumber(ends[^1], out int to) && from <= to) return ((layer, _) => layer >= from && layer <= to, (int)Math.Min(to + 1L, int.MaxValue));
        return Throw.BadInput<(Func<int, int, bool>, int)>($"'{text}' is no range of layers; write 3, 0-3, first:4 or last:4");
    }

    private static bool TryNumber(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
