using System.Text.Json;
using System.Text.RegularExpressions;

namespace Nibble.Files.HuggingFace;

/// <summary>
/// <c>tokenizer.json</c> as the tokenizers library writes it, with a model of one of three kinds: byte-level BPE, BPE over
/// characters with byte fallback (SentencePiece in another form), and WordPiece.
/// </summary>
internal sealed partial class TokenizerJson : IDisposable
{
    private readonly JsonFile _file;
    private readonly JsonElement? _model;

    public TokenizerJson(string path)
    {
        _file = JsonFile.Open(path);
        _model = JsonFile.Member(_file.Root, "model");
        string? type = _file.Text(JsonFile.Member(_model, "type"), "model.type") ?? (JsonFile.Member(_model, "merges") is null ? null : "BPE");
        Kind = type switch
        {
            "BPE" => HasStep(JsonFile.Member(_file.Root, "pre_tokenizer"), "ByteLevel") || HasStep(JsonFile.Member(_file.Root, "decoder"), "ByteLevel") ? "gpt2"
                : JsonFile.Bool(JsonFile.Member(_model, "byte_fallback")) == true ? "llama"
                : Throw.BadFile<string>(path, "is a BPE tokenizer that is neither byte-level nor falls back to bytes, which is not supported"),
            "WordPiece" => "bert",
            null => Throw.BadFile<string>(path, "has no 'model'; download it again"),
            _ => Throw.BadFile<string>(path, $"is a tokenizer of the type {Quoted.Of(type)}, which is not supported; the known ones are BPE and WordPiece"),
        };
    }

    /// <summary>The kind of tokenizer by GGUF's name: <c>bert</c>, <c>gpt2</c> or <c>llama</c>.</summary>
    public string Kind { get; }

    public void Dispose() => _file.Dispose();

    /// <summary>Writes all but the parts that tokens play.</summary>
    public TokenList Read(int vocabularySize, SpecialIds ids, Metadata metadata)
    {
        TokenList tokens = ReadTokens();
        metadata["tokenizer.ggml.model"] = MetadataValue.Of(Kind);
        switch (Kind)
        {
            case "gpt2": ReadByteLevel(tokens, vocabularySize, metadata); break;
            case "llama": ReadByteFallback(tokens, vocabularySize, metadata); break;
            default: ReadWordPiece(tokens, vocabularySize, metadata); break;
        }
        if (tokens.Find(_file.Text(JsonFile.Member(_model, "unk_token"), "model.unk_token")) is int unknown) ids.SetMissing("unk", unknown);
        return tokens;
    }

    /// <summary>
    /// Which tokens go around a text, from the template of the post-processor, for the parts that are known.
    /// </summary>
    public void ReadTemplate(TokenList tokens, SpecialIds ids)
    {
        JsonElement? processor = JsonFile.Member(_file.Root, "post_processor");
        IEnumerable<JsonElement> steps = JsonFile.Member(processor, "processors") is JsonElement inner ? _file.Array(inner, "post_processor.processors") : processor is JsonElement one ? [one] : [];
        foreach (JsonElement step in steps)
        {
            if (_file.Text(JsonFile.Member(step, "type"), "post_processor.type") != "TemplateProcessing") continue;
            JsonElement[] single = [.. _file.Array(JsonFile.Member(step, "single"), "post_processor.single")];
            int? first = single.Length > 1 ? Special(single[0]) : null;
            int? last = single.Length > 1 ? Special(single[^1]) : null;
            if (first is not null) ids.SetMissing("bos", first);
            if (ids.Adds("bos") is null) ids.SetAdds("bos", first is not null && first == ids["bos"]);
            if (ids.Adds("eos") is null) ids.SetAdds("eos", last is not null && last == ids["eos"]);
        }
        if (ids.Adds("bos") is null && ids["bos"] is not null) ids.SetAdds("bos", false);

        int? Special(JsonElement part) => tokens.Find(_file.Text(JsonFile.Member(JsonFile.Member(part, "SpecialToken"), "id"), "post_processor.single"));
    }

    private TokenList ReadTokens()
    {
        TokenList tokens = new(_file.Path);
        if (JsonFile.Member(_model, "vocab") is not { ValueKind: JsonValueKind.Object } vocabulary) return Throw.BadFile<TokenList>(_file.Path, "has no object 'model.vocab'; download it again");
        foreach (JsonProperty token in vocabulary.EnumerateObject())
            tokens.Set(_file.Integer(token.Value, "model.vocab")!.Value, _file.Name(token, "model.vocab"), TokenType.Normal);
        foreach (JsonElement added in _file.Array(JsonFile.Member(_file.Root, "added_tokens"), "added_tokens"))
        {
            string? text = _file.Text(JsonFile.Member(added, "content"), "added_tokens.content");
            int? id = _file.Integer(JsonFile.Member(added, "id"), "added_tokens.id");
            if (text is null || id is null) Throw.BadFile(_file.Path, "has an added token without 'id' or 'content'; download it again");
            tokens.SetAdded(id!.Value, text!, JsonFile.Bool(JsonFile.Member(added, "special")) ?? false, score: -1000);
        }
        return tokens;
    }

