using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Nibble.Files;
using Nibble.Generation;
using Nibble.Kernels;
using Nibble.Models;

namespace Nibble.Evaluation.Divergence;

/// <summary>Writes a <see cref="BaseFile"/> while the base reads the text.</summary>
public sealed class BaseFileWriter : IScoreConsumer, IDisposable
{
    private readonly BaseHeader _header;
    private readonly AtomicFile _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private PairStatistics _losses;
    private byte[] _records = [];
    private long _position;

    private BaseFileWriter(string path, BaseHeader header, ReadOnlySpan<int> tokens)
    {
        _header = header;
        byte[] head = Head(header);
        _file = new(path, checked(head.Length + header.Tokens * sizeof(int) + header.Records * header.RecordBytes + BaseFile.HashBytes));
        Put(head);
        Put(MemoryMarshal.AsBytes(tokens));
    }

    /// <summary>Lets a base read a text and keeps what it predicts.</summary>
    /// <param name="path">The file to write; it appears when it is complete.</param>
    /// <param name="reference">The base.</param>
    /// <param name="text">The text.</param>
    /// <param name="options">What of it to read; windows that do not overlap.</param>
    /// <param name="progress">Told the base's perplexity so far after every window.</param>
    /// <param name="cancellationToken">Stops after the batch at hand and leaves no file.</param>
    /// <returns>The perplexity of the base.</returns>
    /// <exception cref="NibbleException">The text is too short, the file cannot be written, or scores are not numbers.</exception>
    public static PerplexityResult Save(string path, LanguageModel reference, EvaluationText text, EvaluationOptions options, IProgress<PerplexityResult>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Stride is not null) Throw.BadInput("a base is saved for windows that do not overlap; leave out --stride");
        IReadOnlyList<EvaluationWindow> windows = EvaluationWindow.Of(text.Tokens.Length, options, text.Name);
        int vocabulary = reference.Network.VocabularySize;
        (int top, int sampled) = BaseHeader.KeptFor(vocabulary);
        BaseHeader header = new(vocabulary, options.ContextLength, windows.Count, options.BeginningOfText, top, sampled, text.Name, text.Sha256,
            VocabularyComparison.Hash(reference.Tokenizer), NameOf(reference.File), HashedFile.OfModel(reference.File, cancellationToken: cancellationToken), (options.Cache ?? CacheOptions.Default).Description);
        using BaseFileWriter writer = new(path, header, text.Tokens.Span[..checked((int)header.Tokens)]);
        EvaluationLoop.Run([EvaluatedModel.Of(reference)], text.Tokens, windows, options, reference.Pool, writer, read => progress?.Report(Result(read)), cancellationToken);
        writer.Commit();
        return Result(windows.Count);

        PerplexityResult Result(int read) => PerplexityResult.Of(writer._losses.X, writer._losses.Count, read, options.ContextLength);
    }

    /// <summary>The name of a model's file or folder.</summary>
    public static string NameOf(ModelFile model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(model.Path)));
    }

    unsafe int IScoreConsumer.Take(IReadOnlyList<Activations> scores, ReadOnlySpan<int> next, WorkerPool pool)
    {
        int bytes = next.Length * _header.RecordBytes;
        if (_records.Length < bytes) _records = new byte[bytes];
        fixed (int* tokens = next)
        fixed (byte* records = _records)
        {
            pool.Run(new Work(scores[0].Pointer, tokens, records, _position, _header), next.Length);
            for (int i = 0; i < next.Length; i++)
            {
                BaseRecord record = new(records + (long)i * _header.RecordBytes, _header);
                if (!float.IsFinite(record.TokenLogarithm)) return 0;
                _losses.Add(-record.TokenLogarithm, 0);
            }
        }
        Put(_records.AsSpan(0, bytes));
        _position += next.Length;
        return -1;
    }

    public void Dispose()
    {
        _file.Dispose();
        _hash.Dispose();
    }

    private void Commit()
    {
        _file.Write(_hash.GetHashAndReset());
        _file.Commit();
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        _hash.AppendData(bytes);
        _file.Write(bytes);
    }

    private static byte[] Head(BaseHeader header)
    {
        byte[] text = Encoding.UTF8.GetBytes(header.TextName), model = Encoding.UTF8.GetBytes(header.BaseName), cache = Encoding.UTF8.GetBytes(header.Cache);
        int length = BaseFile.FixedHeaderBytes + 2 + text.Length + 2 + model.Length + 2 + cache.Length;
        byte[] head = new byte[(length + BaseFile.Alignment - 1) / BaseFile.Alignment * BaseFile.Alignment];
        BaseFile.Magic.CopyTo(head);
        int[] numbers = [BaseFile.Version, head.Length, header.Vocabulary, header.ContextLength, header.Windows, header.BeginningOfText ?? -1, header.Top, header.Sampled];
        for (int i = 0; i < numbers.Length; i++) BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(8 + i * sizeof(int)), numbers[i]);
        Convert.FromHexString(header.TextSha256).CopyTo(head, 40);
        Convert.FromHexString(header.VocabularySha256).CopyTo(head, 72);
        Convert.FromHexString(header.BaseSha256).CopyTo(head, 104);
        Span<byte> names = head.AsSpan(BaseFile.FixedHeaderBytes);
        foreach (byte[] name in new[] { text, model, cache })
        {
            BinaryPrimitives.WriteUInt16LittleEndian(names, (ushort)name.Length);
            name.CopyTo(names[2..]);
            names = names[(2 + name.Length)..];
        }
        return head;
    }

    private readonly unsafe struct Work(float* scores, int* next, byte* records, long position, BaseHeader header) : IWork
    {
        public void Run(int start, int end)
        {
            for (int i = start; i < end; i++)
                BaseSelection.Write(new ReadOnlySpan<float>(scores + (long)i * header.Vocabulary, header.Vocabulary), next[i], position + i, header, new BaseRecord(records + (long)i * header.RecordBytes, header));
        }
    }
}
