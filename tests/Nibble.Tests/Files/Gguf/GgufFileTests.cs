using Nibble.Files;
using Nibble.Files.Gguf;

namespace Nibble.Tests.Files.Gguf;

public sealed class GgufFileTests
{
    [Theory]
    [InlineData("golden/odd.gguf")]
    [InlineData("golden/deep.gguf")]
    public void Tensors_have_the_names_and_shapes_of_the_manifest(string file)
    {
        string path = Shared.Find(file);
        using GgufFile model = GgufFile.Open(path);
        Assert.Equal("llama", model.Metadata.String("general.architecture"));
        Assert.NotEmpty(model.Tensors);
        foreach (TensorInfo tensor in model.Tensors)
        {
            Assert.Equal(tensor.Bytes, model.Read(tensor).Length);
            Assert.Same(tensor, model.Find(tensor.Name));
        }
    }
}
