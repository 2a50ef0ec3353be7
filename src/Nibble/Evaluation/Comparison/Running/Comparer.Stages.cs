using System.Globalization;
using Nibble.Files;
using Nibble.Generation;
using Nibble.Quantization;
using Nibble.Quantization.Importance;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>The stages, each of which takes from the store what an earlier run measured.</summary>
public sealed partial class Comparer
{
    /// <summary>Notes what a model's file is.</summary>
    /// <param name="row">The model.</param>
    /// <param name="file">Its file.</param>
    /// <param name="sha256">Its hash where that is known already.</param>
    private void Identify(int row, ModelFile file, string? sha256 = null)
    {
        Model model = _models[row];
        string text = $"{model.Name}: reading the file";
        double total = file.Files.Sum(path => new FileInfo(path).Length), read = 0;
        _ledger.Begin(Work.Hashing, HashSeconds, text);
        _ledger.Change(row, r => r with { State = "hashing" });
        model.Sha256 = model.MeasuredSha256 = sha256 ?? HashedFile.OfModel(file, bytes => _ledger.Advance((read += bytes) / total, text), _cancel);
        model.Layout = file.LayoutNote;
        model.Bytes = Directory.Exists(model.Path) ? file.Tensors.Sum(t => t.Bytes) : (long)total;
        model.BitsPerWeight = 8.0 * file.Tensors.Sum(t => t.Bytes) / file.Tensors.Sum(t => t.Count);
        _ledger.Finish();
        _ledger.Change(row, r => r with { State = "", Bytes = model.Bytes });
    }

    /// <summary>Makes the files that are missing, and measures the error of their tensors.</summary>
    private void Files(MeasurementStore store)
    {
        VariantFiles files = new(_original.File, _models[ProgressLedger.Base].Sha256, _importance?.Identity, store, _options);
        bool[] missing = [.. _options.Variants.Select(variant => files.IsMissing(variant, _cancel))];
        _ledger.Skip(Work.Quantizing, missing.Count(one => !one) * MakeSeconds);
        ImportanceUse? use = missing.Contains(true) ? Importance(store) : null;
        if (use is null) _ledger.Skip(Work.CollectingImportance, ImportanceSeconds);
        for (int v = 0; v < missing.Length; v++)
        {
            RequestedVariant variant = _options.Variants[v];
            int row = v + 1;
            string? sha256 = null;
            if (missing[v])
            {
                _ledger.Change(row, r => r with { State = "quantizing" });
                _ledger.Begin(Work.Quantizing, MakeSeconds, $"{variant.Name}: quantizing");
                sha256 = files.Make(variant, use, new Relay<QuantizationProgress>(p => _ledger.Advance((double)p.ValuesDone / p.ValuesTotal, $"{variant.Name}: {(p.IsKept ? "checking" : "quantizing")} {p.Tensor.Source.Name}")), _cancel);
                _ledger.Finish();
            }
            using ModelFile file = ModelFile.Open(variant.Path, _options.Run.I2SLayout);
            Identify(row, file, sha256);
            string known = files.Recognize(variant, _models[row].Sha256, _cancel);
            _models[row].MeasuredSha256 = MeasurementStore.TryRead(CardNoteOf(store, known), ReportJsonContext.Default.CardNote)?.Measured ?? known;
            if (known != _models[row].Sha256) MeasurementStore.Write(CardNoteOf(store, _models[row].Sha256), new CardNote(_models[row].MeasuredSha256, ""), ReportJsonContext.Default.CardNote);
            CompareTensors(row, file, store);
        }
    }

    /// <summary>What is used of the importance matrix, which may have to be collected first.</summary>
    private ImportanceUse? Importance(MeasurementStore store)
    {
        if (_importance is null) return null;
        _ledger.Change(ProgressLedger.Base, r => r with { State = "importance" });
        _ledger.Begin(Work.CollectingImportance, ImportanceSeconds, "collecting the importance matrix");
        ImportanceUse use = _importance.Get(store, _models[ProgressLedger.Base].Content,
            read => _ledger.Advance((double)read / _importance.Windows, $"collecting the importance matrix: window {read} of {_importance.Windows}"), _cancel);
        _ledger.Finish();
        _ledger.Change(ProgressLedger.Base, r => r with { State = "" });
        return use;
    }

