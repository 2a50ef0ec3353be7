using Nibble.Files;

namespace Nibble.Evaluation.Cards;

/// <summary>The record as metadata. docs/Formats.md lists the keys.</summary>
public sealed partial record EvaluationRecord
{
    private const string ErrorEnd = "_error", TaskStart = EvaluationKeys.Prefix + "task.", ItemsEnd = "items", ShotsEnd = "shots", SeedEnd = "seed", LimitEnd = "limit", CacheEnd = "cache";

    /// <summary>What a file says of itself; <see langword="null"/> where it says nothing.</summary>
    /// <exception cref="NibbleException">A key has a value of the wrong type.</exception>
    public static EvaluationRecord? Read(Metadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        if (String("version") is not { } version) return null;
        return new()
        {
            Version = version,
            Recipe = String("recipe"),
            Text = String("text.name") is { } text ? new(text, String("text.sha256") ?? "", (int)Number("ctx"), Has("stride") ? (int)Number("stride") : null, (int)Number("windows"), (long)Number("tokens"), String("cache") ?? "") : null,
            Perplexity = Has("perplexity") ? Estimate("perplexity") : null,
            Base = String("base.name") is { } name ? new(name, String("base.sha256") ?? "", String("base.cache") ?? "") : null,
            Divergence = Has("kld.mean")
                ? new(Estimate("base.perplexity"), Estimate("perplexity_ratio"), Estimate("kld.mean"), Number("kld.median"), Number("kld.p90"), Number("kld.p95"), Number("kld.p99"), Number("kld.p999"), Number("kld.max"), Estimate("same_top"))
                : null,
            Tasks = ReadTasks(metadata),
        };

        bool Has(string key) => metadata.Contains(EvaluationKeys.Prefix + key);
        string? String(string key) => metadata.String(EvaluationKeys.Prefix + key);
        double Number(string key) => metadata.Float(EvaluationKeys.Prefix + key) ?? 0;
        Estimate Estimate(string key) => new(Number(key), metadata.Float(EvaluationKeys.Prefix + key + ErrorEnd) ?? double.NaN);
    }

    /// <summary>Puts this record in the place of what metadata says so far.</summary>
    public void Write(Metadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        EvaluationKeys.Remove(metadata);
        String("version", Version);
        String("recipe", Recipe);
        if (Text is { } text)
        {
            String("text.name", text.Name);
            String("text.sha256", text.Sha256);
            Count("ctx", text.ContextLength);
            if (text.Stride is { } stride) Count("stride", stride);
            Count("windows", text.Windows);
            metadata[EvaluationKeys.Prefix + "tokens"] = MetadataValue.Of((ulong)text.Tokens);
            String("cache", text.Cache);
        }
        if (Perplexity is { } perplexity) Estimate("perplexity", perplexity);
        if (Base is { } reference)
        {
            String("base.name", reference.Name);
            String("base.sha256", reference.Sha256);
            String("base.cache", reference.Cache);
        }
        if (Divergence is { } divergence)
        {
            Estimate("base.perplexity", divergence.BasePerplexity);
            Estimate("perplexity_ratio", divergence.Ratio);
            Estimate("kld.mean", divergence.Mean);
            Number("kld.median", divergence.Median);
            Number("kld.p90", divergence.P90);
            Number("kld.p95", divergence.P95);
            Number("kld.p99", divergence.P99);
            Number("kld.p999", divergence.P999);
            Number("kld.max", divergence.Maximum);
            Estimate("same_top", divergence.SameTop);
        }
        foreach (TaskScore task in Tasks)
        {
            string start = $"task.{task.Task}.";
            Estimate(start + task.Metric, new(task.Value, task.Error));
            Count(start + ItemsEnd, task.Items);
            Count(start + ShotsEnd, task.Shots);
            metadata[EvaluationKeys.Prefix + start + SeedEnd] = MetadataValue.Of(task.Seed);
            if (task.Limit is { } limit) Count(start + LimitEnd, limit);
            String(start + CacheEnd, task.Cache);
        }

        void String(string key, string? value)
        {
            if (value is not null) metadata[EvaluationKeys.Prefix + key] = MetadataValue.Of(value);
        }

        void Count(string key, int value) => metadata[EvaluationKeys.Prefix + key] = MetadataValue.Of((uint)value);

        void Number(string key, double value) => metadata[EvaluationKeys.Prefix + key] = MetadataValue.Of(value);

        void Estimate(string key, Estimate value)
        {
            Number(key, value.Value);
            if (double.IsFinite(value.Error)) Number(key + ErrorEnd, value.Error); // a single value leaves it unknown
        }
    }

    /// <summary>Keys are <c>nibble.eval.task.NAME.METRIC</c>, and a name may have dots.</summary>
    private static TaskScore[] ReadTasks(Metadata metadata)
    {
        List<TaskScore> tasks = [];
        foreach (string key in metadata.Select(pair => pair.Key).Where(key => key.StartsWith(TaskStart, StringComparison.Ordinal)))
        {
            int dot = key.LastIndexOf('.');
            if (dot < TaskStart.Length) continue;
            string start = key[..(dot + 1)], metric = key[(dot + 1)..];
            if (metric is ItemsEnd or ShotsEnd or SeedEnd or LimitEnd or CacheEnd || metric.EndsWith(ErrorEnd, StringComparison.Ordinal)) continue;
            tasks.Add(new(key[TaskStart.Length..dot], metric, metadata.Float(key) ?? 0, metadata.Float(key + ErrorEnd) ?? double.NaN, Count(start + ItemsEnd) ?? 0, Count(start + ShotsEnd) ?? 0,
                Count(start + SeedEnd) ?? 0, Count(start + LimitEnd), metadata.String(start + CacheEnd) ?? ""));
        }
        return [.. tasks];

        int? Count(string key) => (int?)metadata.Integer(key);
    }
}
