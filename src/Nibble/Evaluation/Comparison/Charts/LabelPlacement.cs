namespace Nibble.Evaluation.Comparison.Charts;

/// <summary>Where a label stands: the place of its text's beginning, middle or end on its base line.</summary>
/// <param name="X">Pixels from the left.</param>
/// <param name="Y">Pixels from the top.</param>
/// <param name="Anchor">SVG's <c>text-anchor</c>.</param>
internal readonly record struct LabelPlace(double X, double Y, string Anchor);

/// <summary>Puts labels beside points so that they cover neither each other nor the points, if that is possible.</summary>
internal sealed class LabelPlacement(double left, double top, double right, double bottom)
{
    private const double LetterWidth = 7.6, LetterHeight = 12, Gap = 9;

    private readonly List<Box> _taken = [];

    /// <summary>Keeps labels off a point and the bar of its uncertainty.</summary>
    public void Avoid(double x, double yLow, double yHigh) => _taken.Add(new(x - 5, Math.Min(yLow, yHigh) - 5, x + 5, Math.Max(yLow, yHigh) + 5));

    /// <summary>The best place for a label of a point: above to its right if that is free, where the front, which falls, does not cross it, else around it.</summary>
    public LabelPlace Place(double x, double y, string text)
    {
        double width = LetterWidth * text.Length;
        (double Dx, double Dy, string Anchor)[] around =
        [
            (Gap - 2, -6, "start"), (Gap, 4, "start"), (-Gap, 4, "end"), (Gap, 16, "start"), (-Gap, -8, "end"), (-Gap, 16, "end"), (0, -Gap - 3, "middle"), (0, Gap + 12, "middle"),
        ];
        IEnumerable<(LabelPlace Place, Box Box)> places = around.Select(p => (new LabelPlace(x + p.Dx, y + p.Dy, p.Anchor), BoxOf(x + p.Dx, y + p.Dy, p.Anchor, width)));
        (LabelPlace place, Box box) = places.MinBy(p => Cost(p.Box));
        _taken.Add(box);
        return place;
    }

    private static Box BoxOf(double x, double y, string anchor, double width)
    {
        double start = anchor switch { "end" => x - width, "middle" => x - width / 2, _ => x };
        return new(start, y - LetterHeight, start + width, y + 3);
    }

    /// <summary>How many square pixels would be covered twice, or lie outside.</summary>
    private double Cost(Box box)
    {
        double outside = box.Area - box.Shared(new(left, top, right, bottom));
        return 4 * outside + _taken.Sum(box.Shared);
    }

    private readonly record struct Box(double Left, double Top, double Right, double Bottom)
    {
        public double Area => (Right - Left) * (Bottom - Top);

        public double Shared(Box other) =>
            Math.Max(0, Math.Min(Right, other.Right) - Math.Max(Left, other.Left)) * Math.Max(0, Math.Min(Bottom, other.Bottom) - Math.Max(Top, other.Top));
    }
}
