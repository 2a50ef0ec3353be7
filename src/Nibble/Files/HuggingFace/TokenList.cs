using System.Globalization;

namespace Nibble.Files.HuggingFace;

/// <summary>The tokens of a model as its files are read, in the form that GGUF keeps them.</summary>
/// <param name="source">The file they come from, for error messages.</param>
internal sealed class TokenList(string source)
{
    /// <summary>More tokens than any model has, and few enough to hold.</summary>
    private const int MostTokens = 1 << 22;

    private readonly List<Token?> _tokens = [];
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);

    private sealed record Token(string Text, TokenType Type, float Score);

    public string Source { get; } = source;

    public int Count => _tokens.Count;

    /// <summary>The id of a token by the text that the files give it.</summary>
    public int? Find(string? text) => text is not null && _ids.TryGetValue(text, out int id) ? id : null;

    public TokenType? TypeOf(int id) => id < _tokens.Count ? _tokens[id]?.Type : null;

    public void SetType(int id, TokenType type) => _tokens[id] = _tokens[id]! with { Type = type };

    public IEnumerable<string> Texts => _tokens.Where(token => token is not null).Select(token => token!.Text);

    /// <summary>Sets a token, over one that has the id already.</summary>
    public void Set(int id, string text, TokenType type, float score = 0)
    {
        if (id is < 0 or >= MostTokens) Throw.BadFile(Source, $"token {Quoted.Of(text)} has the id {id}, which no vocabulary reaches; download the file again");
        while (_tokens.Count <= id) _tokens.Add(null);
        if (_tokens[id] is Token old && _ids.TryGetValue(old.Text, out int known) && known == id) _ids.Remove(old.Text);
        _tokens[id] = new(text, type, score);
        _ids[text] = id;
    }

    /// <summary>Sets a token that was added to the trained vocabulary.</summary>
    public void SetAdded(int id, string text, bool special, float score = 0)
    {
        bool control = special || LooksSpecial(text);
        // Text is searched for these as it is, so that they hold plain spaces.
        string written = control ? text : text.Replace('▁', ' ');
        Set(id, written, control ? TokenType.Control : TokenType.UserDefined, score);
        _ids[text] = id;
    }

    /// <summary>Changes the text of every token.</summary>
    public void Rewrite(Func<string, TokenType, string> rewrite)
    {
        for (int id = 0; id < _tokens.Count; id++)
            if (_tokens[id] is Token token) _tokens[id] = token with { Text = rewrite(token.Text, token.Type) };
    }

    /// <summary>Writes tokens, scores and types.</summary>
    /// <param name="metadata">Where to.</param>
    /// <param name="vocabularySize">Rows of the model's embedding, up to which tokens are filled in; 0 where it is not known.</param>
    /// <param name="scores">Whether the tokens have scores.</param>
    public void Write(Metadata metadata, int vocabularySize, bool scores)
    {
        if (_tokens.Count == 0) Throw.BadFile(Source, "holds no tokens; download it again");
        if (vocabularySize > MostTokens) Throw.BadFile(Source, $"is to be filled up to {vocabularySize:N0} tokens, which no vocabulary has; check vocab_size in config.json");
        if (vocabularySize > 0 && _tokens.Count > vocabularySize)
            Throw.BadFile(Source, $"has {_tokens.Count:N0} tokens, but the model has room for {vocabularySize:N0} (vocab_size in config.json); the files do not belong together");

        int count = Math.Max(_tokens.Count, vocabularySize);
        string[] texts = new string[count];
        float[] values = new float[count];
        int[] types = new int[count];
        for (int id = 0; id < count; id++)
        {
            Token token = (id < _tokens.Count ? _tokens[id] : null)
                ?? new(string.Create(CultureInfo.InvariantCulture, $"[PAD{id}]"), TokenType.Unused, -1000);
            texts[id] = token.Text;
            values[id] = token.Score;
            types[id] = (int)token.Type;
        }
        metadata["tokenizer.ggml.tokens"] = MetadataValue.Of(texts);
        if (scores) metadata["tokenizer.ggml.scores"] = MetadataValue.Of(values);
        metadata["tokenizer.ggml.token_type"] = MetadataValue.Of(types);
    }

    /// <summary>Whether a token steers the model although its files do not mark it so: some mark none.</summary>
    private static bool LooksSpecial(string text) =>
        text is "<pad>" or "<mask>" or "<2mass>" or "[@BOS@]"
        || (text.StartsWith("<|", StringComparison.Ordinal) && text.EndsWith("|>", StringComparison.Ordinal))
        || (text.StartsWith("<｜", StringComparison.Ordinal) && text.EndsWith("｜>", StringComparison.Ordinal))
        || (text.StartsWith("<unused", StringComparison.Ordinal) && text.EndsWith('>'));
}
