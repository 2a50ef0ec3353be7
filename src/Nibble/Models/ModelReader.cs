using Nibble.Files;
using Nibble.Kernels;
using Nibble.Memory;

namespace Nibble.Models;

/// <summary>What an architecture builds itself from: the numbers and tensors of a model file, found by name and checked.</summary>
/// <param name="file">The file; it must stay open as long as the model is in use.</param>
public sealed class ModelReader(ModelFile file)
{
    private readonly Metadata _metadata = file.Metadata;

    public string Architecture { get; } = file.Metadata.String("general.architecture")
        ?? Throw.BadFile<string>(file.Path, "metadata key 'general.architecture' is missing; this is no model that can be run");

    /// <summary>Whether weights may be packed anew in memory to suit the processor.</summary>
    public bool MayRepack { get; init; } = true;

    /// <summary>The number called <c>ARCHITECTURE.name</c>, which must be there.</summary>
    public int Int(string name) => TryInt(name) ?? Throw.BadFile<int>(file.Path, $"metadata key '{Key(name)}' is missing");

    /// <summary>The number called <c>ARCHITECTURE.name</c>, or <see langword="null"/>.</summary>
    public int? TryInt(string name)
    {
        if (_metadata.Integer(Key(name)) is not { } value) return null;
        if (value is <= 0 or > int.MaxValue) Throw.BadFile(file.Path, $"metadata key '{Key(name)}' is {value}, which no model can have");
        return (int)value;
    }

    /// <summary>The number called <c>ARCHITECTURE.name</c>, or <paramref name="otherwise"/>.</summary>
    public float Float(string name, double otherwise) => (float)(TryFloat(name) ?? otherwise);

    /// <summary>The number called <c>ARCHITECTURE.name</c>, or <see langword="null"/>.</summary>
    public double? TryFloat(string name)
    {
        double? value = _metadata.Float(Key(name));
        if (value is { } number && !double.IsFinite(number)) Throw.BadFile(file.Path, $"metadata key '{Key(name)}' is {number}");
        return value;
    }

    /// <summary>The numbers called <c>ARCHITECTURE.name</c>, or <see langword="null"/>; a single bool or number does not count.</summary>
    public long[]? TryIntegers(string name) =>
        _metadata.TryGet(Key(name), out MetadataValue? value) && value.Type == MetadataType.Array ? _metadata.Integers(Key(name)) : null;

    public string? TryString(string name) => _metadata.String(Key(name));

    /// <summary>The weight <c>name.weight</c> with <c>name.bias</c> where the file has one.</summary>
    /// <param name="name">Name without suffix.</param>
    /// <param name="inputs">Columns it must have, or 0.</param>
    /// <param name="outputs">Rows it must have, or 0.</param>
    public Linear Weight(string name, int inputs = 0, int outputs = 0)
    {
        WeightMatrix weight = Matrix(name, inputs, outputs);
        return new Linear(name + ".weight", weight, file.Find(name + ".bias") is null ? null : Vector(name + ".bias", weight.Rows));
    }

    /// <summary><see cref="Weight"/>, or <see langword="null"/> where the file has none of that name.</summary>
    public Linear? TryWeight(string name, int inputs = 0, int outputs = 0) =>
        file.Find(name + ".weight") is null ? null : Weight(name, inputs, outputs);

    /// <summary>The matrix <c>name.weight</c>.</summary>
    public WeightMatrix Matrix(string name, int inputs = 0, int outputs = 0)
    {
        TensorInfo tensor = Tensor(name + ".weight");
        if (tensor.Dimensions.Count != 2 || tensor.Rows > int.MaxValue || tensor.Columns > int.MaxValue
            || (inputs != 0 && tensor.Columns != inputs) || (outputs != 0 && tensor.Rows != outputs))
        {
            string wanted = $"[{(inputs == 0 ? "any" : inputs)}, {(outputs == 0 ? "any" : outputs)}]";
            Throw.BadFile(file.Path, $"tensor '{tensor.Name}' is [{string.Join(", ", tensor.Dimensions)}] where {wanted} was expected; the metadata does not fit the tensors");
        }
        if (tensor.Format is null) Throw.BadFile(file.Path, $"tensor '{tensor.Name}' has type {tensor.TypeName}, which cannot be run");
        WeightMatrix matrix = WeightMatrix.Create(tensor.Format, file.Read(tensor), (int)tensor.Rows, (int)tensor.Columns);
        matrix.MayRepack = MayRepack;
        return matrix;
    }

    /// <summary>The values of a one-dimensional tensor of any format.</summary>
    /// <param name="name">Name with suffix.</param>
    /// <param name="length">Values it must have.</param>
    public float[] Vector(string name, int length)
    {
        TensorInfo tensor = Tensor(name);
        if (tensor.Count != length) Throw.BadFile(file.Path, $"tensor '{name}' has {tensor.Count} values where {length} were expected");
        if (tensor.Format is null) Throw.BadFile(file.Path, $"tensor '{name}' has type {tensor.TypeName}, which cannot be run");
        float[] values = new float[length];
        MemoryRegion data = file.Read(tensor);
        tensor.Format.Dequantize(data.AsSpan<byte>(), values);
        GC.KeepAlive(data.Owner); // rows that had to be reordered lie in a buffer that nothing else holds
        return values;
    }

    /// <summary>The norm <c>name.weight</c> with the architecture's epsilon.</summary>
    public RmsNorm Norm(string name, int columns) =>
        new(Vector(name + ".weight", columns), Float("attention.layer_norm_rms_epsilon", 1e-5));

    /// <summary>The error that says why this file cannot be run.</summary>
    public NibbleException Refusal(string problem) => new($"{file.Path}: {problem}");

    public bool Has(string name) => file.Find(name) is not null;

    /// <summary>Builds every layer with <paramref name="build"/>.</summary>
    public IReadOnlyList<Block> Layers(Func<LayerReader, Block> build)
    {
        int count = Int("block_count");
        // Each layer has tensors of its own, so a count beyond theirs is a damaged file, not a reason to allocate.
        if (count > file.Tensors.Count) Throw.BadFile(file.Path, $"metadata key '{Key("block_count")}' is {count}, more than the file has tensors");
        return Enumerable.Range(0, count).Select(i => build(new LayerReader(this, i))).ToArray();
    }

    private string Key(string name) => $"{Architecture}.{name}";

    private TensorInfo Tensor(string name)
    {
        if (file.Find(name) is { } tensor) return tensor;
        string stem = name[..(name.LastIndexOf('.', name.LastIndexOf('.') - 1) + 1)]; // "blk.3." of "blk.3.attn_q.weight"
        string[] near = file.Tensors.Select(t => t.Name).Where(n => n.StartsWith(stem, StringComparison.Ordinal)).Take(12).ToArray();
        return Throw.BadFile<TensorInfo>(file.Path,
            $"tensor '{name}' is missing; {(near.Length > 0 ? $"there are {string.Join(", ", near)}" : $"the file has {file.Tensors.Count} tensors, none called {stem}…")}");
    }
}

/// <summary>The tensors of one layer: <see cref="ModelReader"/> with <c>blk.INDEX.</c> in front of every name.</summary>
public readonly struct LayerReader(ModelReader model, int index)
{
    public int Index { get; } = index;

    public Linear Weight(string name, int inputs = 0, int outputs = 0) => model.Weight($"blk.{Index}.{name}", inputs, outputs);

    public RmsNorm Norm(string name, int columns) => model.Norm($"blk.{Index}.{name}", columns);
}
