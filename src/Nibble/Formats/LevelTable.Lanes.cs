using System.Runtime.CompilerServices;

namespace Nibble.Formats;

internal sealed partial class LevelTable
{
    /// <summary>
    /// Halfway between neighbouring levels: at index n - 1 what a value must reach for level n. From the one that NaN gets on they
    /// are a bit smaller, to be compared by "greater than".
    /// </summary>
    private readonly float[] _limits;

    /// <summary>From each level to the next.</summary>
    private readonly float[] _steps;

    /// <summary>The index that <see cref="Nearest(float)"/> gives for NaN.</summary>
    private readonly int _middle;

    /// <summary>The level nearest to every value, the same that <see cref="Nearest(float)"/> finds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes NearestLevel<TLanes>(TLanes values) where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes level = TLanes.Create(_levels[_middle]), zero = TLanes.Create(0);
        for (int n = 0; n < _middle; n++) level -= TLanes.Choose(values < TLanes.Create(_limits[n]), TLanes.Create(_steps[n]), zero);
        for (int n = _middle; n < _limits.Length; n++) level += TLanes.Choose(values > TLanes.Create(_limits[n]), TLanes.Create(_steps[n]), zero);
        return level;
    }

    /// <summary>The index of the level nearest to each value times <paramref name="inverse"/>; the lanes hold neighbouring values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Nearest<TLanes>(ReadOnlySpan<float> values, float inverse, Span<byte> indices) where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes zero = TLanes.Create(0), one = TLanes.Create(1);
        for (int i = 0; i < values.Length; i += TLanes.Count)
        {
            TLanes scaled = TLanes.Create(inverse) * TLanes.Load(values[i..]), index = TLanes.Create(_middle);
            for (int n = 0; n < _middle; n++) index -= TLanes.Choose(scaled < TLanes.Create(_limits[n]), one, zero);
            for (int n = _middle; n < _limits.Length; n++) index += TLanes.Choose(scaled > TLanes.Create(_limits[n]), one, zero);
            index.StoreBytes(indices[i..]);
        }
    }
}
