namespace Nibble.Evaluation.Tasks;

/// <summary>What a task asks of a model.</summary>
public enum TaskDomain
{
    /// <summary>To go on with a text sensibly.</summary>
    Language,

    /// <summary>To know and conclude.</summary>
    Reasoning,

    /// <summary>To calculate.</summary>
    Mathematics,

    /// <summary>To write programs.</summary>
    Code,

    /// <summary>To do so in other languages than English.</summary>
    Multilingual,
}
