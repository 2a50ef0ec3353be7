using System.Runtime.Intrinsics;
using Nibble.Formats;

namespace Nibble.Tests.Formats;

public sealed class CodebookTests
{
    public static TheoryData<string, int, int> Books => new()
    {
        { nameof(Codebooks.IQ1), 2048, 3 }, { nameof(Codebooks.IQ2_S), 1024, 1 }, { nameof(Codebooks.IQ2_XS), 512, 2 },
        { nameof(Codebooks.IQ2_XXS), 256, 2 }, { nameof(Codebooks.IQ3_S), 512, 3 }, { nameof(Codebooks.IQ3_XXS), 256, 2 },
    };

    [Theory]
    [MemberData(nameof(Books))]
    public void Every_index_has_one_code_and_the_first_is_the_origin(string name, int points, int shells)
    {
        Codebook book = Book(name);
        Assert.Equal(points, book.InBytes(new sbyte[book.Levels]).Length);
        Assert.Equal(0, book.CodeOf(0));
        for (int i = 0; i < points; i++) Assert.Equal(i, book.IndexOf(book.CodeOf(i)));
        Assert.InRange(shells, 1, 3);
    }

    [Theory]
    [MemberData(nameof(Books))]
    public void Nearest_is_the_one_an_exhaustive_search_finds(string name, int points, int shells)
    {
        Codebook book = Book(name);
        Random random = new(6);
        float[] values = new float[book.Dimensions], weights = new float[book.Dimensions];
        Vector256<float> levels = Vector256.Create(1f, 3, 5, 7, 9, 11, 13, 15);
        if (book.Levels == 3) levels = Vector256.Create(levels.GetLower(), levels.GetLower());
        for (int round = 0; round < 300; round++)
        {
            int code = 0;
            for (int i = 0; i < book.Dimensions; i++) code |= random.Next(book.Levels) << book.Bits * i;
            if (book.IndexOf(code) >= 0) continue;
            for (int i = 0; i < book.Dimensions; i++)
            {
                // Small whole numbers, so that several are equally near.
                values[i] = random.Next(16);
                weights[i] = round % 3 == 0 ? 1 : random.Next(4);
            }
            int[] codes = [.. Enumerable.Range(0, points).Select(book.CodeOf)];
            int[] distances = [.. codes.Select(c => Enumerable.Range(0, book.Dimensions).Sum(i => Square(book.Coordinate(c, i) - book.Coordinate(code, i))))];
            int farthest = distances.Distinct().Order().ElementAt(shells - 1);
            int expected = Enumerable.Range(0, points).Where(p => distances[p] <= farthest)
                .OrderBy(p => Enumerable.Range(0, book.Dimensions).Sum(i => weights[i] * Square(levels[book.Coordinate(codes[p], i)] - values[i])))
                .ThenBy(p => distances[p]).ThenBy(p => p).First();
            Assert.Equal(codes[expected], book.Nearest(book.NeighboursOf(code), values, weights, 1, levels));
        }
    }

    private static int Square(int n) => n * n;

    private static float Square(float n) => n * n;

    private static Codebook Book(string name) => (Codebook)typeof(Codebooks).GetProperty(name)!.GetValue(null)!;
}
