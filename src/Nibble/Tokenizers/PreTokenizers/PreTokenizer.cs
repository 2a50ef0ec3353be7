using Nibble.Files;

namespace Nibble.Tokenizers.PreTokenizers;

/// <summary>
/// How byte-level BPE cuts text into the words inside which it merges: patterns that each cut the pieces of the one before.
/// The name is that of GGUF's <c>tokenizer.ggml.pre</c>.
/// </summary>
internal sealed record PreTokenizer(WordPattern[] Patterns)
{
    private static readonly (int First, int Last)[] s_chinese = [(0x0800, 0x9FA5), (0xAC00, 0xD7FF)];
    private static readonly (int First, int Last)[] s_chineseAndKana = [(0x3040, 0x30FF), (0x4E00, 0x9FA5)];

    private static readonly WordPattern s_gpt2Words = new Gpt2Words();
    private static readonly WordPattern s_digit = new SetRun(new(CharacterKind.Number)) { AtMost = 1 };
    private static readonly WordPattern s_numbers = new SetRun(new(CharacterKind.Number));
    private static readonly WordPattern s_threeDigits = new SetRun(new(CharacterKind.Other, ('0', '9'))) { AtLeast = 3, AtMost = 3 };
    private static readonly WordPattern s_upToThreeDigits = new SetRun(new(CharacterKind.Number)) { AtMost = 3 };
    private static readonly WordPattern s_lineEnd = new SetRun(new(CharacterKind.Other, ('\n', '\n'), ('\r', '\r'))) { AtMost = 1 };
    private static readonly WordPattern s_lines = new Lines();

    /// <summary><c> ?[^(\s|.,!?…。，、।۔،)]+</c></summary>
    private static readonly WordPattern s_bloomWords = new BloomWords();

    private static readonly PreTokenizer s_bloom = new([s_bloomWords]);
    private static readonly PreTokenizer s_digitsApart = new([s_digit, s_gpt2Words]);
    private static readonly PreTokenizer s_gpt2 = new([s_gpt2Words]);
    private static readonly PreTokenizer s_gpt4o = new([new CasedWords { Digits = 3, Contracts = true }]);
    private static readonly PreTokenizer s_llama3 = new([new LetterWords { Digits = 3 }]);
    private static readonly PreTokenizer s_qwen2 = new([new LetterWords { Digits = 1 }]);
    private static readonly PreTokenizer s_deepSeek3 = new([s_upToThreeDigits, new SetRun(new(CharacterKind.Other, s_chineseAndKana)), new DeepSeekWords()]);

