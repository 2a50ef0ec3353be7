using System.Text;
using Nibble.Files;
using Nibble.Files.Gguf;

namespace Nibble.Quantization.Resuming;

/// <summary>
/// What an unfinished run has finished, in a file beside its partial ones, <c>.NAME.partial.journal</c> (NAME without <c>.gguf</c>): what was to be made of what, then
/// a line for each tensor that is completely written. Only one run at a time has it open.
/// </summary>
internal sealed class Journal : IDisposable
{
    private const string FirstLine = "nibble quantize journal 1";

    /// <summary>Some hundred thousand tensors.</summary>
    private const int LongestFile = 1 << 26;

    // A file that another process has locked: EWOULDBLOCK, and what Windows has for it.
    private const int Taken = 11, TakenOnMac = 35, TakenOnWindows = unchecked((int)0x80070020);

    private readonly FileStream _stream;

    private Journal(FileStream stream) => _stream = stream;

    /// <summary>The tensors that earlier runs finished, and what they noted of them.</summary>
    public Dictionary<int, FinishedTensor> Finished { get; } = [];

    /// <summary>Opens the journal of a target, or begins it.</summary>
    /// <param name="target">The file that is made, or what its parts are called after.</param>
    /// <param name="identity">What this run makes of what.</param>
    /// <exception cref="NibbleException">Another run is at work on the target, or an earlier one made something else, or the journal cannot be used.</exception>
    public static Journal Open(string target, string[] identity)
    {
        Journal journal = new(OpenFile(target, FileMode.OpenOrCreate));
        try
        {
            journal.Read(target, identity);
            return journal;
        }
        catch
        {
            journal.Dispose();
            throw;
        }
    }

    /// <summary>Removes what an earlier run has left for a later one, if there is anything.</summary>
    /// <exception cref="NibbleException">Another run is at work on it, or it cannot be removed.</exception>
    public static void RemoveLeftovers(string target)
    {
        string path = PathOf(target);
        if (!File.Exists(path)) return;
        SplitName name = SplitName.ForTarget(target, 1);
        using (OpenFile(target, FileMode.Open)) // nobody else has it
        {
            foreach (string file in Directory.EnumerateFiles(Path.GetDirectoryName(path)!))
            {
                string partial = Path.GetFileName(file);
                if (!partial.StartsWith('.') || !partial.EndsWith(AtomicFile.Suffix, StringComparison.Ordinal)) continue;
                string written = partial[1..^AtomicFile.Suffix.Length];
                if (written == Path.GetFileName(target) || SplitName.Parse(written)?.Stem == name.Stem) Try(target, () => File.Delete(file));
            }
        }
        Try(target, () => File.Delete(path));
    }

    /// <summary>Notes a tensor, all of whose bytes the system has.</summary>
    public void Add(FinishedTensor tensor)
    {
        Finished[tensor.Tensor] = tensor;
        Append(tensor.ToLine());
    }

    /// <summary>Removes the journal: what it is about is complete, or unwanted.</summary>
    public void Delete()
    {
        Dispose();
        Try(_stream.Name, () => File.Delete(_stream.Name));
    }

    public void Dispose() => _stream.Dispose();

    private static string PathOf(string target)
    {
        SplitName name = SplitName.ForTarget(Path.GetFullPath(target), 1);
        return Path.Combine(name.Folder, $".{name.Stem}{AtomicFile.Suffix}.journal");
    }

    private static FileStream OpenFile(string target, FileMode mode)
    {
        FileStream? stream = null;
        Try(target, () =>
        {
            try
            {
                stream = new(PathOf(target), mode, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            }
            catch (IOException e) when (e.HResult is Taken or TakenOnMac or TakenOnWindows)
            {
                throw new NibbleException($"{target}: another nibble is writing this file; wait for it, or name another output", e);
            }
        });
        return stream!;
    }

    private void Read(string target, string[] identity)
    {
        if (_stream.Length > LongestFile) Damaged();
        byte[] bytes = new byte[_stream.Length];
        Try(target, () => _stream.ReadExactly(bytes));
        if (bytes.Length == 0)
        {
            Append(string.Join('\n', [FirstLine, .. identity])); // at once: a run that is killed leaves all of it or nothing
            return;
        }
        // The last line ends in the middle where a run was killed as it wrote; what is appended begins on a line of its own.
        if (bytes[^1] != (byte)'\n') Append("");
        string[] lines = Encoding.UTF8.GetString(bytes).Split('\n');
        if (lines[0] != FirstLine || lines.Length <= 1 + identity.Length) Damaged();
        if (RunIdentity.Difference(lines[1..(1 + identity.Length)], identity) is { } difference)
            Throw.BadFile(target, $"the interrupted run that left {_stream.Name} was begun {difference}; go on as it was begun, or start afresh without --resume");
        foreach (FinishedTensor tensor in lines.Skip(1 + identity.Length).Select(FinishedTensor.Parse).OfType<FinishedTensor>()) Finished[tensor.Tensor] = tensor;
    }

    private void Damaged() => Throw.BadFile(_stream.Name, "is damaged, so that run cannot go on; start afresh without --resume");

    private void Append(string line) => Try(_stream.Name, () => _stream.Write(Encoding.UTF8.GetBytes(line + "\n")));

    private static void Try(string path, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NibbleException($"{path}: the progress of this run cannot be kept: {(e is IOException io ? OutputFolder.Reason(io) : "no permission; choose another folder or change its permissions")}", e);
        }
    }
}
