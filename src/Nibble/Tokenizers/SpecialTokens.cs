using System.Buffers;
using System.Runtime.InteropServices;
using Nibble.Files;

namespace Nibble.Tokenizers;

/// <summary>
/// Finds the tokens that text is searched for before it is cut into words: those the user added, and on request those that
/// steer the model. Of tokens that overlap the longest wins, then the first.
/// </summary>
internal sealed class SpecialTokens
{
    private readonly Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>> _byText;
    private readonly TokenType[] _types;
    private readonly HashSet<int> _swallowsSpaces;
    private readonly SearchValues<byte> _firstBytes;
    private readonly int[]?[] _lengths = new int[]?[65536]; // by the first two bytes: the lengths of tokens that begin so, longest first
    private readonly bool[] _single = new bool[256];

    /// <param name="vocabulary">The vocabulary.</param>
    /// <param name="swallowsSpaces">Tokens behind which white space is dropped.</param>
    public SpecialTokens(Vocabulary vocabulary, HashSet<int> swallowsSpaces)
    {
        _swallowsSpaces = swallowsSpaces;
        _types = new TokenType[vocabulary.Count];
        Dictionary<byte[], int> byText = new(BytesComparer.Instance);
        Dictionary<int, SortedSet<int>> lengths = [];
        HashSet<byte> firstBytes = [];
        for (int id = 0; id < vocabulary.Count; id++)
        {
            _types[id] = vocabulary.Type(id);
            ReadOnlySpan<byte> text = vocabulary.Text(id);
            if (text.IsEmpty || _types[id] is not (TokenType.Control or TokenType.Unknown or TokenType.UserDefined)) continue;
            byText.TryAdd(text.ToArray(), id);
            firstBytes.Add(text[0]);
            if (text.Length == 1)
            {
                _single[text[0]] = true;
                continue;
            }
            ref SortedSet<int>? set = ref CollectionsMarshal.GetValueRefOrAddDefault(lengths, Start(text), out _);
            (set ??= []).Add(text.Length);
        }
        foreach ((int start, SortedSet<int> set) in lengths) _lengths[start] = [.. set.Reverse()];
        _byText = byText.GetAlternateLookup<ReadOnlySpan<byte>>();
        _firstBytes = SearchValues.Create([.. firstBytes]);
    }

    /// <summary>A special token in a text.</summary>
    /// <param name="Start">Where it begins, in bytes.</param>
    /// <param name="End">Where the text goes on behind it.</param>
    /// <param name="Id">The token.</param>
    public readonly record struct Match(int Start, int End, int Id);

    /// <summary>The special tokens of a text, in its order.</summary>
    /// <param name="text">UTF-8.</param>
    /// <param name="control">Whether control tokens count, not only those the user added.</param>
    public List<Match> Find(ReadOnlySpan<byte> text, bool control)
    {
        List<Match> found = [];
        bool overlap = false;
        for (int at = 0; ; at++)
        {
            int skipped = text[at..].IndexOfAny(_firstBytes);
            if (skipped < 0) break;
            at += skipped;
            if (_single[text[at]]) TryAdd(text, at, 1);
            if (at + 1 >= text.Length) break;
            foreach (int length in _lengths[Start(text[at..])] ?? [])
                if (at + length <= text.Length) TryAdd(text, at, length);
        }
        if (overlap) found = WithoutOverlaps(found, text.Length);
        for (int i = 0; i < found.Count; i++)
            if (_swallowsSpaces.Contains(found[i].Id)) found[i] = found[i] with { End = SkipSpaces(text, found[i].End, i + 1 < found.Count ? found[i + 1].Start : text.Length) };
        return found;

        void TryAdd(ReadOnlySpan<byte> text, int at, int length)
        {
            if (!_byText.TryGetValue(text.Slice(at, length), out int id) || (!control && _types[id] != TokenType.UserDefined)) return;
            overlap |= found.Count > 0 && found[^1].End > at;
            found.Add(new(at, at + length, id));
        }
    }

    private static List<Match> WithoutOverlaps(List<Match> matches, int textLength)
    {
        bool[] taken = new bool[textLength];
        List<Match> kept = [];
        foreach (Match match in matches.OrderByDescending(m => m.End - m.Start).ThenBy(m => m.Start))
        {
            // A longer token covers either end or none: it cannot lie inside a shorter one.
            if (taken[match.Start] || taken[match.End - 1]) continue;
            taken.AsSpan(match.Start, match.End - match.Start).Fill(true);
            kept.Add(match);
        }
        kept.Sort((a, b) => a.Start.CompareTo(b.Start));
        return kept;
    }

    private static int SkipSpaces(ReadOnlySpan<byte> text, int at, int end)
    {
        while (at < end && text[at] is (byte)' ' or (>= 0x09 and <= 0x0D)) at++;
        return at;
    }

    private static int Start(ReadOnlySpan<byte> text) => (text[0] << 8) | text[1];
}
