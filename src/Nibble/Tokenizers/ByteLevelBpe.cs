using System.Runtime.InteropServices;
using Nibble.Files;
using Nibble.Tokenizers.PreTokenizers;

namespace Nibble.Tokenizers;

/// <summary>
/// Byte-level BPE as GPT-2 introduced it: text is cut into words, each word into bytes, and neighbours merge in the order
/// in which training found the merges. See Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", 2.2.
/// </summary>
internal sealed class ByteLevelBpe : Tokenizer
{
    private readonly PreTokenizer _preTokenizer;
    private readonly TokenMap _map;
    private readonly MergeTable _merges;

    // Each byte's symbol. Symbols are tokens, and behind them the strings that merges pass through although they are no tokens.
    private readonly int[] _bytes = new int[256];

    public ByteLevelBpe(Vocabulary vocabulary) : base(vocabulary, new(vocabulary.Count, id => Piece(vocabulary, id), vocabulary.Source))
    {
        _preTokenizer = PreTokenizer.Named(vocabulary.String("pre"), vocabulary.Source);
        AddBos = WantsBos(_preTokenizer.AddsBos);

        _map = new(Pieces);
        for (int id = 0; id < vocabulary.Count; id++)
            if (vocabulary.Type(id) is TokenType.Normal or TokenType.Unused) _map.Add(id);

        Dictionary<byte[], int> strings = new(BytesComparer.Instance);
        for (int value = 0; value < 256; value++) _bytes[value] = Symbol([(byte)value], strings);
        _merges = ReadMerges(vocabulary, strings);
    }

    public override string Kind => "byte-level BPE";

    private protected override void EncodeText(ReadOnlySpan<byte> text, Workspace workspace, List<int> ids) => Split(text, 0, workspace, ids);

    private void Split(ReadOnlySpan<byte> text, int pattern, Workspace workspace, List<int> ids)
    {
        if (pattern == _preTokenizer.Patterns.Length)
        {
            EncodeWord(text, workspace, ids);
            return;
        }
        while (!text.IsEmpty)
        {
            int length = _preTokenizer.Patterns[pattern].FirstPiece(text);
            Split(text[..length], pattern + 1, workspace, ids);
            text = text[length..];
        }
    }

    private void EncodeWord(ReadOnlySpan<byte> word, Workspace workspace, List<int> ids)
    {
        if (workspace.Cache.TryAppend(word, ids)) return;
        int first = ids.Count;
        int whole = _preTokenizer.WholeWordsFirst || word.Length == 1 ? _map.Find(word) : -1;
        if (whole >= 0) ids.Add(whole);
        else Merge(word, workspace.Merger, ids);
        workspace.Cache.Add(word, CollectionsMarshal.AsSpan(ids)[first..]);
    }

    private void Merge(ReadOnlySpan<byte> word, Merger merger, List<int> ids)
    {
        Span<Symbol> symbols = merger.Symbols(word.Length);
        for (int i = 0; i < symbols.Length; i++) symbols[i] = new(_bytes[word[i]], i, 1);
        foreach (Symbol symbol in merger.Merge(new Rule(_merges), word.Length))
        {
            if (symbol.Id < VocabularySize) ids.Add(symbol.Id);
            else
                foreach (byte value in word.Slice(symbol.Start, symbol.Length)) AddByte(value, ids);
        }
    }

    /// <summary>A byte by itself. Where the vocabulary lacks it, as some lack those that valid UTF-8 never has, it is U+FFFD.</summary>
    private void AddByte(byte value, List<int> ids)
    {
        if (_bytes[value] < VocabularySize) ids.Add(_bytes[value]);
        else if (_map.Find("\uFFFD"u8) is >= 0 and int replacement) ids.Add(replacement);
        else if ("\uFFFD"u8.ToArray().All(part => _bytes[part] < VocabularySize)) ids.AddRange("\uFFFD"u8.ToArray().Select(part => _bytes[part]));
        else ids.Add(Unknown ?? Throw.BadInput<int>($"{Vocabulary.Source}: the vocabulary has no token for the byte 0x{value:X2}"));
    }

    private MergeTable ReadMerges(Vocabulary vocabulary, Dictionary<byte[], int> strings)
    {
        ReadOnlyMemory<byte>[] merges = vocabulary.Texts("merges")
            ?? Throw.BadFile<ReadOnlyMemory<byte>[]>(vocabulary.Source, "has no merges (tokenizer.ggml.merges); convert the model again with its tokenizer files beside it");
        HashSet<byte[]>.AlternateLookup<ReadOnlySpan<byte>> steering = Steering(vocabulary).GetAlternateLookup<ReadOnlySpan<byte>>();
        MergeTable table = new(merges.Length);
        for (int rank = 0; rank < merges.Length; rank++)
        {
            ReadOnlySpan<byte> merge = merges[rank].Span;
            int space = merge.IsEmpty ? -1 : merge[1..].IndexOf((byte)' ') + 1;
            byte[]? left = space > 0 ? ByteAlphabet.ToBytes(merge[..space]) : null;
            byte[]? right = space > 0 ? ByteAlphabet.ToBytes(merge[(space + 1)..]) : null;
            if (left is null || right is null || right.Length == 0) continue;
            byte[] product = [.. left, .. right];
            if (!steering.Contains(product)) table.Add(Symbol(left, strings), Symbol(right, strings), rank, Symbol(product, strings));
        }
        return table;
    }

    /// <summary>The names of control tokens: no merge may make one, so that plain text never steers the model.</summary>
    private static HashSet<byte[]> Steering(Vocabulary vocabulary) =>
        Enumerable.Range(0, vocabulary.Count).Where(id => vocabulary.Type(id) == TokenType.Control)
            .Select(id => vocabulary.TextMemory(id).ToArray()).ToHashSet(BytesComparer.Instance);

    /// <summary>The symbol for a string of bytes: its token, or a number behind the vocabulary.</summary>
    private int Symbol(byte[] bytes, Dictionary<byte[], int> strings)
    {
        int token = _map.Find(bytes);
        if (token >= 0) return token;
        ref int symbol = ref CollectionsMarshal.GetValueRefOrAddDefault(strings, bytes, out bool known);
        if (!known) symbol = VocabularySize + strings.Count - 1;
        return symbol;
    }

    private static ReadOnlyMemory<byte> Piece(Vocabulary vocabulary, int id) =>
        vocabulary.Type(id) is TokenType.Normal or TokenType.Unused ? ByteAlphabet.ToBytes(vocabulary.Text(id)) ?? vocabulary.TextMemory(id) : vocabulary.TextMemory(id);

    private readonly struct Rule(MergeTable merges) : IMergeRule
    {
        public int Rank(Symbol left, Symbol right, out int product) => merges.Rank(left.Id, right.Id, out product);
    }
}
