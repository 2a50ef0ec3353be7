using System.Text;
using Nibble.Files;
using Nibble.Files.HuggingFace;

namespace Nibble.Tokenizers;

/// <summary>
/// Turns text into the numbers a model reads, and back. Text is UTF-8 bytes: whatever the bytes, also where they are no valid
/// UTF-8, decoding what was encoded gives them back (except <see cref="WordPiece"/>, which drops case, accents and spacing).
/// One tokenizer serves any number of threads.
/// </summary>
public abstract class Tokenizer
{
    private readonly SpecialTokens _special;
    private Workspace? _spare = new();

    private protected Tokenizer(Vocabulary vocabulary, PieceTable pieces, HashSet<int>? swallowsSpaces = null)
    {
        Vocabulary = vocabulary;
        Pieces = pieces;
        _special = new(vocabulary, swallowsSpaces ?? []);
        ChatTemplate = vocabulary.ChatTemplate;
        AddEos = vocabulary.Bool("add_eos_token") ?? false;
        if (AddEos && Eos is null) Throw.BadFile(vocabulary.Source, "wants an end-of-text token behind each text (tokenizer.ggml.add_eos_token) but names none");
    }

    /// <summary>The kind of vocabulary, in words.</summary>
    public abstract string Kind { get; }

    /// <summary>Number of tokens; ids run from 0 to one less.</summary>
    public int VocabularySize => Vocabulary.Count;

    /// <summary>The token that begins a text, or <see langword="null"/> where the vocabulary has none.</summary>
    public int? Bos => Vocabulary.Bos;

    /// <summary>The token that ends a text.</summary>
    public int? Eos => Vocabulary.Eos;

    /// <summary>The token that ends a turn in a conversation.</summary>
    public int? Eot => Vocabulary.Eot;

    /// <summary>The token for what the vocabulary cannot express.</summary>
    public int? Unknown => Vocabulary.Unknown;

    /// <summary>The token that fills up batches.</summary>
    public int? Padding => Vocabulary.Padding;

    /// <summary>The token between two texts.</summary>
    public int? Separator => Vocabulary.Separator;

    /// <summary>Whether a text begins with <see cref="Bos"/>.</summary>
    public bool AddBos { get; private protected init; }

    /// <summary>Whether a text ends with <see cref="Eos"/>.</summary>
    public bool AddEos { get; private protected init; }

    /// <summary>How the model wants conversations written: a Jinja template, or <see langword="null"/>.</summary>
    public string? ChatTemplate { get; }

    /// <summary>The tokens at which generation ends.</summary>
    public IReadOnlySet<int> EndOfGeneration => Vocabulary.EndOfGeneration;

    private protected Vocabulary Vocabulary { get; }

    private protected PieceTable Pieces { get; }

    /// <summary>Whether decoding drops the space that encoding puts before a text.</summary>
    private protected virtual bool PrefixesSpace => false;

