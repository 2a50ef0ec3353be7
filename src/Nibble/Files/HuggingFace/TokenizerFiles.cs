namespace Nibble.Files.HuggingFace;

/// <summary>Reads the tokenizer of a model folder, in whichever form it is there, into the metadata that a GGUF file keeps of it.</summary>
internal static class TokenizerFiles
{
    private const long LargestModel = 1L << 30;

    /// <param name="folder">The model folder.</param>
    /// <param name="vocabularySize">Rows of the model's embedding; the vocabulary is filled up to it. 0 where it is not known.</param>
    /// <param name="metadata">Where the keys <c>tokenizer.*</c> are written.</param>
    /// <exception cref="NibbleException">There is no tokenizer, or one that cannot be used.</exception>
    public static void Read(string folder, int vocabularySize, Metadata metadata) => Named(folder, () =>
    {
        ReadFolder(folder, vocabularySize, metadata);
        return true;
    });

    /// <summary>Reads a tokenizer from a folder, from a file in one, or from its own file; false where <paramref name="path"/> is none of these.</summary>
    public static bool TryRead(string path, Metadata metadata) => Named(path, () => TryReadPath(path, metadata));

    private static void ReadFolder(string folder, int vocabularySize, Metadata metadata)
    {
        string json = Path.Combine(folder, "tokenizer.json");
        string model = Path.Combine(folder, "tokenizer.model");
        if (File.Exists(json) && !(File.Exists(model) && PrefersModel(json, model))) ReadJson(json, vocabularySize, metadata);
        else if (File.Exists(model)) ReadModel(model, vocabularySize, metadata);
        else if (File.Exists(Path.Combine(folder, "vocab.json")) && File.Exists(Path.Combine(folder, "merges.txt"))) ReadVocabularyAndMerges(folder, vocabularySize, metadata);
        else Throw.BadFile(folder, "holds no tokenizer (tokenizer.json, tokenizer.model, or vocab.json with merges.txt); download the model's tokenizer files into it");
    }

    private static bool TryReadPath(string path, Metadata metadata)
    {
        string name = Path.GetFileName(path);
        string extension = Path.GetExtension(name);
        if (Directory.Exists(path)) ReadFolder(path, VocabularySize(path), metadata);
        else if (!File.Exists(path)) return false;
        else if (name == "config.json" || extension == ".safetensors" || name.EndsWith(".index.json", StringComparison.Ordinal)) ReadFolder(Folder(path), VocabularySize(Folder(path)), metadata);
        else if (name is "vocab.json" or "merges.txt") ReadVocabularyAndMerges(Folder(path), vocabularySize: 0, metadata);
        else if (extension == ".json") ReadJson(path, vocabularySize: 0, metadata);
        else if (extension == ".model") ReadModel(path, vocabularySize: 0, metadata);
        else return false;
        return true;
    }

    /// <summary>Looking up a name fails where another in the same object is half a surrogate pair, which JSON can write and text cannot be.</summary>
    private static bool Named(string path, Func<bool> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException e)
        {
            throw new NibbleException($"{path}: the tokenizer's files hold half a surrogate pair, which is no text; download them again", e);
        }
    }

    private static int VocabularySize(string folder) => new TokenizerSettings(folder).VocabularySize();

    /// <summary>A SentencePiece model has the scores that the same vocabulary in JSON has lost.</summary>
    private static bool PrefersModel(string json, string model)
    {
        if (TiktokenRanks.Is(Start(model))) return false;
        using TokenizerJson tokenizer = new(json);
        return tokenizer.Kind == "llama";
    }

    private static void ReadJson(string path, int vocabularySize, Metadata metadata)
    {
        using TokenizerJson tokenizer = new(path);
        SpecialIds ids = new();
        TokenList tokens = tokenizer.Read(vocabularySize, ids, metadata);
        TokenizerSettings settings = new(Folder(path));
        settings.ReadIds(tokens, ids);
        tokenizer.ReadTemplate(tokens, ids);
        ids.Write(metadata, Math.Max(tokens.Count, vocabularySize));
        settings.WriteTemplates(metadata);
    }

    private static void ReadModel(string path, int vocabularySize, Metadata metadata)
    {
        byte[] bytes = JsonFile.ReadBytes(path, LargestModel);
        TokenizerSettings settings = new(Folder(path));
        TokenList tokens;
        SpecialIds ids;
        if (TiktokenRanks.Is(bytes))
        {
            (tokens, ids, List<string> merges) = TiktokenRanks.Read(path, bytes);
            metadata["tokenizer.ggml.model"] = MetadataValue.Of("gpt2");
            metadata["tokenizer.ggml.pre"] = MetadataValue.Of("llama-bpe");
            tokens.Write(metadata, vocabularySize, scores: false);
            metadata["tokenizer.ggml.merges"] = MetadataValue.Of(merges);
        }
        else
        {
            (tokens, ids, bool prefixesSpace) = SentencePieceModel.Read(path, bytes);
            settings.AddTokens(tokens);
            metadata["tokenizer.ggml.model"] = MetadataValue.Of("llama");
            metadata["tokenizer.ggml.pre"] = MetadataValue.Of("default");
            tokens.Write(metadata, vocabularySize, scores: true);
            prefixesSpace = settings.PrefixesSpace() ?? prefixesSpace;
            if (!prefixesSpace) metadata["tokenizer.ggml.add_space_prefix"] = MetadataValue.Of(false);
        }
        settings.ReadIds(tokens, ids);
        ids.Write(metadata, Math.Max(tokens.Count, vocabularySize));
        settings.WriteTemplates(metadata);
    }

    private static void ReadVocabularyAndMerges(string folder, int vocabularySize, Metadata metadata)
    {
        TokenizerSettings settings = new(folder);
        SpecialIds ids = new();
        TokenList tokens = VocabularyAndMerges.Read(folder, settings.ModelType(), vocabularySize, metadata, settings.AddTokens);
        settings.ReadIds(tokens, ids);
        ids.Write(metadata, Math.Max(tokens.Count, vocabularySize));
        settings.WriteTemplates(metadata);
    }

    private static byte[] Start(string path)
    {
        const int Enough = 1024;
        byte[] bytes = JsonFile.ReadBytes(path, LargestModel);
        return bytes[..Math.Min(Enough, bytes.Length)];
    }

    private static string Folder(string path) => Path.GetDirectoryName(Path.GetFullPath(path))!;
}
