using Nibble.Files;

namespace Nibble.Quantization;

/// <summary>The level that a model's tensors show, whatever its name and metadata say.</summary>
/// <param name="Name">A recipe's name where every tensor has the format that the recipe gives it, else the format of most weights.</param>
/// <param name="IsExact">Whether every tensor fits the recipe.</param>
public readonly record struct ContentLevel(string Name, bool IsExact)
{
    public static ContentLevel Of(ModelFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.Tensors.Count == 0) return new("empty", false);
        if (file.Tensors.All(t => t.Format is not null))
        {
            foreach (Recipe recipe in Recipe.All)
                if (Fits(file, recipe, hasImportance: false) || Fits(file, recipe, hasImportance: true)) return new(recipe.Name, true);
        }
        return new(file.Tensors.GroupBy(t => t.TypeName).MaxBy(g => g.Sum(t => t.Count))!.Key, false);
    }

    /// <summary>An importance matrix of nothing: some recipes choose other formats where there is one.</summary>
    private static readonly Dictionary<string, float[]> s_some = [];

    /// <summary>Whether a level in words, such as <c>Q4_K_M</c>, describes this content.</summary>
    public bool Agrees(string level)
    {
        ArgumentNullException.ThrowIfNull(level);
        if (Name.Equals(level, StringComparison.OrdinalIgnoreCase)) return true;
        if (IsExact) return false;
        // Mixtures that others make, such as Q4_K_XL or IQ3_M, are not known tensor by tensor, only by their bits.
        return Recipe.TryParse(level, out Recipe? recipe) ? recipe.Format.Name == Name : Family(level).Equals(Family(Name), StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Q4 of Q4_K_XL.</summary>
    private static string Family(string level) => level.Split('_')[0];

    private static bool Fits(ModelFile file, Recipe recipe, bool hasImportance)
    {
        TensorChooser chooser = new(file, recipe, new() { Importance = hasImportance ? s_some : null });
        return QuantizationPlan.InOrder(file).All(t => t.Format == chooser.Choose(t).Format);
    }
}
