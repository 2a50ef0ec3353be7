using Nibble.Kernels;
using Nibble.Memory;

namespace Nibble.Tests.Kernels;

public unsafe class WorkerPoolTests
{
    private readonly struct Count(int* items) : IWork
    {
        public void Run(int start, int end)
        {
            for (int i = start; i < end; i++) Interlocked.Increment(ref items[i]);
        }
    }

    private readonly struct Fail(int at) : IWork
    {
        public void Run(int start, int end)
        {
            if (start <= at && at < end) throw new NibbleException("item at fault");
        }
    }

    /// <summary>Holds an item until all threads have one: passes only where so many work at the same time.</summary>
    private readonly struct Meet(int* arrived, int* isLate, int threads) : IWork
    {
        public void Run(int start, int end)
        {
            Interlocked.Increment(ref *arrived);
            long deadline = Environment.TickCount64 + 20_000;
            while (Volatile.Read(ref *arrived) < threads)
            {
                if (Environment.TickCount64 > deadline) *isLate = 1;
                if (*isLate != 0) return;
                Thread.Yield();
            }
        }
    }

    /// <summary>Writes down the thread of each item.</summary>
    private readonly struct Note(int* threads) : IWork
    {
        public void Run(int start, int end)
        {
            for (int i = start; i < end; i++) threads[i] = Environment.CurrentManagedThreadId;
        }
    }

    /// <summary>Allocates 1,000 bytes and a little on each of three threads.</summary>
    private readonly struct Allocate(int* arrived, int* isLate) : IWork
    {
        public void Run(int start, int end)
        {
            GC.KeepAlive(new byte[1000]);
            new Meet(arrived, isLate, 3).Run(start, end);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(16)]
    public void Every_item_is_done_once(int threads)
    {
        using WorkerPool pool = new(threads);
        Assert.Equal(threads, pool.Threads);
        foreach (int count in new[] { 0, 1, 2, 3, 15, 16, 17, 100, 1000 })
            foreach (int grain in new[] { 0, 1, 2, 7, 16, 999, 1000, 5000 }) Check(pool, count, grain);
    }

    [Fact]
    public void Many_short_runs_lose_nothing()
    {
        using WorkerPool pool = new(4);
        for (int run = 0; run < 5000; run++) Check(pool, 1 + run % 9, 1);
    }

    [Fact]
    public void Threads_that_sleep_are_woken()
    {
        using WorkerPool pool = new(3);
        using AlignedBuffer memory = new(8);
        Span<int> counts = memory.AsSpan<int>(0, 2);
        foreach (int pause in new[] { 0, 1, 50, 0 })
        {
            Thread.Sleep(pause);
            counts.Clear();
            pool.Run(new Meet((int*)memory.Pointer, (int*)memory.Pointer + 1, 3), 3);
            Assert.Equal(3, counts[0]);
            Assert.Equal(0, counts[1]);
        }
    }

    [Fact]
    public void Callers_may_share_a_pool()
    {
        using WorkerPool pool = new(3);
        Thread[] callers = [.. Enumerable.Range(0, 4).Select(c => new Thread(() => { for (int i = 0; i < 500; i++) Check(pool, 1 + (i + c) % 50, 1 + c); }))];
        foreach (Thread caller in callers) caller.Start();
        foreach (Thread caller in callers) caller.Join();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void An_error_reaches_the_caller_and_the_pool_goes_on(int threads)
    {
        using WorkerPool pool = new(threads);
        foreach (int at in new[] { 0, 50, 99 })
        {
            for (int again = 0; again < 20; again++)
            {
                Assert.Equal("item at fault", Assert.Throws<NibbleException>(() => pool.Run(new Fail(at), 100)).Message);
                Check(pool, 100, 3);
            }
        }
    }

    [Fact]
    public void A_disposed_pool_is_of_no_use()
    {
        WorkerPool pool = new(3);
        Check(pool, 10, 1);
        pool.Dispose();
        pool.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pool.Run(new Fail(-1), 10));
        new WorkerPool(3).Dispose();
    }

    [Theory]
    [InlineData(4, 1)]
    [InlineData(4, 2)]
    [InlineData(4, 3)]
    [InlineData(4, 4)]
    [InlineData(4, 9)]
    public void A_limited_pool_uses_so_many_of_the_same_threads(int threads, int limit)
    {
        using WorkerPool pool = new(threads);
        WorkerPool few = pool.Limit(limit);
        Assert.Equal(Math.Min(threads, limit), few.Threads);
        Assert.Equal(1, few.Limit(1).Threads);
        HashSet<int> seen = [];
        for (int again = 0; again < 50; again++)
        {
            using AlignedBuffer memory = new(64 * sizeof(int));
            few.Run(new Note((int*)memory.Pointer), 64);
            foreach (int thread in memory.AsSpan<int>(0, 64)) seen.Add(thread);
            Check(few, 100, 3);
            Check(pool, 100, 3);
        }
        Assert.InRange(seen.Count, 1, limit);
    }

    [Fact]
    public void A_limited_pool_wakes_the_threads_it_may_use_and_ends_with_the_whole()
    {
        WorkerPool pool = new(4), few = pool.Limit(2);
        using AlignedBuffer memory = new(8);
        Span<int> counts = memory.AsSpan<int>(0, 2);
        foreach (int pause in new[] { 0, 1, 50, 0 })
        {
            Thread.Sleep(pause);
            counts.Clear();
            few.Run(new Meet((int*)memory.Pointer, (int*)memory.Pointer + 1, 2), 2);
            Assert.Equal(2, counts[0]);
            Assert.Equal(0, counts[1]);
        }
        few.Dispose();
        Check(pool, 10, 1);
        pool.Dispose();
        Assert.Throws<ObjectDisposedException>(() => few.Run(new Fail(-1), 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Limit(0));
    }

    [Fact]
    public void What_workers_allocate_is_counted()
    {
        using WorkerPool pool = new(3);
        using AlignedBuffer memory = new(8);
        pool.Run(new Meet((int*)memory.Pointer, (int*)memory.Pointer + 1, 3), 3);
        long before = pool.AllocatedBytes;
        for (int again = 0; again < 100; again++) pool.Run(new Count((int*)memory.Pointer), 2);
        Assert.Equal(before, pool.AllocatedBytes);
        memory.AsSpan<int>(0, 2).Clear();
        pool.Run(new Allocate((int*)memory.Pointer, (int*)memory.Pointer + 1), 3);
        Assert.InRange(pool.AllocatedBytes - before, 3_000, 4_000);
    }

    [Fact]
    public void Zero_threads_mean_one_per_core_and_less_is_an_error()
    {
        using WorkerPool pool = new();
        Assert.Equal(ProcessorCores.Count, pool.Threads);
        Assert.Throws<ArgumentOutOfRangeException>(() => new WorkerPool(-1));
    }

    private static void Check(WorkerPool pool, int count, int grain)
    {
        using AlignedBuffer memory = new(4L * Math.Max(1, count));
        pool.Run(new Count((int*)memory.Pointer), count, grain);
        foreach (int times in memory.AsSpan<int>(0, count)) Assert.Equal(1, times);
    }
}
