using Nibble.Generation;
using Nibble.Models;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>Measures how fast a model runs and the memory it takes.</summary>
internal static class SpeedStage
{
    /// <summary>Measures a model; tests longer than its context are cut to that.</summary>
    public static SpeedFigures Measure(LanguageModel model, SpeedOptions options, IProgress<SpeedProgress> progress, CancellationToken cancellationToken)
    {
        int context = model.ContextFor(null);
        int longest = model.Network.ContextLength;
        SpeedOptions fitting = options with { Prompts = [.. options.Prompts.Select(length => Math.Min(length, longest))], Generated = Math.Min(options.Generated, longest) };
        SpeedReport report = SpeedMeasurement.Measure(model, fitting, progress, cancellationToken);
        MemoryNeed need = model.Network.MemoryFor(context, options.Cache ?? CacheOptions.Default);
        return new(Rate(report.Tests.First(t => !t.IsGeneration)), Rate(report.Tests.First(t => t.IsGeneration)), need.Weights, need.Total, context) { Measured = DateTimeOffset.UtcNow };
    }

    private static RateFigures Rate(SpeedResult result) => new(result.Tokens, result.Median, result.Min, result.Max);
}
