namespace Nibble.Files;

/// <summary>Tensors on their way into a file, one after the other: sees to it that each gets exactly its bytes.</summary>
/// <param name="tensors">The tensors in the order of the file.</param>
internal sealed class TensorStream(IReadOnlyList<TensorInfo> tensors)
{
    private int _current = -1;
    private long _left;

    /// <summary>The tensor that the next bytes belong to; <see langword="null"/> when all are written.</summary>
    public TensorInfo? Current
    {
        get
        {
            if (_current < 0) MoveOn();
            return _current < tensors.Count ? tensors[_current] : null;
        }
    }

    /// <summary>Counts the next bytes of the current tensor, and moves on to the next where they are the last.</summary>
    /// <returns>The tensor that is complete now, if one is.</returns>
    public TensorInfo? Count(int bytes)
    {
        if (Current is not { } tensor) throw new InvalidOperationException("all tensors are written");
        if (bytes > _left) throw new InvalidOperationException($"tensor {tensor.Name} lacks {_left} bytes, but got {bytes}");
        _left -= bytes;
        if (_left > 0) return null;
        MoveOn();
        return tensor;
    }

    /// <summary>Moves past the current tensor, of which nothing was counted yet.</summary>
    /// <returns>That tensor.</returns>
    public TensorInfo Skip()
    {
        if (Current is not { } tensor || _left != tensor.Bytes) throw new InvalidOperationException("only a whole tensor can be left out");
        MoveOn();
        return tensor;
    }

    public void RequireComplete()
    {
        if (Current is { } tensor) throw new InvalidOperationException($"tensor {tensor.Name} is not complete");
    }

    private void MoveOn()
    {
        do _current++;
        while (_current < tensors.Count && tensors[_current].Bytes == 0);
        if (_current < tensors.Count) _left = tensors[_current].Bytes;
    }
}
