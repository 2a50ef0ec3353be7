namespace Nibble.Quantization;

/// <summary>How far a tensor is from what it was made of. Values that were no finite numbers before do not count.</summary>
/// <param name="Tensor">The tensor.</param>
/// <param name="Relative">
/// Root of the mean square error, divided by the root of the mean square of the source: 0 for no error, 1 for one as large as the
/// values themselves. Not a finite number where finite values became none.
/// </param>
/// <param name="Cosine">Cosine of the angle between the tensor before and after, from -1 to 1.</param>
public sealed record TensorError(PlannedTensor Tensor, double Relative, double Cosine)
{
    /// <summary>The relative error that weights usually have in this format.</summary>
    public double Usual => UsualErrors.Of(Tensor.Target.Format!);

    /// <summary>Whether the error is far above the usual one, as where weights are damaged or of a kind that the format cannot hold.</summary>
    public bool IsSuspicious => !(Relative <= UsualErrors.LimitOf(Tensor.Target.Format!)); // also where the error is no number
}

/// <summary>What came of a plan.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="Errors">The error of each tensor, in the order of the plan; <see langword="null"/> for those whose bytes did not change, and for all without <see cref="QuantizationOptions.Check"/>.</param>
public sealed record QuantizationResult(QuantizationPlan Plan, IReadOnlyList<TensorError?> Errors)
{
    /// <summary>How many tensors an interrupted run had finished, which were kept.</summary>
    public int Kept { get; init; }

    /// <summary>Tensors that an interrupted run had finished, but whose bytes were no longer what they were, so that they were written again.</summary>
    public IReadOnlyList<PlannedTensor> Damaged { get; init; } = [];

    /// <summary>The largest error; <see langword="null"/> where none was measured.</summary>
    public TensorError? Worst => Errors.Where(e => e is not null).MaxBy(e => double.IsNaN(e!.Relative) ? double.PositiveInfinity : e.Relative);
}
