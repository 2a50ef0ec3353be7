using System.Runtime.CompilerServices;

namespace Nibble.Kernels;

/// <summary>
/// e to the power of numbers up to 0, to 2 units in the last place, and exactly 1 for 0. The power is cut into a whole power of 2 and a
/// rest of at most ln(2) / 2, for which a polynomial of Cephes (expf, Moshier 1989) does. Results below 2^-126 are 0.
/// </summary>
internal static class Exponential
{
    /// <summary>ln(2) in two parts, the first with so few bits that its multiples are exact.</summary>
    private const float Log2High = 0.693359375f, Log2Low = -2.12194440e-4f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector OfNonPositive<TVector>(TVector x) where TVector : unmanaged, IFloatVector<TVector>
    {
        x = TVector.Max(x, TVector.Broadcast(-100)); // far below the least result, and an infinity would make the rest no number
        TVector whole = TVector.Round(x * TVector.Broadcast(1.44269504f));
        TVector rest = TVector.MultiplyAdd(whole, TVector.Broadcast(-Log2High), x);
        rest = TVector.MultiplyAdd(whole, TVector.Broadcast(-Log2Low), rest);
        TVector sum = TVector.Broadcast(1.9875691500e-4f);
        sum = TVector.MultiplyAdd(sum, rest, TVector.Broadcast(1.3981999507e-3f));
        sum = TVector.MultiplyAdd(sum, rest, TVector.Broadcast(8.3334519073e-3f));
        sum = TVector.MultiplyAdd(sum, rest, TVector.Broadcast(4.1665795894e-2f));
        sum = TVector.MultiplyAdd(sum, rest, TVector.Broadcast(1.6666665459e-1f));
        sum = TVector.MultiplyAdd(sum, rest, TVector.Broadcast(5.0000001201e-1f));
        sum = TVector.MultiplyAdd(sum, rest * rest, rest) + TVector.Broadcast(1);
        return sum.Scaled(whole);
    }
}
