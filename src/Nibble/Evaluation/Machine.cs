using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;
using Nibble.Kernels;

namespace Nibble.Evaluation;

/// <summary>The machine this process runs on, as the system and the processor describe it.</summary>
public static class Machine
{
    /// <summary>The processor's own name for itself, or its architecture where it has none.</summary>
    public static string Processor { get; } = ReadProcessor();

    /// <summary>Processors that this process may use: threads of the hardware.</summary>
    public static int Processors => Environment.ProcessorCount;

    /// <summary>Physical cores that this process may use; as many as <see cref="Processors"/> where the system does not say which share one.</summary>
    public static int Cores => ProcessorCores.Count;

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
}
