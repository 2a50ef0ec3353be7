using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Nibble.Formats;
using Nibble.Memory;

namespace Nibble.Kernels.Panels;

/// <summary>
/// Activations in tiles of 8 tokens, each in the order in which a <see cref="IPanelKernel"/> reads it: numbers <c>[columns / 4, 8, 4]</c>,
/// scales <c>[columns / block, 8]</c>, and minus the sums of 16 and of 32 numbers. Tokens that a tile lacks are zero; a single token has
/// no seven others beside it.
/// </summary>
internal sealed unsafe class TokenTiles : IDisposable
{
    public const int Tokens = 8;

    private AlignedBuffer _buffer = new(0);
    private long _scales, _sums16, _sums32, _tileBytes;

    /// <summary>Quantizes activations, <c>[tokens, columns]</c>. A single token is a tile of its own, with one slot instead of 8.</summary>
    public void Fill<TActivation>(float* values, int tokens, int columns, WorkerPool pool) where TActivation : unmanaged, IActivationBlock<TActivation>
    {
        int slots = tokens == 1 ? 1 : Tokens, tiles = (tokens + Tokens - 1) / Tokens;
        _scales = (long)slots * columns;
        _sums16 = _scales + (long)columns / TActivation.BlockSize * slots * sizeof(float);
        _sums32 = _sums16 + (long)columns / 16 * slots * sizeof(int);
        _tileBytes = (_sums32 + (long)columns / 32 * slots * sizeof(int) + 63) / 64 * 64;
        if (_buffer.Length < tiles * _tileBytes)
        {
            _buffer.Dispose();
            _buffer = AlignedBuffer.Uninitialized(tiles * _tileBytes);
        }
        FillWork<TActivation> work = new()
        {
            Values = values,
            TokensLeft = tokens,
            Slots = slots,
            Columns = columns,
            Tiles = _buffer.Pointer,
            TileBytes = _tileBytes,
            Scales = _scales,
            Sums16 = _sums16,
            Sums32 = _sums32,
        };
        pool.Run(work, tiles);
    }

    /// <summary>Where the tiles are, by value for threads.</summary>
    public View Read(int group) => new() { Start = _buffer.Pointer, TileBytes = _tileBytes, Scales = _scales, Sums = group == 16 ? _sums16 : _sums32 };

    public void Dispose() => _buffer.Dispose();

    /// <summary>The addresses of tiles.</summary>
    public struct View
    {
        public byte* Start;
        public long TileBytes, Scales, Sums;

        /// <summary>Points <paramref name="arguments"/> to a tile.</summary>
        public readonly void Select(int tile, ref PanelArguments arguments)
        {
            byte* start = Start + tile * TileBytes;
            arguments.Tokens = (sbyte*)start;
            arguments.TokenScales = (float*)(start + Scales);
            arguments.NegatedSums = (int*)(start + Sums);
        }

        /// <inheritdoc cref="Select(int, ref PanelArguments)"/>
        public readonly void Select(int tile, ref PackedArguments arguments)
        {
            byte* start = Start + tile * TileBytes;
            arguments.Tokens = (sbyte*)start;
            arguments.TokenScales = (float*)(start + Scales);
            arguments.NegatedSums = (int*)(start + Sums);
        }
    }

    private struct FillWork<TActivation> : IWork where TActivation : unmanaged, IActivationBlock<TActivation>
    {
        public float* Values;
        public int TokensLeft, Slots, Columns;
        public byte* Tiles;
        public long TileBytes, Scales, Sums16, Sums32;

        public readonly void Run(int start, int end)
        {
            int blocks = Columns / TActivation.BlockSize;
            TActivation* rows = (TActivation*)ThreadScratch.Take((long)Slots * blocks * sizeof(TActivation));
            for (int tile = start; tile < end; tile++)
            {
                int tokens = Math.Min(Slots, TokensLeft - tile * Tokens);
                TActivation.Quantize(new(Values + (long)tile * Tokens * Columns, tokens * Columns), new(rows, tokens * blocks));
                new Span<byte>(rows + tokens * blocks, (Slots - tokens) * blocks * sizeof(TActivation)).Clear();
                byte* target = Tiles + tile * TileBytes;
                Arrange(rows, blocks, (sbyte*)target, (float*)(target + Scales), (int*)(target + Sums16), (int*)(target + Sums32));
            }
        }

        private readonly void Arrange(TActivation* rows, int blocks, sbyte* numbers, float* scales, int* sums16, int* sums32)
        {
            for (int b = 0; b < blocks; b++)
            {
                for (int t = 0; t < Slots; t++) *scales++ = TActivation.ScaleOf(in rows[t * blocks + b]);
                byte* first = (byte*)Unsafe.AsPointer(ref Unsafe.AsRef(in TActivation.NumbersOf(in rows[b])));
                for (int c = 0; c < TActivation.BlockSize; c += 32)
                {
                    if (Slots == 1) Vector256.Load(first + c).Store((byte*)numbers);
                    else Transposition.EightByEight(first + c, (long)blocks * sizeof(TActivation), bias: 0, (byte*)numbers, Tokens * 4);
                    numbers += Slots * 32;
                    for (int t = 0; t < Slots; t++)
                    {
                        (int low, int high) = NegatedSums(first + c + (long)t * blocks * sizeof(TActivation));
                        (sums16[t], sums16[Slots + t], sums32[t]) = (low, high, low + high);
                    }
                    sums16 += 2 * Slots;
                    sums32 += Slots;
                }
            }
        }

        /// <summary>Minus the sums of twice 16 signed bytes.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static (int Low, int High) NegatedSums(byte* bytes)
        {
            if (AdvSimd.Arm64.IsSupported)
                return (-AdvSimd.Arm64.AddAcrossWidening(Vector128.Load((sbyte*)bytes)).ToScalar(), -AdvSimd.Arm64.AddAcrossWidening(Vector128.Load((sbyte*)bytes + 16)).ToScalar());
            // Bytes plus 128 are unsigned; VPSADBW sums each eight of them.
            Vector256<ulong> sums = Avx2.SumAbsoluteDifferences(Vector256.Load(bytes) ^ Vector256.Create((byte)128), Vector256<byte>.Zero).AsUInt64();
            return (16 * 128 - (int)(sums[0] + sums[1]), 16 * 128 - (int)(sums[2] + sums[3]));
        }
    }
}
