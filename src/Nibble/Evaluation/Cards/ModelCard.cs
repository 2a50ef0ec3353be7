using System.Security.Cryptography;
using System.Text;
using Nibble.Files;
using Nibble.Files.Gguf;

namespace Nibble.Evaluation.Cards;

/// <summary>
/// The Markdown page beside a model file that says what it is and what quantizing it cost, with a head that Hugging Face reads when the page becomes
/// a repository's README.md. It is called after the file (<c>NAME.gguf.md</c>), and ends with a hash of itself: a page that
/// someone else wrote, or has changed since, is never written over.
/// </summary>
public static class ModelCard
{
    private const string MarkStart = "<!-- nibble card ", MarkEnd = " -->\n";

    /// <summary>Where the card of a model lies: beside it, called after it; of a split model after what its parts are called after.</summary>
    public static string PathOf(string model)
    {
        string name = SplitName.Parse(model) is { } part ? Path.Combine(part.Folder, part.Stem + ".gguf") : model;
        return name + ".md";
    }

    /// <summary>Refuses a card that is not Nibble's own, unchanged.</summary>
    /// <exception cref="NibbleException">There is a file of that name, and it would be lost.</exception>
    public static void CheckReplaceable(string path)
    {
        if (Directory.Exists(path)) Throw.BadFile(path, "is a folder, where the model card would be written; move it away");
        if (!File.Exists(path)) return;
        string text = File.ReadAllText(path);
        int mark = text.LastIndexOf(MarkStart, StringComparison.Ordinal);
        if (mark < 0 || text[mark..] != MarkOf(text[..mark]))
            Throw.BadFile(path, "is where the model card would be written, and somebody else wrote or changed it; move it away first");
    }

    /// <summary>The text of the card of a model.</summary>
    /// <param name="path">See <see cref="PathOf"/>.</param>
    /// <param name="model">The model.</param>
    /// <param name="record">What was measured.</param>
    /// <exception cref="NibbleException">The file's metadata has something else than a string where the card has one.</exception>
    public static string TextOf(string path, ModelFile model, EvaluationRecord record) => new ModelCardText(Path.GetFileName(path)[..^".md".Length], model, record).ToString();

    /// <summary>Writes the card of a model.</summary>
    /// <param name="path">See <see cref="PathOf"/>.</param>
    /// <param name="text">See <see cref="TextOf"/>.</param>
    /// <exception cref="NibbleException">It cannot be written, or would replace another file.</exception>
    public static void Write(string path, string text)
    {
        CheckReplaceable(path);
        byte[] bytes = Encoding.UTF8.GetBytes(text + MarkOf(text));
        using AtomicFile file = new(path, bytes.Length);
        file.Write(bytes);
        file.Commit();
    }

    private static string MarkOf(string text) => $"{MarkStart}{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}{MarkEnd}";
}
