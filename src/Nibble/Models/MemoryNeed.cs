namespace Nibble.Models;

/// <summary>Bytes of memory that running a model takes, known before any of it is taken.</summary>
/// <param name="Weights">The weights as they are used: copies arranged to suit the processor, and what is read where it lies in the mapped file.</param>
/// <param name="Cache">Keys and values of a full context; taken little by little as the text grows.</param>
/// <param name="Scratch">Activations of the tokens that pass together, about.</param>
public readonly record struct MemoryNeed(long Weights, long Cache, long Scratch)
{
    public long Total => Weights + Cache + Scratch;

    internal static MemoryNeed Of(Transformer model, int contextLength, CacheOptions cache)
    {
        Attention attention = model.Blocks[0].Attention;
        long weights = ReferenceEquals(model.Head.Weight, model.Embedding) ? 0 : model.Embedding.Bytes;
        foreach (Linear matrix in model.Matrices) weights += matrix.Weight.BytesInUse;

        // The stream, its norm and a block's output; each matrix's result; and each matrix's input in the form it takes, at most single precision.
        Block block = model.Blocks[0];
        long inputs = 2L * model.Width + block.Attention.Query.Outputs + block.Mlp.Gate.Outputs;
        long values = 3L * model.Width + 2L * block.Attention.Query.Outputs + 2L * block.Attention.Key.Outputs + 2L * block.Mlp.Gate.Outputs + inputs;
        long scratch = (values * Math.Min(contextLength, Session.BatchTokens) + model.VocabularySize) * sizeof(float);
        return new(weights, cache.Bytes(model.Blocks.Count, attention.KeyHeads, attention.HeadSize, contextLength), scratch);
    }
}
