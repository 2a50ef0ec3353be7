using System.Runtime.CompilerServices;

namespace Nibble.Formats;

/// <summary>The scale and minimum of every group of a few blocks, and from what its quants can be had again.</summary>
internal readonly ref struct AffineGroups
{
    private readonly Span<float> _inverses, _origins;

    /// <param name="memory"><see cref="Floats"/> for the number of groups, a multiple of the lanes of a vector.</param>
    public AffineGroups(Span<float> memory)
    {
        int groups = memory.Length / 5;
        Scales = memory[..groups];
        Minimums = memory.Slice(groups, groups);
        Weights = memory.Slice(2 * groups, groups);
        _inverses = memory.Slice(3 * groups, groups);
        _origins = memory.Slice(4 * groups, groups);
    }

    public static int Floats(int groups) => 5 * groups;

    public Span<float> Scales { get; }

    public Span<float> Minimums { get; }

    /// <summary>The sums of the weights of the values of a group.</summary>
    public Span<float> Weights { get; }

    /// <summary>Finds the scales and minimums of whole groups, of <paramref name="size"/> values each, whose columns have the given importance.</summary>
    /// <param name="values">At most as many groups as there is memory for.</param>
    /// <param name="importance">As many.</param>
    /// <param name="meanSquares">For every group what counts as a typical square, with room for whole vectors.</param>
    /// <param name="size">16 or 32.</param>
    /// <param name="limit">The highest quant.</param>
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
            Set(first, ScaleSearch.Affine(group.Values, group.Weights, limit, AffineCandidates.WithImportance, group.Trial));
        }
    }

    /// <summary>Takes over the groups from <paramref name="first"/> on.</summary>
    public void Set<TLanes>(int first, AffineFit<TLanes> fit) where TLanes : unmanaged, ILanes<TLanes>
    {
        fit.Scale.Store(Scales.Slice(first, TLanes.Count));
        fit.Minimum.Store(Minimums.Slice(first, TLanes.Count));
        fit.Inverse.Store(_inverses.Slice(first, TLanes.Count));
        fit.Origin.Store(_origins.Slice(first, TLanes.Count));
    }

    /// <summary>The quants that the search chose for a group.</summary>
    public void Round(ReadOnlySpan<float> values, int group, int limit, Span<byte> quants) =>
        ScaleSearch.Round<Lanes8>(values, _inverses[group], _origins[group], limit, quants);
}
