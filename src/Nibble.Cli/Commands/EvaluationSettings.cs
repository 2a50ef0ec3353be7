using System.CommandLine;
using Nibble.Cli.Terminal;
using Nibble.Evaluation;
using Nibble.Formats;
using Nibble.Generation;
using Nibble.Models;

namespace Nibble.Cli.Commands;

/// <summary>The options of commands that let models read a text: which text, how much of it, on how many threads.</summary>
internal sealed class EvaluationSettings
{
    private readonly Option<string?> _text = new("--text", "-f", "--file") { Description = "The text to predict, UTF-8; - for standard input.", HelpName = "FILE" };
    private readonly Option<int?> _context = CommonOptions.Context($"Tokens of a window. Default: {EvaluationOptions.UsualContext}, or the model's context where that is shorter.");
    private readonly Option<int?> _windows = new("--windows", "--chunks") { Description = "Windows to read at most. Default: all.", HelpName = "N" };
    private readonly Option<int> _threads = CommonOptions.ModelThreads();
    private readonly Option<bool> _noRepack = CommonOptions.NoRepack();
    private readonly Option<I2_SLayout?> _layout = CommonOptions.I2SLayout();
    private readonly CacheSettings _cache;

    /// <param name="command">The command that has the options.</param>
    /// <param name="needsText">Whether it can do nothing without a text.</param>
    public EvaluationSettings(Command command, bool needsText = false)
    {
        _text.Required = needsText;
        foreach (Option option in (Option[])[_text, _context, _windows, _layout, _threads, _noRepack]) command.Add(option);
        _cache = new(command);
    }

    public string? TextPath(ParseResult parsed) => parsed.GetValue(_text);

    public int? Context(ParseResult parsed) => parsed.GetValue(_context);

    public bool HasWindows(ParseResult parsed) => parsed.GetValue(_windows) is not null;

    /// <summary>The text's bytes; read before a model is opened, which takes longer.</summary>
    public byte[] ReadText(ParseResult parsed, CancellationToken cancellationToken) =>
        TextFile.ReadText(TextPath(parsed) ?? throw new NibbleException("--text is missing: name the text to predict"), cancellationToken);

    /// <summary>The name of the text, for reports.</summary>
    public string TextName(ParseResult parsed) => TextPath(parsed) is { } path and not "-" ? Path.GetFileName(path) : "standard input";

    public EvaluationText Tokenize(ParseResult parsed, ReadOnlySpan<byte> text, LanguageModel language) => EvaluationText.Of(TextName(parsed), text, language.Tokenizer);

    /// <summary>Windows to read at most.</summary>
    public int Windows(ParseResult parsed) => parsed.GetValue(_windows) is { } wanted ? (wanted > 0 ? wanted : throw new NibbleException($"--windows is {wanted}; take 1 or more")) : int.MaxValue;

    public CacheOptions Cache(ParseResult parsed) => _cache.Read(parsed);

    /// <summary>How models are run.</summary>
    public ModelOptions Run(ParseResult parsed) => new() { Threads = parsed.GetValue(_threads), Repack = !parsed.GetValue(_noRepack), I2SLayout = parsed.GetValue(_layout) };

    public LanguageModel Open(ParseResult parsed, string path)
    {
        LanguageModel language = LanguageModel.Open(path, Run(parsed));
        CommonOptions.TellLayout(language.File);
        return language;
    }

    public EvaluationOptions Read(ParseResult parsed, LanguageModel language) => EvaluationOptions.For(language, parsed.GetValue(_context)) with
    {
        Windows = Windows(parsed),
        Cache = Cache(parsed),
    };
}
