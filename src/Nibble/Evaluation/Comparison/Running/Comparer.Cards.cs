using System.Security.Cryptography;
using System.Text;
using Nibble.Evaluation.Cards;
using Nibble.Evaluation.Divergence;
using Nibble.Files;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>What a file was before its measurements were kept in it.</summary>
/// <param name="Measured">SHA-256 of the file that was measured.</param>
/// <param name="Record">SHA-256 of what is kept in it and on its page; empty where that failed.</param>
internal sealed record CardNote(string Measured, string Record);

/// <summary>Keeping what was measured in the variants' own files.</summary>
public sealed partial class Comparer
{
    private double CardSeconds => HashSeconds + Weights / WeightsCopied;

    private static string CardNoteOf(MeasurementStore store, string sha256) => store.PathOfAny("card", "json", sha256);

    private void SaveCards(MeasurementStore store)
    {
        Model original = _models[ProgressLedger.Base];
        MeasuredBase measured = new(BaseFileWriter.NameOf(_original.File), original.Sha256, (_options.Cache ?? Nibble.Models.CacheOptions.Default).Description);
        VariantFiles files = new(_original.File, original.Sha256, _importance?.Identity, store, _options);
        for (int row = 1; row < _models.Length; row++)
        {
            Model model = _models[row];
            EvaluationRecord record = EvaluationRecord.Of(model.Divergence!.Result(_reading.ContextLength), _text.Name, _text.Sha256, measured, _options.Cache) with { Tasks = EvaluationRecord.Of(model.Tasks, _options.TaskOptions with { Cache = _options.Cache }).Tasks };
            string hash = HashOf(record);
            if (MeasurementStore.TryRead(CardNoteOf(store, model.Sha256), ReportJsonContext.Default.CardNote)?.Record == hash && File.Exists(ModelCard.PathOf(model.Path)))
            {
                _ledger.Skip(Work.WritingCards, CardSeconds);
                continue;
            }
            _ledger.Change(row, r => r with { IsDone = false, State = "card" });
            _ledger.Begin(Work.WritingCards, CardSeconds, $"{model.Name}: keeping the measurements in its file");
            RequestedVariant variant = _options.Variants[row - 1];
            try
            {
                EvaluationStore.Save(model.Path, record, (done, total) => _ledger.Advance(0.5 * done / total, $"{model.Name}: keeping the measurements in its file"), _cancel);
            }
            catch (Exception e) when (e is not OperationCanceledException) // which comes before anything has changed
            {
                Note(""); // the file may have been written, and its page not
                throw;
            }
            Note(hash);
            _ledger.Finish();
            _ledger.Change(row, r => r with { IsDone = true, State = "", Bytes = model.Bytes });

            // Not stopped: else the file would be nobody's.
            void Note(string kept)
            {
                using ModelFile file = ModelFile.Open(model.Path, _options.Run.I2SLayout);
                string now = HashedFile.OfModel(file);
                if (now != model.Sha256) MeasurementStore.Write(CardNoteOf(store, now), new CardNote(model.MeasuredSha256, kept), ReportJsonContext.Default.CardNote);
                files.Keep(variant, now);
                (model.Sha256, model.Bytes) = (now, file.Files.Sum(path => new FileInfo(path).Length));
            }
        }
    }

    /// <summary>Refuses to let a file lose a fuller measurement than it is to get.</summary>
    private void CheckCard(string path)
    {
        if (!_options.SavesCards || _options.ReplacesFullerCards) return;
        EvaluationStore.CheckKeeps(path, PlannedMeasurement.Of(_text, _reading, hasDivergence: true));
        EvaluationStore.CheckKeeps(path, PlannedMeasurement.Of(_options.Tasks, _options.TaskOptions));
    }

    /// <summary>By which it is known whether a file says that already.</summary>
    private static string HashOf(EvaluationRecord record)
    {
        Metadata metadata = new("");
        record.Write(metadata);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', metadata.Select(pair => $"{pair.Key} {MetadataText.Write(pair.Value)}")))));
    }
}
