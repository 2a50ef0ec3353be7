namespace Nibble.Evaluation.Comparison.Running;

/// <summary>How long stages take, about.</summary>
public sealed partial class Comparer
{
    // What a usual machine does in a second, so that the first guess at the time left is of the right size, and stages take their proportions of the progress.
    private const double BytesHashed = 1e9, WeightsCopied = 500e6, WeightsQuantized = 35e6, WeightsCompared = 120e6, MultiplyAdds = 180e9, BytesRead = 10e9;
    private const int TokensOfAnItem = 250;

    private double Weights => _original.File.Tensors.Sum(t => (double)t.Count);

    /// <summary>Reading a model's weights from its file for the first time, and packing them.</summary>
    private double OpenSeconds => Weights / WeightsCopied;

    private double ImportanceSeconds => (_importance?.Windows ?? 0) * (double)(_importance?.WindowLength ?? 0) * Weights / MultiplyAdds;

    private double MakeSeconds => Weights / WeightsQuantized;

    private double HashSeconds => _original.File.Tensors.Sum(t => (double)t.Bytes) / BytesHashed;

    private double CompareSeconds => Weights / WeightsCompared;

    private double WindowSeconds => _reading.ContextLength * Weights / MultiplyAdds;

    private double PassageSeconds => WindowSeconds + OpenSeconds;

    private double TaskSeconds => _options.Tasks.Sum(t => (double)Math.Min(t.Items.Count, _options.TaskOptions.Limit ?? int.MaxValue)) * TokensOfAnItem * Weights / MultiplyAdds;

    private double SpeedSeconds
    {
        get
        {
            if (_options.Speed is not { } speed) return 0;
            double total = SpeedMeasurement.MachineSeconds;
            foreach (double once in speed.Prompts.Select(length => length * Weights / MultiplyAdds).Append(speed.Generated * Weights / BytesRead)) total += SpeedMeasurement.SecondsFor(once, speed.Repetitions);
            return total;
        }
    }

    private void Announce()
    {
        int variants = _options.Variants.Count, models = variants + 1;
        _ledger.Expect(Work.Hashing, models * HashSeconds);
        _ledger.Expect(Work.CollectingImportance, ImportanceSeconds);
        _ledger.Expect(Work.Quantizing, variants * MakeSeconds);
        _ledger.Expect(Work.ComparingTensors, variants * CompareSeconds);
        _ledger.Expect(Work.Reading, models * _windows.Count * WindowSeconds + variants * OpenSeconds);
        _ledger.Expect(Work.RecordingText, models * PassageSeconds);
        _ledger.Expect(Work.DoingTasks, models * TaskSeconds);
        _ledger.Expect(Work.MeasuringSpeed, models * SpeedSeconds);
        if (_options.SavesCards) _ledger.Expect(Work.WritingCards, variants * CardSeconds);
    }
}
