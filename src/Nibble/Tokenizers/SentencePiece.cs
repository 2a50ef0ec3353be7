using System.Runtime.InteropServices;
using Nibble.Files;

namespace Nibble.Tokenizers;

/// <summary>
/// SentencePiece's BPE: neighbouring characters merge into the token of the highest score until no neighbours form a token;
/// what is no token is written byte by byte. See Kudo and Richardson 2018, https://arxiv.org/abs/1808.06226.
/// </summary>
/// <remarks>
/// Vocabularies spell a space as U+2581. Here their tokens hold plain spaces, so that U+2581 in a text is no space but three bytes,
/// and comes back as it was.
/// </remarks>
internal sealed class SentencePiece : Tokenizer
{
    private readonly TokenMap _map;
    private readonly int[] _ranks;
    private readonly int[] _bytes = new int[256];

    // Bit 256 * a + b says that some token has byte b right behind byte a. Where none has, no merge crosses, and text can be cut.
    private readonly ulong[] _neighbours = new ulong[65536 / 64];

    public SentencePiece(Vocabulary vocabulary) : base(vocabulary, new(vocabulary.Count, id => Piece(vocabulary, id), vocabulary.Source), SwallowsSpaces(vocabulary))
    {
        vocabulary.Bos ??= vocabulary.Count > 1 ? 1 : null;
        vocabulary.Unknown ??= 0;
        PrefixesSpace = vocabulary.Bool("add_space_prefix") ?? true;
        AddBos = WantsBos(otherwise: true);

        _map = new(Pieces);
        _ranks = Ranks(vocabulary);
        Array.Fill(_bytes, -1);
        for (int id = 0; id < vocabulary.Count; id++)
        {
            TokenType type = vocabulary.Type(id);
            if (IsByte(vocabulary, id)) _bytes[Pieces[id][0]] = id;
            else if (type is TokenType.Normal or TokenType.Unused) _map.Add(id);
        }
        for (int id = 0; id < vocabulary.Count; id++)
            if (vocabulary.Type(id) == TokenType.UserDefined) _map.Add(id);
        for (int id = 0; id < vocabulary.Count; id++)
            if (vocabulary.Type(id) is TokenType.Normal or TokenType.Unused or TokenType.UserDefined) AddNeighbours(Pieces[id]);
    }

    public override string Kind => "SentencePiece BPE";

    private protected override bool PrefixesSpace { get; }

    private protected override void EncodeText(ReadOnlySpan<byte> text, Workspace workspace, List<int> ids)
    {
        if (PrefixesSpace) text = (byte[])[(byte)' ', .. text];
        int start = 0;
        for (int at = 0; at < text.Length;)
        {
            Characters.Decode(text, at, out int length);
            at += length;
            if (at < text.Length && AreNeighbours(text[at - 1], text[at])) continue;
            EncodeWord(text[start..at], workspace, ids);
            start = at;
        }
    }

    private void EncodeWord(ReadOnlySpan<byte> word, Workspace workspace, List<int> ids)
    {
        if (workspace.Cache.TryAppend(word, ids)) return;
        int first = ids.Count;
        Span<Symbol> symbols = workspace.Merger.Symbols(word.Length);
        int count = 0;
        for (int at = 0; at < word.Length;)
        {
            Characters.Decode(word, at, out int length);
            symbols[count++] = new(_map.Find(word.Slice(at, length)), at, length);
            at += length;
        }
        foreach (Symbol symbol in workspace.Merger.Merge(new Rule(_map, _ranks, word), count))
        {
            if (symbol.Id >= 0) ids.Add(symbol.Id);
            else AddBytes(word.Slice(symbol.Start, symbol.Length), ids);
        }
        workspace.Cache.Add(word, CollectionsMarshal.AsSpan(ids)[first..]);
    }

