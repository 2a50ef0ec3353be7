using System.Diagnostics;
using Nibble.Models;
using Nibble.Tokenizers;

namespace Nibble.Generation;

/// <summary>Why a text ended.</summary>
public enum StopReason
{
    /// <summary>As many tokens as asked for.</summary>
    Length,

    /// <summary>The model ended its text.</summary>
    End,

    /// <summary>The context is full.</summary>
    ContextFull,
}

/// <summary>What generating took.</summary>
public sealed record GenerationReport
{
    /// <summary>Tokens of the prompt, those already in the cache included.</summary>
    public int PromptTokens { get; internal set; }

    /// <summary>Tokens of the prompt that were still in the cache from an earlier text.</summary>
    public int CachedTokens { get; internal set; }

    /// <summary>Time to read the prompt.</summary>
    public TimeSpan PromptTime { get; internal set; }

    public int GeneratedTokens { get; internal set; }

    /// <summary>Time from the end of the prompt to the last token.</summary>
    public TimeSpan GenerationTime { get; internal set; }

    public StopReason StopReason { get; internal set; }

    /// <summary>0 where the prompt was not read to its end.</summary>
    public double PromptTokensPerSecond => PromptTime <= TimeSpan.Zero ? 0 : (PromptTokens - CachedTokens) / PromptTime.TotalSeconds;

    /// <summary>The first token comes with the prompt, so it does not count.</summary>
    public double GeneratedTokensPerSecond => GeneratedTokens < 2 ? 0 : (GeneratedTokens - 1) / Math.Max(1e-9, GenerationTime.TotalSeconds);
}

/// <summary>The generation loop: read the prompt, then choose a token and read it, until something ends the text.</summary>
public sealed class TextGenerator : IDisposable
{
    private readonly Tokenizer _tokenizer;
    private readonly Session _session;

    /// <param name="model">The model; it must stay open as long as this is in use.</param>
    /// <param name="contextLength">Tokens of prompt and text together.</param>
    public TextGenerator(LanguageModel model, int contextLength)
    {
        ArgumentNullException.ThrowIfNull(model);
        _tokenizer = model.Tokenizer;
        _session = model.CreateSession(contextLength);
    }

    /// <summary>All tokens so far, prompt and text.</summary>
    public IReadOnlyList<int> Tokens => _session.Tokens;

    /// <summary>What the last run took, complete when it has ended.</summary>
    public GenerationReport Report { get; private set; } = new();

    /// <summary>Continues <paramref name="prompt"/>; what it shares with the tokens so far is not read again.</summary>
    /// <param name="prompt">The whole text so far, as tokens; at least one.</param>
    /// <param name="options">How to choose.</param>
    /// <param name="promptProgress">Told while the prompt is read how many of its tokens are.</param>
    /// <param name="cancellationToken">Stops after the token at hand.</param>
    /// <returns>The tokens as they are chosen; one that ends the text is not among them.</returns>
    public IEnumerable<int> Generate(IReadOnlyList<int> prompt, GenerationOptions options, IProgress<int>? promptProgress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        ArgumentNullException.ThrowIfNull(options);
        if (prompt.Count == 0) Throw.BadInput("the prompt is empty and the model has no token to begin with; write at least one word");
        return Loop(prompt, new Sampler(options), options, promptProgress, cancellationToken);
    }

    public void Dispose() => _session.Dispose();

    private IEnumerable<int> Loop(IReadOnlyList<int> prompt, Sampler sampler, GenerationOptions options, IProgress<int>? promptProgress, CancellationToken cancellationToken)
    {
        GenerationReport report = Report = new() { PromptTokens = prompt.Count };
        Stopwatch clock = Stopwatch.StartNew();

        int shared = 0; // at least one token is read, for its scores
        while (shared < Math.Min(_session.Tokens.Count, prompt.Count - 1) && _session.Tokens[shared] == prompt[shared]) shared++;
        _session.Truncate(shared);
        report.CachedTokens = shared;

        int most = options.MaxTokens ?? int.MaxValue;
        int[] input = prompt.Skip(shared).ToArray();
        while (true)
        {
            // One token fewer is read than chosen: nothing asks for the scores after the last.
            int chosen = sampler.Sample(_session.Append(input, promptProgress, cancellationToken), _session.Tokens);
            if (report.GeneratedTokens == 0)
            {
                report.PromptTime = clock.Elapsed;
                clock.Restart();
                promptProgress = null;
            }
            if (report.GeneratedTokens >= most) break;
            if (!options.IgnoreEnd && _tokenizer.IsEndOfGeneration(chosen))
            {
                report.StopReason = StopReason.End;
                break;
            }
            report.GeneratedTokens++;
            report.GenerationTime = clock.Elapsed;
            yield return chosen;
            cancellationToken.ThrowIfCancellationRequested();
            if (report.GeneratedTokens >= most) break;
            if (_session.Tokens.Count == _session.ContextLength)
            {
                report.StopReason = StopReason.ContextFull;
                break;
            }
            if (input.Length != 1) input = new int[1];
            input[0] = chosen;
        }
    }
}
