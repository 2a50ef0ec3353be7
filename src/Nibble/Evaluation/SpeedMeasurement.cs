using System.Diagnostics;
using Nibble.Generation;
using Nibble.Models;

namespace Nibble.Evaluation;

/// <summary>What to measure.</summary>
public sealed record SpeedOptions
{
    /// <summary>Lengths of prompts to read, each a test.</summary>
    public IReadOnlyList<int> Prompts { get; init; } = [128, 512];

    /// <summary>The usual lengths of prompts, cut to what a model of that context can read.</summary>
    public static IReadOnlyList<int> UsualPrompts(int contextLength) => [.. new SpeedOptions().Prompts.Select(length => Math.Min(length, contextLength)).Distinct()];

    /// <summary>Tokens to generate one after the other, from the beginning of a text; 0 for no such test.</summary>
    public int Generated { get; init; } = 32;

    /// <summary>How often each test is measured.</summary>
    public int Repetitions { get; init; } = 5;

    /// <summary>How keys and values are stored; <see langword="null"/> for half precision.</summary>
    public CacheOptions? Cache { get; init; }
}

/// <summary>Measures how fast a model reads prompts and generates. Which tokens they are makes no difference, so they are made up.</summary>
public static class SpeedMeasurement
{
    /// <summary>
    /// How often, and for how long, a test runs at least before the clock starts: what is compiled quickly at first is compiled better when
    /// it has run for a while, which two runs of a small model are not.
    /// </summary>
    private const int WarmUps = 2;

    /// <summary>The part of all time that is said to be over with the warm-up, before it is known how long anything takes.</summary>
    private const double WarmUpShare = 0.25;

    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(1);

    /// <summary>Seconds that measuring the machine takes, about.</summary>
    internal const double MachineSeconds = 1;

    /// <summary>Seconds that a test takes, about, of which one run takes so many.</summary>
    internal static double SecondsFor(double once, int repetitions) => Math.Max(s_warmUp.TotalSeconds + once, WarmUps * once) + repetitions * once;

    /// <param name="language">The model.</param>
    /// <param name="options">What to measure.</param>
    /// <param name="progress">Told before each repetition how far the measurement is.</param>
    /// <param name="cancellationToken">Stops within a batch or a token.</param>
    /// <exception cref="NibbleException">The model's context is too short for a test, or an option makes no sense.</exception>
    public static SpeedReport Measure(LanguageModel language, SpeedOptions options, IProgress<SpeedProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(language);
        ArgumentNullException.ThrowIfNull(options);
        Check(language.Network, options);
        using Session session = language.CreateSession(options.Prompts.Append(options.Generated).Max(), options.Cache);
        Random random = new(1);
        int[] tokens = [.. Enumerable.Range(0, session.ContextLength).Select(_ => random.Next(language.Network.VocabularySize))];
        List<Test> tests = [.. options.Prompts.Select(length => new Test($"pp{length}", length, IsGeneration: false))];
        if (options.Generated > 0) tests.Add(new($"tg{options.Generated}", options.Generated, IsGeneration: true));

        progress?.Report(new(0, "the machine", 0));
        using MemoryReader memory = new(language.GenerationPool);
        List<double> readings = []; // bytes per second
        MachineMeasurement.ReadBandwidth(memory); // the first rounds run code that is not compiled well yet
        readings.Add(MachineMeasurement.ReadBandwidth(memory));
        double peak = MachineMeasurement.PeakMultiplyAdds(language.Pool);
        // What each takes when warm tells how long the rest will take.
        double measured = 0, expected = 0;
        double[] expectedSeconds = new double[tests.Count];
        for (int t = 0; t < tests.Count; t++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < WarmUps || Stopwatch.GetElapsedTime(start) < s_warmUp; i++)
            {
                progress?.Report(new(WarmUpShare * (t + Math.Min(1, i / (double)WarmUps)) / tests.Count, $"{tests[t].Name}, warming up", 0));
                expectedSeconds[t] = Seconds(tests[t]);
            }
            expected += options.Repetitions * expectedSeconds[t];
        }

