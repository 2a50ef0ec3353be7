using System.Globalization;
using System.Text.Json;
using Nibble.Cli.Terminal;
using Nibble.Evaluation;
using Nibble.Evaluation.Cards;
using Nibble.Evaluation.Divergence;
using Nibble.Models;

namespace Nibble.Cli.Commands;

/// <summary>How a divergence is printed: in the words of llama.cpp's tool, or as JSON.</summary>
internal static class KldReport
{
    private static readonly (string Name, double Share)[] s_divergenceShares = [("median", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999), ("max", 1)];

    private static readonly (string Name, double Share)[] s_changeShares =
        [("max", 1), ("p999", 0.999), ("p99", 0.99), ("p95", 0.95), ("p90", 0.9), ("p75", 0.75), ("median", 0.5), ("p25", 0.25), ("p10", 0.1), ("p5", 0.05), ("p1", 0.01), ("p01", 0.001), ("min", 0)];

    public static void Print(DivergenceResult result, EvaluationRecord record)
    {
        Screen.Print(Invariant($"perplexity of the base      {result.BasePerplexity.Estimate.ToText("F4")}"));
        Screen.Print(Invariant($"perplexity of the variant   {result.Perplexity.Estimate.ToText("F4")}"));
        Screen.Print(Invariant($"ratio                       {result.Ratio.ToText("F6")} ({100 * result.Increase.Value:+0.00;-0.00;0.00} %){(double.IsNaN(result.Correlation) ? "" : Invariant($", correlation {100 * result.Correlation:F2} %"))}"));
        Screen.Print("");
        Screen.Print(Invariant($"mean KL divergence          {result.Mean.ToText("F6")} nats"));
        foreach ((string name, double share) in s_divergenceShares) Screen.Print(Invariant($"  {Describe(share),-25} {result.Divergences.At(share):F6}"));
        Screen.Print("");
        Screen.Print(Invariant($"probability of the token    {result.ProbabilityChange.ToText("F3", 100, "+0.000;-0.000;0.000")} % on average, {result.RmsProbabilityChange.ToText("F3", 100)} % root mean square"));
        foreach ((string _, double share) in s_changeShares) Screen.Print(Invariant($"  {Describe(share),-25} {100 * result.ProbabilityChanges.At(share):+0.000;-0.000;0.000} %"));
        Screen.Print("");
        Screen.Print(Invariant($"same top token              {result.SameTop.ToText("F2", 100)} %"));
        Screen.Print(Invariant($"over {result.Tokens.Count:N0} tokens in {result.Windows} windows of {result.ContextLength}{(result.Tokens.Count == 1 ? ", which leaves errors unknown" : "")}"));
        if (record is { Text.Cache: var cache, Base.Cache: var ofBase } && (cache, ofBase) != (CacheOptions.Default.Description, CacheOptions.Default.Description))
            Screen.Print(cache == ofBase ? $"with a cache of {cache}" : $"with a cache of {cache}, and one of {ofBase} of the base");
        if (result.SamplingError > 0) Screen.Print(Invariant($"against a saved base, which adds ± {result.SamplingError:G2} to the mean KL divergence (included above)"));
    }

    /// <summary>The properties of a result, into an object that is open.</summary>
    public static void WriteProperties(Utf8JsonWriter json, DivergenceResult result, EvaluationRecord record)
    {
        Write(json, "basePpl", "basePplError", result.BasePerplexity.Estimate);
        Write(json, "ppl", "pplError", result.Perplexity.Estimate);
        Write(json, "pplRatio", "pplRatioError", result.Ratio);
        Write(json, "lnPplRatio", "lnPplRatioError", result.LogRatio);
        json.WriteFinite("correlation", result.Correlation);
        Write(json, "meanKld", "meanKldError", result.Mean);
        if (result.SamplingError > 0) json.WriteNumber("savedBaseError", result.SamplingError);
        foreach ((string name, double share) in s_divergenceShares) json.WriteNumber(name + "Kld", result.Divergences.At(share));
        Write(json, "meanDeltaP", "meanDeltaPError", result.ProbabilityChange);
        Write(json, "rmsDeltaP", "rmsDeltaPError", result.RmsProbabilityChange);
        foreach ((string name, double share) in s_changeShares) json.WriteNumber(name + "DeltaP", result.ProbabilityChanges.At(share));
        Write(json, "sameTop", "sameTopError", result.SameTop);
        json.WriteNumber("tokens", result.Tokens.Count);
        json.WriteNumber("windows", result.Windows);
        json.WriteNumber("ctx", result.ContextLength);
        json.WriteString("cache", record.Text?.Cache);
        json.WriteString("baseCache", record.Base?.Cache);
    }

    private static void Write(Utf8JsonWriter json, string name, string errorName, Estimate estimate)
    {
        json.WriteNumber(name, estimate.Value);
        json.WriteFinite(errorName, estimate.Error);
    }

    private static string Describe(double share) => share switch
    {
        0 => "minimum",
        0.5 => "median",
        1 => "maximum",
        _ => Invariant($"{100 * share:0.#} %"),
    };

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
