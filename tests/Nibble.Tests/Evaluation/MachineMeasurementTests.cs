using Nibble.Evaluation;
using Nibble.Kernels;

namespace Nibble.Tests.Evaluation;

public class MachineMeasurementTests
{
    [Fact]
    public void Measurements_are_those_of_a_computer()
    {
        using WorkerPool pool = new(1);
        Assert.InRange(MachineMeasurement.ReadBandwidth(pool), 1e8, 1e13);
        Assert.InRange(MachineMeasurement.PeakMultiplyAdds(pool), 1e6, 1e13);
    }
}
