namespace Nibble.Formats;

public partial struct K4_CB
{
    /// <summary>Blocks that the levels are found from: enough that more do not lower the error, few enough to take no time.</summary>
    private const int SampleBlocks = 512;

    /// <summary>Rounds of finding the levels for the blocks' scales, then the scales for the levels. They stop moving by then.</summary>
    private const int Rounds = 5;

    /// <summary>
    /// Finds the levels of a tensor by k-means over values divided by their block's scale, each weighing as much as its error will
    /// count; the scales are found anew for the levels, and so on in turn. A tensor with nothing but zeros gets those of IQ4_NL.
    /// </summary>
    public static SByte16 Fit(ITensorValues values)
    {
        SByte16 levels = default;
        IQ4_NL.Levels.CopyTo(levels);
        (float[] sample, float[] weights) = Sample(values);
        LevelClusters clusters = new();
        for (int round = 0; round < Rounds; round++)
        {
            LevelSteps steps = new(levels);
            clusters.Clear();
            for (int start = 0; start < sample.Length; start += BlockSize)
            {
                ReadOnlySpan<float> block = sample.AsSpan(start, BlockSize), blockWeights = weights.AsSpan(start, BlockSize);
                clusters.Add(block, blockWeights, steps.FitScale(block, blockWeights, Candidates));
            }
            if (!clusters.TryFind(levels)) break;
        }
        return levels;
    }

    /// <summary>
    /// Blocks spread evenly over the tensor, one at a place of its own in each stretch, so that they do not all lie in the same
    /// column; with the weights of their errors. The choice depends on the tensor's shape alone.
    /// </summary>
    private static (float[] Sample, float[] Weights) Sample(ITensorValues values)
    {
        const double GoldenRatio = 0.6180339887498949; // its multiples leave the evenest gaps
        int blocksPerRow = values.Columns / BlockSize;
        long blocks = values.Rows * blocksPerRow;
        int count = (int)Math.Min(blocks, SampleBlocks);
        float[] sample = new float[count * BlockSize], weights = new float[sample.Length], row = new float[values.Columns];
        long current = -1;
        for (int i = 0; i < count; i++)
        {
            double place = count == blocks ? 0 : i * GoldenRatio % 1;
            long block = Math.Min(blocks - 1, (long)((i + place) * blocks / count));
            if (block / blocksPerRow != current)
            {
                current = block / blocksPerRow;
                values.Read(current, row);
            }
            int column = (int)(block % blocksPerRow) * BlockSize;
            ReadOnlySpan<float> importance = values.ImportanceOf(current);
            Span<float> chosen = sample.AsSpan(i * BlockSize, BlockSize);
            row.AsSpan(column, BlockSize).CopyTo(chosen);
            Weigh(chosen, importance.IsEmpty ? [] : importance.Slice(column, BlockSize), weights.AsSpan(i * BlockSize, BlockSize));
        }
        return (sample, weights);
    }
}
