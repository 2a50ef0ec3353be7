using Nibble.Formats;
using Nibble.Kernels;
using Nibble.Memory;
using Nibble.Models;

namespace Nibble.Tests.Kernels;

/// <summary>Attention against its definition in double precision.</summary>
public unsafe class AttentionKernelTests
{
    [Theory]
    [InlineData(1, 1, 8, 1, 0, int.MaxValue)]
    [InlineData(4, 4, 64, 3, 40, int.MaxValue)]
    [InlineData(6, 2, 20, 5, 70, int.MaxValue)]
    [InlineData(8, 1, 128, 2, 31, int.MaxValue)]
    [InlineData(3, 3, 6, 40, 0, int.MaxValue)]
    [InlineData(4, 2, 10, 9, 64, 1)]
    [InlineData(4, 2, 16, 9, 64, 7)]
    [InlineData(4, 2, 16, 9, 64, 33)]
    [InlineData(4, 2, 16, 9, 3, 32)]
    [InlineData(4, 1, 40, 1, 1600, int.MaxValue)]
    [InlineData(4, 1, 40, 12, 1018, int.MaxValue)]
    [InlineData(2, 2, 36, 12, 1530, 600)]
    public void Every_head_of_every_token_is_the_weighted_mean_of_values(int heads, int keyHeads, int size, int tokens, int first, int window)
    {
        Problem problem = new(heads, keyHeads, size, [(first, tokens)], window);
        foreach (WeightFormat format in CacheOptions.Formats.Where(f => size % f.BlockSize == 0))
        {
            problem.Store(format, format);
            double[] expected = problem.Definition();
            float[] result = problem.Run(threads: 1);
            // In half precision: sums of many values below 1, whose rounding errors add up like a random walk.
            double tolerance = format.Name == "F16" ? 6e-3 : 2e-5;
            for (int i = 0; i < result.Length; i++) Assert.Equal(expected[i], result[i], tolerance);
            foreach (int threads in new[] { 2, 3, 8 }) Assert.Equal(result, problem.Run(threads));
        }
    }

    [Theory]
    [InlineData("Q8_0", "F32")]
    [InlineData("F32", "Q4_0")]
    [InlineData("Q5_0", "BF16")]
    public void Keys_and_values_have_formats_of_their_own(string keys, string values)
    {
        Problem problem = new(6, 2, 64, [(100, 11)], int.MaxValue);
        problem.Store(CacheOptions.ParseFormat(keys), CacheOptions.ParseFormat(values));
        double[] expected = problem.Definition();
        foreach ((double one, float other) in expected.Zip(problem.Run(2))) Assert.Equal(one, other, 2e-5);
    }

    [Fact]
    public void Several_texts_are_each_as_if_alone()
    {
        (int First, int Tokens)[] texts = [(0, 1), (700, 1), (31, 20), (1500, 3)];
        Problem together = new(4, 2, 32, texts, int.MaxValue);
        together.Store(WeightFormat.Of<F32>(), WeightFormat.Of<F32>());
        float[] result = together.Run(threads: 3);
        foreach ((double one, float other) in together.Definition().Zip(result)) Assert.Equal(one, other, 2e-5);
        Assert.Equal(result, together.Run(threads: 1));
    }

    [Fact]
    public void A_token_s_result_does_not_depend_on_the_tokens_beside_it()
    {
        Problem all = new(8, 2, 64, [(500, 40)], int.MaxValue), one = new(8, 2, 64, [(520, 1)], int.MaxValue);
        all.Store(WeightFormat.Of<F16>(), WeightFormat.Of<F16>());
        one.TakeFrom(all, token: 20);
        Assert.Equal(all.Run(2)[(20 * 8 * 64)..(21 * 8 * 64)], one.Run(2));
    }

    [Fact]
    public void Scores_far_apart_neither_overflow_nor_vanish()
    {
        Problem problem = new(1, 1, 8, [(2, 1)], int.MaxValue) { Scale = 1 };
        Array.Fill(problem.Queries, 100f);
        for (int i = 0; i < 8; i++)
        {
            (problem.Keys[0][i], problem.Keys[0][8 + i], problem.Keys[0][16 + i]) = (-200, 200, -200);
            (problem.Values[0][i], problem.Values[0][8 + i], problem.Values[0][16 + i]) = (1, 2.5f, 3);
        }
        problem.Store(WeightFormat.Of<F16>(), WeightFormat.Of<F16>());
        Assert.All(problem.Run(1), v => Assert.Equal(2.5f, v));
    }

    /// <summary>Random queries, keys and values of some texts.</summary>
    private sealed class Problem
    {
        private readonly int _heads, _keyHeads, _size, _window;
        private readonly (int First, int Tokens)[] _texts;
        private WeightFormat _keyFormat = WeightFormat.Of<F32>(), _valueFormat = WeightFormat.Of<F32>();
        private AlignedBuffer[] _storedKeys = [], _storedValues = [];

