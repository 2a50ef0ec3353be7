using System.Text;
using Nibble.Kernels;
using Nibble.Tokenizers;

namespace Nibble.Evaluation.Batching;

/// <summary>Continues a prompt with the likeliest token each time, until something ends the text.</summary>
/// <param name="tokenizer">The model's tokenizer.</param>
/// <param name="prompt">At least one token.</param>
/// <param name="mostTokens">Tokens to generate at most.</param>
/// <param name="until">Texts at which generating ends; they are left out of <see cref="Text"/>.</param>
internal sealed class GenerationJob(Tokenizer tokenizer, int[] prompt, int mostTokens, IReadOnlyList<string> until) : BatchJob
{
    private readonly StreamingDecoder _decoder = new(tokenizer);
    private readonly StringBuilder _text = new();
    private readonly List<int> _tokens = [], _ends = [];
    private bool _hasBegun, _hasEnded = mostTokens == 0;

    /// <summary>The tokens that were generated; one that ends the text is not among them.</summary>
    public IReadOnlyList<int> Tokens => _tokens;

    /// <summary>The length of the text after each token, in characters.</summary>
    public IReadOnlyList<int> Ends => _ends;

    /// <summary>What was generated, complete when the job is finished.</summary>
    public string Text { get; private set; } = "";

    public override int Capacity => prompt.Length + Math.Max(0, mostTokens - 1); // nothing asks for what follows the last

    public override int Cost => prompt.Length + mostTokens;

    public override BatchStep? Next(IReadOnlyList<int> seen)
    {
        if (_hasEnded)
        {
            _text.Append(_decoder.Flush());
            Text = UpToStop(_text.ToString());
            return null;
        }
        if (_hasBegun) return new(seen.Count, new[] { _tokens[^1] }, 1);
        _hasBegun = true;
        int keep = Math.Min(Shared(seen, prompt), prompt.Length - 1);
        return new(keep, prompt.AsMemory(keep), 1);
    }

    public override void Take(Activations scores, RowSummary[] summaries, int row, int count)
    {
        int token = summaries[row].Top;
        if (tokenizer.IsEndOfGeneration(token))
        {
            _hasEnded = true;
            return;
        }
        _tokens.Add(token);
        int before = _text.Length;
        _text.Append(_decoder.Add(token));
        _ends.Add(_text.Length);
        _hasEnded = _tokens.Count >= mostTokens || Stops(before);
    }

    /// <summary>Whether the text has a stop that ends after its first <paramref name="before"/> characters.</summary>
    private bool Stops(int before)
    {
        foreach (string stop in until)
        {
            int start = Math.Max(0, before - stop.Length + 1);
            if (_text.ToString(start, _text.Length - start).Contains(stop, StringComparison.Ordinal)) return true;
        }
        return false;
    }

    private string UpToStop(string text)
    {
        foreach (string stop in until)
        {
            int at = text.IndexOf(stop, StringComparison.Ordinal);
            if (at >= 0) text = text[..at];
        }
        return text;
    }
}
