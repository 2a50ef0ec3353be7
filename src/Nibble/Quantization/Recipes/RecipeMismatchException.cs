namespace Nibble.Quantization.Recipes;

/// <summary>A model is not the one that a recipe makes. The command line exits with code 3.</summary>
public sealed class RecipeMismatchException(string message) : NibbleException(message);
