using System.Runtime.InteropServices;
using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Formats;
using Nibble.Quantization;

namespace Nibble.Tests.Files.Gguf;

/// <summary>The sample model with its matrices rounded to -1, 0 and 1 as BitNet rounds them, stored as bitnet.cpp stores them.</summary>
internal static class TernaryModel
{
    /// <summary>In single precision.</summary>
    public static string Plain(string path) => Write(path, (tensor, bytes) =>
    {
        if (!IsTernary(tensor)) return (tensor, bytes);
        float[] values = MemoryMarshal.Cast<byte, float>(bytes).ToArray();
        float scale = (float)values.Average(v => Math.Abs((double)v));
        return (tensor, MemoryMarshal.AsBytes<float>(Array.ConvertAll(values, v => Math.Clamp(MathF.Round(v / scale), -1, 1) * scale)).ToArray());
    }, SampleModel.At("F32"), _ => { });

    /// <summary>In I2_S in one of its layouts, which the file does not name unless asked to. Norms for which <paramref name="isEven"/> holds become all ones.</summary>
    public static string Save(string path, string plain, I2_SLayout layout, Action<Metadata>? change = null, Func<string, bool>? isEven = null) => Write(path, (tensor, bytes) =>
    {
        if (tensor.Name.EndsWith("_norm.weight", StringComparison.Ordinal) && isEven?.Invoke(tensor.Name) == true) MemoryMarshal.Cast<byte, float>(bytes.AsSpan()).Fill(1);
        if (!IsTernary(tensor)) return (tensor, bytes);
        ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(bytes);
        WeightFormat format = WeightFormat.Of<I2_S>();
        byte[] stored = new byte[values.Length / 4 + 32];
        float scale = 0;
        foreach (float value in values) scale = Math.Max(scale, Math.Abs(value));
        int columns = (int)tensor.Columns, together = layout.RowsTogether;
        for (int row = 0; row < tensor.Rows; row++)
        {
            byte[] numbers = new byte[columns];
            for (int i = 0; i < columns; i++) numbers[i] = (byte)(1 + Math.Sign(values[row * columns + i]));
            layout.Pack(numbers, row % together, stored.AsSpan(row / together * together * columns / 4, together * columns / 4));
        }
        MemoryMarshal.Write(stored.AsSpan(values.Length / 4), scale);
        return (tensor with { TypeName = "I2_S", Format = format, Bytes = stored.Length }, stored);
    }, plain, change ?? (_ => { }));

    private static bool IsTernary(TensorInfo tensor) => tensor.Dimensions.Count == 2 && tensor.Name.StartsWith("blk.", StringComparison.Ordinal);

    private static string Write(string path, Func<TensorInfo, byte[], (TensorInfo, byte[])> change, string source, Action<Metadata> changeMetadata)
    {
        using ModelFile file = ModelFile.Open(source);
        (TensorInfo Info, byte[] Bytes)[] tensors = [.. QuantizationPlan.InOrder(file).Select(t => change(t, file.Read(t).AsSpan<byte>().ToArray()))];
        Metadata metadata = file.Metadata.Clone();
        changeMetadata(metadata);
        using GgufWriter writer = GgufWriter.Create(path, metadata, [.. tensors.Select(t => t.Info)]);
        foreach ((_, byte[] bytes) in tensors) writer.Write(bytes);
        writer.Commit();
        return path;
    }
}
