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

    /// <summary>Takes over the groups from <paramref name="first"/> on.</summary>
    public void Set<TLanes>(int first, AffineFit<TLanes> fit) where TLanes : unmanaged, ILanes<TLanes>
    {
        fit.Scale.Store(Scales.Slice(first, TLanes.Count));
        fit.Minimum.Store(Minimums.Slice(first, TLanes.Count));
        fit.Inverse.Store(_inverses.Slice(first, TLanes.Count));
        fit.Origin.Store(_origins.Slice(first, TLanes.Count));
    }

    /// <summary>The quants that the search chose for a group.</summary>
    public void Round<TLanes>(ReadOnlySpan<float> values, int group, int limit, Span<byte> quants) where TLanes : unmanaged, ILanes<TLanes> =>
        ScaleSearch.Round<TLanes>(values, _inverses[group], _origins[group], limit, quants);
}
