using Nibble.Generation;
using Nibble.Models;

namespace Nibble.Tests.Models;

/// <summary>Generating must not keep the garbage collector busy.</summary>
public class SessionAllocationTests
{
    private const int WarmUp = 40, Measured = 32;

    [Theory]
    [InlineData("Q4_K_M", true)]
    [InlineData("Q4_K_M", false)]
    [InlineData("F16", true)]
    public void A_token_allocates_nothing_on_any_thread(string level, bool repack)
    {
        using LanguageModel model = LanguageModel.Open(SampleModel.At(level), new ModelOptions { Threads = 2, Repack = repack });
        using Session session = model.CreateSession(WarmUp + Measured);
        Append(session, WarmUp);
        // Once more where a thread first had to wait meanwhile, for which it sets up something.
        long fewest = long.MaxValue;
        for (int again = 0; again < 3 && fewest > 0; again++)
        {
            session.Truncate(WarmUp);
            long before = model.Pool.AllocatedBytes;
            Append(session, Measured);
            fewest = Math.Min(fewest, model.Pool.AllocatedBytes - before);
        }
        Assert.Equal(0, fewest);
    }

    private static void Append(Session session, int count)
    {
        for (int i = 0; i < count; i++) session.Append([1 + i]);
    }
}
