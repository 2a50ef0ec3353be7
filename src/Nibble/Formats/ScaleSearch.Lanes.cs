using System.Runtime.CompilerServices;

namespace Nibble.Formats;

internal static partial class ScaleSearch
{
    /// <summary>As the scalar code, for a scale that is not zero; here the lanes hold neighbouring values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RoundAffine<TLanes>(ReadOnlySpan<float> values, float scale, float minimum, int limit, Span<byte> quants) where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes first = TLanes.Create(0), last = TLanes.Create(limit), divisor = TLanes.Create(scale), offset = TLanes.Create(minimum);
        for (int i = 0; i < values.Length; i += TLanes.Count)
            AnyRounding.Round((TLanes.Load(values[i..]) + offset) / divisor, first, last).StoreBytes(quants[i..]);
    }

    /// <summary>Rounds to the quants 0 … limit nearest to <c>inverse * (value - origin)</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Round<TLanes>(ReadOnlySpan<float> values, float inverse, float origin, int limit, Span<byte> quants) where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes first = TLanes.Create(0), last = TLanes.Create(limit), factor = TLanes.Create(inverse), start = TLanes.Create(origin);
        for (int i = 0; i < values.Length; i += TLanes.Count)
            AnyRounding.Round(factor * (TLanes.Load(values[i..]) - start), first, last).StoreBytes(quants[i..]);
    }

    /// <summary>As the scalar code, for a scale that is not zero; here the lanes hold neighbouring values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RoundSymmetric<TLanes>(ReadOnlySpan<float> values, float scale, int limit, Span<byte> quants) where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes first = TLanes.Create(-limit), last = TLanes.Create(limit - 1), divisor = TLanes.Create(scale), offset = TLanes.Create(limit);
        for (int i = 0; i < values.Length; i += TLanes.Count)
            (AnyRounding.Round(TLanes.Load(values[i..]) / divisor, first, last) + offset).StoreBytes(quants[i..]);
    }

    /// <summary>The quants of the scale that <see cref="Symmetric{TLanes}"/> returns with <paramref name="inverse"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RoundSymmetricBy<TLanes>(ReadOnlySpan<float> values, float inverse, int limit, Span<byte> quants) where TLanes : unmanaged, ILanes<TLanes>
    {
        if (float.IsNaN(inverse))
        {
            quants.Clear();
            return;
        }
        TLanes first = TLanes.Create(-limit), last = TLanes.Create(limit - 1), factor = TLanes.Create(inverse), offset = TLanes.Create(limit);
        for (int i = 0; i < values.Length; i += TLanes.Count)
            (AnyRounding.Round(factor * TLanes.Load(values[i..]), first, last) + offset).StoreBytes(quants[i..]);
    }
}
