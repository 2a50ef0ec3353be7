using System.Diagnostics;
using Nibble.Kernels;
using Nibble.Models;

namespace Nibble.Evaluation;

/// <summary>How fast a model runs, in tokens per second.</summary>
/// <param name="Test">Named as llama-bench does: <c>pp128</c> reads a prompt of 128 tokens, <c>tg32</c> generates 32.</param>
/// <param name="Tokens">Tokens of one repetition.</param>
/// <param name="Rates">Tokens per second of each repetition, in ascending order.</param>
public sealed record SpeedResult(string Test, int Tokens, IReadOnlyList<double> Rates)
{
    public double Median => Rates.Count % 2 == 1 ? Rates[Rates.Count / 2] : (Rates[Rates.Count / 2 - 1] + Rates[Rates.Count / 2]) / 2;

    public double Min => Rates[0];

    public double Max => Rates[^1];
}

/// <summary>Measures how fast a model reads prompts and generates. Which tokens they are makes no difference, so they are made up.</summary>
public static class SpeedMeasurement
{
    /// <summary>Tokens run before the clock starts: enough to compile what is hot and to bring the weights into memory.</summary>
    private const int WarmUpTokens = 16;

    /// <param name="model">The model.</param>
    /// <param name="pool">The threads to use.</param>
    /// <param name="prompts">Lengths of prompts to read, each a test.</param>
    /// <param name="generated">Tokens to generate after the shortest prompt, or 0 for no such test.</param>
    /// <param name="repetitions">How often each test runs.</param>
    /// <param name="progress">Told after each repetition what it gave.</param>
    /// <param name="cache">How keys and values are stored; <see langword="null"/> for half precision.</param>
    /// <param name="cancellationToken">Stops after the repetition at hand.</param>
    /// <returns>One result per test.</returns>
    /// <exception cref="NibbleException">The model's context is too short for a test.</exception>
    public static IReadOnlyList<SpeedResult> Measure(Transformer model, WorkerPool pool, IReadOnlyList<int> prompts, int generated, int repetitions,
        IProgress<SpeedResult>? progress = null, CacheOptions? cache = null, CancellationToken cancellationToken = default)
    {
        int longest = Math.Max(prompts.DefaultIfEmpty(0).Max(), generated + 1);
        if (longest > model.ContextLength) Throw.BadInput($"{longest} tokens were asked for, and the model was trained for {model.ContextLength}; take fewer (--prompt, --generate)");
        using Session session = new(model, Math.Max(longest, WarmUpTokens + 1), pool, cache);
        Random random = new(1);
        int[] tokens = [.. Enumerable.Range(0, session.ContextLength).Select(_ => random.Next(model.VocabularySize))];
        // Twice, for what is compiled quickly at first is compiled better when it has run for a while.
        for (int round = 0; round < 2; round++)
        {
            session.Truncate(0);
            session.Append(tokens.AsSpan(0, WarmUpTokens), cancellationToken: cancellationToken);
            session.Append(tokens.AsSpan(0, 1), cancellationToken: cancellationToken);
        }

        List<SpeedResult> results = [];
        foreach (int length in prompts) results.Add(Repeat($"pp{length}", length, () => session.Append(tokens.AsSpan(0, length), cancellationToken: cancellationToken)));
        if (generated > 0) results.Add(Repeat($"tg{generated}", generated, () =>
        {
            for (int i = 0; i < generated; i++) session.Append(tokens.AsSpan(i, 1), cancellationToken: cancellationToken);
        }));
        return results;

        SpeedResult Repeat(string test, int count, Action run)
        {
            List<double> rates = [];
            for (int i = 0; i < repetitions; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                session.Truncate(0);
                long start = Stopwatch.GetTimestamp();
                run();
                rates.Add(count / Stopwatch.GetElapsedTime(start).TotalSeconds);
                progress?.Report(new(test, count, [.. rates.Order()]));
            }
            return new(test, count, [.. rates.Order()]);
        }
    }
}
