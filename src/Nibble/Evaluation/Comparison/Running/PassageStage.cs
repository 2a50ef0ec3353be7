using System.Numerics.Tensors;
using System.Text;
using Nibble.Evaluation.Divergence;
using Nibble.Generation;
using Nibble.Kernels;
using Nibble.Tokenizers;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>What a model expected at one token.</summary>
/// <param name="Actual">The probability of the token that came.</param>
/// <param name="Tokens">The likeliest tokens, the first first.</param>
/// <param name="Probabilities">Their probabilities.</param>
internal sealed record TokenExpectation(float Actual, int[] Tokens, float[] Probabilities);

/// <summary>Chooses a window that is like most, and records what each model expected at its tokens.</summary>
internal static class PassageStage
{
    /// <summary>Likeliest tokens that are recorded.</summary>
    private const int Likeliest = 5;

    /// <summary>Tokens of the passage: about a page of a book.</summary>
    private const int LongestPassage = 256;

    /// <summary>Tokens of the text before it, to read on from.</summary>
    private const int LeadTokens = 48;

    /// <summary>The window whose mean divergence, over all variants, is in the middle of all windows.</summary>
    public static int Choose(IReadOnlyList<KeptDivergence> variants, IReadOnlyList<EvaluationWindow> windows)
    {
        // Each variant counts the same: its divergences relative to its own mean.
        double[] scales = [.. variants.Select(v => v.Tokens.Average(t => t.Divergence)).Select(mean => mean > 0 ? 1 / mean : 0)];
        return Enumerable.Range(0, windows.Count).OrderBy(w => variants.Select((v, i) => scales[i] * v.Of(w).Average(t => t.Divergence)).Sum()).ElementAt(windows.Count / 2);
    }

    /// <summary>Lets a model read a window again and records what it expected.</summary>
    public static TokenExpectation[] Record(LanguageModel model, ReadOnlyMemory<int> tokens, EvaluationWindow window, EvaluationOptions options, CancellationToken cancellationToken)
    {
        Recorder recorder = new();
        EvaluationLoop.Run([EvaluatedModel.Of(model)], tokens, [window], options, model.Pool, recorder, null, cancellationToken);
        return [.. recorder.Expectations.Take(LongestPassage)];
    }

    /// <summary>Puts a passage together.</summary>
    /// <param name="tokenizer">The base's.</param>
    /// <param name="tokens">The text.</param>
    /// <param name="index">The window's place among all.</param>
    /// <param name="window">The window.</param>
    /// <param name="original">What the base expected.</param>
    /// <param name="variants">What each variant expected, and its divergence at each token.</param>
    public static Passage Assemble(Tokenizer tokenizer, ReadOnlySpan<int> tokens, int index, EvaluationWindow window, TokenExpectation[] original,
        IReadOnlyList<(string Name, TokenExpectation[] Expected, IReadOnlyList<TokenDivergence> Divergence)> variants)
    {
        int first = window.Start + window.FirstScored + 1, lead = Math.Max(window.Start, first - LeadTokens);
        Dictionary<int, int> pieces = [];
        StreamingDecoder decoder = new(tokenizer);
        StringBuilder before = new();
        foreach (int token in tokens[lead..first]) before.Append(decoder.Add(token));
        PassageToken[] passage = new PassageToken[original.Length];
        for (int i = 0; i < passage.Length; i++) passage[i] = new(decoder.Add(tokens[first + i]), PieceOf(tokens[first + i]));
        Expectation expected = Convert(original);
        PassageVariant[] others = [.. variants.Select(v => new PassageVariant(v.Name, [.. v.Divergence.Take(passage.Length).Select(t => (float)t.Divergence)], Convert(v.Expected)))];
        return new(index + 1, before.ToString().TrimStart('\ufffd'), [.. pieces.Keys.Select(id => tokenizer.Piece(id))], passage, expected, others);

        int PieceOf(int token)
        {
            if (!pieces.TryGetValue(token, out int piece)) pieces[token] = piece = pieces.Count;
            return piece;
        }

        Expectation Convert(TokenExpectation[] at) => new([.. at.Select(e => e.Actual)], [.. at.Select(e => (IReadOnlyList<Candidate>)[.. e.Tokens.Zip(e.Probabilities, (token, p) => new Candidate(PieceOf(token), p))])]);
    }

    /// <summary>Keeps the likeliest tokens.</summary>
    private sealed class Recorder : IScoreConsumer
    {
        public List<TokenExpectation> Expectations { get; } = [];

        public int Take(IReadOnlyList<Activations> scores, ReadOnlySpan<int> next, WorkerPool pool)
        {
            for (int i = 0; i < next.Length; i++)
            {
                ReadOnlySpan<float> row = scores[0].Read(i);
                float highest = TensorPrimitives.Max(row);
                double sum = ScoreSums.Exponentials(row, highest);
                if (!double.IsFinite(sum)) return 0;
                int[] best = Best(row);
                Expectations.Add(new(Probability(row[next[i]]), best, [.. best.Select(token => Probability(scores[0].Read(i)[token]))]));

                float Probability(float score) => (float)(Math.Exp(score - highest) / sum);
            }
            return -1;
        }

        /// <summary>The indices of the highest scores, the highest first.</summary>
        private static int[] Best(ReadOnlySpan<float> row)
        {
            int count = Math.Min(Likeliest, row.Length), found = 0;
            int[] best = new int[count];
            for (int token = 0; token < row.Length; token++)
            {
                if (found == count && !(row[token] > row[best[^1]])) continue;
                int place = found < count ? found++ : count - 1;
                for (; place > 0 && row[token] > row[best[place - 1]]; place--) best[place] = best[place - 1];
                best[place] = token;
            }
            return best;
        }
    }
}
