using System.Security.Cryptography;
using Nibble.Files;
using Nibble.Files.Gguf;

namespace Nibble.Quantization.Resuming;

/// <summary>
/// Where the tensors of a plan go, in its order: into files that appear when all are complete. If progress is kept, a tensor is noted as
/// soon as it is complete, and tensors that an earlier run noted are not asked for again.
/// </summary>
internal sealed class QuantizationOutput : IDisposable
{
    private const int BytesAtATime = 1 << 22;

    private readonly QuantizationPlan _plan;
    private readonly GgufWriter _writer;
    private readonly Journal? _journal;
    private readonly IncrementalHash? _hash;
    private readonly List<PlannedTensor> _damaged = [];
    private int _next;

    /// <param name="file">The model.</param>
    /// <param name="plan">What to make of it.</param>
    /// <param name="target">The file to write, or what its parts are called after.</param>
    /// <param name="resume">Whether to go on where an earlier run was stopped, and to keep the progress of this one.</param>
    /// <exception cref="NibbleException">The target cannot be written, or an earlier run made something else.</exception>
    public QuantizationOutput(ModelFile file, QuantizationPlan plan, string target, bool resume)
    {
        _plan = plan;
        IReadOnlyList<GgufOutput> files = plan.Files(target);
        AtomicFile.FolderOf(files[0].Path);
        if (!resume) Journal.RemoveLeftovers(target);
        _journal = resume ? Journal.Open(target, RunIdentity.Of(file, plan, files)) : null;
        _hash = resume ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        Kept = new FinishedTensor?[plan.Tensors.Count];
        try
        {
            _writer = GgufWriter.Create(files, isResumable: resume);
            _writer.StayBehind(_journal is { Finished.Count: > 0 });
        }
        catch
        {
            DisposeJournal();
            throw;
        }
    }

    /// <summary>Whether what an interrupted run left at a target, if anything, was on the way to the same result.</summary>
    /// <param name="file">The model.</param>
    /// <param name="plan">What to make of it.</param>
    /// <param name="target">The file to write, or what its parts are called after.</param>
    public static bool CanGoOn(ModelFile file, QuantizationPlan plan, string target)
    {
        try
        {
            using Journal journal = Journal.Open(target, RunIdentity.Of(file, plan, plan.Files(target)));
            return true;
        }
        catch (NibbleException)
        {
            return false; // of something else, or damaged, or another run is at work on it
        }
    }

    /// <summary>For each tensor, what an earlier run noted of it, where that run's bytes are kept.</summary>
    public FinishedTensor?[] Kept { get; }

    /// <summary>Tensors that an earlier run finished, but whose bytes are no longer what they were.</summary>
    public IReadOnlyList<PlannedTensor> Damaged => _damaged;

    /// <summary>Finds the tensors of an earlier run that are still what they were.</summary>
    /// <param name="report">Told of a tensor and its values, after every so many.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public void KeepFinished(Action<int, long> report, CancellationToken cancellationToken)
    {
        if (_journal is null) return;
        byte[] buffer = GC.AllocateUninitializedArray<byte>(BytesAtATime);
        foreach (FinishedTensor finished in _journal.Finished.Values.Where(f => f.Tensor < Kept.Length).OrderBy(f => f.Tensor))
        {
            // What was allowed once need not be allowed now.
            if (finished.HadLostValues && !_plan.Options.AllowNan) continue;
            if (IsSound(finished, buffer, cancellationToken))
            {
                Kept[finished.Tensor] = finished;
                report(finished.Tensor, _plan.Tensors[finished.Tensor].Target.Count);
            }
            else
            {
                _damaged.Add(_plan.Tensors[finished.Tensor]);
            }
        }
    }

    /// <summary>Writes the next bytes of a tensor.</summary>
    /// <exception cref="NibbleException">The disk is full or fails.</exception>
    public void Write(int tensor, ReadOnlySpan<byte> bytes)
    {
        try
        {
            for (; _next < tensor; _next++)
                if (Kept[_next] is not null) _writer.Skip();
            _writer.Write(bytes);
        }
        catch (NibbleException e) when (_journal is { Finished.Count: > 0 })
        {
            throw new NibbleException($"{e.Message}; finished tensors are kept, continue with --resume", e);
        }
        _hash?.AppendData(bytes);
    }

    /// <summary>Notes that a tensor is complete.</summary>
    public void Finish(int tensor, bool hadLostValues, ErrorSums error)
    {
        if (_journal is null || _hash is null) return;
        _writer.Flush();
        _journal.Add(new(tensor, Convert.ToHexStringLower(_hash.GetHashAndReset()), hadLostValues, error));
        _writer.StayBehind(true);
    }

    /// <summary>Gives the complete files their names.</summary>
    public void Commit()
    {
        for (; _next < Kept.Length; _next++)
            if (Kept[_next] is not null) _writer.Skip();
        _writer.Commit();
        _journal?.Delete();
    }

    /// <summary>Lets go of what was written; nothing stays for a later run.</summary>
    public void Discard()
    {
        _writer.StayBehind(false);
        _journal?.Finished.Clear();
    }

    public void Dispose()
    {
        _writer.Dispose();
        _hash?.Dispose();
        DisposeJournal();
    }

    private void DisposeJournal()
    {
        // Of a run that has finished nothing, nothing stays.
        if (_journal is { Finished.Count: 0 }) _journal.Delete();
        else _journal?.Dispose();
    }

    private bool IsSound(FinishedTensor finished, byte[] buffer, CancellationToken cancellationToken)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long bytes = _plan.Tensors[finished.Tensor].Target.Bytes;
        for (long done = 0; done < bytes;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int read = _writer.ReadBack(finished.Tensor, done, buffer.AsSpan(0, (int)Math.Min(buffer.Length, bytes - done)));
            if (read == 0) return false;
            hash.AppendData(buffer, 0, read);
            done += read;
        }
        return Convert.ToHexStringLower(hash.GetCurrentHash()) == finished.Hash;
    }
}
