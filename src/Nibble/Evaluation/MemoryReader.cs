using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Nibble.Kernels;
using Nibble.Memory;

namespace Nibble.Evaluation;

/// <summary>Reads memory that no cache holds, with all threads of a pool.</summary>
internal sealed unsafe class MemoryReader : IDisposable
{
    /// <summary>Larger than caches are; less where the machine has little memory.</summary>
    private const long BufferBytes = 512 << 20;

    private const int ChunkBytes = 1 << 20;

    private readonly WorkerPool _pool;
    private readonly AlignedBuffer _buffer;
    private readonly int _chunks;

    /// <exception cref="NibbleException">There is not enough memory.</exception>
    public MemoryReader(WorkerPool pool)
    {
        _pool = pool;
        _chunks = (int)Math.Max(1, Math.Min(BufferBytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8) / ChunkBytes);
        _buffer = AlignedBuffer.ForStreaming(Bytes);
        pool.Run(new WriteWork(_buffer.Pointer), _chunks); // pages that nobody has written are all the same one
    }

    /// <summary>Bytes that <see cref="Read"/> reads.</summary>
    public long Bytes => (long)_chunks * ChunkBytes;

    public void Read() => _pool.Run(new ReadWork(_buffer.Pointer), _chunks);

    public void Dispose() => _buffer.Dispose();

    private readonly struct WriteWork(byte* buffer) : IWork
    {
        public void Run(int start, int end) => new Span<byte>(buffer + (long)start * ChunkBytes, checked((end - start) * ChunkBytes)).Fill(1);
    }

    private readonly struct ReadWork(byte* buffer) : IWork
    {
        public void Run(int start, int end)
        {
            for (int chunk = start; chunk < end; chunk++) Read(buffer + (long)chunk * ChunkBytes);
        }

        /// <summary>Compiled well at once, for it runs too briefly to be compiled again.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        private static ulong Read(byte* bytes)
        {
            Vector256<ulong> a = default, b = default, c = default, d = default;
            for (byte* end = bytes + ChunkBytes; bytes < end; bytes += 128)
            {
                a |= Vector256.Load((ulong*)bytes);
                b |= Vector256.Load((ulong*)bytes + 4);
                c |= Vector256.Load((ulong*)bytes + 8);
                d |= Vector256.Load((ulong*)bytes + 12);
            }
            return Vector256.Sum(a | b | c | d);
        }
    }
}