        List<SpeedResult> results = [];
        for (int t = 0; t < tests.Count; t++)
        {
            Test test = tests[t];
            double[] rates = new double[options.Repetitions], shares = new double[options.Repetitions];
            long allocated = long.MaxValue;
            for (int i = 0; i < rates.Length; i++)
            {
                progress?.Report(new(WarmUpShare + (1 - WarmUpShare) * measured / expected, test.Name, i == 0 ? 0 : rates[i - 1]));
                if (test.IsGeneration) readings.Add(MachineMeasurement.ReadBandwidth(memory));
                long before = language.Pool.AllocatedBytes;
                rates[i] = test.Tokens / Seconds(test);
                allocated = Math.Min(allocated, language.Pool.AllocatedBytes - before);
                shares[i] = rates[i] / readings[^1];
                measured += expectedSeconds[t];
            }
            results.Add(Describe(test, rates, shares, allocated));
        }
        progress?.Report(new(1, "", 0));
        memory.Dispose(); // which is not the model's
        return new(results, DescribeKernels(language.Network), SpeedResult.MedianOf(readings), peak, ResidentWeights(language.Network), Environment.WorkingSet);

        double Seconds(Test test)
        {
            cancellationToken.ThrowIfCancellationRequested();
            session.Truncate(0);
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < (test.IsGeneration ? test.Tokens : 1); i++)
                session.Append(tokens.AsSpan(i, test.IsGeneration ? 1 : test.Tokens), cancellationToken: cancellationToken);
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        SpeedResult Describe(Test test, double[] rates, double[] shares, long allocated)
        {
            long blocks = 0, bytes = 0, head = (long)language.Network.Head.Inputs * language.Network.Head.Outputs;
            foreach (Linear matrix in language.Network.Matrices)
            {
                blocks += (long)matrix.Inputs * matrix.Outputs;
                bytes += matrix.Weight.BytesRead;
            }
            blocks -= head; // only the last token of a prompt is scored
            return new(test.Name, test.Tokens, (test.IsGeneration ? language.GenerationPool : language.Pool).Threads, [.. rates.Order()])
            {
                IsGeneration = test.IsGeneration,
                WeightBytes = test.IsGeneration ? bytes * test.Tokens : bytes,
                ShareOfBandwidth = test.IsGeneration ? SpeedResult.MedianOf(shares) * bytes : 0,
                MultiplyAdds = test.Tokens * blocks + (test.IsGeneration ? test.Tokens : 1) * head,
                AllocatedBytes = allocated,
            };
        }
    }

    private static void Check(Transformer model, SpeedOptions options)
    {
        if (options.Prompts.Any(length => length < 1)) Throw.BadInput("a prompt of no tokens was asked for (--prompt); take 1 or more");
        if (options.Generated < 0) Throw.BadInput($"{options.Generated} tokens to generate were asked for (--generate); take 0 or more");
        if (options.Prompts.Count == 0 && options.Generated == 0) Throw.BadInput("there is nothing to measure; ask for a prompt (--prompt) or for tokens to generate (--generate)");
        if (options.Repetitions < 1) Throw.BadInput($"{options.Repetitions} repetitions were asked for (--repetitions); take 1 or more");
        int longest = options.Prompts.Append(options.Generated).Max();
        if (longest > model.ContextLength) Throw.BadInput($"{longest} tokens were asked for, and the model was trained for {model.ContextLength}; take fewer (--prompt, --generate)");
    }

    private static KernelUse[] DescribeKernels(Transformer model)
    {
        const int Many = 64;
        return
        [
            .. model.Matrices.Select(m => m.Weight).GroupBy(w => (w.Format, One: w.Kernel(1), Many: w.Kernel(Many)))
                .Select(g => new KernelUse(g.Key.Format.Name, g.Count(), g.Sum(w => (long)w.Rows * w.Columns), g.Sum(w => w.BytesRead), g.Key.One, g.Key.Many))
                .OrderByDescending(use => use.Bytes),
        ];
    }

    /// <summary>The embedding counts in full, although a token reads one row of it.</summary>
    private static long ResidentWeights(Transformer model) =>
        model.Matrices.Sum(m => m.Weight.BytesRead) + (model.Head.Weight == model.Embedding ? 0 : model.Embedding.BytesRead);

    private readonly record struct Test(string Name, int Tokens, bool IsGeneration);
}