    private void CompareTensors(int row, ModelFile file, MeasurementStore store)
    {
        string path = store.PathOf("tensors", "json", _models[ProgressLedger.Base].Content, _models[row].Content), text = $"{_models[row].Name}: comparing tensors";
        if (MeasurementStore.TryRead(path, ReportJsonContext.Default.TensorFigureArray) is { } kept)
        {
            _models[row].Tensors = kept;
            _ledger.Skip(Work.ComparingTensors, CompareSeconds);
            return;
        }
        _ledger.Change(row, r => r with { State = "tensors" });
        _ledger.Begin(Work.ComparingTensors, CompareSeconds, text);
        _models[row].Tensors = TensorComparison.Measure(_original.File, file, _options.Run.Threads, done => _ledger.Advance(done, text), _cancel);
        MeasurementStore.Write(path, _models[row].Tensors, ReportJsonContext.Default.TensorFigureArray);
        _ledger.Finish();
        _ledger.Change(row, r => r with { State = "" });
    }

    /// <summary>Lets the base and all variants read the text.</summary>
    private void Read(MeasurementStore store)
    {
        Nibble.Models.CacheOptions cache = _options.Cache ?? Nibble.Models.CacheOptions.Default;
        for (int row = 1; row < _models.Length; row++)
        {
            _models[row].Divergence = new(store.PathOf("divergence", "bin", _models[ProgressLedger.Base].Content, _models[row].Content, _text.Sha256,
                string.Create(CultureInfo.InvariantCulture, $"{_reading.ContextLength} {_reading.BeginningOfText} {cache} {_options.Run.Repack} {InstructionSets.Used}")), _windows);
            _ledger.Skip(Work.Reading, _models[row].Divergence!.Windows * WindowSeconds + (_models[row].Divergence!.Windows == _windows.Count ? OpenSeconds : 0));
            ShowDivergence(row);
        }
        // The base reads what any of them lacks.
        _ledger.Skip(Work.Reading, _models.Skip(1).Min(m => m.Divergence!.Windows) * WindowSeconds);
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
            string names = rows.Length == 1 ? _models[rows[0]].Name : $"{rows.Length} variants";
            int first = rows.Min(row => _models[row].Divergence!.Windows);
            double seconds = (rows.Sum(row => _windows.Count - _models[row].Divergence!.Windows) + _windows.Count - first) * WindowSeconds + rows.Length * OpenSeconds, done = rows.Length * OpenSeconds; // told with the first window, which packs the weights
            _ledger.Begin(Work.Reading, seconds, $"{names}: opening");
            foreach (int row in rows) open.Add(LanguageModel.Open(_models[row].Path, _options.Run));
            foreach (int row in rows) _ledger.Change(row, r => r with { State = "reading" });
            DivergenceStage.Read(_original, [.. rows.Zip(open, (row, model) => (model, _models[row].Divergence!))], _text.Tokens, _windows, _reading, (window, models) =>
            {
                done += models * WindowSeconds;
                _ledger.Advance(done / seconds, $"{names}: window {window} of {_windows.Count}");
            }, () => Array.ForEach(rows, ShowDivergence), _cancel);
            _ledger.Finish();
            foreach (int row in rows) _ledger.Change(row, r => r with { State = "" });
        }
        finally
        {
            foreach (LanguageModel model in open) model.Dispose();
        }
    }

    private void ShowDivergence(int row)
    {
        if (_models[row].Divergence is not { Windows: > 0 } kept) return;
        _ledger.Change(row, r => r with { PerplexityRatio = kept.Ratio, MeanKld = kept.MeanKld, TopChanged = kept.TopChanged });
    }

    /// <summary>Progress told on the thread that reports it, in order.</summary>
    private sealed class Relay<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
