namespace Nibble.Formats;

/// <summary>A block of activations: signed bytes that share one scale, x = Scale * number.</summary>
internal interface IActivationBlock<TSelf> : IBlock<TSelf> where TSelf : unmanaged, IActivationBlock<TSelf>
{
    static abstract float ScaleOf(in TSelf block);

    /// <summary>The first of the block's numbers; the others follow.</summary>
    static abstract ref readonly sbyte NumbersOf(in TSelf block);
}
