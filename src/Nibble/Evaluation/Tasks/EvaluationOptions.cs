using Nibble.Files;
using Nibble.Models;

namespace Nibble.Evaluation.Tasks;

/// <summary>How tasks are run. Names and defaults are the harness's.</summary>
public sealed record EvaluationOptions
{
    /// <summary>The most examples before a question.</summary>
    public const int MostShots = 64;

    /// <summary>The user's folder for answers that are kept: <c>nibble/eval</c> in what XDG_CACHE_HOME names or <c>~/.cache</c>; on Windows in the local application data.</summary>
    public static string UsualJournalFolder => Path.Combine(CacheFolder, "nibble", "eval");

    private static string CacheFolder => Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } named ? named
        : OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");

    /// <summary>Examples before each question; <see langword="null"/> for each task's own number.</summary>
    public int? Shots { get; init; }

    /// <summary>Only the first so many items of each task; <see langword="null"/> for all.</summary>
    public int? Limit { get; init; }

    /// <summary>By which examples are drawn.</summary>
    public int Seed { get; init; } = 1234;

    /// <summary>Tokens of a text; <see langword="null"/> for as many as the model was trained for.</summary>
    public int? ContextLength { get; init; }

    /// <summary>How keys and values are stored; <see langword="null"/> for half precision.</summary>
    public CacheOptions? Cache { get; init; }

    /// <summary>The folder that keeps finished items for a later run; <see langword="null"/> to keep nothing.</summary>
    public string? JournalFolder { get; init; }

    /// <summary>SHA-256 of the model's files, by which finished items are known; <see langword="null"/> to read them for it, where a folder is named.</summary>
    public string? ModelSha256 { get; init; }

    /// <exception cref="NibbleException">A value makes no sense; the message names it.</exception>
    /// <exception cref="ArgumentException"><see cref="ModelSha256"/> is no such hash.</exception>
    public void Validate()
    {
        if (Shots is < 0 or > MostShots) Throw.BadInput($"{Shots} examples before each question were asked for; take 0 to {MostShots} (--num-fewshot)");
        if (Limit < 1) Throw.BadInput($"a limit of {Limit} items was asked for; take at least 1 (--limit)");
        if (ModelSha256 is { } hash && !HashedFile.IsSha256(hash)) throw new ArgumentException($"'{hash}' is not 64 hexadecimal digits in lower case", nameof(ModelSha256));
    }
}

/// <summary>How far evaluating has come.</summary>
/// <param name="Task">The task that an item was finished of last.</param>
/// <param name="Items">Items finished, of all tasks.</param>
/// <param name="TotalItems">Items of all tasks.</param>
/// <param name="KeptItems">Those of them that an earlier run had finished.</param>
/// <param name="Tokens">Tokens that have passed through the model.</param>
/// <param name="Fraction">From 0 to 1, by the tokens to read.</param>
public readonly record struct EvaluationProgress(string Task, int Items, int TotalItems, int KeptItems, long Tokens, double Fraction);
