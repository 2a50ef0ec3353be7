using System.Text;
using System.Text.Json;

namespace Nibble.Files.HuggingFace;

/// <summary><c>vocab.json</c> and <c>merges.txt</c>, the older form of byte-level BPE. They do not say how text is cut into words.</summary>
internal static class VocabularyAndMerges
{
    private const long LargestFile = 1L << 30;

    public static TokenList Read(string folder, string? modelType, int vocabularySize, Metadata metadata, Action<TokenList> addTokens)
    {
        TokenList tokens = ReadVocabulary(Path.Combine(folder, "vocab.json"));
        string pre = PreTokenizer(modelType) ?? GuessPreTokenizer(tokens);
        addTokens(tokens);
        metadata["tokenizer.ggml.model"] = MetadataValue.Of("gpt2");
        metadata["tokenizer.ggml.pre"] = MetadataValue.Of(pre);
        tokens.Write(metadata, vocabularySize, scores: false);
        metadata["tokenizer.ggml.merges"] = MetadataValue.Of(ReadMerges(Path.Combine(folder, "merges.txt")));
        return tokens;
    }

    private static TokenList ReadVocabulary(string path)
    {
        using JsonFile file = JsonFile.Open(path);
        TokenList tokens = new(path);
        foreach (JsonProperty token in file.Root.EnumerateObject()) tokens.Set(file.Integer(token.Value, "id")!.Value, file.Name(token, "token"), TokenType.Normal);
        return tokens;
    }

    private static List<string> ReadMerges(string path)
    {
        string[] lines = Encoding.UTF8.GetString(JsonFile.ReadBytes(path, LargestFile)).Split('\n');
        List<string> merges = new(lines.Length);
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].TrimEnd('\r');
            if (line.Length == 0 || (i == 0 && line.StartsWith("#version", StringComparison.Ordinal))) continue;
            if (line.IndexOf(' ', 1) < 0) Throw.BadFile(path, $"line {i + 1} is no pair of tokens: {Quoted.Of(line)}; download the file again");
            merges.Add(line);
        }
        return merges;
    }

    private static string? PreTokenizer(string? modelType) => modelType switch
    {
        "qwen2" or "qwen2_moe" or "qwen3" or "qwen3_moe" or "Qwen2Tokenizer" or "Qwen2TokenizerFast" => "qwen2",
        "gpt_bigcode" or "starcoder2" => "starcoder",
        "gpt2" or "GPT2Tokenizer" or "GPT2TokenizerFast" or "opt" or "codegen" or "phi" => "gpt-2",
        _ => null,
    };

    /// <summary>
    /// What the tokens tell about the words of the training text: a sign at the head of letters, as in <c>(self</c>, is a word of
    /// Llama 3 and Qwen 2 but not of GPT-2, and no token has more digits than a word.
    /// </summary>
    private static string GuessPreTokenizer(TokenList tokens)
    {
        bool signsBeforeLetters = false;
        int digits = 0;
        foreach (string token in tokens.Texts)
        {
            if (token.Length > 2 && token[0] is '(' or '.' or '_' or '/' && token.AsSpan(1).IndexOfAnyExceptInRange('a', 'z') < 0) signsBeforeLetters = true;
            if (token.AsSpan().IndexOfAnyExceptInRange('0', '9') < 0) digits = Math.Max(digits, token.Length);
        }
        if (signsBeforeLetters) return digits <= 1 ? "qwen2" : "smaug-bpe";
        return digits <= 1 ? "starcoder" : "gpt-2";
    }
}
