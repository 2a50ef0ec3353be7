using System.Globalization;
using Nibble.Evaluation.Divergence;
using Nibble.Evaluation.Tasks;
using Nibble.Files;
using Nibble.Generation;
using Nibble.Quantization;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>The stages, each of which takes from the store what an earlier run measured.</summary>
public sealed partial class Comparer
{
    // What a usual machine does in a second, so that stages take their proportions of the progress.
    private const double BytesHashed = 1e9, WeightsCompared = 100e6, MultiplyAdds = 100e9, BytesRead = 10e9;
    private const int TokensOfAnItem = 250;

    private double Weights => _original.File.Tensors.Sum(t => (double)t.Count);

    private double MakeSeconds => VariantFiles.SecondsFor(_original.File);

    private double HashSeconds => _original.File.Tensors.Sum(t => (double)t.Bytes) / BytesHashed;

    private double CompareSeconds => Weights / WeightsCompared;

    private double WindowSeconds => _reading.ContextLength * Weights / MultiplyAdds;

    private double TaskSeconds => _options.Tasks.Sum(t => (double)Math.Min(t.Items.Count, _options.TaskOptions.Limit ?? int.MaxValue)) * TokensOfAnItem * Weights / MultiplyAdds;

    private double SpeedSeconds => _options.Speed is { } speed ? 1 + (speed.Repetitions + 2) * (speed.Prompts.Sum() * Weights / MultiplyAdds + speed.Generated * Weights / BytesRead) : 0;

    private void Announce()
    {
        int variants = _options.Variants.Count;
        _ledger.Expect(HashSeconds + variants * (MakeSeconds + HashSeconds + CompareSeconds) + (variants + 1) * ((_windows.Count + 1) * WindowSeconds + TaskSeconds + SpeedSeconds));
    }

    /// <summary>Notes what a model's file is.</summary>
    private void Identify(int row, ModelFile file)
    {
        Model model = _models[row];
        double total = file.Files.Sum(path => new FileInfo(path).Length), read = 0;
        _ledger.Change(row, r => r with { State = "hashing" });
        model.Sha256 = HashedFile.OfModel(file, bytes => _ledger.Work(HashSeconds, (read += bytes) / total, $"{model.Name}: reading the file"), _cancel);
        model.Layout = file.LayoutNote;
        model.Bytes = Directory.Exists(model.Path) ? file.Tensors.Sum(t => t.Bytes) : (long)total;
        model.BitsPerWeight = 8.0 * file.Tensors.Sum(t => t.Bytes) / file.Tensors.Sum(t => t.Count);
        _ledger.Finish(HashSeconds);
        _ledger.Change(row, r => r with { State = "", Bytes = model.Bytes });
    }

    /// <summary>Makes the files that are missing, and measures the error of their tensors.</summary>
    private void Files(MeasurementStore store)
    {
        VariantFiles files = new(_original.File, _models[ProgressLedger.Base].Sha256, store, _options);
        bool[] missing = [.. _options.Variants.Select(variant => files.IsMissing(variant, _cancel))];
        foreach (bool one in missing)
            if (!one) _ledger.Skip(MakeSeconds);
        for (int v = 0; v < missing.Length; v++)
        {
            RequestedVariant variant = _options.Variants[v];
            int row = v + 1;
            if (missing[v])
            {
                _ledger.Change(row, r => r with { State = "quantizing" });
                files.Make(variant, new Relay<QuantizationProgress>(p => _ledger.Work(MakeSeconds, (double)p.ValuesDone / p.ValuesTotal, $"{variant.Name}: quantizing {p.Tensor.Source.Name}")), _cancel);
                _ledger.Finish(MakeSeconds);
            }
            using ModelFile file = ModelFile.Open(variant.Path, _options.Run.I2SLayout);
            Identify(row, file);
            files.Check(variant, _models[row].Sha256);
            string path = store.PathOf("tensors", "json", _models[ProgressLedger.Base].Content, _models[row].Content);
            if (MeasurementStore.TryRead(path, ReportJsonContext.Default.TensorFigureArray) is { } kept)
            {
                _models[row].Tensors = kept;
                _ledger.Skip(CompareSeconds);
                continue;
            }
            _ledger.Change(row, r => r with { State = "comparing tensors" });
            _models[row].Tensors = TensorComparison.Measure(_original.File, file, _options.Run.Threads, done => _ledger.Work(CompareSeconds, done, $"{variant.Name}: comparing tensors"), _cancel);
            MeasurementStore.Write(path, _models[row].Tensors, ReportJsonContext.Default.TensorFigureArray);
            _ledger.Finish(CompareSeconds);
            _ledger.Change(row, r => r with { State = "" });
        }
    }