    private static readonly SortedDictionary<string, PreTokenizer> s_known = new(StringComparer.Ordinal)
    {
        ["a.x-4.0"] = s_gpt2,
        ["bailingmoe"] = s_qwen2,
        ["bailingmoe2"] = s_qwen2,
        ["bloom"] = s_bloom,
        ["chatglm-bpe"] = s_llama3,
        ["codeshell"] = s_digitsApart,
        ["command-r"] = s_digitsApart,
        ["dbrx"] = s_llama3,
        ["deepseek-coder"] = new(
        [
            s_lineEnd,
            new SetRun(new(CharacterKind.Letter)) { Before = CharacterKind.Space },
            new SetRun(new(CharacterKind.Punctuation)) { Before = CharacterKind.Space },
            new SetRun(new(CharacterKind.Other, s_chinese)),
            s_digit,
        ]),
        ["deepseek-llm"] = new(
        [
            s_lineEnd,
            new SetRun(CasedLetters.Set) { Before = CharacterKind.Space },
            new SetRun(new(CharacterKind.Other, ('!', '/'), (':', '~'), (0x2018, 0x201F), (0x3000, 0x3002), (0xFF01, 0xFF0F), (0xFF1A, 0xFF5E))) { Before = CharacterKind.Space },
            new FinalSpaces(),
            new SetRun(new(CharacterKind.Other, s_chinese)),
            s_numbers,
        ]),
        ["deepseek-r1-qwen"] = s_qwen2,
        ["deepseek-v3"] = s_deepSeek3,
        ["default"] = new(
        [
            new SetRun(new(CharacterKind.Punctuation, ('$', '$'), ('+', '+'), ('<', '>'), ('^', '^'), ('|', '|'), ('~', '~'))),
            s_gpt2Words,
            s_numbers,
            s_threeDigits,
        ]),
        ["exaone"] = s_digitsApart,
        ["exaone4"] = s_gpt2,
        ["f2llmv2"] = s_qwen2,
        ["falcon"] = new(
        [
            new SetRun(new(CharacterKind.Punctuation, ('$', '$'), ('+', '+'), ('<', '>'), ('^', '^'), ('`', '`'), ('|', '|'), ('~', '~'))),
            s_gpt2Words,
            s_threeDigits,
        ]),
        ["falcon-h1"] = s_llama3 with { WholeWordsFirst = true, AddsBos = true },
        ["falcon3"] = s_llama3 with { WholeWordsFirst = true, AddsBos = true },
        ["gigachat"] = s_gpt2,
        ["glm4"] = s_llama3,
        ["gpt-2"] = s_gpt2,
        ["gpt-4o"] = s_gpt4o,
        ["gpt3-finnish"] = s_bloom,
        ["granite-docling"] = s_gpt2,
        ["grok-2"] = s_qwen2,
        ["hunyuan"] = s_qwen2,
        ["hunyuan-dense"] = s_deepSeek3,
        ["hy_v4"] = s_deepSeek3,
        ["jais"] = s_gpt2,
        ["jina-de"] = s_gpt2,
        ["jina-es"] = s_gpt2,
        ["jina-v1-en"] = s_gpt2,
        ["jina-v2-code"] = s_gpt2,
        ["jina-v2-de"] = s_gpt2,
        ["jina-v2-es"] = s_gpt2,
        ["joyai-llm"] = s_deepSeek3,
        ["kanana2"] = s_gpt4o,
        ["kormo"] = s_qwen2,
        ["laguna"] = new([s_lines, new LetterWords { Digits = 1 }]),
        ["lfm2"] = s_llama3 with { WholeWordsFirst = true, AddsBos = true },
        ["llada-moe"] = s_qwen2,
        ["llama-bpe"] = s_llama3 with { WholeWordsFirst = true, AddsBos = true },
        ["llama-v3"] = s_llama3 with { WholeWordsFirst = true, AddsBos = true },
        ["llama3"] = s_llama3 with { WholeWordsFirst = true, AddsBos = true },
        ["llama4"] = s_gpt4o,
        ["megrez"] = s_qwen2,
        ["mellum"] = s_gpt2,
        ["mellum2"] = s_digitsApart,
        ["midm-2.0"] = s_llama3 with { WholeWordsFirst = true, AddsBos = true },
        ["minerva-7b"] = s_digitsApart,
        ["minicpm5"] = new([s_upToThreeDigits, new LetterWords { Digits = int.MaxValue }]) { WholeWordsFirst = true },
        ["minimax-m2"] = s_gpt4o,
        ["modern-bert"] = s_gpt2,
        ["mpt"] = s_gpt2,
        ["olmo"] = s_gpt2,
        ["phi-2"] = s_gpt2,
        ["pixtral"] = s_llama3 with { WholeWordsFirst = true, AddsBos = true },
        ["poro-chat"] = s_bloom,
        ["qwen2"] = s_qwen2,
        ["qwen35"] = new([new LetterWords { Digits = 1, Marks = true }]),
        ["refact"] = s_digitsApart,
        ["roberta-bpe"] = s_gpt2,
        ["seed-coder"] = new([new LetterWords { Digits = 1, LineEndsApart = true }]),
        ["smaug-bpe"] = s_llama3,
        ["smollm"] = s_digitsApart,
        ["solar-open"] = s_qwen2,
        ["stablelm2"] = s_qwen2,
        ["starcoder"] = s_digitsApart,
        ["talkie"] = s_gpt4o,
        ["tekken"] = new([new CasedWords { Digits = 1, Contracts = false }]) { WholeWordsFirst = true, AddsBos = true },
        ["trillion"] = s_gpt2,
        ["ufakzeka"] = new([new LetterWords { Digits = 1, Contracts = false }]),
        ["viking"] = new([s_bloomWords, s_digit]),
    };

    /// <summary>Whether a word that is a token stays one, whatever the merges would make of it.</summary>
    public bool WholeWordsFirst { get; init; }

    /// <summary>Whether a text begins with BOS where the file does not say.</summary>
    public bool AddsBos { get; init; }

    /// <param name="name">The value of <c>tokenizer.ggml.pre</c>; files older than the key use <c>default</c>.</param>
    /// <param name="source">The file, for error messages.</param>
    public static PreTokenizer Named(string? name, string source) =>
        s_known.GetValueOrDefault(string.IsNullOrEmpty(name) ? "default" : name)
        ?? Throw.BadFile<PreTokenizer>(source, $"the pre-tokenizer {Quoted.Of(name ?? "")} is not supported; the known ones are {string.Join(", ", s_known.Keys)}");
}
