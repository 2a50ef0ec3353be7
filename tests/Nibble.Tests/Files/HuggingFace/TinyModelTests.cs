using System.Security.Cryptography;
using System.Text.Json;
using Nibble.Files;
using Nibble.Formats;

namespace Nibble.Tests.Files.HuggingFace;

/// <summary>The sample model, as it is published, against what llama.cpp made of it.</summary>
public sealed class TinyModelTests
{
    [Theory]
    [InlineData("BF16")]
    [InlineData("F16")]
    public void Tensors_have_the_names_shapes_and_bytes_of_the_manifest(string type)
    {
        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllBytes(Shared.Find("golden/tiny-manifest.json")));
        JsonElement expected = manifest.RootElement.GetProperty("recipes").GetProperty(type).GetProperty("tensors");
        using ModelFile model = ModelFile.Open(Shared.TinyModel);
        Assert.Equal(expected.EnumerateObject().Select(t => t.Name), model.Tensors.Select(t => t.Name));
        foreach (TensorInfo tensor in model.Tensors)
        {
            JsonElement wanted = expected.GetProperty(tensor.Name);
            Assert.Equal(wanted.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64()), tensor.Dimensions);
            Assert.True(WeightFormat.TryParse(wanted.GetProperty("type").GetString()!, out WeightFormat? format));
            Assert.Equal(wanted.GetProperty("sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(Bytes(model, tensor, format))));
        }
    }

    [Fact]
    public void Metadata_is_what_the_converter_writes()
    {
        using ModelFile model = ModelFile.Open(Shared.TinyModel);
        Metadata metadata = model.Metadata;
        Assert.Equal("llama", metadata.String("general.architecture"));
        Assert.Equal("tiny", metadata.String("general.name"));
        Assert.Equal(4, metadata.Integer("llama.block_count"));
        Assert.Equal(256, metadata.Integer("llama.context_length"));
        Assert.Equal(256, metadata.Integer("llama.embedding_length"));
        Assert.Equal(768, metadata.Integer("llama.feed_forward_length"));
        Assert.Equal(4, metadata.Integer("llama.attention.head_count"));
        Assert.Equal(2, metadata.Integer("llama.attention.head_count_kv"));
        Assert.Equal(64, metadata.Integer("llama.attention.key_length"));
        Assert.Equal(64, metadata.Integer("llama.rope.dimension_count"));
        Assert.Equal(1e-5f, metadata.Float("llama.attention.layer_norm_rms_epsilon"));
        Assert.Equal(10000, metadata.Float("llama.rope.freq_base"));
        Assert.Equal(4096, metadata.Integer("llama.vocab_size"));
        Assert.False(metadata.Contains("llama.rope.scaling.type"));
    }

    [Fact]
    public void Reading_in_pieces_gives_the_same_rows()
    {
        using ModelFile model = ModelFile.Open(Shared.TinyModel);
        TensorInfo tensor = model.Find("blk.1.attn_q.weight")!;
        byte[] whole = model.Read(tensor).AsSpan<byte>().ToArray();
        for (long row = 0; row < tensor.Rows; row += 7)
        {
            long rows = Math.Min(7, tensor.Rows - row);
            Assert.Equal(whole.AsSpan((int)(row * tensor.RowBytes), (int)(rows * tensor.RowBytes)), model.Read(tensor, row, rows).AsSpan<byte>());
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Read(tensor, tensor.Rows - 1, 2));
    }

    private static byte[] Bytes(ModelFile model, TensorInfo tensor, WeightFormat format)
    {
        byte[] stored = model.Read(tensor).AsSpan<byte>().ToArray();
        if (tensor.Format == format) return stored;
        float[] values = new float[tensor.Count];
        tensor.Format!.Dequantize(stored, values);
        byte[] converted = new byte[format.ByteSize(tensor.Count)];
        format.Quantize(values, [], converted);
        return converted;
    }
}
