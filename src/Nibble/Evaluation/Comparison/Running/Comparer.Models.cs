using System.Globalization;
using Nibble.Evaluation.Tasks;
using Nibble.Generation;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>What is measured of one model at a time.</summary>
public sealed partial class Comparer
{
    /// <summary>Takes the speed that an earlier run measured, and counts it as done before the rest begins.</summary>
    private void RecallSpeed(MeasurementStore store)
    {
        if (_options.Speed is null || _options.MeasuresSpeedAnew) return;
        foreach (Model model in _models)
        {
            model.Speed = MeasurementStore.TryRead(SpeedPath(model, store), ReportJsonContext.Default.SpeedFigures);
            if (model.Speed is not null) _ledger.Skip(Work.MeasuringSpeed, SpeedSeconds);
        }
    }

    private string SpeedPath(Model model, MeasurementStore store) => store.PathOf("speed", "json", model.Content, Machine.Processor, InstructionSets.Used,
        string.Create(CultureInfo.InvariantCulture, $"{_original.Pool.Threads} {_options.Run.Repack} {_options.Cache} {string.Join(',', _options.Speed?.Prompts ?? [])} {_options.Speed?.Generated} {_options.Speed?.Repetitions}"));

    /// <summary>What takes one model alone: the passage, tasks, speed.</summary>
    private void Examine(int row, int chosen, MeasurementStore store)
    {
        Model model = _models[row];
        string passagePath = store.PathOf("passage", "json", model.Content, _text.Sha256, string.Create(CultureInfo.InvariantCulture, $"{_reading.ContextLength} {_reading.BeginningOfText} {chosen} {_options.Cache} {_options.Run.Repack} {InstructionSets.Used}"));
        model.Passage = MeasurementStore.TryRead(passagePath, ReportJsonContext.Default.TokenExpectationArray);
        if (model.Passage is not null) _ledger.Skip(Work.RecordingText, PassageSeconds);
        if (model.Passage is null || _options.Tasks.Count > 0 || (model.Speed is null && _options.Speed is not null))
        {
            LanguageModel language = row == ProgressLedger.Base ? _original : LanguageModel.Open(model.Path, _options.Run);
            try
            {
                if (model.Passage is null) RecordPassage(row, language, chosen, passagePath);
                if (_options.Tasks.Count > 0) DoTasks(row, language);
                if (model.Speed is null && _options.Speed is { } speed) MeasureSpeed(row, language, speed, store);
            }
            finally
            {
                if (row != ProgressLedger.Base) language.Dispose();
            }
        }
        _ledger.Change(row, r => r with { State = "", IsDone = true, GeneratedPerSecond = model.Speed?.Generation.Median });
    }

    private void RecordPassage(int row, LanguageModel language, int chosen, string path)
    {
        _ledger.Change(row, r => r with { State = "text" });
        _ledger.Begin(Work.RecordingText, PassageSeconds, $"{_models[row].Name}: reading window {chosen + 1} for the report");
        MeasurementStore.Write(path, _models[row].Passage = PassageStage.Record(language, _text.Tokens, _windows[chosen], _reading, _cancel), ReportJsonContext.Default.TokenExpectationArray);
        _ledger.Finish();
    }

    private void DoTasks(int row, LanguageModel language)
    {
        string name = _models[row].Name;
        _ledger.Change(row, r => r with { State = "tasks" });
        _ledger.Begin(Work.DoingTasks, TaskSeconds, $"{name}: tasks");
        Tasks.EvaluationOptions options = _options.TaskOptions with { JournalFolder = Path.Combine(_options.Folder, KeptFolder, "items"), Cache = _options.Cache, ModelSha256 = _models[row].MeasuredSha256 };
        _models[row].Tasks = TaskStage.Shown(TaskEvaluator.Run(language, _options.Tasks, options,
            new Relay<EvaluationProgress>(p => _ledger.Advance(p.Fraction, $"{name}: {(p.Task.Length > 0 ? p.Task : "tasks")}, item {p.Items} of {p.TotalItems}")), _cancel));
        _ledger.Finish();
    }

    private void MeasureSpeed(int row, LanguageModel language, SpeedOptions speed, MeasurementStore store)
    {
        Model model = _models[row];
        _ledger.Change(row, r => r with { State = "speed" });
        _ledger.Begin(Work.MeasuringSpeed, SpeedSeconds, $"{model.Name}: speed");
        model.Speed = SpeedStage.Measure(language, speed with { Cache = _options.Cache },
            new Relay<SpeedProgress>(p => _ledger.Advance(p.Fraction, $"{model.Name}: speed{(p.Test.Length > 0 ? ", " : "")}{p.Test}")), _cancel);
        MeasurementStore.Write(SpeedPath(model, store), model.Speed, ReportJsonContext.Default.SpeedFigures);
        _ledger.Finish();
    }
}
