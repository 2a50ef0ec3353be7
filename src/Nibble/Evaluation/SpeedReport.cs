namespace Nibble.Evaluation;

/// <summary>How fast one test ran.</summary>
/// <param name="Test">Named as llama-bench does: <c>pp128</c> reads a prompt of 128 tokens, <c>tg32</c> generates 32.</param>
/// <param name="Tokens">Tokens of one repetition.</param>
/// <param name="Threads">Threads that worked.</param>
/// <param name="Rates">Tokens per second of each repetition, in ascending order.</param>
public sealed record SpeedResult(string Test, int Tokens, int Threads, IReadOnlyList<double> Rates)
{
    public double Median => MedianOf(Rates);

    public double Min => Rates[0];

    public double Max => Rates[^1];

    /// <summary>Whether tokens came one at a time, so that each read all weights.</summary>
    public bool IsGeneration { get; init; }

    /// <summary>Bytes of weights that a repetition read, at least: batches of a prompt read them once each.</summary>
    public long WeightBytes { get; init; }

    /// <summary>Multiplications of a weight that a repetition did; those of attention are not counted.</summary>
    public long MultiplyAdds { get; init; }

    /// <summary>Bytes of managed memory that a repetition allocated on all threads: the fewest, for what a thread sets up when it first has to wait comes but once.</summary>
    public long AllocatedBytes { get; init; }

    /// <summary>Of generation: the rate at which weights were read, in parts of that at which memory was read just before, the median of the repetitions. What else the machine does changes both alike.</summary>
    public double ShareOfBandwidth { get; init; }

    /// <summary>Bytes of weights read per second.</summary>
    public double BytesPerSecond => Median / Tokens * WeightBytes;

    /// <summary>Multiply-adds per second.</summary>
    public double MultiplyAddsPerSecond => Median / Tokens * MultiplyAdds;

    internal static double MedianOf(IReadOnlyCollection<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}

/// <summary>The matrices of one format, and the code that multiplies them.</summary>
/// <param name="Format">The format's name.</param>
/// <param name="Matrices">How many there are.</param>
/// <param name="Weights">Weights of all of them.</param>
/// <param name="Bytes">Bytes of them that one token reads.</param>
/// <param name="GenerationKernel">What multiplies one token.</param>
/// <param name="PromptKernel">What multiplies many tokens.</param>
public sealed record KernelUse(string Format, int Matrices, long Weights, long Bytes, string GenerationKernel, string PromptKernel);

/// <summary>How fast a model runs, and what it could reach.</summary>
/// <param name="Tests">One for each length of prompt, then generation.</param>
/// <param name="Kernels">One for each format and kernel that the model's matrices have.</param>
/// <param name="ReadBandwidth">Bytes per second that the threads that generate read from memory: the median of what was measured before the tests and between those of generation.</param>
/// <param name="PeakMultiplyAdds">8-bit multiply-adds per second that the threads that read prompts can do.</param>
/// <param name="WeightBytes">Bytes of the weights in memory, packed or mapped.</param>
/// <param name="ResidentBytes">Memory that the process had in use after the tests, the runtime and the pages of the mapped file included.</param>
public sealed record SpeedReport(IReadOnlyList<SpeedResult> Tests, IReadOnlyList<KernelUse> Kernels, double ReadBandwidth, double PeakMultiplyAdds, long WeightBytes, long ResidentBytes);

/// <summary>How far a measurement has come.</summary>
/// <param name="Fraction">Of the time that it takes, from 0 to 1.</param>
/// <param name="Test">The test at work.</param>
/// <param name="Rate">Tokens per second of the repetition that just ended; 0 before the first.</param>
public readonly record struct SpeedProgress(double Fraction, string Test, double Rate);
