namespace Nibble.Evaluation.Tasks;

/// <summary>
/// The random numbers of Python's <c>random.Random(seed)</c>, by which the harness draws examples: the Mersenne Twister MT19937 (Matsumoto
/// and Nishimura 1998), seeded and used as CPython does. With it the same prompts come of the same data and seed.
/// </summary>
internal sealed class PythonRandom
{
    private const int Size = 624, Middle = 397;

    private readonly uint[] _state = new uint[Size];
    private int _next = Size;

    public PythonRandom(uint seed)
    {
        // CPython seeds by the array of the seed's 32-bit digits, here one.
        Initialize(19650218);
        int i = 1;
        for (int k = 0; k < Size; k++)
        {
            _state[i] = (_state[i] ^ ((_state[i - 1] ^ (_state[i - 1] >> 30)) * 1664525)) + seed;
            Step(ref i);
        }
        for (int k = 0; k < Size - 1; k++)
        {
            _state[i] = (_state[i] ^ ((_state[i - 1] ^ (_state[i - 1] >> 30)) * 1566083941)) - (uint)i;
            Step(ref i);
        }
        _state[0] = 0x80000000;
    }

    /// <summary>The indices that <c>sample(population, count)</c> chooses of a population of <paramref name="size"/>.</summary>
    public int[] Sample(int size, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, size);
        int[] chosen = new int[count];
        // Small populations by taking out of a list, large ones by drawing again what was drawn before: the two ways of CPython, and its bound between them.
        int setSize = 21;
        if (count > 5) setSize += (int)Math.Pow(4, Math.Ceiling(Math.Log(count * 3) / Math.Log(4)));
        if (size <= setSize)
        {
            int[] pool = [.. Enumerable.Range(0, size)];
            for (int i = 0; i < count; i++)
            {
                int at = Below(size - i);
                chosen[i] = pool[at];
                pool[at] = pool[size - i - 1];
            }
            return chosen;
        }
        HashSet<int> seen = [];
        for (int i = 0; i < count; i++)
        {
            int at = Below(size);
            while (!seen.Add(at)) at = Below(size);
            chosen[i] = at;
        }
        return chosen;
    }

    /// <summary>As many bits as the bound has, drawn again where they are not below it.</summary>
    private int Below(int bound)
    {
        int bits = 32 - System.Numerics.BitOperations.LeadingZeroCount((uint)bound);
        uint value = NextBits() >> (32 - bits);
        while (value >= (uint)bound) value = NextBits() >> (32 - bits);
        return (int)value;
    }

    private uint NextBits()
    {
        if (_next == Size) Twist();
        uint y = _state[_next++];
        y ^= y >> 11;
        y ^= (y << 7) & 0x9D2C5680;
        y ^= (y << 15) & 0xEFC60000;
        return y ^ (y >> 18);
    }

    private void Twist()
    {
        for (int k = 0; k < Size; k++)
        {
            uint y = (_state[k] & 0x80000000) | (_state[(k + 1) % Size] & 0x7FFFFFFF);
            _state[k] = _state[(k + Middle) % Size] ^ (y >> 1) ^ ((y & 1) == 0 ? 0 : 0x9908B0DF);
        }
        _next = 0;
    }

    private void Initialize(uint seed)
    {
        _state[0] = seed;
        for (int i = 1; i < Size; i++) _state[i] = 1812433253 * (_state[i - 1] ^ (_state[i - 1] >> 30)) + (uint)i;
    }

    private void Step(ref int i)
    {
        if (++i < Size) return;
        _state[0] = _state[Size - 1];
        i = 1;
    }
}
