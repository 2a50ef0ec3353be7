using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Nibble.Formats;
using Nibble.Kernels.Panels;
using Nibble.Memory;

namespace Nibble.Kernels;

/// <summary>
/// A matrix of single-precision values <c>[tokens, columns]</c> that flows through a model, together with the block formats it was
/// stored in for matrix products. Each format is computed once, however many matrices take it: q, k and v share one, gate and up another.
/// </summary>
/// <param name="columns">Values of one token.</param>
public sealed unsafe class Activations(int columns) : IDisposable
{
    private sealed class Form
    {
        public required Type Block;
        public AlignedBuffer? Buffer;
        public bool IsCurrent;
    }

    private sealed class TileForm(Type block) : IDisposable
    {
        public readonly Type Block = block;
        public readonly TokenTiles Tiles = new();
        public bool IsCurrent;

        public void Dispose() => Tiles.Dispose();
    }

    private readonly List<Form> _forms = [];
    private readonly List<TileForm> _tiles = [];
    private readonly FloatTiles _floatTiles = new();
    private float* _currentFloatTiles;
    private AlignedBuffer _values = new(0);

    public int Columns { get; } = columns;

    /// <summary>Rows in use.</summary>
    public int Tokens { get; private set; }

    /// <summary>Sets the number of rows; their values are undefined until written.</summary>
    public void Resize(int tokens)
    {
        Grow(ref _values, (long)tokens * Columns * sizeof(float));
        Tokens = tokens;
        Forget();
    }

    /// <summary>The values of one token, <c>[columns]</c>.</summary>
    public ReadOnlySpan<float> Read(int token) => _values.AsSpan<float>((long)token * Columns, Columns);

    /// <summary>The values of one token, to be changed: the block formats are computed anew when next asked for.</summary>
    public Span<float> Write(int token)
    {
        Forget();
        return _values.AsSpan<float>((long)token * Columns, Columns);
    }

    /// <summary>All values <c>[tokens, columns]</c> for reading.</summary>
    internal float* Pointer => (float*)_values.Pointer;

    /// <summary>All values <c>[tokens, columns]</c>, to be changed.</summary>
    internal float* WritePointer
    {
        get
        {
            Forget();
            return (float*)_values.Pointer;
        }
    }

    /// <summary>Adds <paramref name="addend"/>, <c>[tokens, columns]</c>.</summary>
    internal void Add(Activations addend, WorkerPool pool) => pool.Run(new AddWork(addend.Pointer, WritePointer, Columns), Tokens);

    /// <summary>The values as rows of blocks, <c>[tokens, columns / BlockSize]</c>.</summary>
    internal TBlock* As<TBlock>(WorkerPool pool) where TBlock : unmanaged, IBlock<TBlock>
    {
        if (typeof(TBlock) == typeof(F32)) return (TBlock*)_values.Pointer;
        Form? form = _forms.Find(f => f.Block == typeof(TBlock));
        if (form is null) _forms.Add(form = new Form { Block = typeof(TBlock) });
        if (!form.IsCurrent)
        {
            form.Buffer ??= new AlignedBuffer(0);
            Grow(ref form.Buffer, (long)Tokens * (Columns / TBlock.BlockSize) * Unsafe.SizeOf<TBlock>());
            pool.Run(new QuantizeWork<TBlock>((float*)_values.Pointer, (TBlock*)form.Buffer.Pointer, Columns), Tokens);
            form.IsCurrent = true;
        }
        return (TBlock*)form.Buffer!.Pointer;
    }

    /// <summary>The values in tiles of tokens, quantized as <typeparamref name="TBlock"/>.</summary>
    internal TokenTiles AsTiles<TBlock>(WorkerPool pool) where TBlock : unmanaged, IActivationBlock<TBlock>
    {
        TileForm? form = _tiles.Find(f => f.Block == typeof(TBlock));
        if (form is null) _tiles.Add(form = new TileForm(typeof(TBlock)));
        if (!form.IsCurrent) form.Tiles.Fill<TBlock>(Pointer, Tokens, Columns, pool);
        form.IsCurrent = true;
        return form.Tiles;
    }

    /// <summary>The values in tiles of tokens as they are.</summary>
    internal float* AsFloatTiles(WorkerPool pool)
    {
        if (_currentFloatTiles is null) _currentFloatTiles = _floatTiles.Fill(Pointer, Tokens, Columns, pool);
        return _currentFloatTiles;
    }

    public void Dispose()
    {
        _values.Dispose();
        _floatTiles.Dispose();
        foreach (TileForm form in _tiles) form.Dispose();
        foreach (Form form in _forms) form.Buffer?.Dispose();
    }

    private void Forget()
    {
        foreach (Form form in _forms) form.IsCurrent = false;
        foreach (TileForm form in _tiles) form.IsCurrent = false;
        _currentFloatTiles = null;
    }

    private static void Grow(ref AlignedBuffer buffer, long bytes)
    {
        if (buffer.Length >= bytes) return;
        buffer.Dispose();
        buffer = new AlignedBuffer(bytes);
    }

    private readonly struct QuantizeWork<TBlock>(float* values, TBlock* blocks, int columns) : IWork where TBlock : unmanaged, IBlock<TBlock>
    {
        public void Run(int start, int end)
        {
            int blocksPerRow = columns / TBlock.BlockSize;
            for (int row = start; row < end; row++)
                TBlock.Quantize(new ReadOnlySpan<float>(values + (long)row * columns, columns), new Span<TBlock>(blocks + (long)row * blocksPerRow, blocksPerRow));
        }
    }

    private readonly struct AddWork(float* addend, float* values, int columns) : IWork
    {
        public void Run(int start, int end)
        {
            for (int row = start; row < end; row++)
            {
                Span<float> sum = new(values + (long)row * columns, columns);
                TensorPrimitives.Add(sum, new ReadOnlySpan<float>(addend + (long)row * columns, columns), sum);
            }
        }
    }
}
