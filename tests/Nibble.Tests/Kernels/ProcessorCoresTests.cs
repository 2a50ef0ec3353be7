using Nibble.Kernels;

namespace Nibble.Tests.Kernels;

public class ProcessorCoresTests
{
    [Theory]
    [InlineData(null, 8, 4)] // four cores of two threads
    [InlineData("0-7", 8, 4)]
    [InlineData("0-1,4-5", 4, 2)]
    [InlineData(" 0,4", 2, 1)] // both threads of one core
    [InlineData("0-3", 4, 4)]
    [InlineData("0-7", 3, 3)] // a quota of three processors
    public void Threads_of_a_core_count_once(string? allowed, int most, int cores)
    {
        using TemporaryFolder folder = new();
        for (int processor = 0; processor < 8; processor++) folder.Write($"cpu{processor}/topology/thread_siblings_list", $"{processor % 4},{processor % 4 + 4}\n");
        Directory.CreateDirectory(folder.At("cpu8")); // switched off
        Directory.CreateDirectory(folder.At("cpufreq"));
        Assert.Equal(cores, ProcessorCores.CountDistinct(folder.Path, allowed, most));
    }

    [Fact]
    public void A_system_that_does_not_tell_has_a_core_for_each_processor()
    {
        using TemporaryFolder folder = new();
        Assert.Equal(6, ProcessorCores.CountDistinct(folder.At("nothing"), null, 6));
        Assert.Equal(6, ProcessorCores.CountDistinct(folder.Path, null, 6));
        Assert.InRange(ProcessorCores.Count, 1, Environment.ProcessorCount);
    }
}
