using Nibble.Evaluation.Comparison.Writing;
using Nibble.Quantization;

namespace Nibble.Evaluation.Comparison.Charts;

/// <summary>
/// The error of each tensor of a variant, kinds by layers. It is a table whose cells are coloured, so that those who cannot see colours
/// read the numbers, and one with few layers shows them to all.
/// </summary>
internal sealed class HeatMap
{
    /// <summary>Layers whose cells are wide enough for a number.</summary>
    private const int LayersWithNumbers = 14;

    private const double DarkCell = 0.55;

    private readonly double _low, _high;

    /// <param name="variants">All variants, which share the scale of colours.</param>
    public HeatMap(IEnumerable<VariantReport> variants)
    {
        double[] errors = [.. variants.SelectMany(v => v.Tensors).Select(t => t.RelativeError).Where(e => e > 0 && double.IsFinite(e))];
        (_low, _high) = errors.Length == 0 ? (0.001, 1) : (errors.Min(), errors.Max());
        if (_low == _high) _low /= 2;
    }

    /// <summary>The errors that the colours end at, in words.</summary>
    public (string Low, string High) Ends => (Percent(_low), Percent(_high));

    /// <summary>Draws the map of one variant.</summary>
    public Html Draw(VariantReport variant)
    {
        (string Kind, int Layer, TensorFigure Tensor)[] tensors = [.. variant.Tensors.Select(t => (KindOf(t.Name), QuantizationPlan.LayerOf(t.Name), t))];
        Html html = new();
        if (tensors.Length == 0) return html.Literal("<p class=\"muted\">No tensor is stored in another format than in the original.</p>");
        int[] layers = [.. tensors.Select(t => t.Layer).Where(layer => layer >= 0).Distinct().Order()]; // a name may hold any number
        if (layers.Length > 0) DrawLayers(html, variant, tensors, layers);
        (string Kind, int Layer, TensorFigure Tensor)[] others = [.. tensors.Where(t => t.Layer < 0)];
        if (others.Length > 0) DrawOthers(html, others);
        return html;
    }

    private void DrawLayers(Html html, VariantReport variant, (string Kind, int Layer, TensorFigure Tensor)[] tensors, int[] layers)
    {
        bool hasRoom = layers.Length <= LayersWithNumbers;
        html.Add($"<table class=\"heat{(hasRoom ? "" : " dense")}\" data-roving data-columns=\"{layers.Length}\"><caption class=\"vh\">Relative error of each tensor of {variant.Model.Name} in per cent, kinds of tensor by layers</caption><colgroup><col class=\"name\"><col span=\"{layers.Length}\"></colgroup><thead><tr><th scope=\"col\"><span class=\"vh\">tensor</span></th>");
        int every = Math.Max(1, (layers.Length + 7) / 8);
        foreach ((int column, int layer) in layers.Index())
        {
            if (hasRoom) html.Add($"<th scope=\"col\">{layer}</th>");
            else if (column % every == 0) html.Add($"<th scope=\"colgroup\" colspan=\"{Math.Min(every, layers.Length - column)}\" class=\"group\">{layer}</th>");
        }
        html.Literal("</tr></thead><tbody>");
        foreach (IGrouping<string, (string Kind, int Layer, TensorFigure Tensor)> kind in tensors.Where(t => t.Layer >= 0).GroupBy(t => t.Kind))
        {
            html.Add($"<tr><th scope=\"row\">{kind.Key}</th>");
            TensorFigure?[] cells = new TensorFigure?[layers.Length];
            foreach ((_, int layer, TensorFigure tensor) in kind) cells[Array.BinarySearch(layers, layer)] = tensor;
            foreach ((int column, int layer) in layers.Index()) DrawCell(html, cells[column], kind.Key, layer, hasRoom);
            html.Literal("</tr>");
        }
        html.Literal("</tbody></table>");
    }

    private void DrawCell(Html html, TensorFigure? tensor, string kind, int layer, bool hasRoom)
    {
        if (tensor is null)
        {
            html.Add($"<td class=\"none\" data-tip=\"{kind}, layer {layer}\nas in the original\">–</td>");
            return;
        }
        double shade = Shade(tensor.RelativeError);
        string number = Percent(tensor.RelativeError);
        html.Add($"<td{(shade > DarkCell ? new Html().Literal(" class=\"strong\"") : new Html())} style=\"--t:{shade}\" data-tip=\"{kind}, layer {layer}\n{tensor.Format}, error {number}\">");
        if (hasRoom) html.Add($"{number.Replace(" %", "", StringComparison.Ordinal)}</td>");
        else html.Add($"<span class=\"vh\">{number}</span></td>");
    }

    private static void DrawOthers(Html html, (string Kind, int Layer, TensorFigure Tensor)[] tensors)
    {
        html.Literal("<p class=\"small muted\">Outside the layers: ");
        foreach ((int index, (string kind, _, TensorFigure tensor)) in tensors.Index())
            html.Add($"{(index > 0 ? ", " : "")}{kind} {Percent(tensor.RelativeError)} ({tensor.Format})");
        html.Literal(".</p>");
    }

    /// <summary>From 0 to 1, equal ratios being equally far.</summary>
    private double Shade(double error) => error > 0 ? Math.Clamp(Math.Log(error / _low) / Math.Log(_high / _low), 0, 1) : 0;

    private static string Percent(double error) => double.IsFinite(error) ? $"{Figures.ThreeDigits(100 * error)} %" : "no number";

    /// <summary><c>attn_q</c> of <c>blk.3.attn_q.weight</c>.</summary>
    private static string KindOf(string name)
    {
        string kind = QuantizationPlan.LayerOf(name) < 0 ? name : name[(name.IndexOf('.', 4) + 1)..];
        return kind.EndsWith(".weight", StringComparison.Ordinal) ? kind[..^7] : kind;
    }
}
