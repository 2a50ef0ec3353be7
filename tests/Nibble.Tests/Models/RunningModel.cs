using Nibble.Files;
using Nibble.Kernels;
using Nibble.Models;

namespace Nibble.Tests.Models;

/// <summary>A model of a test saved, opened and run by the library.</summary>
internal sealed class RunningModel : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ModelFile _file;
    private readonly WorkerPool _pool;

    public RunningModel(GgufModel model, int threads = 1)
    {
        _file = ModelFile.Open(model.Save(_folder.At("model.gguf")));
        _pool = new WorkerPool(threads);
        Network = ArchitectureRegistry.Build(_file);
    }

    public Transformer Network { get; }

    public Session Start(int contextLength = 128) => new(Network, contextLength, _pool);

    /// <summary>The scores of every token's successor, all tokens at once.</summary>
    public float[][] Logits(params int[] tokens)
    {
        using Session session = Start();
        Activations logits = session.Append(tokens, 0);
        return [.. Enumerable.Range(0, tokens.Length).Select(t => logits.Read(t).ToArray())];
    }

    public void Dispose()
    {
        _pool.Dispose();
        _file.Dispose();
        _folder.Dispose();
    }
}
