using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace Nibble.Evaluation;

/// <summary>The machine this process runs on, as the system and the processor describe it.</summary>
public static class Machine
{
    /// <summary>The processor's own name for itself, or its architecture where it has none.</summary>
    public static string Processor { get; } = ReadProcessor();

    /// <summary>Processors that this process may use: threads of the hardware.</summary>
    public static int Processors => Environment.ProcessorCount;

    /// <summary>Cores of the machine, or <see langword="null"/> where the system does not say which processors share one.</summary>
    public static int? Cores { get; } = CountCores();

    /// <summary>Bytes of memory that this process may use at most.</summary>
    public static long Memory => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Bytes of memory that can be had without anything being swapped out, or <see langword="null"/> where the system does not say.</summary>
    public static long? AvailableMemory
    {
        get
        {
            const string Path = "/proc/meminfo", Field = "MemAvailable:";
            string? line = File.Exists(Path) ? File.ReadLines(Path).FirstOrDefault(l => l.StartsWith(Field, StringComparison.Ordinal)) : null;
            return line is not null && long.TryParse(line.AsSpan(Field.Length).Trim(" kB"), NumberStyles.None, CultureInfo.InvariantCulture, out long kibibytes) ? Math.Min(kibibytes * 1024, Memory) : null;
        }
    }

    private static string ReadProcessor()
    {
        const int First = unchecked((int)0x80000002), Last = First + 2, Highest = unchecked((int)0x80000000);
        if (!X86Base.IsSupported || (uint)X86Base.CpuId(Highest, 0).Eax < unchecked((uint)Last)) return RuntimeInformation.ProcessArchitecture.ToString();
        Span<int> name = stackalloc int[12];
        for (int leaf = First; leaf <= Last; leaf++)
            (name[4 * (leaf - First)], name[4 * (leaf - First) + 1], name[4 * (leaf - First) + 2], name[4 * (leaf - First) + 3]) = X86Base.CpuId(leaf, 0);
        return Encoding.ASCII.GetString(MemoryMarshal.AsBytes(name)).Trim('\0', ' ');
    }

    private static int? CountCores()
    {
        const string Folder = "/sys/devices/system/cpu";
        if (!Directory.Exists(Folder)) return null;
        string[] files = [.. Directory.EnumerateDirectories(Folder, "cpu*").Select(cpu => Path.Combine(cpu, "topology", "thread_siblings_list")).Where(File.Exists)];
        // Processors of one core name the same siblings.
        return files.Length > 0 ? files.Select(File.ReadAllText).Distinct().Count() : null;
    }
}
