using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Nibble.Evaluation.Comparison.Running;

namespace Nibble.Evaluation.Comparison;

/// <summary>Reports as JSON.</summary>
public static class ReportJson
{
    // For a file that people read, only what JSON needs is escaped.
    private static readonly ReportJsonContext s_readable = new(new JsonSerializerOptions(ReportJsonContext.Default.Options) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>The text of <c>report.json</c>.</summary>
    public static string Write(ComparisonReport report) => JsonSerializer.Serialize(report, s_readable.ComparisonReport) + "\n";

    /// <summary>Reads what <see cref="Write"/> made.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="NibbleException">It cannot be read, or is no report of this form.</exception>
    public static ComparisonReport Read(string path)
    {
        try
        {
            ComparisonReport? report = JsonSerializer.Deserialize(File.ReadAllText(path, Encoding.UTF8), ReportJsonContext.Default.ComparisonReport);
            if (report?.Form == ComparisonReport.CurrentForm) return report;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new NibbleException($"{path}: is no report that can be read ({e.Message.ReplaceLineEndings(" ")})", e);
        }
        return Throw.BadFile<ComparisonReport>(path, $"is no report of form {ComparisonReport.CurrentForm}; compare again");
    }

    /// <summary>A passage for a page: the serializer escapes <c>&lt;</c>, <c>&gt;</c> and <c>&amp;</c>, so that no text ends the element that it stands in.</summary>
    internal static string Embed(Passage passage) => JsonSerializer.Serialize(passage, ReportJsonContext.Default.Passage);
}

/// <summary>How reports and what they are made of are written, without reflection. Numbers that are none are written as text, <c>"NaN"</c>.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, IgnoreReadOnlyProperties = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(SpeedFigures))]
[JsonSerializable(typeof(TensorFigure[]))]
[JsonSerializable(typeof(MadeFile))]
[JsonSerializable(typeof(CardNote))]
[JsonSerializable(typeof(TokenExpectation[]))]
[JsonSerializable(typeof(ComparisonReport))]
internal sealed partial class ReportJsonContext : JsonSerializerContext;
