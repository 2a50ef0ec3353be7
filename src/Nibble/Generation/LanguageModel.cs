using System.Runtime.CompilerServices;
using Nibble.Files;
using Nibble.Kernels;
using Nibble.Models;
using Nibble.Tokenizers;

namespace Nibble.Generation;

/// <summary>A model ready to run: its file, its tokenizer, its network and threads to run it.</summary>
public sealed class LanguageModel : IDisposable
{
    /// <summary>Tokens of context where none is asked for: enough for a conversation, and memory that any machine has.</summary>
    private const int UsualContext = 4096;

    private readonly WorkerPool _threads;

    private LanguageModel(ModelFile file, ModelOptions options)
    {
        File = file;
        Tokenizer = Tokenizer.FromMetadata(file.Metadata);
        Network = ArchitectureRegistry.Build(file, options.Repack);
        int threads = options.Threads == 0 ? ProcessorCores.Count : options.Threads, promptThreads = options.PromptThreads == 0 ? threads : options.PromptThreads;
        _threads = new WorkerPool(Math.Max(threads, promptThreads));
        Pool = _threads.Limit(promptThreads);
        GenerationPool = _threads.Limit(threads);
    }

    public ModelFile File { get; }

    public Tokenizer Tokenizer { get; }

    public Transformer Network { get; }

    /// <summary>The threads that read prompts.</summary>
    public WorkerPool Pool { get; }

    /// <summary>The threads that generate.</summary>
    public WorkerPool GenerationPool { get; }

    /// <summary>Opens a GGUF file or a folder as published on Hugging Face.</summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="threads">Threads to use, 0 for one per physical core; results do not depend on it.</param>
    /// <exception cref="NibbleException">It is no model that can be run; the message says why.</exception>
    public static LanguageModel Open(string path, int threads = 0) => Open(path, new ModelOptions { Threads = threads });

    /// <inheritdoc cref="Open(string, int)"/>
    /// <param name="path">The file or folder.</param>
    /// <param name="options">How to run it.</param>
    public static LanguageModel Open(string path, ModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ModelFile file = ModelFile.Open(path, options.I2SLayout);
        try
        {
            return new LanguageModel(file, options);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>An empty text of up to <paramref name="contextLength"/> tokens.</summary>
    /// <param name="contextLength">Tokens that the text can have.</param>
    /// <param name="cache">How keys and values are stored; <see langword="null"/> for half precision.</param>
    /// <exception cref="NibbleException">The system has not the memory for it, or the model's heads cannot be stored so.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public Session CreateSession(int contextLength, CacheOptions? cache = null)
    {
        Pool.ThrowIfDisposed();
        return new(Network, contextLength, Pool, cache, GenerationPool);
    }

    /// <summary>Appends to several sessions of this model at once, which reads the weights once for all of them.</summary>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public SessionBatch CreateBatch()
    {
        Pool.ThrowIfDisposed();
        return new(Network, Pool);
    }

    /// <summary>The context to use where <paramref name="wanted"/> tokens were asked for: at most the model's own.</summary>
    /// <exception cref="NibbleException">More were asked for than the model was trained for.</exception>
    public int ContextFor(int? wanted)
    {
        if (wanted > Network.ContextLength)
            Throw.BadInput($"a context of {wanted} tokens was asked for, and the model was trained for {Network.ContextLength}; beyond that its text is garbage. Take --ctx {Network.ContextLength} or less");
        if (wanted < 1) Throw.BadInput($"a context of {wanted} tokens was asked for; take at least 1 (--ctx)");
        return wanted ?? Math.Min(Network.ContextLength, UsualContext);
    }

    /// <summary>Continues <paramref name="prompt"/>, piece by piece as it is generated.</summary>
    /// <param name="prompt">The text to continue.</param>
    /// <param name="options">How to generate; <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">Stops after the token at hand.</param>
    public async IAsyncEnumerable<string> GenerateAsync(string prompt, GenerationOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        options ??= new GenerationOptions();
        using TextGenerator generator = new(this, ContextFor(options.ContextLength), options.Cache);
        int[] tokens = Tokenizer.Encode(prompt, parseSpecial: true);
        StreamingDecoder decoder = new(Tokenizer);
        using IEnumerator<int> generated = generator.Generate(tokens, options, cancellationToken: cancellationToken).GetEnumerator();
        while (await Task.Run(generated.MoveNext, cancellationToken).ConfigureAwait(false))
        {
            string text = decoder.Add(generated.Current);
            if (text.Length > 0) yield return text;
        }
        string rest = decoder.Flush();
        if (rest.Length > 0) yield return rest;
    }

    /// <summary>Ends the threads, frees the weights and closes the file. What is being generated must have ended; what is asked for afterwards throws.</summary>
    public void Dispose()
    {
        _threads.Dispose();
        Network.Release();
        File.Dispose();
    }
}
