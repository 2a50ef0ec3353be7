namespace Nibble.Kernels;

/// <summary>Single precision with the significant bits of half precision, in which llama.cpp computes attention over an F16 cache.</summary>
internal static unsafe class HalfRounding
{
    /// <summary>Rounds in place; see <see cref="IFloatVector{TSelf}.RoundedToHalf"/>.</summary>
    public static void Apply(Span<float> values)
    {
        fixed (float* start = values)
        {
            int i = 0;
            for (; i <= values.Length - Float8.Count; i += Float8.Count) Float8.Load(start + i).RoundedToHalf().Store(start + i);
            for (; i < values.Length; i++) start[i] = (float)(Half)start[i];
        }
    }
}
