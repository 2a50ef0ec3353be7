namespace Nibble.Files.Gguf;

/// <summary>How a model is spread over several files. Names are those of llama.cpp's tools.</summary>
public sealed record SplitOptions
{
    /// <summary>Leave every tensor in the part that it was in.</summary>
    public bool Keep { get; init; }

    /// <summary>The largest size of a part in bytes, header included. A tensor that is larger gets a part of its own all the same.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>The most tensors of a part.</summary>
    public int? MaxTensors { get; init; }
}