    private void ReadByteLevel(TokenList tokens, int vocabularySize, Metadata metadata)
    {
        bool wholeWordsFirst = JsonFile.Bool(JsonFile.Member(_model, "ignore_merges")) ?? false;
        metadata["tokenizer.ggml.pre"] = MetadataValue.Of(PreTokenizerNames.Find(_file, JsonFile.Member(_file.Root, "pre_tokenizer"), wholeWordsFirst));
        tokens.Write(metadata, vocabularySize, scores: false);
        metadata["tokenizer.ggml.merges"] = MetadataValue.Of([.. Merges().Select(merge => $"{Spelt(merge.Left)} {Spelt(merge.Right)}")]);

        static string Spelt(string part) => part.Replace(' ', 'Ġ');
    }

    /// <summary>A token's score is the place of the first merge that makes it, negative, so that merging by scores goes in the order of the merges.</summary>
    private void ReadByteFallback(TokenList tokens, int vocabularySize, Metadata metadata)
    {
        Dictionary<int, int> ranks = [];
        int rank = 0;
        foreach ((string left, string right) in Merges())
        {
            if (tokens.Find(left + right) is int product) ranks.TryAdd(product, rank);
            rank++;
        }
        JsonElement vocabulary = JsonFile.Member(_model, "vocab")!.Value;
        foreach (JsonProperty token in vocabulary.EnumerateObject())
        {
            int id = token.Value.GetInt32();
            if (tokens.TypeOf(id) != TokenType.Normal) continue;
            bool isByte = ByteToken().IsMatch(token.Name);
            tokens.Set(id, token.Name, isByte ? TokenType.Byte : TokenType.Normal, ranks.TryGetValue(id, out int place) ? -place : 0);
        }
        if (tokens.Find(_file.Text(JsonFile.Member(_model, "unk_token"), "model.unk_token")) is int unknown && tokens.TypeOf(unknown) == TokenType.Normal) tokens.SetType(unknown, TokenType.Unknown);

        metadata["tokenizer.ggml.pre"] = MetadataValue.Of("default");
        tokens.Write(metadata, vocabularySize, scores: true);
        metadata["tokenizer.ggml.add_space_prefix"] = MetadataValue.Of(PrefixesSpace());
    }

    private bool PrefixesSpace()
    {
        if (HasStep(JsonFile.Member(_file.Root, "normalizer"), "Prepend")) return true;
        JsonElement? metaspace = FindStep(JsonFile.Member(_file.Root, "pre_tokenizer"), "Metaspace");
        if (metaspace is null) return false;
        return _file.Text(JsonFile.Member(metaspace, "prepend_scheme"), "pre_tokenizer.prepend_scheme") is string scheme
            ? scheme != "never"
            : JsonFile.Bool(JsonFile.Member(metaspace, "add_prefix_space")) ?? true;
    }

    private void ReadWordPiece(TokenList tokens, int vocabularySize, Metadata metadata)
    {
        string continuation = _file.Text(JsonFile.Member(_model, "continuing_subword_prefix"), "model.continuing_subword_prefix") ?? "##";
        tokens.Rewrite((text, type) =>
            type == TokenType.Control ? text
            : continuation.Length > 0 && text.StartsWith(continuation, StringComparison.Ordinal) ? text[continuation.Length..]
            : '▁' + text);
        metadata["tokenizer.ggml.pre"] = MetadataValue.Of("bert-bge");
        tokens.Write(metadata, vocabularySize, scores: false);
        JsonElement? normalizer = FindStep(JsonFile.Member(_file.Root, "normalizer"), "BertNormalizer");
        if (JsonFile.Bool(JsonFile.Member(normalizer, "lowercase")) is bool lowerCase) metadata["tokenizer.ggml.normalizer.lowercase"] = MetadataValue.Of(lowerCase);
        if (JsonFile.Bool(JsonFile.Member(normalizer, "strip_accents")) is bool strip) metadata["tokenizer.ggml.normalizer.strip_accents"] = MetadataValue.Of(strip);
    }

    /// <summary>The merges, each <c>"left right"</c> in older files and <c>["left", "right"]</c> in newer ones.</summary>
    private IEnumerable<(string Left, string Right)> Merges()
    {
        foreach (JsonElement merge in _file.Array(JsonFile.Member(_model, "merges"), "model.merges"))
        {
            if (merge.ValueKind == JsonValueKind.Array && merge.GetArrayLength() == 2)
            {
                yield return (_file.Text(merge[0], "model.merges")!, _file.Text(merge[1], "model.merges")!);
                continue;
            }
            string pair = _file.Text(merge, "model.merges")!;
            int space = pair.Length < 3 ? -1 : pair.IndexOf(' ', 1);
            if (space < 0) Throw.BadFile(_file.Path, $"the merge {Quoted.Of(pair)} in 'model.merges' is no pair; download the file again");
            yield return (pair[..space], pair[(space + 1)..]);
        }
    }

    private bool HasStep(JsonElement? step, string type) => FindStep(step, type) is not null;

    /// <summary>The step of a given type, be it the only one or one of a sequence.</summary>
    private JsonElement? FindStep(JsonElement? step, string type)
    {
        if (_file.Text(JsonFile.Member(step, "type"), "type") == type) return step;
        foreach (string list in (ReadOnlySpan<string>)["pretokenizers", "normalizers", "decoders"])
            foreach (JsonElement inner in _file.Array(JsonFile.Member(step, list), list))
                if (FindStep(inner, type) is JsonElement found) return found;
        return null;
    }

    [GeneratedRegex("^<0x[0-9A-Fa-f]{2}>$")]
    private static partial Regex ByteToken();
}
