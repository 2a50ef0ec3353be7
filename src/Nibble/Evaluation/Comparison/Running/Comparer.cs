using Nibble.Evaluation.Cards;
using Nibble.Evaluation.Divergence;
using Nibble.Evaluation.Tasks;
using Nibble.Files;
using Nibble.Generation;
using Nibble.Quantization;
using Nibble.Quantization.Recipes;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>
/// Compares variants of a model with it: makes the files that are missing, lets all of them read a text, does tasks, measures speed, and
/// puts a report together. What is finished is kept in the report's folder, so that an interrupted run goes on where it was.
/// </summary>
public sealed partial class Comparer : IDisposable
{
    /// <summary>The folder within the report's where measurements are kept.</summary>
    public const string KeptFolder = "measurements";

    private readonly ComparisonOptions _options;
    private readonly CancellationToken _cancel;
    private readonly LanguageModel _original;
    private readonly EvaluationOptions _reading;
    private readonly EvaluationText _text;
    private readonly IReadOnlyList<EvaluationWindow> _windows;
    private readonly ProgressLedger _ledger;
    private readonly ImportanceStage? _importance;
    private readonly Model[] _models;

    /// <summary>What is known of the base or a variant.</summary>
    private sealed class Model(string name, string path)
    {
        public string Name => name;
        public string Path => path;
        public string Sha256 { get; set; } = "";
        public string? Layout { get; set; }

        /// <summary>SHA-256 of its file when it was measured first: keeping measurements in the file changes the file, not what they are of.</summary>
        public string MeasuredSha256 { get; set; } = "";

        /// <summary>The weights: of a file, and of how it is read where that is not written in it.</summary>
        public string Content => $"{MeasuredSha256} {Layout}";

        public long Bytes { get; set; }
        public double BitsPerWeight { get; set; }
        public TensorFigure[] Tensors { get; set; } = [];
        public KeptDivergence? Divergence { get; set; }
        public TokenExpectation[]? Passage { get; set; }
        public TaskResult[] Tasks { get; set; } = [];
        public SpeedFigures? Speed { get; set; }
    }

    private Comparer(ComparisonOptions options, IProgress<ComparisonProgress>? progress, CancellationToken cancellationToken)
    {
        _options = options;
        _cancel = cancellationToken;
        if (options.Variants.Count == 0) Throw.BadInput("there is nothing to compare; name levels with --types or files with --files");
        if (options.Variants.GroupBy(v => v.Name).FirstOrDefault(g => g.Count() > 1) is { } twice) Throw.BadInput($"{twice.Key} is there twice; name each variant once");
        TaskStage.Check(options.Tasks);
        // Before a tokenizer is built, which takes a moment: a name that is misspelt is told at once.
        foreach (RequestedVariant variant in options.Variants.Where(v => v.Recipe is null)) ModelFile.Open(variant.Path, options.Run.I2SLayout).Dispose();
        _original = LanguageModel.Open(options.Base, options.Run);
        try
        {
            _reading = EvaluationOptions.For(_original, options.ContextLength) with { Windows = options.Windows, Cache = options.Cache };
            _text = EvaluationText.Of(options.TextName, options.Text.Span, _original.Tokenizer);
            _windows = EvaluationWindow.Of(_text.Tokens.Length, _reading, _text.Name);
            _models = [new(NameOf(options.Base), options.Base), .. options.Variants.Select(v => new Model(v.Name, v.Path))];
            _ledger = new(progress, [.. _models.Select(m => m.Name)]);
            _importance = options.Importance is { } request && options.Variants.Any(v => v.Recipe is not null) ? new(_original, request, cancellationToken) : null;
            Check();
        }
        catch
        {
            _original.Dispose();
            throw;
        }
    }

    /// <summary>Compares.</summary>
    /// <param name="options">What, and how.</param>
    /// <param name="progress">Told how far it is, some times a second at most while models read.</param>
    /// <param name="cancellationToken">Stops after the batch at hand; what was measured is kept.</param>
    /// <returns>The report; <see cref="Writing.ReportFiles"/> writes it.</returns>
    /// <exception cref="NibbleException">An option makes no sense, a model or the text cannot be used, or the folder cannot be written to.</exception>
    public static ComparisonReport Run(ComparisonOptions options, IProgress<ComparisonProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        using Comparer comparer = new(options, progress, cancellationToken);
        return comparer.Run();
    }

    public void Dispose() => _original.Dispose();

    /// <summary>A model's name in the report where it has no level: that of its file or folder.</summary>
    public static string NameOf(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        return Directory.Exists(full) ? Path.GetFileName(full) : Path.GetFileNameWithoutExtension(full);
    }

