namespace Nibble.Models;

/// <summary>A family of models that are wired alike.</summary>
public interface IArchitecture
{
    /// <summary>GGUF's name (<c>general.architecture</c>).</summary>
    static abstract string Name { get; }

    /// <summary>Composes the model from a file's tensors.</summary>
    static abstract Transformer Build(ModelReader model);
}
