using System.Runtime.InteropServices;
using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Formats;
using Nibble.Memory;

namespace Nibble.Quantization.Importance;

/// <summary>
/// Importance matrices on disk in llama.cpp's forms. GGUF: per matrix the tensors <c>NAME.in_sum2</c> <c>[columns, matrices]</c> and
/// <c>NAME.counts</c> <c>[1, matrices]</c>. The older <c>.dat</c>: see <see cref="ReadLegacy"/>.
/// </summary>
public static class ImportanceFile
{
    private const string SumsSuffix = ".in_sum2", CountsSuffix = ".counts";
    private const string OriginKey = "nibble.imatrix.origin";
    private const int MostEntries = 1 << 20, LongestName = 1 << 12, MostValues = 1 << 28;

    /// <summary>Tokens of a window in the older form, which does not say it: what llama.cpp takes where nothing else is asked for.</summary>
    private const int LegacyWindow = 512;

    /// <summary>Reads either form, told apart by the first bytes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="legacyWindow">Tokens of a window in the older form, which counts windows: merged with others, it weighs as much as so many tokens.</param>
    /// <exception cref="NibbleException">The file cannot be read or is no importance matrix.</exception>
    public static ImportanceMatrix Read(string path, int legacyWindow = LegacyWindow)
    {
        using (MappedFile file = new(path))
        {
            if (file.Length == 0) Throw.BadFile(path, "the file is empty");
            if (!(file.Length >= 4 && file.Region.AsSpan<byte>(0, 4).SequenceEqual("GGUF"u8))) return ReadLegacy(path, file.Region, legacyWindow);
        }
        using GgufFile gguf = GgufFile.Open(path);
        return ReadGguf(gguf);
    }

    /// <summary>Writes the GGUF form; the file appears when it is complete.</summary>
    public static void Write(ImportanceMatrix matrix, string path) => Write(matrix, path, notes: []);

    /// <summary>Saves an unfinished collection, so that a later run can go on.</summary>
    /// <param name="matrix">What was collected so far.</param>
    /// <param name="path">The file.</param>
    /// <param name="origin">What it is collected from: model, text and settings.</param>
    public static void WriteCheckpoint(ImportanceMatrix matrix, string path, ImportanceOrigin origin)
    {
        ArgumentNullException.ThrowIfNull(origin);
        Write(matrix, path, [new(OriginKey, origin.ToString())]);
    }

    /// <summary>An unfinished collection from the same origin, or <see langword="null"/> where there is none.</summary>
    /// <exception cref="NibbleException">The file is damaged, or from another origin.</exception>
    public static ImportanceMatrix? TryReadCheckpoint(string path, ImportanceOrigin origin)
    {
        ArgumentNullException.ThrowIfNull(origin);
        if (!File.Exists(path)) return null;
        string? difference;
        try
        {
            using GgufFile file = GgufFile.Open(path);
            difference = origin.Difference(file.Metadata.String(OriginKey));
            if (difference is null) return ReadGguf(file);
        }
        catch (NibbleException e)
        {
            throw new NibbleException($"{path}: what an earlier run saved here to go on from is damaged; delete this file to begin anew", e);
        }
        return Throw.BadFile<ImportanceMatrix>(path, $"what an earlier run saved here to go on from was collected {difference}; go on as it was begun, delete this file to begin anew, or name another file with --output");
    }

    private static void Write(ImportanceMatrix matrix, string path, IEnumerable<KeyValuePair<string, string>> notes)
    {
        Metadata metadata = new(path)
        {
            ["general.type"] = MetadataValue.Of("imatrix"),
            ["imatrix.datasets"] = MetadataValue.Of([.. matrix.Datasets]),
            ["imatrix.chunk_count"] = MetadataValue.Of((uint)matrix.Chunks),
            ["imatrix.chunk_size"] = MetadataValue.Of((uint)matrix.ChunkLength),
        };
        foreach ((string key, string value) in notes) metadata[key] = MetadataValue.Of(value);

        List<TensorInfo> tensors = [];
        List<float[]> values = [];
        foreach ((string name, ImportanceEntry entry) in matrix.Entries.OrderBy(e => e.Key, StringComparer.Ordinal))
        {
            Add(name + SumsSuffix, entry.Columns, entry.Matrices, entry.Sums.ToArray());
            Add(name + CountsSuffix, 1, entry.Matrices, entry.Counts.Select(c => (float)c).ToArray());
        }
        using GgufWriter writer = GgufWriter.Create(path, metadata, tensors);
        foreach (float[] tensor in values) writer.Write(MemoryMarshal.AsBytes(tensor.AsSpan()));
        writer.Commit();

        void Add(string name, long columns, long rows, float[] data)
        {
            tensors.Add(new TensorInfo(name, [columns, rows], F32.Name, WeightFormat.Of<F32>(), (long)data.Length * sizeof(float)));
            values.Add(data);
        }
    }

