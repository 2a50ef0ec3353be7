using Nibble.Evaluation.Tasks;
using Nibble.Generation;
using Nibble.Kernels;
using Nibble.Models;

namespace Nibble.Tests.Evaluation.Tasks;

/// <summary>
/// Log-likelihoods by the harness's definition and nothing else: a text at a time in a session of its own, every token's scores, and a
/// softmax in double precision.
/// </summary>
internal static class BruteForce
{
    public static (double LogLikelihood, bool IsGreedy) Score(LanguageModel model, string context, string continuation)
    {
        // lm_eval/api/model.py, TemplateLM._encode_pair, in its own words.
        int spaces = context.Length - context.TrimEnd().Length;
        if (spaces > 0)
        {
            continuation = context[^spaces..] + continuation;
            context = context[..^spaces];
        }
        int[] whole = model.Tokenizer.Encode(context + continuation), before = model.Tokenizer.Encode(context);
        int[] end = whole[before.Length..];

        // lm_eval/models/huggingface.py: (context + continuation)[-(max_length + 1):][:-1] is read, and the last len(continuation) scores count.
        int[] all = [.. before, .. end];
        int most = model.Network.ContextLength;
        if (all.Length > most + 1) all = all[^(most + 1)..];
        int[] read = all[..^1];
        using Session session = model.CreateSession(most);
        Activations scores = session.Append(read, 0);
        double sum = 0;
        bool isGreedy = true;
        for (int i = 0; i < end.Length; i++)
        {
            double[] row = [.. scores.Read(read.Length - end.Length + i).ToArray().Select(v => (double)v)];
            double highest = row.Max();
            sum += row[end[i]] - highest - Math.Log(row.Sum(v => Math.Exp(v - highest)));
            isGreedy &= Array.IndexOf(row, highest) == end[i];
        }
        return (sum, isGreedy);
    }

    /// <summary>Asserts that outcomes are those of the definition.</summary>
    public static void Check(LanguageModel model, IEnumerable<(ScoredText Text, double LogLikelihood, bool IsGreedy)> texts)
    {
        foreach ((ScoredText text, double actual, bool isGreedy) in texts)
        {
            (double expected, bool expectedGreedy) = Score(model, text.Context, text.Continuation);
            Assert.Equal(expected, actual, 2e-3 * Math.Max(1, text.Continuation.Length / 10.0));
            Assert.Equal(expectedGreedy, isGreedy);
        }
    }
}
