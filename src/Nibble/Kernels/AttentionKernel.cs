using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Nibble.Formats;
using Nibble.Kernels.Panels;

namespace Nibble.Kernels;

/// <summary>
/// Scaled dot-product attention of one layer for a batch of tokens that are already in the cache. An item is one key/value head of a few
/// tokens, with all query heads that share it. Keys pass in blocks with a running maximum and sum, so no row of scores as long
/// as the text is stored. With values in half precision their weighted sum is rounded to it, too: llama.cpp computes so, and logits and
/// perplexities can then be compared with it.
/// </summary>
internal unsafe struct AttentionKernel : IWork
{
    /// <summary>How the batch is cut into items, and where its keys and values are.</summary>
    public AttentionPlan Plan;

    /// <summary><c>[tokens, QueryHeads, HeadSize]</c></summary>
    public float* Queries;

    /// <summary>Becomes <c>[tokens, QueryHeads, HeadSize]</c>.</summary>
    public float* Result;

    /// <summary>Formats of a key and of a value, <c>[HeadSize]</c>.</summary>
    public WeightFormat KeyFormat, ValueFormat;

    /// <summary>Whether values were turned by <see cref="Hadamard"/>, so that the result is turned back.</summary>
    public bool AreValuesRotated;

    public int QueryHeads, KeyHeads, HeadSize;

    /// <summary>Tokens that a token sees, itself included.</summary>
    public int Window;

    /// <summary>Factor on the products, usually 1 / √HeadSize.</summary>
    public float Scale;

    private readonly int Sharing => QueryHeads / KeyHeads;

    private readonly bool RoundsSums => ValueFormat is WeightFormat<F16, F32, NoTail>;

    /// <summary>Computes the whole batch. The result does not depend on the number of threads.</summary>
    public readonly void Run(WorkerPool pool)
    {
        Plan.Cut(QueryHeads, KeyHeads, HeadSize, Window, pool.Threads);
        pool.Run(this, Plan.ItemCount);
        if (Plan.IsSplit) pool.Run(new MergeWork(this), Plan.ItemCount);
    }

    public readonly void Run(int start, int end)
    {
        int stride = AttentionState.StrideOf(HeadSize), most = 0;
        for (int i = start; i < end; i++) most = Math.Max(most, Plan.Items[i].Tokens * Sharing);
        long stateSize = AttentionState.Size(most, HeadSize), blockSize = (long)AttentionTile.Keys * stride;
        float* keys = (float*)ThreadScratch.Take((2 * blockSize + (long)AttentionTile.Keys * most + 2 * stateSize) * sizeof(float));
        Scratch scratch = new() { Keys = keys, Values = keys + blockSize, Weights = keys + 2 * blockSize };
        float* states = scratch.Weights + (long)AttentionTile.Keys * most;
        for (int i = start; i < end; i++)
        {
            ref readonly AttentionItem item = ref Plan.Items[i];
            int queries = item.Tokens * Sharing;
            AttentionState total = new(item.Parts > 1 ? Plan.Partial(i) : states, queries, HeadSize), chunk = new(states + stateSize, queries, HeadSize);
            Attend(in item, item.FirstChunk, in total, in scratch);
            for (int c = 1; c < item.Chunks; c++)
            {
                Attend(in item, item.FirstChunk + c, in chunk, in scratch);
                total.Add(in chunk);
            }
            if (item.Parts == 1) Finish(in item, in total);
        }
    }

    private struct Scratch
    {
        /// <summary><c>[HeadSize, 32]</c></summary>
        public float* Keys;

        /// <summary><c>[32, stride]</c></summary>
        public float* Values;

        /// <summary>First scores, then weights, <c>[queries, 32]</c>.</summary>
        public float* Weights;
    }

