using System.Globalization;

namespace Nibble.Kernels;

/// <summary>
/// How many cores this process may use. Two threads of one core share the units that multiply, so that a second one gains nothing in
/// matrix products.
/// </summary>
internal static class ProcessorCores
{
    /// <summary>Physical cores that this process may use, where the system tells (Linux); else its processors. At least 1.</summary>
    public static int Count { get; } = OperatingSystem.IsLinux()
        ? CountDistinct("/sys/devices/system/cpu", AllowedProcessors(), Environment.ProcessorCount)
        : Environment.ProcessorCount;

    /// <summary>Cores among the allowed processors: each of its processors lists all of them.</summary>
    /// <param name="folder">Has <c>cpu0/topology/thread_siblings_list</c> and so on.</param>
    /// <param name="allowed">Processors to count, such as <c>0-3,8</c>; <see langword="null"/> for all there are.</param>
    /// <param name="most">Processors that may be used, and the answer where the folder does not tell.</param>
    internal static int CountDistinct(string folder, string? allowed, int most)
    {
        HashSet<string> cores = [];
        try
        {
            foreach (string path in Directory.EnumerateDirectories(folder, "cpu*"))
            {
                if (!int.TryParse(Path.GetFileName(path).AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out int processor) || !Contains(allowed, processor)) continue;
                string siblings = Path.Combine(path, "topology", "thread_siblings_list");
                if (File.Exists(siblings)) cores.Add(File.ReadAllText(siblings)); // a processor that is switched off has none
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return most; // a system that hides them, as some containers do
        }
        return cores.Count == 0 ? most : Math.Min(cores.Count, most);
    }

    private static string? AllowedProcessors()
    {
        const string Key = "Cpus_allowed_list:";
        try
        {
            return File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith(Key, StringComparison.Ordinal))?[Key.Length..];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool Contains(string? list, int processor)
    {
        if (list is null) return true;
        foreach (string range in list.Split(',', StringSplitOptions.TrimEntries))
        {
            string[] ends = range.Split('-');
            if (int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out int first) && int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int last)
                && first <= processor && processor <= last) return true;
        }
        return false;
    }
}
