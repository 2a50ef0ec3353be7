using System.Text;

namespace Nibble.Evaluation.Tasks;

/// <summary>A measure of a task, called and defined as in EleutherAI's lm-evaluation-harness.</summary>
public sealed class TaskMetric
{
    private readonly Func<TaskItem, ItemOutcome, double> _ofItem;

    internal TaskMetric(string name, Func<TaskItem, ItemOutcome, double> ofItem, string filter = "none", bool isPerplexity = false)
    {
        Name = name;
        Filter = filter;
        IsPerplexity = isPerplexity;
        _ofItem = ofItem;
    }

    /// <summary>The share of items whose right choice has the highest log-likelihood.</summary>
    public static TaskMetric Accuracy { get; } = new("acc", (item, outcome) => IsRight(item, outcome, _ => 1));

    /// <summary>The same with each log-likelihood divided by the number of characters (Unicode code points) of its choice.</summary>
    public static TaskMetric AccuracyPerCharacter { get; } = new("acc_norm", (item, outcome) => IsRight(item, outcome, choice => choice.EnumerateRunes().Count()));

    /// <summary>The same with each log-likelihood divided by the number of UTF-8 bytes of its choice.</summary>
    public static TaskMetric AccuracyPerByte { get; } = new("acc_bytes", (item, outcome) => IsRight(item, outcome, Encoding.UTF8.GetByteCount));

    /// <summary>The share of items whose end is what always taking the likeliest token gives.</summary>
    public static TaskMetric GreedyAccuracy { get; } = new("acc", (_, outcome) => outcome.IsGreedy[0] ? 1 : 0);

    /// <summary>e to the mean negative log-likelihood of the ends; of an item the log-likelihood.</summary>
    public static TaskMetric Perplexity { get; } = new("perplexity", (_, outcome) => outcome.LogLikelihoods[0], isPerplexity: true);

    public string Name { get; }

    /// <summary>How the answer is found in generated text; <c>none</c> where there is nothing to find.</summary>
    public string Filter { get; }

    /// <summary>Whether it is a perplexity, of which less is better; otherwise it is a share of right items.</summary>
    public bool IsPerplexity { get; }

    /// <summary>The harness's key for it, such as <c>acc_norm,none</c>.</summary>
    public string Key => $"{Name},{Filter}";

    /// <summary>The same, without a filter where there is none: <c>acc_norm</c>, <c>exact_match,strict-match</c>.</summary>
    public string ShortKey => Filter == "none" ? Name : Key;

    /// <summary>1 for a right answer and 0 for a wrong one; for a perplexity the log-likelihood.</summary>
    public double OfItem(TaskItem item, ItemOutcome outcome) => _ofItem(item, outcome);

    /// <summary>The measure of a task whose items have this mean.</summary>
    public double OfMean(double mean) => IsPerplexity ? Math.Exp(-mean) : mean;

    private static double IsRight(TaskItem item, ItemOutcome outcome, Func<string, int> length)
    {
        ChoiceItem choice = (ChoiceItem)item;
        int best = 0;
        double highest = double.NegativeInfinity;
        for (int i = 0; i < choice.Choices.Count; i++)
        {
            double value = outcome.LogLikelihoods[i] / length(choice.Choices[i]);
            if (value > highest) (best, highest) = (i, value); // the first of equals, as NumPy's argmax
        }
        return best == choice.Gold ? 1 : 0;
    }
}
