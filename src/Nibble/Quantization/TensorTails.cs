using Nibble.Files;

namespace Nibble.Quantization;

/// <summary>What a tensor stores once, behind its blocks, before and after; empty where the format has no such thing.</summary>
/// <param name="Source">As it is.</param>
/// <param name="Target">As it will be.</param>
internal readonly record struct TensorTails(ReadOnlyMemory<byte> Source, ReadOnlyMemory<byte> Target)
{
    /// <summary>Reads the tail of a tensor, and chooses that of what it becomes, for which its values may be read through once.</summary>
    public static TensorTails Of(ModelFile file, PlannedTensor tensor, TensorImportance importance)
    {
        byte[] source = file.ReadTail(tensor.Source);
        if (!tensor.IsConverted) return new(source, source);
        return new(source, tensor.Target.Format is { TailBytes: > 0 } target ? target.FitTail(new StoredValues(file, tensor.Source, source, importance)) : default);
    }
}
