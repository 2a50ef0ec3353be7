using Nibble.Memory;

namespace Nibble.Kernels.Panels;

/// <summary>Activations in single precision in tiles of 8 tokens, <c>[columns, 8]</c> each. Tokens that a tile lacks are zero.</summary>
internal sealed unsafe class FloatTiles : IDisposable
{
    private AlignedBuffer _buffer = new(0);

    /// <summary>Arranges activations.</summary>
    /// <param name="values"><c>[tokens, columns]</c></param>
    /// <param name="tokens">Tokens.</param>
    /// <param name="columns">Columns, a multiple of 8.</param>
    /// <param name="pool">The threads to use.</param>
    public float* Fill(float* values, int tokens, int columns, WorkerPool pool)
    {
        int tiles = (tokens + TokenTiles.Tokens - 1) / TokenTiles.Tokens;
        long bytes = (long)tiles * TokenTiles.Tokens * columns * sizeof(float);
        if (_buffer.Length < bytes)
        {
            _buffer.Dispose();
            _buffer = AlignedBuffer.Uninitialized(bytes);
        }
        pool.Run(new FillWork { Values = values, Tokens = tokens, Columns = columns, Tiles = (float*)_buffer.Pointer }, tiles);
        return (float*)_buffer.Pointer;
    }

    public void Dispose() => _buffer.Dispose();

    private struct FillWork : IWork
    {
        public float* Values;
        public int Tokens, Columns;
        public float* Tiles;

        public readonly void Run(int start, int end)
        {
            for (int tile = start; tile < end; tile++)
            {
                float* rows = Values + (long)tile * TokenTiles.Tokens * Columns;
                int tokens = Math.Min(TokenTiles.Tokens, Tokens - tile * TokenTiles.Tokens);
                if (tokens < TokenTiles.Tokens)
                {
                    float* padded = (float*)ThreadScratch.Take((long)TokenTiles.Tokens * Columns * sizeof(float));
                    Buffer.MemoryCopy(rows, padded, (long)tokens * Columns * sizeof(float), (long)tokens * Columns * sizeof(float));
                    new Span<float>(padded + (long)tokens * Columns, (TokenTiles.Tokens - tokens) * Columns).Clear();
                    rows = padded;
                }
                float* target = Tiles + (long)tile * TokenTiles.Tokens * Columns;
                for (int c = 0; c < Columns; c += 8)
                    Transposition.EightByEight((byte*)(rows + c), (long)Columns * sizeof(float), bias: 0, (byte*)(target + c * TokenTiles.Tokens), TokenTiles.Tokens * sizeof(float));
            }
        }
    }
}
