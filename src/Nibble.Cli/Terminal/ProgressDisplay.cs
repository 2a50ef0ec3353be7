using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace Nibble.Cli.Terminal;

/// <summary>How far something has come.</summary>
/// <param name="Fraction">From 0 to 1.</param>
/// <param name="Text">What is at work, or the result so far.</param>
internal readonly record struct Step(double Fraction, string Text)
{
    /// <summary>The time that the rest takes, where that is known better than by the time spent so far.</summary>
    public TimeSpan? Left { get; init; }
}

/// <summary>
/// Shows progress with the time left on standard error: a live bar on a terminal; elsewhere a plain line every few seconds, and none
/// for what takes less than a second.
/// </summary>
internal static class ProgressDisplay
{
    private static readonly TimeSpan s_firstLine = TimeSpan.FromSeconds(1), s_betweenLines = TimeSpan.FromSeconds(5);

    /// <summary>Runs <paramref name="work"/>, which reports its steps, and returns its result.</summary>
    public static T Run<T>(string title, Func<Action<Step>, T> work, bool isQuiet = false)
    {
        if (isQuiet) return work(_ => { });
        if (!Screen.IsLive) return RunPlain(title, work);
        T result = default!;
        Screen.Error.Progress()
            .AutoClear(true)
            .HideCompleted(false)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask(Markup.Escape(title));
                result = work(step =>
                {
                    task.Value = step.Fraction * task.MaxValue;
                    task.Description = Markup.Escape($"{title} {step.Text}".TrimEnd());
                });
            });
        return result;
    }

    private static T RunPlain<T>(string title, Func<Action<Step>, T> work)
    {
        Stopwatch clock = Stopwatch.StartNew();
        TimeSpan next = s_firstLine;
        (double Fraction, TimeSpan Time)? first = null; // the speed counts from there: before it, code was compiled, and files were opened
        return work(step =>
        {
            if (step.Fraction > 0) first ??= (step.Fraction, clock.Elapsed);
            if (clock.Elapsed < next || step.Fraction >= 1) return;
            next = clock.Elapsed + s_betweenLines;
            TimeSpan? rest = step.Left ?? (first is { } start && step.Fraction > start.Fraction ? (clock.Elapsed - start.Time) * ((1 - step.Fraction) / (step.Fraction - start.Fraction)) : null);
            string left = rest is { } time ? $", {Duration(time)} left" : "";
            Screen.Tell(string.Create(CultureInfo.InvariantCulture, $"{title}{(step.Text.Length > 0 ? " " : "")}{step.Text}{(step.Text.Length > 0 ? "," : "")} {step.Fraction * 100:F0} %{left}"));
        });
    }

    /// <summary>A duration as people say it: 45 s, 3 min 20 s, 2 h 5 min.</summary>
    public static string Duration(TimeSpan time) => time switch
    {
        { TotalSeconds: < 60 } => $"{Math.Ceiling(time.TotalSeconds):F0} s",
        { TotalMinutes: < 60 } => $"{time.Minutes} min {time.Seconds} s",
        _ => $"{(int)time.TotalHours} h {time.Minutes} min",
    };
}
