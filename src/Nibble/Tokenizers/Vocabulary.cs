using System.Text;
using Nibble.Files;

namespace Nibble.Tokenizers;

/// <summary>The tokens that a file lists: their text as written there, their types, and which of them have a part to play.</summary>
internal sealed class Vocabulary
{
    private const string Prefix = "tokenizer.ggml.";

    private readonly Metadata _metadata;
    private readonly ReadOnlyMemory<byte>[] _texts;
    private readonly TokenType[] _types;

    public Vocabulary(Metadata metadata)
    {
        _metadata = metadata;
        _texts = Texts("tokens") ?? Throw.BadFile<ReadOnlyMemory<byte>[]>(Source, "holds no vocabulary (no tokenizer.ggml.tokens); convert the model again with its tokenizer files beside it");
        if (_texts.Length == 0) Throw.BadFile(Source, "its vocabulary is empty; convert the model again with its tokenizer files beside it");
        _types = ReadTypes();

        Bos = Id("bos") ?? Id("cls");
        Eos = Id("eos");
        Eot = Id("eot");
        Unknown = Id("unknown");
        Padding = Id("padding");
        Separator = Id("seperator"); // GGUF spells it so
        Mask = Id("mask");
        EndOfGeneration = EndOfGenerationTokens.Find(this, Id("eom"));
    }

    /// <summary>The file, for error messages.</summary>
    public string Source => _metadata.Source;

    public int Count => _texts.Length;

    public bool HasTypes { get; private set; }

    public int? Bos { get; set; }
    public int? Eos { get; }
    public int? Eot { get; set; }
    public int? Unknown { get; set; }
    public int? Padding { get; }
    public int? Separator { get; set; }
    public int? Mask { get; }

    public HashSet<int> EndOfGeneration { get; }

    public string? ChatTemplate => _metadata.String("tokenizer.chat_template");

    public ReadOnlySpan<byte> Text(int id) => _texts[id].Span;

    public ReadOnlyMemory<byte> TextMemory(int id) => _texts[id];

    public string TextString(int id) => Encoding.UTF8.GetString(_texts[id].Span);

    public TokenType Type(int id) => _types[id];

    public void MarkAsControl(int id) => _types[id] = TokenType.Control;

    /// <summary>The token of this text, whatever its type, or <see langword="null"/>.</summary>
    public int? Find(ReadOnlySpan<byte> text)
    {
        for (int id = 0; id < _texts.Length; id++)
            if (_texts[id].Span.SequenceEqual(text)) return id;
        return null;
    }

    public string? String(string key) => _metadata.String(Prefix + key);

    public bool? Bool(string key) => _metadata.Bool(Prefix + key);

    public ReadOnlyMemory<byte>[]? Texts(string key)
    {
        if (!_metadata.TryGet(Prefix + key, out MetadataValue? value)) return null;
        try
        {
            return value.AsByteStrings();
        }
        catch (InvalidCastException e)
        {
            throw new NibbleException($"{Source}: metadata key '{Prefix}{key}' {e.Message}", e);
        }
    }

    /// <summary>One score for each token, or <see langword="null"/> where the file has none.</summary>
    public float[]? Scores()
    {
        float[]? scores = _metadata.Floats(Prefix + "scores");
        if (scores is not null && scores.Length < Count)
            Throw.BadFile(Source, $"has scores for {scores.Length:N0} of its {Count:N0} tokens; the file is damaged, download or convert it again");
        return scores;
    }

    /// <summary>Whether the model is of a family whose name, in lower case, contains one of these.</summary>
    public bool IsNamed(params ReadOnlySpan<string> names)
    {
        string? name = _metadata.TryGet("general.name", out MetadataValue? value) && value.Type == MetadataType.String ? value.AsString() : null;
        foreach (string wanted in names)
            if (name is not null && name.Contains(wanted, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }

    /// <summary>The token that <c>tokenizer.ggml.{role}_token_id</c> names; numbers outside the vocabulary, such as -1, mean none.</summary>
    private int? Id(string role)
    {
        long? id = _metadata.Integer($"{Prefix}{role}_token_id");
        return id >= 0 && id < Count ? (int)id : null;
    }

    private TokenType[] ReadTypes()
    {
        TokenType[] types = new TokenType[Count];
        Array.Fill(types, TokenType.Normal);
        long[]? numbers = _metadata.Integers(Prefix + "token_type");
        if (numbers is null) return types;
        if (numbers.Length < Count) Throw.BadFile(Source, $"has types for {numbers.Length:N0} of its {Count:N0} tokens; the file is damaged, download or convert it again");
        for (int id = 0; id < types.Length; id++)
            types[id] = numbers[id] is >= (long)TokenType.Unknown and <= (long)TokenType.Byte ? (TokenType)numbers[id] : TokenType.Normal;
        HasTypes = true;
        return types;
    }
}
