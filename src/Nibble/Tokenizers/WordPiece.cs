using System.Text;
using Nibble.Files;

namespace Nibble.Tokenizers;

/// <summary>
/// BERT's WordPiece: text loses its controls, accents and case, is cut at white space, punctuation and Chinese characters, and
/// each word is read from left to right by the longest tokens; a word that cannot be read is one unknown token.
/// See Devlin et al. 2018, https://arxiv.org/abs/1810.04805, and its BasicTokenizer.
/// </summary>
/// <remarks>Tokens that begin a word are written with U+2581 in front, as GGUF has them; here that is a plain space.</remarks>
internal sealed class WordPiece : Tokenizer
{
    private readonly TokenMap _map;
    private readonly bool _lowerCase;
    private readonly bool _stripAccents;

    public WordPiece(Vocabulary vocabulary) : base(vocabulary, new(vocabulary.Count, id => Piece(vocabulary, id), vocabulary.Source))
    {
        vocabulary.Bos ??= Named("[CLS]");
        vocabulary.Separator ??= Named("[SEP]");
        vocabulary.Unknown ??= Named("[UNK]") ?? Throw.BadFile<int>(vocabulary.Source, "has no token for unknown words (tokenizer.ggml.unknown_token_id)");
        AddBos = Bos is not null;
        _lowerCase = vocabulary.Bool("normalizer.lowercase") ?? true;
        _stripAccents = vocabulary.Bool("normalizer.strip_accents") ?? _lowerCase;
        _map = new(Pieces);
        for (int id = 0; id < vocabulary.Count; id++)
            if (vocabulary.Type(id) is TokenType.Normal or TokenType.Unused or TokenType.UserDefined) _map.Add(id);

        int? Named(string name) => vocabulary.Find(Encoding.UTF8.GetBytes(name));
    }

    public override string Kind => "WordPiece";

    private protected override bool PrefixesSpace => true;

    private protected override void AddEnd(List<int> ids)
    {
        if (Separator is int separator) ids.Add(separator);
    }

    private protected override void EncodeText(ReadOnlySpan<byte> text, Workspace workspace, List<int> ids)
    {
        List<byte> word = [(byte)' '];
        for (int at = 0; at < text.Length;)
        {
            int character = Characters.Decode(text, at, out int length);
            at += length;
            if (!_stripAccents) AddCharacter(character, word, ids);
            else
                foreach (int part in Decomposition.Of(character)) AddCharacter(part, word, ids);
        }
        EndWord(word, ids);
    }

    private void AddCharacter(int character, List<byte> word, List<int> ids)
    {
        CharacterKind kind = Characters.KindOf(character);
        if ((kind & CharacterKind.Space) != 0)
        {
            EndWord(word, ids);
            return;
        }
        if (IsDropped(character) || (_stripAccents && Characters.IsNonSpacingMark(character))) return;

        bool alone = (kind & CharacterKind.Punctuation) != 0 || (character < 0x80 && (kind & CharacterKind.Symbol) != 0) || IsChinese(character);
        if (alone) EndWord(word, ids);
        Rune rune = new(character);
        if (_lowerCase) rune = Rune.ToLowerInvariant(rune);
        Span<byte> bytes = stackalloc byte[4];
        foreach (byte value in bytes[..rune.EncodeToUtf8(bytes)]) word.Add(value);
        if (alone) EndWord(word, ids);
    }

    /// <summary>Appends the tokens of a word, which begins with a space, and begins the next one.</summary>
    private void EndWord(List<byte> word, List<int> ids)
    {
        if (word.Count == 1) return;
        ReadOnlySpan<byte> rest = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(word);
        int first = ids.Count;
        while (!rest.IsEmpty)
        {
            int length = Math.Min(rest.Length, _map.LongestPiece);
            int id = -1;
            while (length > 0 && (id = _map.Find(rest[..length])) < 0) length--;
            if (id < 0) break;
            ids.Add(id);
            rest = rest[length..];
        }
        if (!rest.IsEmpty)
        {
            ids.RemoveRange(first, ids.Count - first);
            ids.Add(Unknown!.Value);
        }
        word.RemoveRange(1, word.Count - 1);
    }

    private static bool IsDropped(int character) =>
        character is 0 or 0xFFFD || Characters.IsControl(character);

    private static bool IsChinese(int character) => character is
        (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B73F)
        or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B920 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);

    private static ReadOnlyMemory<byte> Piece(Vocabulary vocabulary, int id) =>
        vocabulary.Text(id).StartsWith("▁"u8) && vocabulary.Type(id) is TokenType.Normal or TokenType.Unused
            ? (byte[])[(byte)' ', .. vocabulary.Text(id)[3..]]
            : vocabulary.TextMemory(id);
}