    private static ImportanceMatrix ReadGguf(GgufFile file)
    {
        if (file.Metadata.String("general.type") != "imatrix" && !file.Tensors.Any(t => t.Name.EndsWith(SumsSuffix, StringComparison.Ordinal)))
            Throw.BadFile(file.Path, "is a GGUF file, but no importance matrix; make one with nibble imatrix");
        ImportanceMatrix matrix = new()
        {
            Chunks = (int)Math.Clamp(file.Metadata.Integer("imatrix.chunk_count") ?? 0, 0, int.MaxValue),
            ChunkLength = (int)Math.Clamp(file.Metadata.Integer("imatrix.chunk_size") ?? 0, 0, int.MaxValue),
        };
        foreach (string dataset in file.Metadata.Strings("imatrix.datasets") ?? []) matrix.Datasets.Add(dataset);
        foreach (TensorInfo sums in file.Tensors.Where(t => t.Name.EndsWith(SumsSuffix, StringComparison.Ordinal)))
        {
            string name = sums.Name[..^SumsSuffix.Length];
            TensorInfo counts = file.Find(name + CountsSuffix) ?? Throw.BadFile<TensorInfo>(file.Path, $"tensor '{name + CountsSuffix}' is missing; the file is damaged");
            if (sums.Format != WeightFormat.Of<F32>() || counts.Format != WeightFormat.Of<F32>() || counts.Count != sums.Rows || sums.Count > MostValues || sums.Count == 0)
                Throw.BadFile(file.Path, $"tensor '{sums.Name}' and its counts do not fit together; the file is damaged");
            ReadOnlySpan<float> values = file.Read(sums).AsSpan<float>(), tokens = file.Read(counts).AsSpan<float>();
            ImportanceEntry entry = new((int)sums.Columns, (int)sums.Rows);
            for (int m = 0; m < entry.Matrices; m++) entry.Add(m, Checked(file.Path, name, values.Slice(m * entry.Columns, entry.Columns)), Count(file.Path, name, tokens[m]));
            matrix.Set(name, entry);
        }
        return matrix;
    }

    /// <summary>
    /// The older form, little-endian: int32 number of entries; for each int32 length and bytes of the name, int32 calls, int32 number of
    /// values, the values as float32 (mean squares times calls, which are windows); at the end, in newer files, int32 chunks, int32 length and bytes of the
    /// text's name. Experts lie one after the other, and share the count.
    /// </summary>
    private static ImportanceMatrix ReadLegacy(string path, MemoryRegion data, int window)
    {
        long position = 0;
        ImportanceMatrix matrix = new() { ChunkLength = window };
        int entries = Int("the number of entries", 1, MostEntries);
        for (int i = 0; i < entries; i++)
        {
            string name = Text(Int("the length of a name", 1, LongestName));
            int calls = Int($"the calls of '{name}'", 0, int.MaxValue), count = Int($"the number of values of '{name}'", 1, MostValues);
            float[] sums = MemoryMarshal.Cast<byte, float>(Take((long)count * sizeof(float))).ToArray();
            for (int column = 0; column < sums.Length; column++) sums[column] *= window;
            ImportanceEntry entry = new(count, 1);
            entry.Add(0, Checked(path, name, sums), (long)calls * window);
            matrix.Set(name, entry);
        }
        if (position < data.Length)
        {
            matrix.Chunks = Int("the number of chunks", 0, int.MaxValue);
            matrix.Datasets.Add(Text(Int("the length of the text's name", 0, LongestName)));
        }
        return matrix;

        int Int(string what, int least, int most)
        {
            int value = MemoryMarshal.Read<int>(Take(sizeof(int)));
            return value >= least && value <= most ? value : Throw.BadFile<int>(path, $"{what} is {value}; this is no importance matrix, or it is damaged");
        }

        string Text(int length) => System.Text.Encoding.UTF8.GetString(Take(length));

        ReadOnlySpan<byte> Take(long bytes)
        {
            if (bytes > data.Length - position) Throw.BadFile(path, "ends early; this is no importance matrix, or the file is truncated");
            ReadOnlySpan<byte> taken = data.Slice(position, bytes).AsSpan<byte>();
            position += bytes;
            return taken;
        }
    }

    private static ReadOnlySpan<float> Checked(string path, string name, ReadOnlySpan<float> values)
    {
        foreach (float value in values)
            if (!float.IsFinite(value) || value < 0) Throw.BadFile(path, $"the importance of '{name}' holds {value}, which no sum of squares is; collect it again");
        return values;
    }

    private static long Count(string path, string name, float count) =>
        float.IsFinite(count) && count >= 0 ? (long)count : Throw.BadFile<long>(path, $"the count of '{name}' is {count}; the file is damaged");
}
