using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// 256 weights of 4 bits in eight groups of 32. Each group has a 6-bit scale and minimum, multiples of the block's:
/// w = Scale * scale[group] * q - Minimum * minimum[group].
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct Q4_K : IWeightBlock<Q4_K, Q8_K>
{
    private static AffineCandidates Candidates => new(-1, 0.1f, 20);

    public Half Scale;           // d
    public Half Minimum;         // dmin
    public SixBitScales Groups;  // scales
    public Byte128 Quants;       // qs: of each run of 64 weights, weight j in the low nibble of byte j, weight j + 32 in the high one

    public static string Name => "Q4_K";
    public static int GgufType => 12;
    public static int BlockSize => 256;

    public static void Dequantize(ReadOnlySpan<Q4_K> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<Q4_K> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ref readonly Q4_K block = ref blocks[b];
            ReadOnlySpan<byte> quants = block.Quants;
            for (int g = 0; g < 8; g++)
            {
                float scale = (float)block.Scale * block.Groups.Scale(g), minimum = (float)block.Minimum * block.Groups.Minimum(g);
                ReadOnlySpan<byte> bytes = quants.Slice(g / 2 * 32, 32);
                Span<float> values = destination.Slice(b * 256 + g * 32, 32);
                int shift = g % 2 * 4;
                for (int i = 0; i < 32; i++) values[i] = scale * (bytes[i] >> shift & 15) - minimum;
            }
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<Q4_K> blocks) => Quantize(source, [], blocks);

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q4_K> blocks)
    {
        if (InstructionSets.HasAvx512) QuantizeLanes<Lanes32>(source, importance, blocks);
        else if (InstructionSets.HasVectors) QuantizeLanes<Lanes8>(source, importance, blocks);
        else QuantizeScalar(source, importance, blocks);
    }

    internal static void QuantizeScalar(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q4_K> blocks)
    {
        EightGroups chosen = default;
        for (int b = 0; b < blocks.Length; b++)
        {
            chosen.Quantize(source.Slice(b * 256, 256), importance.IsEmpty ? [] : importance.Slice(b * 256, 256), limit: 15, Candidates);
            blocks[b].Store(chosen);
        }
    }

    [SkipLocalsInit]
    internal static void QuantizeLanes<TLanes>(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q4_K> blocks) where TLanes : unmanaged, ILanes<TLanes>
    {
        Span<EightGroups> chosen = stackalloc EightGroups[LaneScratch.BlocksAtATime];
        for (int b = 0; b < blocks.Length; b += chosen.Length)
        {
            if (chosen.Length > blocks.Length - b) chosen = chosen[..(blocks.Length - b)];
            int start = b * 256, count = chosen.Length * 256;
            EightGroups.Quantize<TLanes>(source.Slice(start, count), importance.IsEmpty ? [] : importance.Slice(start, count), limit: 15, Candidates, chosen);
            for (int i = 0; i < chosen.Length; i++) blocks[b + i].Store(chosen[i]);
        }
    }

    private void Store(in EightGroups chosen)
    {
        ReadOnlySpan<byte> quants = chosen.Quants;
        Scale = chosen.Scale;
        Minimum = chosen.Minimum;
        Groups = chosen.Groups;
        Nibbles.Pack(quants, half: 32, Quants);
    }

    public static float Dot(ReadOnlySpan<Q4_K> weights, ReadOnlySpan<Q8_K> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<Q4_K> weights, ReadOnlySpan<Q8_K> activations)
    {
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            ref readonly Q4_K w = ref weights[b];
            ref readonly Q8_K x = ref activations[b];
            ReadOnlySpan<byte> quants = w.Quants;
            ReadOnlySpan<sbyte> values = x.Quants;
            int products = 0, minimums = 0;
            for (int g = 0; g < 8; g++)
            {
                int sum = 0;
                for (int i = 0; i < 32; i++) sum += (quants[g / 2 * 32 + i] >> g % 2 * 4 & 15) * values[g * 32 + i];
                products += w.Groups.Scale(g) * sum;
                minimums += w.Groups.Minimum(g) * (x.Sums[2 * g] + x.Sums[2 * g + 1]);
            }
            total += (float)w.Scale * x.Scale * products - (float)w.Minimum * x.Scale * minimums;
        }
        return total;
    }
}
