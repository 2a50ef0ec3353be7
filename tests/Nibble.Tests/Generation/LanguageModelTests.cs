using Nibble.Generation;
using Nibble.Models;

namespace Nibble.Tests.Generation;

public class LanguageModelTests
{
    [Theory]
    [InlineData(null, 256)]
    [InlineData(1, 1)]
    [InlineData(256, 256)]
    public void A_context_is_at_most_the_model_s(int? wanted, int expected)
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        Assert.Equal(expected, model.ContextFor(wanted));
    }

    [Theory]
    [InlineData(257)]
    [InlineData(0)]
    [InlineData(-1)]
    public void Another_context_is_refused(int wanted)
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        Assert.Contains("--ctx", Assert.Throws<NibbleException>(() => model.ContextFor(wanted)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disposed_model_throws_instead_of_reading_what_is_no_longer_mapped()
    {
        LanguageModel model = SampleModel.Open("Q8_0");
        IAsyncEnumerable<string> text = model.GenerateAsync("Hello");
        using Session session = model.CreateSession(8);
        session.Append([1, 2]);
        model.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await text.GetAsyncEnumerator().MoveNextAsync());
        Assert.Throws<ObjectDisposedException>(() => session.Append([3]).Length);
        Assert.Throws<ObjectDisposedException>(() => model.File.Read(model.File.Tensors[0]));
    }

    [Theory]
    [InlineData("F32")]
    [InlineData("Q4_K_M")]
    public void A_disposed_model_gives_its_memory_back_at_once(string level)
    {
        LanguageModel model = SampleModel.Open(level);
        using (Session session = model.CreateSession(8)) session.Append([1, 2]);
        if (level == "F32") Assert.All(model.Network.Matrices, m => Assert.Equal(4L * m.Inputs * m.Outputs, m.Weight.OwnBytes));
        model.Dispose();
        Assert.All(model.Network.Matrices, m => Assert.Equal(0, m.Weight.OwnBytes));
        Assert.Equal(0, model.Network.Embedding.OwnBytes);
        model.Dispose();
    }

    [Fact]
    public void A_file_that_cannot_be_run_is_closed_again()
    {
        using TemporaryFolder folder = new();
        string path = new GgufModel("llama").Save(folder.At("empty.gguf"));
        Assert.StartsWith(path, Assert.Throws<NibbleException>(() => LanguageModel.Open(path)).Message, StringComparison.Ordinal);
        File.Delete(path);
    }
}
