using Nibble.Files;

namespace Nibble.Quantization;

/// <summary>The importance of a tensor's columns: one vector for all rows, or for a tensor of experts one for each expert's.</summary>
internal readonly struct TensorImportance
{
    private readonly float[]? _values;
    private readonly int _columns;
    private readonly long _rowsOfOne;

    /// <exception cref="NibbleException">The importance is of another shape than the tensor.</exception>
    public TensorImportance(TensorInfo tensor, IReadOnlyDictionary<string, float[]>? importance)
    {
        _values = importance?.GetValueOrDefault(tensor.Name);
        if (_values is null) return;
        _columns = (int)tensor.Columns;
        long experts = tensor.Dimensions.Count > 2 ? tensor.Rows / tensor.Dimensions[1] : 1;
        _rowsOfOne = _values.Length == _columns * experts ? tensor.Rows / experts : tensor.Rows;
        if (_values.Length != _columns * experts && _values.Length != _columns)
            Throw.BadInput($"the importance of tensor '{tensor.Name}' has {_values.Length} values where the tensor has {_columns} columns{(experts > 1 ? $" for each of {experts} experts" : "")}; it is another model's");
    }

    /// <summary>Rows from <paramref name="row"/> on that share their importance.</summary>
    public long RowsLeft(long row) => _values is null ? long.MaxValue : _rowsOfOne - row % _rowsOfOne;

    /// <summary>The importance of the columns in this row, <c>[columns]</c>; empty for none.</summary>
    public ReadOnlyMemory<float> At(long row) => _values is null ? default : _values.AsMemory((int)(row / _rowsOfOne) * _columns, _columns);
}
