using System.Text.Encodings.Web;
using System.Text.Json;
using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Files.HuggingFace;
using Nibble.Formats;
using Nibble.Memory;

namespace Nibble.Quantization.Recipes;

/// <summary>The file: JSON with one line for each file, tensor and metadata key, so that two of them can be compared line by line.</summary>
public sealed partial record RecipeFile
{
    private const string NoRecipe = "is no recipe; nibble quantize --write-recipe makes one";

    /// <summary>Bytes within which a text shows that it is an object.</summary>
    private const int LongestStart = 1 << 10;

    /// <summary>The form that is written; one that changes its meaning gets the next number.</summary>
    private const int Form = 1;

    private static readonly JsonWriterOptions s_options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the file; it appears when it is complete.</summary>
    /// <exception cref="NibbleException">It cannot be written.</exception>
    public void Write(string path)
    {
        using MemoryStream text = new();
        using (Utf8JsonWriter json = new(text, s_options)) Write(json);
        text.WriteByte((byte)'\n');
        using AtomicFile file = new(path, text.Length);
        file.Write(text.GetBuffer().AsSpan(0, (int)text.Length));
        file.Commit();
    }

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("nibble-recipe", Form);
        json.WriteString("version", Version);
        json.WriteString("type", Recipe.Name);
        json.WriteNumber("seed", 0); // no format draws random numbers
        WriteFiles(json, "inputs", Inputs);
        if (Layout is not null) json.WriteString("i2s-layout", Layout.Name);
        if (Importance is { } importance) Write(json, importance);
        if (AllowRequantize) json.WriteBoolean("allow-requantize", true);
        if (AllowNan) json.WriteBoolean("allow-nan", true);
        if (PrunedLayers.Count > 0) json.WriteString("prune-layers", string.Join(',', PrunedLayers));
        if (Split is { Keep: true }) json.WriteBoolean("keep-split", true);
        if (Split?.MaxBytes is { } bytes) json.WriteNumber("split-max-size", bytes);
        if (Split?.MaxTensors is { } count) json.WriteNumber("split-max-tensors", count);
        json.WriteStartObject("metadata");
        foreach ((string key, MetadataValue value) in Metadata) json.WriteString(key, MetadataText.Write(value));
        json.WriteEndObject();
        json.WriteStartObject("tensors");
        foreach (RecipeTensor tensor in Tensors)
            json.WriteString(tensor.Name, $"{tensor.Format} {tensor.Sha256}{(tensor.SourceName == tensor.Name ? "" : $" from {tensor.SourceName}")}");
        json.WriteEndObject();
        WriteFiles(json, "result", Outputs);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, RecipeImportance importance)
    {
        json.WriteStartObject("imatrix");
        json.WriteString("file", importance.Matrix.Name);
        json.WriteString("sha256", importance.Matrix.Sha256);
        WriteTexts(json, "include-weights", importance.Include);
        WriteTexts(json, "exclude-weights", importance.Exclude);
        if (importance.Calibration is { } calibration)
        {
            json.WriteString("text", calibration.Text.Name);
            json.WriteString("text-sha256", calibration.Text.Sha256);
            json.WriteNumber("ctx", calibration.Context);
            json.WriteNumber("chunks", calibration.Windows);
        }
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        if (texts.Count == 0) return;
        json.WriteStartArray(name);
        foreach (string text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static void WriteFiles(Utf8JsonWriter json, string name, IReadOnlyList<HashedFile> files)
    {
        json.WriteStartObject(name);
        foreach (HashedFile file in files) json.WriteString(file.Name, file.Sha256);
        json.WriteEndObject();
    }

    /// <summary>Reads a file that <see cref="Write(string)"/> made.</summary>
    /// <exception cref="NibbleException">It cannot be read, is no recipe, or one of a later version.</exception>
    public static RecipeFile Read(string path)
    {
        using (MappedFile file = new(path))
        {
            // A model, say, is no damaged recipe.
            if (file.Length > 0 && !file.Region.AsSpan<byte>(0, (int)Math.Min(file.Length, LongestStart)).TrimStart(" \t\r\n\ufeff"u8).StartsWith("{"u8)) Throw.BadFile(path, NoRecipe);
        }
        JsonSection json = JsonSection.Read(path);
        if (json.TryInt("nibble-recipe") is not int form) return Throw.BadFile<RecipeFile>(path, NoRecipe);
        string version = json.TryString("version") ?? "";
        if (form > Form || json.TryFloat("seed") is not (null or 0)) Later(path, version, "is of a later form");
        string type = json.TryString("type") ?? Damaged<string>(path, "type");
        if (!Recipe.TryParse(type, out Recipe? recipe)) return Later<RecipeFile>(path, version, $"makes {Quoted.Of(type)}, which is no type that this version knows");
        return new RecipeFile(version, recipe, ReadFiles(path, json, "inputs"), ReadLayout(path, json.TryString("i2s-layout")), ReadImportance(path, json.TrySection("imatrix")),
            json.TryBool("allow-requantize") ?? false, json.TryBool("allow-nan") ?? false, ReadLayers(path, json.TryString("prune-layers") ?? ""), ReadSplit(json),
            [.. ReadTexts(path, json, "metadata").Select(t => KeyValuePair.Create(t.Key, MetadataText.Parse(t.Value) ?? Damaged<MetadataValue>(path, "metadata." + t.Key)))],
            ReadTensors(path, version, json), ReadFiles(path, json, "result"));
    }

    private static RecipeTensor[] ReadTensors(string path, string version, JsonSection json)
    {
        RecipeTensor[] tensors = [.. ReadTexts(path, json, "tensors").Select(t => ReadTensor(path, version, t.Key, t.Value))];
        HashSet<string> sources = new(StringComparer.Ordinal);
        foreach (RecipeTensor tensor in tensors)
            if (!sources.Add(tensor.SourceName)) Throw.BadFile(path, $"makes two tensors of {Quoted.Of(tensor.SourceName)}; the file is damaged, get it again");
        return tensors;
    }

    private static RecipeTensor ReadTensor(string path, string version, string name, string text)
    {
        string[] parts = text.Split(' ', 4);
        if (parts.Length is not (2 or 4) || !HashedFile.IsSha256(parts[1]) || (parts.Length == 4 && parts[2] != "from")) Damaged<string>(path, "tensors." + name);
        if (!WeightFormat.TryParse(parts[0], out WeightFormat? format)) Later(path, version, $"stores tensor {Quoted.Of(name)} as {Quoted.Of(parts[0])}, which is no type that this version knows");
        return new RecipeTensor(name, format!, parts[1], parts.Length == 4 ? parts[3] : name);
    }

    private static RecipeImportance? ReadImportance(string path, JsonSection? json)
    {
        if (json is null) return null;
        RecipeCalibration? calibration = json.TryString("text") is not { } text ? null
            : new(new(text, Sha256(path, json, "text-sha256")), json.TryInt("ctx") ?? Damaged<int>(path, "imatrix.ctx"), json.TryInt("chunks") ?? Damaged<int>(path, "imatrix.chunks"));
        return new RecipeImportance(new(json.TryString("file") ?? "", Sha256(path, json, "sha256")), json.TryStrings("include-weights") ?? [], json.TryStrings("exclude-weights") ?? [], calibration);
    }

    private static string Sha256(string path, JsonSection json, string key) =>
        json.TryString(key) is { } text && HashedFile.IsSha256(text) ? text : Damaged<string>(path, "imatrix." + key);

    private static I2_SLayout? ReadLayout(string path, string? name) =>
        name is null ? null : I2_SLayout.TryParse(name, out I2_SLayout? layout) ? layout : Damaged<I2_SLayout>(path, "i2s-layout");

    private static SplitOptions? ReadSplit(JsonSection json)
    {
        SplitOptions split = new() { Keep = json.TryBool("keep-split") ?? false, MaxBytes = json.TryLong("split-max-size"), MaxTensors = json.TryInt("split-max-tensors") };
        return split == new SplitOptions() ? null : split;
    }

    private static HashedFile[] ReadFiles(string path, JsonSection json, string key)
    {
        HashedFile[] files = [.. ReadTexts(path, json, key).Select(t => new HashedFile(t.Key, HashedFile.IsSha256(t.Value) ? t.Value : Damaged<string>(path, $"{key}.{t.Key}")))];
        return files.Length > 0 ? files : Damaged<HashedFile[]>(path, key);
    }

    private static List<(string Key, string Value)> ReadTexts(string path, JsonSection json, string key)
    {
        List<(string Key, string Value)> texts = [.. (json.TrySection(key) ?? Damaged<JsonSection>(path, key)).Texts()];
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach ((string name, _) in texts)
            if (!seen.Add(name)) Throw.BadFile(path, $"names {Quoted.Of(name)} twice; the file is damaged, get it again");
        return texts;
    }

    private static int[] ReadLayers(string path, string text) =>
        [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(part => int.TryParse(part, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int layer) ? layer : Damaged<int>(path, "prune-layers"))];

    private static T Damaged<T>(string path, string key) => Throw.BadFile<T>(path, $"key {Quoted.Of(key)} is missing or is not what a recipe has there; the file is damaged, get it again");

    private static void Later(string path, string version, string what) => Later<int>(path, version, what);

    private static T Later<T>(string path, string version, string what) =>
        Throw.BadFile<T>(path, $"{what}; it was made by version {Quoted.Of(version)} of Nibble, this is {CurrentVersion}: take that version");
}
