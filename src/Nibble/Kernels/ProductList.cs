using System.Runtime.CompilerServices;

namespace Nibble.Kernels;

/// <summary>Up to three products with the same input, which threads share as if they were one: query, key and value, or gate and up.</summary>
internal unsafe struct ProductList : IWork
{
    /// <summary>Bytes of weights that a thread takes at a time where there are enough: as many as it takes to read memory at full speed.</summary>
    private const int BytesAtATime = 1 << 17;

    private ProductArray _products;
    private int _count, _tiles;
    private long _bytes;

    /// <summary>Adds a product, <c>result = input · matrixᵀ</c>.</summary>
    /// <param name="matrix"><c>[rows, columns]</c></param>
    /// <param name="input"><c>[tokens, columns]</c></param>
    /// <param name="result">Becomes <c>[tokens, rows]</c>.</param>
    /// <param name="pool">The threads that store the input in the form the matrix takes.</param>
    public void Add(WeightMatrix matrix, Activations input, Activations result, WorkerPool pool)
    {
        if (input.Columns != matrix.Columns || result.Columns != matrix.Rows)
            throw new ArgumentException($"[{matrix.Rows}, {matrix.Columns}] does not take {input.Columns} columns to {result.Columns}", nameof(input));
        result.Resize(input.Tokens);
        matrix.Hold();
        try
        {
            _products[_count++] = new Product { Matrix = matrix, Input = input, Form = matrix.Prepare(input, pool), Result = result, Values = result.WritePointer };
        }
        finally
        {
            matrix.LetGo();
        }
        _tiles += matrix.Tiles;
        _bytes += matrix.Bytes;
    }

    /// <summary>Computes all products. Results do not depend on the number of threads.</summary>
    public readonly void Multiply(WorkerPool pool)
    {
        long tilesAtATime = BytesAtATime * (long)_tiles / Math.Max(1, _bytes);
        int held = 0;
        try
        {
            for (; held < _count; held++) _products[held].Matrix.Hold();
            pool.Run(this, _tiles, (int)Math.Clamp(tilesAtATime, 1, Math.Max(1, _tiles / (4 * pool.Threads))));
        }
        finally
        {
            while (held > 0) _products[--held].Matrix.LetGo();
        }
    }

    /// <summary>Computes tiles of the products, one product after the other.</summary>
    public readonly void Run(int start, int end)
    {
        for (int p = 0; p < _count && end > 0; p++)
        {
            ref readonly Product product = ref _products[p];
            int tiles = product.Matrix.Tiles;
            if (start < tiles) product.Matrix.MultiplyTiles(in product.Form, product.Values, Math.Max(start, 0), Math.Min(end, tiles));
            start -= tiles;
            end -= tiles;
        }
    }

    /// <summary>The references keep alive what the addresses point to.</summary>
    private struct Product
    {
        public WeightMatrix Matrix;
        public Activations Input, Result;
        public ProductInput Form;
        public float* Values;
    }

    [InlineArray(3)]
    private struct ProductArray
    {
        private Product _first;
    }
}
