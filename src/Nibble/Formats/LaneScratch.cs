using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>What a search works on, for one vector of groups of up to 32 values.</summary>
internal readonly ref struct LaneScratch<TLanes> where TLanes : unmanaged, ILanes<TLanes>
{
    /// <param name="memory"><see cref="LaneScratch.Bytes"/> bytes that do not move, for instance on the stack.</param>
    /// <param name="size">Values of a group.</param>
    public unsafe LaneScratch(Span<byte> memory, int size)
    {
        // A vector across two cache lines takes twice as long to load.
        int unaligned = (int)((nuint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(memory)) % LaneScratch.Alignment);
        Span<TLanes> lanes = MemoryMarshal.Cast<byte, TLanes>(memory[((LaneScratch.Alignment - unaligned) % LaneScratch.Alignment)..]);
        Values = lanes[..size];
        Trial = lanes.Slice(size, size);
        Weights = lanes.Slice(2 * size, size);
    }

    public Span<TLanes> Values { get; }

    public Span<TLanes> Trial { get; }

    public Span<TLanes> Weights { get; }
}

internal static class LaneScratch
{
    public const int Alignment = 64;

    /// <summary>Blocks of 256 values whose groups are treated together; a multiple of the lanes of any vector.</summary>
    public const int BlocksAtATime = 16;

    /// <summary>Groups treated together where each is a block by itself.</summary>
    public const int GroupsAtATime = 128;

    /// <summary>Bytes for three runs of 32 vectors of 128 bytes.</summary>
    public const int Bytes = 3 * 32 * 2 * 64 + Alignment;
}
