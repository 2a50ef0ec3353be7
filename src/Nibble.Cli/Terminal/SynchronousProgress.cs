namespace Nibble.Cli.Terminal;

/// <summary>Progress told on the thread that reports it, in order; the framework's own posts it to the thread pool.</summary>
internal sealed class SynchronousProgress<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
