using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Nibble.Kernels;

/// <summary>
/// Work that can be cut into independent items. It is a struct, which stays on the caller's stack while threads work, so that handing
/// it out allocates nothing; what it points to must lie outside the garbage-collected heap, or be pinned.
/// </summary>
public interface IWork
{
    /// <summary>Does the items <paramref name="start"/> to <c>end - 1</c>.</summary>
    void Run(int start, int end);
}

/// <summary>
/// A fixed set of threads that share work with the calling one. The caller never depends on the others: a thread that
/// wakes late finds nothing left and joins the next work. Items are independent, so results do not depend on the number of threads.
/// </summary>
public sealed unsafe class WorkerPool : IDisposable
{
    private const int Closed = 1 << 30;
    private const int SpinsBeforeParking = 2000;

    /// <summary>Numbers in a cache line, two of which some processors fetch together.</summary>
    private const int Apart = 32;

    private readonly Thread[] _threads;
    private readonly Lock _caller = new();
    private readonly SemaphoreSlim _wake = new(0);
    private int _parked;
    private volatile bool _stopping;
    private volatile int _epoch;

    // The work at hand; valid to a thread that has joined: it raised _state, which is below Closed while work is open.
    private int _state = Closed;
    private delegate*<void*, int, int, void> _run;
    private void* _work;
    private int _count;
    private int _grain;
    private readonly int[] _next; // for each thread the next item of its range, each in a cache line of its own
    private Exception? _failure;

    /// <param name="threads">Threads that work at the same time, the calling one included; 0 for one per processor.</param>
    public WorkerPool(int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        Threads = threads == 0 ? Environment.ProcessorCount : threads;
        _next = new int[Threads * Apart];
        _threads = new Thread[Threads - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            int index = i + 1;
            _threads[i] = new Thread(() => Serve(index)) { IsBackground = true, Name = $"nibble worker {i + 1}" };
            _threads[i].Start();
        }
    }

    /// <summary>Threads that work at the same time, the calling one included.</summary>
    public int Threads { get; }

    /// <summary>Does items 0 to <c>count - 1</c> of <paramref name="work"/>, <paramref name="grain"/> at a time, and returns when all are done. An exception of an item, the first where several fail, is thrown on.</summary>
    public void Run<TWork>(TWork work, int count, int grain = 1) where TWork : struct, IWork
    {
        if (count <= 0) return;
        ThrowIfDisposed();
        if (_threads.Length == 0 || count <= grain)
        {
            work.Run(0, count);
            return;
        }
        lock (_caller)
        {
            _run = &Invoke<TWork>;
            _work = Unsafe.AsPointer(ref work);
            _count = count;
            _grain = Math.Max(1, grain);
            for (int range = 0; range < Threads; range++) _next[range * Apart] = Start(range);
            _epoch++;
            Interlocked.Exchange(ref _state, 0); // a full fence: the count of parked threads is read after it
            int parked = Volatile.Read(ref _parked);
            if (parked > 0) _wake.Release(parked);

            Drain(0);
            Interlocked.Or(ref _state, Closed);
            SpinWait spin = default;
            while (Volatile.Read(ref _state) != Closed) spin.SpinOnce(sleep1Threshold: -1);

            if (Interlocked.Exchange(ref _failure, null) is { } failure) ExceptionDispatchInfo.Throw(failure);
        }
    }

    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_stopping, this);

    public void Dispose()
    {
        if (_stopping) return;
        _stopping = true;
        _wake.Release(Math.Max(1, _threads.Length));
        foreach (Thread thread in _threads) thread.Join();
        _wake.Dispose();
    }

    private static void Invoke<TWork>(void* work, int start, int end) where TWork : struct, IWork =>
        Unsafe.AsRef<TWork>(work).Run(start, end);

    private void Serve(int index)
    {
        int seen = 0; // the last work this thread took part in
        while (!_stopping)
        {
            for (int spins = 0; spins < SpinsBeforeParking && !CanJoin(seen) && !_stopping; spins++) Thread.SpinWait(16);
            if (TryJoin(ref seen))
            {
                Drain(index);
                Interlocked.Decrement(ref _state);
                continue;
            }
            Interlocked.Increment(ref _parked);
            if (!CanJoin(seen) && !_stopping) _wake.Wait();
            Interlocked.Decrement(ref _parked);
        }
    }

    private bool CanJoin(int seen) => _epoch != seen && (Volatile.Read(ref _state) & Closed) == 0;

    private bool TryJoin(ref int seen)
    {
        while (CanJoin(seen))
        {
            int epoch = _epoch, state = Volatile.Read(ref _state);
            if ((state & Closed) != 0 || Interlocked.CompareExchange(ref _state, state + 1, state) != state) continue;
            seen = epoch;
            return true;
        }
        return false;
    }

    /// <summary>The first item of a thread's range.</summary>
    private int Start(int range) => (int)((long)_count * range / Threads);

    /// <summary>Works through the range of a thread, then through what is left of the others'. Neighbouring items follow one another, as memory likes it.</summary>
    private void Drain(int index)
    {
        try
        {
            for (int i = 0; i < Threads; i++)
            {
                int range = (index + i) % Threads, end = Start(range + 1);
                ref int next = ref _next[range * Apart];
                while (Volatile.Read(ref next) < end)
                {
                    int start = Interlocked.Add(ref next, _grain) - _grain;
                    if (start >= end) break;
                    _run(_work, start, Math.Min(start + _grain, end));
                }
            }
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, e, null); // thrown again on the calling thread
            for (int range = 0; range < Threads; range++) Volatile.Write(ref _next[range * Apart], int.MaxValue / 2); // nobody starts another item
        }
    }
}
