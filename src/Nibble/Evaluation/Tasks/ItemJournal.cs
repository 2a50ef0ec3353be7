using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Nibble.Files;
using Nibble.Models;

namespace Nibble.Evaluation.Tasks;

/// <summary>
/// What a model made of every item so far, in a file of its own for each model: a later run, of the same tasks or others, does not ask
/// again what was asked already. An item is known by its tokens and all that its outcome depends on, not by its task's name. Each line is
/// a JSON object; one that is incomplete, as a killed run leaves, counts for nothing.
/// </summary>
internal sealed class ItemJournal : IDisposable
{
    // A file that another process has locked: EWOULDBLOCK, and what Windows has for it.
    private const int Taken = 11, TakenOnMac = 35, TakenOnWindows = unchecked((int)0x80070020);

    private readonly FileStream _stream;
    private readonly byte[] _settings;
    private readonly Dictionary<string, ItemOutcome> _known = [];

    private ItemJournal(FileStream stream, byte[] settings)
    {
        _stream = stream;
        _settings = settings;
    }

    /// <summary>Opens the journal of a model, or begins it.</summary>
    /// <param name="folder">Where journals lie; made where it does not exist.</param>
    /// <param name="model">The model's file.</param>
    /// <param name="sha256">SHA-256 of its bytes, as <see cref="HashedFile.OfModel"/> gives it.</param>
    /// <param name="cache">How keys and values are stored.</param>
    /// <exception cref="NibbleException">Another process has it, or it cannot be read or written.</exception>
    public static ItemJournal Open(string folder, ModelFile model, string sha256, CacheOptions? cache)
    {
        string path = Path.Combine(folder, $"{sha256[..16]}.jsonl");
        cache ??= CacheOptions.Default;
        string settings = $"{sha256} {model.LayoutNote} {cache.KeyFormat} {cache.ValueFormat} {cache.RotatesKeys} {cache.RotatesValues} {InstructionSets.Used} {typeof(ItemJournal).Assembly.GetName().Version}";
        try
        {
            Directory.CreateDirectory(folder);
            FileStream stream = new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            ItemJournal journal = new(stream, Encoding.UTF8.GetBytes(settings));
            journal.Read();
            return journal;
        }
        catch (IOException e) when (e.HResult is Taken or TakenOnMac or TakenOnWindows)
        {
            throw new NibbleException($"{path}: another nibble is evaluating this model; wait for it, or name another folder for what is kept (--cache-dir)", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NibbleException($"{path}: finished items cannot be kept there ({e.Message.ReplaceLineEndings(" ")}); name another folder (--cache-dir) or keep none (--no-resume)", e);
        }
    }

    /// <summary>The key of texts whose ends are scored.</summary>
    public string KeyOf(IReadOnlyList<Batching.ScoredTokens> texts)
    {
        using IncrementalHash hash = Begin("score");
        foreach ((int[] tokens, int firstScored) in texts)
        {
            Append(hash, [tokens.Length, firstScored]);
            Append(hash, tokens);
        }
        return End(hash);
    }

    /// <summary>The key of a prompt that is continued.</summary>
    public string KeyOf(int[] prompt, int mostTokens, IReadOnlyList<string> until)
    {
        using IncrementalHash hash = Begin("generate");
        Append(hash, [prompt.Length, mostTokens]);
        Append(hash, prompt);
        foreach (string stop in until) hash.AppendData(Encoding.UTF8.GetBytes(stop + "\0"));
        return End(hash);
    }

    /// <summary>What is known of an item, or <see langword="null"/>.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="ends">How many texts' ends it has scored; 0 where it generates. An entry of another number is damaged and counts for nothing.</param>
    public ItemOutcome? Find(string key, int ends) => _known.GetValueOrDefault(key) is { } outcome && outcome.LogLikelihoods.Count == ends ? outcome : null;

    /// <summary>Notes an outcome; it is with the system when this returns. One with a probability of zero, whose logarithm JSON cannot write, is left out.</summary>
    public void Add(string key, ItemOutcome outcome)
    {
        if (!outcome.LogLikelihoods.All(double.IsFinite) || Find(key, outcome.LogLikelihoods.Count) is not null) return;
        _known[key] = outcome;
        using MemoryStream line = new();
        using (Utf8JsonWriter json = new(line))
        {
            json.WriteStartObject();
            json.WriteString("key", key);
            json.WriteStartArray("ll");
            foreach (double value in outcome.LogLikelihoods) json.WriteNumberValue(value);
            json.WriteEndArray();
            json.WriteStartArray("greedy");
            foreach (bool value in outcome.IsGreedy) json.WriteBooleanValue(value);
            json.WriteEndArray();
            if (outcome.Text is not null) json.WriteString("text", outcome.Text);
            json.WriteEndObject();
        }
        line.WriteByte((byte)'\n');
        try
        {
            _stream.Write(line.GetBuffer(), 0, (int)line.Length);
            _stream.Flush();
        }
        catch (IOException e)
        {
            throw new NibbleException($"{_stream.Name}: finished items cannot be kept there: {OutputFolder.Reason(e)}", e);
        }
    }

    public void Dispose() => _stream.Dispose();

    private void Read()
    {
        using StreamReader reader = new(_stream, Encoding.UTF8, leaveOpen: true);
        string text = reader.ReadToEnd();
        if (text.Length > 0 && !text.EndsWith('\n')) _stream.Write("\n"u8); // the line that a killed run left ends here
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            if (Parse(line) is var (key, outcome)) _known[key] = outcome;
    }

    private static (string Key, ItemOutcome Outcome)? Parse(string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            double[] likelihoods = [.. root.GetProperty("ll").EnumerateArray().Select(v => v.GetDouble())];
            bool[] greedy = [.. root.GetProperty("greedy").EnumerateArray().Select(v => v.GetBoolean())];
            string? text = root.TryGetProperty("text", out JsonElement value) ? value.GetString() : null;
            bool isWhole = likelihoods.Length == greedy.Length && likelihoods.All(double.IsFinite) && (text is null) == (likelihoods.Length > 0);
            return isWhole && root.GetProperty("key").GetString() is { } key ? (key, new(likelihoods, greedy, text, 0)) : null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null; // damaged: the item is asked again
        }
    }

    private IncrementalHash Begin(string kind)
    {
        IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(_settings);
        hash.AppendData(Encoding.UTF8.GetBytes($"\0{kind}\0"));
        return hash;
    }

    private static void Append(IncrementalHash hash, ReadOnlySpan<int> values) => hash.AppendData(MemoryMarshal.AsBytes(values));

    private static string End(IncrementalHash hash) => Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
}
