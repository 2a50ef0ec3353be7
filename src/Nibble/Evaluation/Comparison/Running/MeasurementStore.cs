using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Nibble.Files;
using Nibble.Quantization.Recipes;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>
/// Keeps what was measured in files whose names are hashes of all that it depends on: the content of the models and of the text, the
/// settings, the version of Nibble. A later run finds exactly what is the same, and measures anew what is not. Each file appears when it is complete.
/// </summary>
internal sealed class MeasurementStore
{
    private readonly string _folder;

    /// <param name="folder">The folder; it is made when there is something to keep.</param>
    public MeasurementStore(string folder) => _folder = folder;

    /// <summary>Makes the folder of a file, unless it is there.</summary>
    /// <exception cref="NibbleException">It cannot be made.</exception>
    public static void CreateFor(string path)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (IOException e)
        {
            throw new NibbleException(File.Exists(folder) ? $"{folder}: is a file; name a folder with -o" : $"{folder}: cannot be made: {OutputFolder.Reason(e)}", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new NibbleException($"{folder}: cannot be made: no permission; choose another folder with -o", e);
        }
    }

    /// <summary>The file of a measurement.</summary>
    /// <param name="kind">What is measured, a word.</param>
    /// <param name="ending">Of the file's name.</param>
    /// <param name="dependsOn">All that it depends on.</param>
    public string PathOf(string kind, string ending, params ReadOnlySpan<string> dependsOn) => PathOfAny(kind, ending, [RecipeFile.CurrentVersion, .. dependsOn]);

    /// <summary>The file of what other versions of Nibble are to find too.</summary>
    /// <inheritdoc cref="PathOf"/>
    public string PathOfAny(string kind, string ending, params ReadOnlySpan<string> dependsOn)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string part in (string[])[kind, .. dependsOn])
        {
            hash.AppendData(Encoding.UTF8.GetBytes(part));
            hash.AppendData([0]);
        }
        return Path.Combine(_folder, $"{kind}-{Convert.ToHexStringLower(hash.GetHashAndReset())[..32]}.{ending}");
    }

    /// <summary>What was kept in a file; <see langword="null"/> where there is none, or it is damaged and has to be measured again.</summary>
    public static T? TryRead<T>(string path, JsonTypeInfo<T> type) where T : class
    {
        if (!File.Exists(path)) return null;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type);
        }
        catch (JsonException)
        {
            return null; // it will be replaced
        }
    }

    /// <summary>Keeps a measurement.</summary>
    public static void Write<T>(string path, T value, JsonTypeInfo<T> type) => Write(path, JsonSerializer.SerializeToUtf8Bytes(value, type));

    /// <summary>Keeps bytes.</summary>
    private static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        CreateFor(path);
        using AtomicFile file = new(path, bytes.Length);
        file.Write(bytes);
        file.Commit();
    }
}
