namespace Nibble.Evaluation.Cards;

/// <summary>What a model scored in a task.</summary>
/// <param name="Task">The task's name, such as <c>arc_easy</c>.</param>
/// <param name="Metric">What was counted, such as <c>acc_norm</c>; without a dot.</param>
/// <param name="Value">The score.</param>
/// <param name="Error">Its standard error.</param>
/// <param name="Items">Questions asked.</param>
/// <param name="Shots">Worked examples in front of each.</param>
public sealed record TaskScore(string Task, string Metric, double Value, double Error, int Items, int Shots = 0);
