using System.Runtime.CompilerServices;

namespace Nibble.Formats;

/// <summary>The scale of every group of a few blocks, and from what its quants can be had again.</summary>
internal readonly ref struct SymmetricGroups
{
    private readonly Span<float> _inverses;

    /// <param name="memory"><see cref="Floats"/> for the number of groups, a multiple of the lanes of a vector.</param>
    public SymmetricGroups(Span<float> memory)
    {
        int groups = memory.Length / 3;
        Scales = memory[..groups];
        Weights = memory.Slice(groups, groups);
        _inverses = memory.Slice(2 * groups, groups);
    }

    public static int Floats(int groups) => 3 * groups;

    public Span<float> Scales { get; }

    /// <summary>The sums of the weights of the values of a group.</summary>
    public Span<float> Weights { get; }

    /// <summary>Finds the scales of whole groups, of <paramref name="size"/> values each, whose columns have the given importance.</summary>
    /// <param name="values">At most as many groups as there is memory for.</param>
    /// <param name="importance">As many.</param>
    /// <param name="meanSquares">For every group what counts as a typical square, with room for whole vectors.</param>
    /// <param name="size">16 or 32.</param>
    /// <param name="limit">The quant that stands for zero.</param>
    [SkipLocalsInit]
    public void Search<TLanes>(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, ReadOnlySpan<float> meanSquares, int size, int limit)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        LaneScratch<TLanes> group = new(stackalloc byte[LaneScratch.Bytes], size);
        int groups = values.Length / size;
        for (int first = 0; first < groups; first += TLanes.Count)
        {
            LaneGroups.Transpose(values, first, groups, size, group.Values);
            LaneGroups.Transpose(importance, first, groups, size, group.Weights);
            ErrorWeights.ByImportance(group.Values, group.Weights, TLanes.Load(meanSquares[first..])).Store(Weights[first..]);
            Set(first, ScaleSearch.Symmetric<TLanes>(group.Values, group.Weights, limit, group.Trial));
        }
    }

    /// <summary>Takes over the groups from <paramref name="first"/> on.</summary>
    public void Set<TLanes>(int first, (TLanes Scale, TLanes Inverse) fit) where TLanes : unmanaged, ILanes<TLanes>
    {
        fit.Scale.Store(Scales.Slice(first, TLanes.Count));
        fit.Inverse.Store(_inverses.Slice(first, TLanes.Count));
    }

    /// <summary>The quants that the search chose for a group.</summary>
    public void Round(ReadOnlySpan<float> values, int group, int limit, Span<byte> quants) =>
        ScaleSearch.RoundSymmetricBy<Lanes8>(values, _inverses[group], limit, quants);
}