    /// <summary>Refuses what cannot be compared before anything is made.</summary>
    private void Check()
    {
        foreach (RequestedVariant variant in _options.Variants)
        {
            if (variant.Recipe is not null)
            {
                if (_importance is null) QuantizationPlan.Create(_original.File, variant.Recipe);
                else _importance.Check(variant.Recipe);
                if (_options.SavesCards) ModelCard.CheckReplaceable(ModelCard.PathOf(variant.Path));
                if (File.Exists(variant.Path)) CheckCard(variant.Path);
                continue;
            }
            if (_options.SavesCards) EvaluationStore.Check(variant.Path);
            CheckCard(variant.Path);
            using LanguageModel model = LanguageModel.Open(variant.Path, _options.Run);
            if (VocabularyComparison.Difference(_original.Tokenizer, model.Tokenizer) is { } difference)
                Throw.BadFile(variant.Path, $"{difference}; only variants of {_options.Base} can be compared with it");
            if (model.Network.VocabularySize != _original.Network.VocabularySize)
                Throw.BadFile(variant.Path, $"scores {model.Network.VocabularySize:N0} tokens, and {_options.Base} {_original.Network.VocabularySize:N0}; only variants of it can be compared with it");
            if (model.Network.ContextLength < _reading.ContextLength)
                Throw.BadFile(variant.Path, $"was trained for {model.Network.ContextLength} tokens, and windows of {_reading.ContextLength} are to be read; take --ctx {model.Network.ContextLength} or less");
        }
    }

    private ComparisonReport Run()
    {
        bool isNew = !Directory.Exists(_options.Folder);
        string report = Path.Combine(_options.Folder, "report.html");
        MeasurementStore.CreateFor(report);
        try
        {
            OutputFolder.Check(report);
            Announce();
            Identify(ProgressLedger.Base, _original.File);
            MeasurementStore store = new(Path.Combine(_options.Folder, KeptFolder));
            Files(store);
            RecallSpeed(store);
            Read(store);
            int chosen = PassageStage.Choose([.. _models.Skip(1).Select(m => m.Divergence!)], _windows);
            for (int row = 0; row < _models.Length; row++) Examine(row, chosen, store);
            if (_options.SavesCards) SaveCards(store);
            return Assemble(chosen);
        }
        finally
        {
            // Stopped or refused before there was anything to keep.
            if (isNew && !Directory.EnumerateFileSystemEntries(_options.Folder).Any()) Directory.Delete(_options.Folder);
        }
    }

    private ComparisonReport Assemble(int chosen)
    {
        Model original = _models[ProgressLedger.Base];
        (Model Model, DivergenceResult Result)[] measured = [.. _models.Skip(1).Select(m => (m, m.Divergence!.Result(_reading.ContextLength))).OrderByDescending(m => m.m.Bytes)];
        bool[] front = ParetoFront.Find([.. measured.Select(m => (m.Model.Bytes, m.Result.Mean.Value))]);
        PerplexityResult perplexity = measured[0].Result.BasePerplexity;
        VariantReport[] variants = [.. measured.Select((m, i) =>
        {
            DivergenceFigures divergence = Figures(m.Result);
            TaskDifference[] tasks = [.. original.Tasks.Zip(m.Model.Tasks, TaskStage.Compare)];
            return new VariantReport
            {
                Model = Describe(m.Model, m.Result.Perplexity),
                Divergence = divergence,
                Tensors = m.Model.Tensors,
                Tasks = tasks,
                IsOnFront = front[i],
                Verdict = RecommendationRule.Judge(divergence, tasks, _options.Bounds),
            };
        })];
        ComparedModel described = Describe(original, perplexity);
        return new()
        {
            Version = RecipeFile.CurrentVersion,
            Written = DateTimeOffset.UtcNow,
            Machine = new(Machine.Processor, _original.Pool.Threads, InstructionSets.Used),
            Text = new(_text.Name, _text.Sha256, _reading.ContextLength, null, _windows.Count, perplexity.Tokens, (_options.Cache ?? Nibble.Models.CacheOptions.Default).Description),
            Base = described,
            Tasks = [.. original.Tasks.Select(TaskStage.Describe)],
            Variants = variants,
            Passage = PassageStage.Assemble(_original.Tokenizer, _text.Tokens.Span, chosen, _windows[chosen], original.Passage!,
                [.. measured.Select(m => (m.Model.Name, m.Model.Passage!, m.Model.Divergence!.Of(chosen)))]),
            Recommendation = RecommendationRule.Recommend(described, variants, _windows.Count, _options.Bounds),
        };
    }

    private static ComparedModel Describe(Model model, PerplexityResult perplexity) =>
        new(model.Name, Path.GetFileName(Path.TrimEndingDirectorySeparator(model.Path)), model.Sha256, model.Bytes, model.BitsPerWeight, new(perplexity.Perplexity, perplexity.Error), model.Speed);

    private static DivergenceFigures Figures(DivergenceResult result) => new()
    {
        PerplexityRatio = result.Ratio,
        MeanKld = result.Mean,
        MedianKld = result.Divergences.Median,
        P90Kld = result.Divergences.At(0.9),
        P99Kld = result.Divergences.At(0.99),
        P999Kld = result.Divergences.At(0.999),
        MaxKld = result.Divergences.Maximum,
        TopChanged = new(1 - result.SameTop.Value, result.SameTop.Error),
        RmsProbabilityChange = result.RmsProbabilityChange.Value,
    };
}