    /// <summary>Attention over one chunk of keys.</summary>
    private readonly void Attend(in AttentionItem item, int chunk, in AttentionState state, in Scratch scratch)
    {
        state.Clear();
        ref readonly AttentionSegment segment = ref Plan.Segments[item.Segment];
        int queries = item.Tokens * Sharing, firstPosition = segment.FirstPosition + item.FirstToken;
        int firstKey = Math.Max(Math.Max(0, firstPosition - Window + 1), chunk * AttentionPlan.ChunkKeys);
        int endKey = Math.Min(firstPosition + item.Tokens, (chunk + 1) * AttentionPlan.ChunkKeys);
        byte* keys = segment.Keys + item.KeyHead * segment.KeyStride, values = segment.Values + item.KeyHead * segment.ValueStride;
        long keyBytes = KeyFormat.ByteSize(HeadSize), valueBytes = ValueFormat.ByteSize(HeadSize);
        for (int block = firstKey / AttentionTile.Keys * AttentionTile.Keys; block < endKey; block += AttentionTile.Keys)
        {
            int count = Math.Min(AttentionTile.Keys, endKey - block);
            Read(KeyFormat, keys + block * keyBytes, count, scratch.Values, state.Stride);
            Transpose(scratch.Values, count, state.Stride, scratch.Keys);
            for (int q = 0; q < queries; q += AttentionTile.Queries) AttentionTile.Score(QueryRows(in item, q), scratch.Keys, HeadSize, Scale, Rows(scratch.Weights, AttentionTile.Keys, q, queries));
            Read(ValueFormat, values + block * valueBytes, count, scratch.Values, state.Stride);
            for (int q = 0; q < queries; q++)
            {
                int position = firstPosition + q / Sharing;
                Weigh(scratch.Weights + q * AttentionTile.Keys, Math.Max(0, position - Window + 1 - block), Math.Min(count, position - block + 1), scratch.Values, q, in state);
            }
            for (int q = 0; q < queries; q += AttentionTile.Queries) AttentionTile.Accumulate(Rows(scratch.Weights, AttentionTile.Keys, q, queries), scratch.Values, state.Stride, count, RoundsSums, Rows(state.Weighted(0), state.Stride, q, queries));
        }
    }

    /// <summary>
    /// Turns the scores of a query into weights relative to the highest so far, and adds them to their sum. Keys outside
    /// <paramref name="first"/> to <c>end - 1</c>, which the query does not see, weigh nothing.
    /// </summary>
    private readonly void Weigh(float* scores, int first, int end, float* values, int query, in AttentionState state)
    {
        if (first > 0 || end < AttentionTile.Keys)
        {
            Span<float> all = new(scores, AttentionTile.Keys);
            if (first >= end)
            {
                all.Clear();
                return;
            }
            all[..first].Fill(float.NegativeInfinity);
            all[end..].Fill(float.NegativeInfinity);
        }
        float highest = AttentionTile.Highest(scores);
        if (highest > state.Highest[query])
        {
            if (RoundsSums)
            {
                AddRising(scores, first, end, values, query, in state);
                return;
            }
            if (state.Sums[query] > 0)
            {
                float factor = MathF.Exp(state.Highest[query] - highest);
                state.Sums[query] *= factor;
                Span<float> soFar = new(state.Weighted(query), state.Stride);
                TensorPrimitives.Multiply(soFar, factor, soFar);
            }
            state.Highest[query] = highest;
        }
        state.Sums[query] += AttentionTile.Weigh(scores, state.Highest[query]);
    }

    /// <summary>
    /// Adds the values of keys first … end - 1, among which there are new highest scores, to a sum in half precision: up to the last of
    /// these key by key, since what was added before is rounded whenever there is a new highest. What is left to add are the keys after
    /// it; the weights of those before become 0.
    /// </summary>
    [SkipLocalsInit]
    private readonly void AddRising(float* scores, int first, int end, float* values, int query, in AttentionState state)
    {
        float* factors = stackalloc float[AttentionTile.Keys];
        float highest = state.Highest[query], sum = state.Sums[query];
        int rising = first; // the last key with a new highest score
        for (int k = first; k < end; k++)
        {
            factors[k] = 1;
            if (scores[k] > highest)
            {
                for (int before = rising; before < k; before++) scores[before] -= highest;
                factors[k] = MathF.Exp(highest - scores[k]);
                highest = scores[k];
                rising = k;
            }
        }
        for (int k = rising; k < AttentionTile.Keys; k++) scores[k] -= highest;
        AttentionTile.Weigh(scores, highest: 0);
        for (int k = first; k <= rising; k++) sum = sum * factors[k] + scores[k];
        AttentionTile.AccumulateRising(scores, factors, values, state.Stride, first, rising + 1, state.Weighted(query));
        new Span<float>(scores, rising + 1).Clear();
        state.Highest[query] = highest;
        state.Sums[query] = sum + AttentionTile.Sum(scores);
    }

