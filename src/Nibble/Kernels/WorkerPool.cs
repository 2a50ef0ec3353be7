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

    private readonly Worker[] _workers;
    private readonly WorkerPool? _whole; // of a part of another pool
    private readonly Lock _caller = new();
    private volatile bool _stopping;
    private volatile int _epoch;

    // The work at hand; valid to a thread that has joined: it raised _state, which is below Closed while work is open.
    private int _state = Closed;
    private delegate*<void*, int, int, void> _run;
    private void* _work;
    private int _count;
    private int _grain;
    private readonly int[] _next = []; // for each thread the next item of its range, each in a cache line of its own
    private int _helpers; // how many of the workers may join
    private Exception? _failure;

    /// <param name="threads">Threads that work at the same time, the calling one included; 0 for one per physical core.</param>
    public WorkerPool(int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        Threads = threads == 0 ? ProcessorCores.Count : threads;
        _next = new int[Threads * Apart];
        _workers = new Worker[Threads - 1];
        for (int i = 0; i < _workers.Length; i++) _workers[i] = new Worker(this, i);
        foreach (Worker worker in _workers) worker.Thread.Start();
    }

    private WorkerPool(WorkerPool whole, int threads)
    {
        _whole = whole;
        _workers = whole._workers;
        Threads = threads;
    }

    /// <summary>Threads that work at the same time, the calling one included.</summary>
    public int Threads { get; }

    /// <summary>
    /// Bytes that the calling thread and the workers have allocated so far, which steady work must not raise. A worker counts up to
    /// its last item.
    /// </summary>
    internal long AllocatedBytes
    {
        get
        {
            long bytes = GC.GetAllocatedBytesForCurrentThread();
            foreach (Worker worker in _workers) bytes += Volatile.Read(ref worker.AllocatedBytes);
            return bytes;
        }
    }

    /// <summary>
    /// The same threads, of which at most <paramref name="threads"/> work on what is run through the result; the others stay parked.
    /// It ends with this pool and need not be disposed.
    /// </summary>
    public WorkerPool Limit(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        return threads >= Threads ? this : new WorkerPool(_whole ?? this, threads);
    }

    /// <summary>
    /// Does items 0 to <c>count - 1</c> of <paramref name="work"/>, <paramref name="grain"/> at a time, and returns when all are done. No
    /// more threads take part than there are such portions. An exception of an item, the first where several fail, is thrown on.
    /// </summary>
    public void Run<TWork>(TWork work, int count, int grain = 1) where TWork : struct, IWork
    {
        if (count <= 0) return;
        ThrowIfDisposed();
        if (Threads == 1 || count <= grain)
        {
            work.Run(0, count);
            return;
        }
        grain = Math.Max(1, grain);
        (_whole ?? this).Share(&Invoke<TWork>, Unsafe.AsPointer(ref work), count, grain, helpers: Math.Min(Threads, (int)(((long)count + grain - 1) / grain)) - 1);
    }

    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_stopping || _whole is { _stopping: true }, this);

    public void Dispose()
    {
        if (_stopping || _whole is not null) return;
        _stopping = true;
        foreach (Worker worker in _workers) worker.Wake.Release();
        foreach (Worker worker in _workers)
        {
            worker.Thread.Join();
            worker.Wake.Dispose();
        }
    }

    private void Share(delegate*<void*, int, int, void> run, void* work, int count, int grain, int helpers)
    {
        lock (_caller)
        {
            _run = run;
            _work = work;
            _count = count;
            _grain = grain;
            _helpers = helpers;
            for (int range = 0; range <= helpers; range++) _next[range * Apart] = Start(range);
            _epoch++;
            Interlocked.Exchange(ref _state, 0); // a full fence: whether threads are parked is read after it
            for (int i = 0; i < helpers; i++) _workers[i].Unpark();

            Drain(0);
            Interlocked.Or(ref _state, Closed);
            SpinWait spin = default;
            while (Volatile.Read(ref _state) != Closed) spin.SpinOnce(sleep1Threshold: -1);

            if (Interlocked.Exchange(ref _failure, null) is { } failure) ExceptionDispatchInfo.Throw(failure);
        }
    }

    private static void Invoke<TWork>(void* work, int start, int end) where TWork : struct, IWork =>
        Unsafe.AsRef<TWork>(work).Run(start, end);

    private void Serve(Worker worker)
    {
        int seen = 0; // the last work this thread took part in
        while (!_stopping)
        {
            for (int spins = 0; spins < SpinsBeforeParking && !CanJoin(worker, seen) && !_stopping; spins++) Thread.SpinWait(16);
            if (TryJoin(worker, ref seen))
            {
                Drain(worker.Index + 1);
                Volatile.Write(ref worker.AllocatedBytes, GC.GetAllocatedBytesForCurrentThread());
                Interlocked.Decrement(ref _state);
                continue;
            }
            Interlocked.Exchange(ref worker.IsParked, 1);
            if (!CanJoin(worker, seen) && !_stopping) worker.Wake.Wait();
            Volatile.Write(ref worker.IsParked, 0);
        }
    }

    private bool CanJoin(Worker worker, int seen) => _epoch != seen && (Volatile.Read(ref _state) & Closed) == 0 && worker.Index < Volatile.Read(ref _helpers);

    private bool TryJoin(Worker worker, ref int seen)
    {
        while (CanJoin(worker, seen))
        {
            int epoch = _epoch, state = Volatile.Read(ref _state);
            if ((state & Closed) != 0 || Interlocked.CompareExchange(ref _state, state + 1, state) != state) continue;
            seen = epoch;
            return true;
        }
        return false;
    }

    /// <summary>The first item of a thread's range.</summary>
    private int Start(int range) => (int)((long)_count * range / (_helpers + 1));

    /// <summary>Works through the range of a thread, then through what is left of the others'. Neighbouring items follow one another, as memory likes it.</summary>
    private void Drain(int index)
    {
        try
        {
            for (int i = 0; i <= _helpers; i++)
            {
                int range = (index + i) % (_helpers + 1), end = Start(range + 1);
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
            for (int range = 0; range <= _helpers; range++) Volatile.Write(ref _next[range * Apart], int.MaxValue / 2); // nobody starts another item
        }
    }

    /// <summary>A thread, and what wakes it.</summary>
    private sealed class Worker
    {
        public int IsParked;
        public long AllocatedBytes;

        public Worker(WorkerPool pool, int index)
        {
            Index = index;
            Thread = new Thread(() => pool.Serve(this)) { IsBackground = true, Name = $"nibble worker {index + 1}" };
        }

        public int Index { get; }

        public Thread Thread { get; }

        public SemaphoreSlim Wake { get; } = new(0);

        /// <summary>Wakes the thread if it is parked.</summary>
        public void Unpark()
        {
            if (Volatile.Read(ref IsParked) != 0 && Interlocked.Exchange(ref IsParked, 0) != 0) Wake.Release();
        }
    }
}