        public Problem(int heads, int keyHeads, int size, (int First, int Tokens)[] texts, int window)
        {
            (_heads, _keyHeads, _size, _texts, _window) = (heads, keyHeads, size, texts, window);
            Random random = new(heads * 1000 + size);
            Queries = Floats(texts.Sum(t => t.Tokens) * heads * size, 1.5f);
            Keys = [.. texts.Select(t => Floats(keyHeads * (t.First + t.Tokens) * size, 1.5f))];
            Values = [.. texts.Select(t => Floats(keyHeads * (t.First + t.Tokens) * size, 1))];
            Scale = 1 / MathF.Sqrt(size);

            float[] Floats(int count, float size) => [.. Enumerable.Range(0, count).Select(_ => size * (2 * random.NextSingle() - 1))];
        }

        public float[] Queries { get; private set; }

        /// <summary>Of each text, <c>[keyHeads, length, size]</c>.</summary>
        public float[][] Keys { get; }

        public float[][] Values { get; }

        public float Scale { get; init; }

        /// <summary>The same keys and values, and the query of one token.</summary>
        public void TakeFrom(Problem other, int token)
        {
            Queries = other.Queries[(token * _heads * _size)..((token + 1) * _heads * _size)];
            int length = _texts[0].First + _texts[0].Tokens, otherLength = other._texts[0].First + other._texts[0].Tokens;
            for (int head = 0; head < _keyHeads; head++)
            {
                other.Keys[0].AsSpan(head * otherLength * _size, length * _size).CopyTo(Keys[0].AsSpan(head * length * _size));
                other.Values[0].AsSpan(head * otherLength * _size, length * _size).CopyTo(Values[0].AsSpan(head * length * _size));
            }
            Store(other._keyFormat, other._valueFormat);
        }

        /// <summary>Stores keys and values, and makes them what was stored.</summary>
        public void Store(WeightFormat keys, WeightFormat values)
        {
            (_keyFormat, _valueFormat) = (keys, values);
            _storedKeys = Array.ConvertAll(Keys, k => Stored(k, keys));
            _storedValues = Array.ConvertAll(Values, v => Stored(v, values));

            static AlignedBuffer Stored(float[] numbers, WeightFormat format)
            {
                AlignedBuffer buffer = new(format.ByteSize(numbers.Length));
                format.Quantize(numbers, [], buffer.AsSpan<byte>(0, (int)buffer.Length));
                format.Dequantize(buffer.AsSpan<byte>(0, (int)buffer.Length), numbers);
                return buffer;
            }
        }

        public float[] Run(int threads)
        {
            float[] result = new float[Queries.Length];
            Array.Fill(result, float.NaN);
            using WorkerPool pool = new(threads);
            using AttentionPlan plan = new();
            for (int t = 0, token = 0; t < _texts.Length; token += _texts[t++].Tokens) plan.Add(token, _texts[t].Tokens, _texts[t].First);
            for (int t = 0; t < _texts.Length; t++)
                plan.Place(t, _storedKeys[t].Pointer, _storedKeys[t].Length / _keyHeads, _storedValues[t].Pointer, _storedValues[t].Length / _keyHeads);
            fixed (float* q = Queries, r = result)
            {
                new AttentionKernel
                {
                    Plan = plan,
                    Queries = q,
                    Result = r,
                    KeyFormat = _keyFormat,
                    ValueFormat = _valueFormat,
                    QueryHeads = _heads,
                    KeyHeads = _keyHeads,
                    HeadSize = _size,
                    Window = _window,
                    Scale = Scale,
                }.Run(pool);
            }
            return result;
        }

        public double[] Definition()
        {
            double[] all = new double[Queries.Length];
            for (int text = 0, token = 0; text < _texts.Length; text++)
            {
                int length = _texts[text].First + _texts[text].Tokens;
                for (int position = _texts[text].First; position < length; position++, token++)
                {
                    for (int h = 0; h < _heads; h++)
                    {
                        int row = h / (_heads / _keyHeads) * length, at = (token * _heads + h) * _size;
                        int[] seen = [.. Enumerable.Range(0, position + 1).Where(s => position - s < _window)];
                        double[] weights = [.. seen.Select(s =>
                        {
                            double score = 0;
                            for (int i = 0; i < _size; i++) score += (double)Queries[at + i] * Keys[text][(row + s) * _size + i];
                            return Math.Exp(score * Scale);
                        })];
                        double total = weights.Sum();
                        for (int s = 0; s < seen.Length; s++)
                            for (int i = 0; i < _size; i++) all[at + i] += weights[s] / total * Values[text][(row + seen[s]) * _size + i];
                    }
                }
            }
            return all;
        }
    }
}
