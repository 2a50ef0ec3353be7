using System.Text.Json;

namespace Nibble.Files.HuggingFace;

/// <summary>
/// Finds GGUF's name for the way in which a <c>tokenizer.json</c> cuts text into words, by the steps it lists: regular expressions,
/// digits, punctuation, GPT-2's own pattern.
/// </summary>
internal static class PreTokenizerNames
{
    private const string LetterWordsTail = @" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string CasedWordsTail = @" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Upper = @"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]";
    private const string Lower = @"[\p{Ll}\p{Lm}\p{Lo}\p{M}]";
    private const string Endings = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string Edge = @"[^\r\n\p{L}\p{N}]?";

    // What each regular expression is, in spellings that differ but match the same.
    private static readonly Dictionary<string, string> s_patterns = new(StringComparer.Ordinal)
    {
        [@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"] = "gpt2",
        [@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"] = "gpt2",
        [@"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"] = "gpt2",
        [$@"{Endings}|{Edge}\p{{L}}+|\p{{N}}{{1,3}}|{LetterWordsTail}"] = "llama3",
        [$@"{Endings}|{Edge}\p{{L}}+|\p{{N}}|{LetterWordsTail}"] = "qwen2",
        [$@"{Endings}|{Edge}\p{{L}}+|\p{{N}}+|{LetterWordsTail}"] = "letters",
        [$@"{Edge}\p{{L}}+|\p{{N}}|{LetterWordsTail}"] = "ufakzeka",
        [$@"{Endings}|{Edge}[\p{{L}}\p{{M}}]+|\p{{N}}| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"] = "qwen35",
        [$@"{Endings}|{Edge}\p{{L}}+|\p{{N}}{{1}}| ?[^\s\p{{L}}\p{{N}}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"] = "seed-coder",
        [@"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"] = "llama3",
        [@"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"] = "qwen2",
        [$@"{Edge}{Upper}*{Lower}+{Endings}?|{Edge}{Upper}+{Lower}*{Endings}?|\p{{N}}{{1,3}}|{CasedWordsTail}"] = "gpt-4o",
        [$@"{Edge}{Upper}*{Lower}+|{Edge}{Upper}+{Lower}*|\p{{N}}|{CasedWordsTail}"] = "tekken",
        [@" ?[^(\s|[.,!?…。，、।۔،])]+"] = "bloom",
        [@" ?[^(\s|.,!?…。，、।۔،)]+"] = "bloom",
        [@"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"] = "deepseek",
        [@"[\r\n]"] = "line-end",
        [@"\s?\p{L}+"] = "word",
        [@"\s?\p{P}+"] = "signs",
        [@"\s+$"] = "final-spaces",
        ["[一-龥ࠀ-一가-퟿]+"] = "chinese",
        ["[一-龥぀-ゟ゠-ヿ]+"] = "chinese-kana",
        [@"\p{N}"] = "digit",
        ["[0-9]"] = "digit",
        [@"\d"] = "digit",
        [@"\p{N}+"] = "digits",
        [@"\p{N}{1,3}"] = "digits-3",
        ["[0-9][0-9][0-9]"] = "three-digits",
        [@"[^\n]+|[\n]+"] = "lines",
    };

    private static readonly Dictionary<string, string> s_names = new(StringComparer.Ordinal)
    {
        ["bloom"] = "bloom",
        ["bloom digit"] = "viking",
        ["digit gpt2"] = "smollm",
        ["digits-3 chinese-kana deepseek"] = "deepseek-v3",
        ["digits-3 letters"] = "minicpm5",
        ["gpt-4o"] = "gpt-4o",
        ["gpt2"] = "gpt-2",
        ["line-end word signs chinese digit"] = "deepseek-coder",
        ["line-end cased-letters listed-signs final-spaces chinese digit"] = "deepseek-llm",
        ["line-end cased-letters listed-signs final-spaces chinese digits"] = "deepseek-llm",
        ["lines qwen2"] = "laguna",
        ["llama3"] = "llama-bpe",
        ["punctuation gpt2 digits three-digits"] = "falcon",
        ["punctuation gpt2 three-digits"] = "falcon",
        ["qwen2"] = "qwen2",
        ["qwen35"] = "qwen35",
        ["seed-coder"] = "seed-coder",
        ["tekken"] = "tekken",
        ["ufakzeka"] = "ufakzeka",
    };

    /// <param name="file">The file.</param>
    /// <param name="preTokenizer">Its <c>pre_tokenizer</c>.</param>
    /// <param name="wholeWordsFirst">Whether its words that are tokens stay whole (<c>ignore_merges</c>).</param>
    public static string Find(JsonFile file, JsonElement? preTokenizer, bool wholeWordsFirst)
    {
        List<string> steps = [];
        AddSteps(file, preTokenizer, steps);
        string name = s_names.GetValueOrDefault(string.Join(' ', steps))
            ?? Throw.BadFile<string>(file.Path, $"cuts text into words in a way that is not supported: {Quoted.Of(preTokenizer?.GetRawText() ?? "nothing")}");
        return name == "llama-bpe" && !wholeWordsFirst ? "smaug-bpe" : name;
    }

    private static void AddSteps(JsonFile file, JsonElement? step, List<string> steps)
    {
        switch (file.Text(JsonFile.Member(step, "type"), "pre_tokenizer.type"))
        {
            case "Sequence":
                foreach (JsonElement inner in file.Array(JsonFile.Member(step, "pretokenizers"), "pre_tokenizer.pretokenizers")) AddSteps(file, inner, steps);
                break;
            case "ByteLevel":
                if (JsonFile.Bool(JsonFile.Member(step, "use_regex")) ?? true) steps.Add("gpt2");
                break;
            case "Digits":
                steps.Add(JsonFile.Bool(JsonFile.Member(step, "individual_digits")) ?? false ? "digit" : "digits");
                break;
            case "Punctuation":
                steps.Add("punctuation");
                break;
            case "Split":
                steps.Add(Pattern(file, step));
                break;
            case null:
                break;
            case var type:
                Throw.BadFile(file.Path, $"cuts text into words in a way that is not supported: a pre-tokenizer of type {Quoted.Of(type)}");
                break;
        }
    }

    private static string Pattern(JsonFile file, JsonElement? split)
    {
        JsonElement? pattern = JsonFile.Member(split, "pattern");
        string? regex = file.Text(JsonFile.Member(pattern, "Regex") ?? JsonFile.Member(pattern, "String"), "pre_tokenizer.pattern");
        string? behavior = file.Text(JsonFile.Member(split, "behavior"), "pre_tokenizer.behavior");
        bool inverted = JsonFile.Bool(JsonFile.Member(split, "invert")) ?? false;
        bool keepsAll = behavior is null or "Isolated" || (behavior == "Removed" && inverted);
        string known = regex is null || !keepsAll ? "" : Known(regex);
        if (known.Length == 0) Throw.BadFile(file.Path, $"cuts text into words by a pattern that is not supported: {Quoted.Of(regex ?? split?.GetRawText() ?? "")}");
        return known;
    }

    private static string Known(string regex)
    {
        string canonical = regex
            .Replace("\r", @"\r", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal)
            .Replace("(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])", Endings, StringComparison.Ordinal);
        if (s_patterns.TryGetValue(canonical, out string? known)) return known;
        if (canonical.StartsWith(@"\s?[A-Za-zµÀ-ÖØ-ö", StringComparison.Ordinal)) return "cased-letters";
        return canonical.StartsWith(@"\s?[!-/:-~！-／：-～", StringComparison.Ordinal) ? "listed-signs" : "";
    }
}