    /// <summary>Converts rows of a cache, and makes what they lack of 32 rows of <paramref name="stride"/> zero.</summary>
    private readonly void Read(WeightFormat format, byte* rows, int count, float* target, int stride)
    {
        int bytes = (int)format.ByteSize(HeadSize);
        if (stride == HeadSize) format.Dequantize(new ReadOnlySpan<byte>(rows, count * bytes), new Span<float>(target, count * HeadSize));
        for (int row = 0; row < count && stride != HeadSize; row++)
        {
            format.Dequantize(new ReadOnlySpan<byte>(rows + row * bytes, bytes), new Span<float>(target + row * stride, HeadSize));
            new Span<float>(target + row * stride + HeadSize, stride - HeadSize).Clear();
        }
        new Span<float>(target + count * stride, (AttentionTile.Keys - count) * stride).Clear();
    }

    private readonly void Transpose(float* rows, int count, int stride, float* columns)
    {
        if (!InstructionSets.HasVectors)
        {
            for (int row = 0; row < AttentionTile.Keys; row++)
                for (int i = 0; i < HeadSize; i++) columns[i * AttentionTile.Keys + row] = rows[row * stride + i];
            return;
        }
        for (int row = 0; row < count; row += 8)
            for (int i = 0; i < HeadSize; i += 8)
                Transposition.EightByEight((byte*)(rows + row * stride + i), stride * sizeof(float), bias: 0, (byte*)(columns + i * AttentionTile.Keys + row), AttentionTile.Keys * sizeof(float));
    }

    /// <summary>Four queries from <paramref name="first"/> on: tokens in turn, each with the heads that share the key head.</summary>
    private readonly AttentionTile.Rows QueryRows(in AttentionItem item, int first)
    {
        int last = item.Tokens * Sharing - 1;
        return new()
        {
            Row0 = Queries + Offset(in item, first),
            Row1 = Queries + Offset(in item, Math.Min(first + 1, last)),
            Row2 = Queries + Offset(in item, Math.Min(first + 2, last)),
            Row3 = Queries + Offset(in item, Math.Min(first + 3, last)),
        };
    }

    private readonly long Offset(in AttentionItem item, int query)
    {
        long token = Plan.Segments[item.Segment].FirstToken + item.FirstToken + query / Sharing;
        return (token * QueryHeads + item.KeyHead * Sharing + query % Sharing) * HeadSize;
    }

    private static AttentionTile.Rows Rows(float* start, int stride, int first, int count) => new()
    {
        Row0 = start + (long)first * stride,
        Row1 = start + (long)Math.Min(first + 1, count - 1) * stride,
        Row2 = start + (long)Math.Min(first + 2, count - 1) * stride,
        Row3 = start + (long)Math.Min(first + 3, count - 1) * stride,
    };

    /// <summary>Turns weighted sums into means, and writes them where they belong.</summary>
    private readonly void Finish(in AttentionItem item, in AttentionState state)
    {
        for (int q = 0; q < item.Tokens * Sharing; q++)
        {
            Span<float> result = new(Result + Offset(in item, q), HeadSize);
            TensorPrimitives.Multiply(new ReadOnlySpan<float>(state.Weighted(q), HeadSize), 1 / state.Sums[q], result);
            if (AreValuesRotated) Hadamard.Rotate(result, HeadSize);
        }
    }

    /// <summary>Puts partial results together, in the order of the keys.</summary>
    private readonly struct MergeWork(AttentionKernel kernel) : IWork
    {
        public void Run(int start, int end)
        {
            AttentionPlan plan = kernel.Plan;
            for (int i = start; i < end; i++)
            {
                ref readonly AttentionItem item = ref plan.Items[i];
                if (item.Parts == 1 || item.Part > 0) continue;
                int queries = item.Tokens * kernel.Sharing;
                AttentionState total = new(plan.Partial(i), queries, kernel.HeadSize);
                for (int part = 1; part < item.Parts; part++) total.Add(new AttentionState(plan.Partial(i + part), queries, kernel.HeadSize));
                kernel.Finish(in item, in total);
            }
        }
    }
}