    /// <summary>
    /// Opens the tokenizer of a GGUF file, of a model folder or a file in it, or a tokenizer's own file (<c>tokenizer.json</c>,
    /// <c>tokenizer.model</c>, <c>vocab.json</c> with <c>merges.txt</c>). The model itself need not be there.
    /// </summary>
    /// <exception cref="NibbleException">It cannot be read, or is of a kind that is not supported.</exception>
    public static Tokenizer Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        Metadata metadata = new(path);
        if (!TokenizerFiles.TryRead(path, metadata))
        {
            using ModelFile file = ModelFile.Open(path);
            metadata = file.Metadata;
        }
        return FromMetadata(metadata);
    }

    /// <summary>The tokenizer that a model file describes.</summary>
    /// <exception cref="NibbleException">There is none, or it is of a kind that is not supported.</exception>
    public static Tokenizer FromMetadata(Metadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        string? model = metadata.String("tokenizer.ggml.model");
        return model switch
        {
            "bert" => new WordPiece(new(metadata)),
            "gpt2" => new ByteLevelBpe(new(metadata)),
            "llama" => new SentencePiece(new(metadata)),
            null => Throw.BadFile<Tokenizer>(metadata.Source, "holds no tokenizer (no tokenizer.ggml.model); convert the model again with its tokenizer files beside it"),
            _ => Throw.BadFile<Tokenizer>(metadata.Source, $"the tokenizer {Quoted.Of(model)} is not supported; the known ones are bert, gpt2, llama"),
        };
    }

    /// <summary>The tokens of a text.</summary>
    /// <param name="text">The text; a surrogate without its partner becomes U+FFFD, since it has no UTF-8.</param>
    /// <param name="addSpecial">Whether to put the tokens around it with which the model wants a text to begin and end.</param>
    /// <param name="parseSpecial">Whether the text may name control tokens, such as <c>&lt;|im_end|&gt;</c>; leave it off for text from elsewhere.</param>
    public int[] Encode(string text, bool addSpecial = true, bool parseSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Encode(Encoding.UTF8.GetBytes(text), addSpecial, parseSpecial);
    }

    /// <inheritdoc cref="Encode(string, bool, bool)"/>
    /// <param name="text">The text in UTF-8, not necessarily valid.</param>
    /// <param name="addSpecial">As above.</param>
    /// <param name="parseSpecial">As above.</param>
    public int[] Encode(ReadOnlySpan<byte> text, bool addSpecial = true, bool parseSpecial = false)
    {
        List<int> ids = new(text.Length / 4 + 4);
        Workspace workspace = Interlocked.Exchange(ref _spare, null) ?? new();
        if (addSpecial && AddBos) ids.Add(Bos!.Value);
        int start = 0;
        foreach (SpecialTokens.Match match in _special.Find(text, parseSpecial))
        {
            if (match.Start > start) EncodeText(text[start..match.Start], workspace, ids);
            ids.Add(match.Id);
            start = match.End;
        }
        if (start < text.Length) EncodeText(text[start..], workspace, ids);
        if (addSpecial) AddEnd(ids);
        _spare = workspace;
        return [.. ids];
    }

    /// <summary>The text of some tokens; bytes that are no valid UTF-8 become U+FFFD.</summary>
    /// <inheritdoc cref="DecodeBytes"/>
    public string Decode(ReadOnlySpan<int> ids, bool special = false) => Encoding.UTF8.GetString(DecodeBytes(ids, special));

    /// <summary>The bytes of some tokens.</summary>
    /// <param name="ids">The tokens.</param>
    /// <param name="special">Whether to write control tokens out, too.</param>
    /// <exception cref="NibbleException">An id lies outside the vocabulary.</exception>
    public byte[] DecodeBytes(ReadOnlySpan<int> ids, bool special = false)
    {
        using MemoryStream bytes = new();
        bool atStart = true;
        foreach (int id in ids)
        {
            ReadOnlySpan<byte> piece = TokenBytes(id, special, ref atStart);
            bytes.Write(piece);
        }
        return bytes.ToArray();
    }

    /// <summary>The bytes that a token stands for; for a control token its name.</summary>
    public ReadOnlySpan<byte> TokenBytes(int id) => Pieces[Checked(id)];

    /// <summary>The text that a token stands for, for display; a part of a character is U+FFFD.</summary>
    public string Piece(int id) => Encoding.UTF8.GetString(TokenBytes(id));

    /// <summary>The type of a token.</summary>
    public TokenType TypeOf(int id) => Vocabulary.Type(Checked(id));

    /// <summary>The token whose name in the file is <paramref name="name"/>, such as <c>&lt;|im_end|&gt;</c>.</summary>
    public int? Find(string name) => Vocabulary.Find(Encoding.UTF8.GetBytes(name));

    /// <summary>Whether generation ends at this token.</summary>
    public bool IsEndOfGeneration(int id) => Vocabulary.EndOfGeneration.Contains(id);

    /// <summary>The bytes of a token in its place.</summary>
    /// <param name="id">The token.</param>
    /// <param name="special">Whether to write control tokens out.</param>
    /// <param name="atStart">Whether the token begins a text; afterwards whether the next one does.</param>
    internal ReadOnlySpan<byte> TokenBytes(int id, bool special, ref bool atStart)
    {
        TokenType type = Vocabulary.Type(Checked(id));
        ReadOnlySpan<byte> piece = Pieces[id];
        if (type is TokenType.Control or TokenType.Unknown or TokenType.UserDefined)
        {
            atStart = true;
            return special || type == TokenType.UserDefined ? piece : [];
        }
        if (atStart && PrefixesSpace && !piece.IsEmpty && piece[0] == ' ') piece = piece[1..];
        atStart = false;
        return piece;
    }

    /// <summary>Appends the tokens of text between special tokens.</summary>
    private protected abstract void EncodeText(ReadOnlySpan<byte> text, Workspace workspace, List<int> ids);

    /// <summary>Appends what ends a text.</summary>
    private protected virtual void AddEnd(List<int> ids)
    {
        if (AddEos) ids.Add(Eos!.Value);
    }

    /// <summary>Whether a text begins with BOS: what the file says, else <paramref name="otherwise"/> where there is one.</summary>
    private protected bool WantsBos(bool otherwise)
    {
        bool? said = Vocabulary.Bool("add_bos_token");
        if (said == true && Bos is null) Throw.BadFile(Vocabulary.Source, "wants a token before each text (tokenizer.ggml.add_bos_token) but names none");
        return said ?? (otherwise && Bos is not null);
    }

    private int Checked(int id) => (uint)id < (uint)VocabularySize ? id : Throw.BadInput<int>($"token {id} is outside the vocabulary of {VocabularySize:N0}");
}
