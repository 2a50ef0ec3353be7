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

    public long FileBytes => _file.Tensors.Sum(t => t.Bytes);

    public WorkerPool Pool => _pool;

    public Session Start(int contextLength = 128, CacheOptions? cache = null) => new(Network, contextLength, _pool, cache);

    /// <summary>The scores of every token's successor, all tokens at once.</summary>
    public float[][] Logits(params int[] tokens) => Logits(tokens, CacheOptions.Default);

    public float[][] Logits(int[] tokens, CacheOptions cache)
    {
        using Session session = Start(cache: cache);
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
