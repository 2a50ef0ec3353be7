using Nibble.Evaluation.Tasks;

namespace Nibble.Tests.Evaluation.Tasks;

public class PythonRandomTests
{
    /// <summary>What CPython's <c>random.Random(seed).sample(range(size), count)</c> gives the first and the second time.</summary>
    public static TheoryData<uint, int, int[], int[]> Samples => new()
    {
        { 1234, 100, [99, 56, 14, 0, 11], [74, 4, 85, 88, 10] },
        { 1234, 400, [398, 225, 59, 3, 46, 298], [17, 343, 354, 42, 50, 392] },
        { 1234, 7473, [6374, 3610, 957, 61, 742], [7462, 6610, 4769, 286, 5501] },
        { 0, 10, [6, 9, 0], [4, 8, 7] },
        { 42, 21, [20, 3, 0, 8, 7], [7, 4, 3, 17, 2] }, // the last size that is drawn from a list
        { 42, 22, [20, 3, 0, 8, 7], [7, 4, 3, 21, 17] },
        { 42, 85, [81, 14, 3, 35, 31, 28, 17, 13], [69, 11, 75, 54, 4, 3, 83, 27] },
    };

    [Theory]
    [MemberData(nameof(Samples))]
    public void Samples_are_those_of_Python(uint seed, int size, int[] first, int[] second)
    {
        PythonRandom random = new(seed);
        Assert.Equal(first, random.Sample(size, first.Length));
        Assert.Equal(second, random.Sample(size, second.Length));
    }
}
