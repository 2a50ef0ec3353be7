using System.Diagnostics;
using System.Globalization;
using Nibble.Evaluation;
using Nibble.Evaluation.Divergence;
using Nibble.Generation;
using Nibble.Models;

namespace Nibble.Benchmarks;

/// <summary>
/// How fast a text is evaluated, beside reading a prompt of the same length, of which one token is scored. Evaluation also scores half of the
/// window, which the head has to be multiplied for: the third column counts multiply-adds, so that it tells what the loop itself costs.
/// </summary>
internal static class EvaluateSuite
{
    private const int Rounds = 8;

    public static void Run(string path, string variantPath, int context, int windows)
    {
        using LanguageModel model = LanguageModel.Open(path), variant = LanguageModel.Open(variantPath);
        EvaluationOptions options = EvaluationOptions.For(model, context) with { Windows = windows };
        Random random = new(1);
        int[] tokens = [.. Enumerable.Range(0, context * windows).Select(_ => random.Next(model.Tokenizer.VocabularySize))];
        int read = context - 1;

        Rate[] rates = Measure(
            () => Prompt(model, tokens, read, windows),
            () => Prompt(variant, tokens, read, windows),
            () => PerplexityMeasurement.Measure(model.Network, tokens, options, model.Pool),
            () => DivergenceMeasurement.Measure(model.Network, variant.Network, tokens, options, model.Pool));
        (Rate prompt, Rate other, Rate perplexity, Rate divergence) = (rates[0], rates[1], rates[2], rates[3]);
        double promptRate = prompt.Per(windows * read), both = 1 / (1 / promptRate + 1 / other.Per(windows * read));
        double work = Work(model.Network, read, context - 1 - context / 2) / Work(model.Network, read, 1);
        Console.WriteLine($"{Path.GetFileName(path)} and {Path.GetFileName(variantPath)}, {windows} windows of {context}, {model.Pool.Threads} threads, {Machine.Processor}");
        Console.WriteLine();
        Console.WriteLine("| | tokens/s | of reading prompts | of the multiply-adds/s of that |");
        Console.WriteLine("|---|---|---|---|");
        Row("prompt", promptRate, promptRate, 1);
        Row("perplexity", perplexity.Per(windows * read), promptRate, work);
        Row("prompt, both models in turn", both, both, 1);
        Row("KL divergence, both models", divergence.Per(windows * read), both, work);
        Console.WriteLine();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Peak memory {Process.GetCurrentProcess().PeakWorkingSet64 / 1e9:F2} GB; the files have {(Bytes(path) + Bytes(variantPath)) / 1e9:F2} GB."));
    }

    private static long Bytes(string path) => File.Exists(path) ? new FileInfo(path).Length : 0;

    private static void Prompt(LanguageModel model, int[] tokens, int length, int windows)
    {
        using Session session = model.CreateSession(length);
        for (int w = 0; w < windows; w++)
        {
            session.Truncate(0);
            session.Append(tokens.AsSpan(w * (length + 1), length));
        }
    }

    /// <summary>Multiply-adds with the weights for a window of which so many tokens are scored.</summary>
    private static double Work(Transformer model, int tokens, int scored)
    {
        double head = (double)model.Head.Inputs * model.Head.Outputs, blocks = 0;
        foreach (Block block in model.Blocks)
            foreach (Linear matrix in (Linear[])[block.Attention.Query, block.Attention.Key, block.Attention.Value, block.Attention.Output, block.Mlp.Gate, block.Mlp.Up, block.Mlp.Down])
                blocks += (double)matrix.Inputs * matrix.Outputs;
        return tokens * blocks + scored * head;
    }

    /// <summary>The best of some rounds, in each of which all have their turn, so that a machine that grows slower does so for all of them.</summary>
    private static Rate[] Measure(params Action[] actions)
    {
        double[] best = [.. actions.Select(_ => double.MaxValue)];
        for (int round = -1; round < Rounds; round++) // the first warms up
        {
            for (int i = 0; i < actions.Length; i++)
            {
                long start = Stopwatch.GetTimestamp();
                actions[i]();
                if (round >= 0) best[i] = Math.Min(best[i], Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }
        return [.. best.Select(seconds => new Rate(seconds))];
    }

    private static void Row(string name, double rate, double reference, double work) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {rate:F0} | {100 * rate / reference:F0} % | {100 * rate * work / reference:F0} % |"));

    private readonly record struct Rate(double Seconds)
    {
        public double Per(long tokens) => tokens / Seconds;
    }
}