    private void AddBytes(ReadOnlySpan<byte> bytes, List<int> ids)
    {
        foreach (byte value in bytes)
        {
            ids.Add(_bytes[value] >= 0 ? _bytes[value] : Unknown!.Value);
            if (_bytes[value] < 0) break; // one unknown token stands for the whole character
        }
    }

    private void AddNeighbours(ReadOnlySpan<byte> piece)
    {
        for (int i = 1; i < piece.Length; i++)
        {
            int pair = (piece[i - 1] << 8) | piece[i];
            _neighbours[pair >> 6] |= 1UL << pair;
        }
    }

    private bool AreNeighbours(byte left, byte right)
    {
        int pair = (left << 8) | right;
        return (_neighbours[pair >> 6] >> pair & 1) != 0;
    }

    /// <summary>Each token's place in the order of merging: equal scores share one, so that the leftmost of them goes first.</summary>
    private static int[] Ranks(Vocabulary vocabulary)
    {
        float[] scores = vocabulary.Scores() ?? new float[vocabulary.Count];
        int[] order = [.. Enumerable.Range(0, vocabulary.Count).OrderByDescending(id => scores[id])];
        int[] ranks = new int[vocabulary.Count];
        for (int i = 1; i < order.Length; i++) ranks[order[i]] = ranks[order[i - 1]] + (scores[order[i]] == scores[order[i - 1]] ? 0 : 1);
        return ranks;
    }

    /// <summary>Phi-3 drops the white space behind its control tokens.</summary>
    private static HashSet<int> SwallowsSpaces(Vocabulary vocabulary)
    {
        if (!vocabulary.IsNamed("phi-3", "phi3")) return [];
        return [.. Enumerable.Range(0, vocabulary.Count).Where(id =>
            vocabulary.Type(id) is TokenType.Control or TokenType.UserDefined or TokenType.Unknown
            && vocabulary.TextString(id) is not ("<unk>" or "<s>" or "<|endoftext|>"))];
    }

    private static ReadOnlyMemory<byte> Piece(Vocabulary vocabulary, int id)
    {
        if (IsByte(vocabulary, id)) return new[] { Convert.FromHexString(vocabulary.TextString(id).AsSpan(3, 2))[0] };
        ReadOnlySpan<byte> text = vocabulary.Text(id);
        if (vocabulary.Type(id) is not (TokenType.Normal or TokenType.Unused) || text.IndexOf("▁"u8) < 0) return vocabulary.TextMemory(id);

        List<byte> piece = new(text.Length);
        while (!text.IsEmpty)
        {
            bool space = text.StartsWith("▁"u8);
            piece.Add(space ? (byte)' ' : text[0]);
            text = text[(space ? 3 : 1)..];
        }
        return piece.ToArray();
    }

    /// <summary>Whether a token is one byte; files without types tell by the spelling <c>&lt;0x41&gt;</c> alone.</summary>
    private static bool IsByte(Vocabulary vocabulary, int id)
    {
        if (vocabulary.HasTypes && vocabulary.Type(id) != TokenType.Byte) return false;
        ReadOnlySpan<byte> text = vocabulary.Text(id);
        bool spelt = text.Length == 6 && text.StartsWith("<0x"u8) && text[5] == '>' && char.IsAsciiHexDigit((char)text[3]) && char.IsAsciiHexDigit((char)text[4]);
        if (!spelt && vocabulary.HasTypes) Throw.BadFile(vocabulary.Source, $"token {id} is of the byte type but reads {Quoted.Of(vocabulary.Text(id))}, not like <0x41>; convert the model again");
        return spelt;
    }

    private readonly ref struct Rule(TokenMap map, int[] ranks, ReadOnlySpan<byte> word) : IMergeRule
    {
        private readonly ReadOnlySpan<byte> _word = word;

        public int Rank(Symbol left, Symbol right, out int product)
        {
            product = map.Find(_word[left.Start..right.End]);
            return product >= 0 ? ranks[product] : Merger.Never;
        }
    }
}
