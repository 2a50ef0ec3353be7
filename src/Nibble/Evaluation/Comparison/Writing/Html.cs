using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace Nibble.Evaluation.Comparison.Writing;

/// <summary>
/// Builds HTML or SVG from interpolated strings: what the code spells out is markup, and every value put into it is escaped, so that
/// nothing that comes from a file can become markup.
/// </summary>
internal sealed class Html
{
    // All scripts may stand as they are; what HTML gives a meaning, and what is no character, becomes an entity.
    private static readonly HtmlEncoder s_encoder = HtmlEncoder.Create(UnicodeRanges.All);

    private readonly StringBuilder _text = new();

    /// <summary>Appends markup with values in it.</summary>
    public Html Add([InterpolatedStringHandlerArgument("")] Interpolation markup)
    {
        _ = markup; // it has appended itself
        return this;
    }

    /// <summary>Appends markup without values.</summary>
    public Html Literal(string markup)
    {
        _text.Append(markup);
        return this;
    }

    public override string ToString() => _text.ToString();

    /// <summary>Takes the parts of an interpolated string as they come.</summary>
    [InterpolatedStringHandler]
    public readonly ref struct Interpolation
    {
        private readonly StringBuilder _text;

        public Interpolation(int literalLength, int formattedCount, Html html)
        {
            _text = html._text;
            _text.EnsureCapacity(_text.Length + literalLength + 8 * formattedCount);
        }

        public void AppendLiteral(string markup) => _text.Append(markup);

        public void AppendFormatted(string? text) => _text.Append(s_encoder.Encode(text ?? ""));

        public void AppendFormatted(int number) => _text.Append(CultureInfo.InvariantCulture, $"{number}");

        /// <summary>A length or a position: hundredths of a pixel are fine enough.</summary>
        public void AppendFormatted(double number) => _text.Append(CultureInfo.InvariantCulture, $"{number:0.##}");

        /// <summary>What is markup already.</summary>
        public void AppendFormatted(Html markup) => _text.Append(markup._text);
    }
}