    /// <summary>Lets the base and all variants read the text.</summary>
    private void Read(MeasurementStore store)
    {
        Nibble.Models.CacheOptions cache = _options.Cache ?? Nibble.Models.CacheOptions.Default;
        for (int row = 1; row < _models.Length; row++)
        {
            _models[row].Divergence = new(store.PathOf("divergence", "bin", _models[ProgressLedger.Base].Content, _models[row].Content, _text.Sha256,
                string.Create(CultureInfo.InvariantCulture, $"{_reading.ContextLength} {_reading.BeginningOfText} {cache} {_options.Run.Repack} {InstructionSets.Used}")), _windows);
            _ledger.Skip(_models[row].Divergence!.Windows * WindowSeconds);
            ShowDivergence(row);
        }
        if (_models.Skip(1).All(m => m.Divergence!.Windows == _windows.Count)) _ledger.Skip(_windows.Count * WindowSeconds);
        int[] rows = [.. Enumerable.Range(1, _models.Length - 1).Where(row => _models[row].Divergence!.Windows < _windows.Count)];
        // Beside its weights each model takes its scores, and the keys and values of a window.
        Nibble.Models.MemoryNeed need = _original.Network.MemoryFor(_reading.ContextLength, cache);
        long beside = need.Cache + need.Scratch + (long)EvaluationLoop.ScoredTogether * _original.Network.VocabularySize * sizeof(float);
        foreach (IReadOnlyList<int> group in DivergenceStage.Groups(_models[ProgressLedger.Base].Bytes + beside, [.. rows.Select(row => _models[row].Bytes + beside)], Machine.AvailableMemory))
            ReadGroup([.. group.Select(index => rows[index])]);
    }

    private void ReadGroup(int[] rows)
    {
        List<LanguageModel> open = [];
        try
        {
            foreach (int row in rows) open.Add(LanguageModel.Open(_models[row].Path, _options.Run));
            foreach (int row in rows) _ledger.Change(row, r => r with { State = "reading" });
            double seconds = rows.Sum(row => _windows.Count - _models[row].Divergence!.Windows) * WindowSeconds + _windows.Count * WindowSeconds, done = 0;
            string names = rows.Length == 1 ? _models[rows[0]].Name : $"{rows.Length} variants";
            int window = rows.Min(row => _models[row].Divergence!.Windows);
            DivergenceStage.Read(_original, [.. rows.Zip(open, (row, model) => (model, _models[row].Divergence!))], _text.Tokens, _windows, _reading, (windows, models) =>
            {
                window += windows;
                done += windows * models * WindowSeconds;
                _ledger.Work(seconds, Math.Min(1, done / seconds), $"{names}: window {window} of {_windows.Count}");
            }, () => Array.ForEach(rows, ShowDivergence), _cancel);
            _ledger.Finish(seconds);
            foreach (int row in rows) _ledger.Change(row, r => r with { State = "" });
        }
        finally
        {
            foreach (LanguageModel model in open) model.Dispose();
        }
    }

