namespace Nibble.Quantization;

/// <summary>A tensor has a larger error than <see cref="QuantizationOptions.MaxError"/> allows. The command line exits with code 3.</summary>
public sealed class ExcessiveErrorException : NibbleException
{
    internal ExcessiveErrorException(string message, TensorError worst) : base(message) => Worst = worst;

    /// <summary>The tensor with the largest error.</summary>
    public TensorError Worst { get; }
}
