using Nibble.Kernels;

namespace Nibble.Models;

/// <summary>Sees the input of every matrix while a model runs: the one hook for importance, calibration and sensitivity.</summary>
/// <param name="matrix">The matrix about to multiply.</param>
/// <param name="input"><c>[tokens, matrix.Inputs]</c></param>
public delegate void MatrixObserver(Linear matrix, Activations input);