    private void ShowDivergence(int row)
    {
        if (_models[row].Divergence!.Windows == 0) return;
        DivergenceResult result = _models[row].Divergence!.Result(_reading.ContextLength);
        _ledger.Change(row, r => r with { PerplexityRatio = result.Ratio, MeanKld = result.Mean, TopChanged = new(1 - result.SameTop.Value, result.SameTop.Error) });
    }

    /// <summary>What takes one model alone: the passage, tasks, speed.</summary>
    private void Examine(int row, int chosen, MeasurementStore store)
    {
        Model model = _models[row];
        string passagePath = store.PathOf("passage", "json", model.Content, _text.Sha256, string.Create(CultureInfo.InvariantCulture, $"{_reading.ContextLength} {_reading.BeginningOfText} {chosen} {_options.Cache} {_options.Run.Repack} {InstructionSets.Used}"));
        string speedPath = store.PathOf("speed", "json", model.Content, Machine.Processor, InstructionSets.Used.ToString(), string.Create(CultureInfo.InvariantCulture, $"{_original.Pool.Threads} {_options.Run.Repack} {_options.Cache} {string.Join(',', _options.Speed?.Prompts ?? [])} {_options.Speed?.Generated} {_options.Speed?.Repetitions}"));
        model.Passage = MeasurementStore.TryRead(passagePath, ReportJsonContext.Default.TokenExpectationArray);
        model.Speed = _options.Speed is null ? null : MeasurementStore.TryRead(speedPath, ReportJsonContext.Default.SpeedFigures);
        if (model.Passage is not null) _ledger.Skip(WindowSeconds);
        if (model.Speed is not null) _ledger.Skip(SpeedSeconds);
        if (model.Passage is null || _options.Tasks.Count > 0 || (model.Speed is null && _options.Speed is not null))
        {
            LanguageModel language = row == ProgressLedger.Base ? _original : LanguageModel.Open(model.Path, _options.Run);
            try
            {
                if (model.Passage is null)
                {
                    MeasurementStore.Write(passagePath, model.Passage = PassageStage.Record(language, _text.Tokens, _windows[chosen], _reading, _cancel), ReportJsonContext.Default.TokenExpectationArray);
                    _ledger.Finish(WindowSeconds);
                }
                if (_options.Tasks.Count > 0) DoTasks(row, language);
                if (model.Speed is null && _options.Speed is { } speed)
                {
                    _ledger.Change(row, r => r with { State = "speed" });
                    model.Speed = SpeedStage.Measure(language, speed with { Cache = _options.Cache }, new Relay<SpeedProgress>(p => _ledger.Work(SpeedSeconds, p.Fraction, $"{model.Name}: speed, {p.Test}")), _cancel);
                    MeasurementStore.Write(speedPath, model.Speed, ReportJsonContext.Default.SpeedFigures);
                    _ledger.Finish(SpeedSeconds);
                }
            }
            finally
            {
                if (row != ProgressLedger.Base) language.Dispose();
            }
        }
        _ledger.Change(row, r => r with { State = "", IsDone = true, GeneratedPerSecond = model.Speed?.Generation.Median });
    }

    private void DoTasks(int row, LanguageModel language)
    {
        _ledger.Change(row, r => r with { State = "tasks" });
        Tasks.EvaluationOptions options = _options.TaskOptions with { JournalFolder = Path.Combine(_options.Folder, KeptFolder, "items"), Cache = _options.Cache, ModelSha256 = _models[row].Sha256 };
        _models[row].Tasks = TaskStage.Shown(TaskEvaluator.Run(language, _options.Tasks, options, new Relay<EvaluationProgress>(p => _ledger.Work(TaskSeconds, p.Fraction, $"{_models[row].Name}: {p.Task}, item {p.Items} of {p.TotalItems}")), _cancel));
        _ledger.Finish(TaskSeconds);
    }

    /// <summary>Progress told on the thread that reports it, in order.</summary>
    private sealed class Relay<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
