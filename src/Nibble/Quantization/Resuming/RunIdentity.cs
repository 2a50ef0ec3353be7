using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Nibble.Files;
using Nibble.Files.Gguf;

namespace Nibble.Quantization.Resuming;

/// <summary>All that the bytes of a result depend on, as short texts: what one run left, another may go on with if they are the same.</summary>
internal static class RunIdentity
{
    /// <summary>Each with its name and what differs where it does.</summary>
    private static readonly (string Name, string Difference)[] s_parts =
    [
        ("version", "by another version of Nibble"),
        ("source", "from another model, or from files that have changed since"),
        ("importance", "with another importance matrix"),
        ("check", "with another choice of --no-check"),
        ("target", "with another type, other options or other metadata"),
    ];

    /// <summary>The lines that stand for a run.</summary>
    public static string[] Of(ModelFile file, QuantizationPlan plan, IReadOnlyList<GgufOutput> files) =>
    [
        $"version {typeof(RunIdentity).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion}",
        $"source {Hash(hash => AddSource(hash, file))}",
        $"importance {Hash(hash => AddImportance(hash, plan))}",
        $"check {(plan.Options.Check ? "on" : "off")}",
        $"target {Hash(hash => AddTarget(hash, plan, files))}",
    ];

    /// <summary>How an earlier run differs from this one, or <see langword="null"/> where it does not.</summary>
    public static string? Difference(IReadOnlyList<string> earlier, IReadOnlyList<string> now)
    {
        for (int i = 0; i < s_parts.Length; i++)
            if (earlier[i] != now[i]) return s_parts[i].Difference;
        return null;
    }

    private static void AddSource(IncrementalHash hash, ModelFile file)
    {
        foreach (string path in file.Files)
        {
            FileInfo info = new(path);
            Add(hash, string.Create(CultureInfo.InvariantCulture, $"{info.Name}|{info.Length}|{info.LastWriteTimeUtc.Ticks}"));
        }
        // Files that were unpacked from an archive may all have one time, and models of one kind one length.
        Add(hash, ContentIdentity.Of(file));
        Add(hash, $"{file.Layout}");
    }

    private static void AddImportance(IncrementalHash hash, QuantizationPlan plan)
    {
        foreach (PlannedTensor tensor in plan.Tensors)
        {
            if (plan.Options.Importance?.GetValueOrDefault(tensor.Source.Name) is not { } values) continue;
            Add(hash, tensor.Source.Name);
            hash.AppendData(MemoryMarshal.AsBytes(values.AsSpan()));
        }
    }

    private static void AddTarget(IncrementalHash hash, QuantizationPlan plan, IReadOnlyList<GgufOutput> files)
    {
        foreach (PlannedTensor tensor in plan.Tensors) Add(hash, $"{tensor.Source.Name}|{tensor.Source.TypeName}");
        foreach (GgufOutput output in files)
        {
            Add(hash, Path.GetFileName(output.Path));
            foreach ((string key, MetadataValue value) in output.Metadata)
            {
                Add(hash, $"{key}|{value.Type}|{value.ElementType}|{value.Bytes.Length}");
                hash.AppendData(value.Bytes.Span);
            }
            foreach (TensorInfo tensor in output.Tensors) Add(hash, $"{tensor.Name}|{string.Join(',', tensor.Dimensions)}|{tensor.TypeName}");
        }
    }

    private static string Hash(Action<IncrementalHash> add)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        add(hash);
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    private static void Add(IncrementalHash hash, string text)
    {
        hash.AppendData(Encoding.UTF8.GetBytes(text));
        hash.AppendData("\n"u8);
    }
}
