namespace Nibble.Formats;

internal sealed partial class Codebook
{
    /// <summary>For every point that is not in the book, those in it that are near.</summary>
    private sealed class Neighbours
    {
        /// <summary>By code where its neighbours start in <see cref="_codes"/>: first how many, then their codes by distance and index.</summary>
        private readonly int[] _starts;
        private readonly ushort[] _codes;

        public Neighbours(Codebook book, int shells)
        {
            int coordinatesInHalf = book.Dimensions / 2, half = book.Bits * coordinatesInHalf, mask = (1 << half) - 1;
            int[] ofHalves = HalfDistances(book, coordinatesInHalf, half);
            _starts = new int[1 << 2 * half];
            List<ushort> codes = [];
            int[] distances = new int[book._codes.Length];
            int farthest = book.Dimensions * (book.Levels - 1) * (book.Levels - 1);
            int[] counts = new int[farthest + 1];
            int points = (int)Math.Pow(book.Levels, book.Dimensions);
            for (int number = 0; number < points; number++)
            {
                int code = book.Code(number);
                if (book._indices[code] >= 0) continue;
                int low = (code & mask) << half, high = code >> half << half;
                Array.Clear(counts);
                for (int p = 0; p < distances.Length; p++)
                {
                    int point = book._codes[p], distance = ofHalves[low | point & mask] + ofHalves[high | point >> half];
                    distances[p] = distance;
                    counts[distance]++;
                }
                _starts[code] = codes.Count;
                int start = codes.Count;
                codes.Add(0);
                int shell = 0;
                for (int distance = 1; shell < shells && distance <= farthest; distance++)
                {
                    if (counts[distance] == 0) continue;
                    shell++;
                    for (int p = 0; p < distances.Length; p++)
                        if (distances[p] == distance) codes.Add(book._codes[p]);
                }
                // In eights: the last repeats, which changes no choice.
                while ((codes.Count - start - 1) % 8 != 0) codes.Add(codes[^1]);
                codes[start] = (ushort)(codes.Count - start - 1);
            }
            _codes = [.. codes];
        }

        /// <summary>The codes of the neighbours, by distance and index; a multiple of eight.</summary>
        public ReadOnlySpan<ushort> Of(int code)
        {
            int start = _starts[code];
            return _codes.AsSpan(start + 1, _codes[start]);
        }

        /// <summary>At <c>a &lt;&lt; half | b</c> the square distance of halves of codes a and b.</summary>
        private static int[] HalfDistances(Codebook book, int coordinates, int half)
        {
            int[] distances = new int[1 << 2 * half];
            for (int pair = 0; pair < distances.Length; pair++)
            {
                for (int i = 0; i < coordinates; i++)
                {
                    int difference = book.Coordinate(pair >> half, i) - book.Coordinate(pair & (1 << half) - 1, i);
                    distances[pair] += difference * difference;
                }
            }
            return distances;
        }
    }
}
