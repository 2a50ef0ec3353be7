namespace Nibble.Formats;

/// <summary>Ascending levels of which a non-linear format stores the index of the nearest, with a way to find it.</summary>
internal sealed partial class LevelTable
{
    private readonly sbyte[] _levels;

    /// <summary>At n + 128 the index of the first level above the whole number n.</summary>
    private readonly byte[] _firstAbove = new byte[256];

    public LevelTable(ReadOnlySpan<sbyte> levels)
    {
        _levels = levels.ToArray();
        for (int n = -128; n < 128; n++)
        {
            int index = 0;
            while (index < levels.Length - 1 && levels[index] <= n) index++;
            _firstAbove[n + 128] = (byte)index;
        }
        _middle = Nearest(float.NaN);
        _limits = new float[levels.Length - 1];
        _steps = new float[levels.Length - 1];
        for (int n = 0; n < _limits.Length; n++)
        {
            float halfway = (levels[n] + levels[n + 1]) / 2f;
            _limits[n] = n < _middle ? halfway : MathF.BitDecrement(halfway);
            _steps[n] = levels[n + 1] - levels[n];
        }
    }

    public int this[int index] => _levels[index];

    /// <summary>The index of the level nearest to <paramref name="value"/>; the upper one of two equally near.</summary>
    public int Nearest(float value)
    {
        // No branches, which could not be predicted. The mask keeps what NaN becomes inside the table.
        value = MathF.Min(MathF.Max(value, _levels[0]), _levels[^1]);
        int above = _firstAbove[float.ConvertToIntegerNative<int>(MathF.Floor(value)) + 128 & 255];
        int isBelowNearer = value - _levels[above - 1] < _levels[above] - value ? 1 : 0;
        return above - isBelowNearer;
    }
}
