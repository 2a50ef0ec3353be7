using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct F16 : INeonHalves<F16>
{
    private static float DotNeon(ReadOnlySpan<F16> weights, ReadOnlySpan<F32> activations) =>
        NeonHalves.Dot(weights, activations, out int done) + DotScalar(weights[done..], activations[done..]);

    /// <summary>Eight halves in single precision; see <see cref="Values(ref readonly short, int)"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static (Vector128<float> Low, Vector128<float> High) Widen(Vector128<ushort> halves)
    {
        return (Four(Vector128.WidenLower(halves.AsInt16())), Four(Vector128.WidenUpper(halves.AsInt16())));

        static Vector128<float> Four(Vector128<int> halves)
        {
            Vector128<int> bits = halves << 13 & Vector128.Create(unchecked((int)0x8fff_e000)), highest = Vector128.Create(31 << 23);
            Vector128<float> values = bits.AsSingle() * BitConverter.UInt32BitsToSingle((127 + 127 - 15) << 23);
            return values | (Vector128.Equals(bits & highest, highest) & Vector128.Create(255 << 23)).AsSingle();
        }
    }

    static (Vector128<float> Low, Vector128<float> High) INeonHalves<F16>.Widen(Vector128<ushort> bits) => Widen(bits);
}
