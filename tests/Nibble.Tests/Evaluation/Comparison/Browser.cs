using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Nibble.Tests.Evaluation.Comparison;

/// <summary>A page in a headless Chromium, steered over the DevTools protocol. Tests that need one are skipped where there is none.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private static readonly string[] s_names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _profile;
    private readonly ClientWebSocket _socket = new();
    private readonly Process _process;
    private string _session = "";
    private int _messages;

    private Browser(Process process, TemporaryFolder profile) => (_process, _profile) = (process, profile);

    /// <summary>What the page asked the network or the disk for.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>What went wrong in the page.</summary>
    public List<string> Errors { get; } = [];

    /// <summary>Opens a file in a window of that size.</summary>
    public static async Task<Browser> OpenAsync(string file, int width, int height, bool isDark)
    {
        Browser browser = Start();
        try
        {
            await browser.ConnectAsync();
            JsonNode target = await browser.SendAsync("Target.createTarget", new() { ["url"] = "about:blank" });
            browser._session = (string)(await browser.SendAsync("Target.attachToTarget", new() { ["targetId"] = (string)target["targetId"]!, ["flatten"] = true }))["sessionId"]!;
            foreach (string domain in (string[])["Page", "Runtime", "Network", "Log"]) await browser.SendAsync($"{domain}.enable", []);
            await browser.SendAsync("Emulation.setDeviceMetricsOverride", new() { ["width"] = width, ["height"] = height, ["deviceScaleFactor"] = 1, ["mobile"] = width < 500 });
            await browser.SendAsync("Emulation.setEmulatedMedia", new() { ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = isDark ? "dark" : "light" }) });
            await browser.SendAsync("Page.navigate", new() { ["url"] = new Uri(file).AbsoluteUri });
            for (int i = 0; i < 200 && (string?)await browser.EvaluateAsync("document.readyState + location.protocol") != "completefile:"; i++) await Task.Delay(20);
            return browser;
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
    }

    /// <summary>The value of an expression in the page.</summary>
    public async Task<JsonNode?> EvaluateAsync(string expression)
    {
        JsonNode result = await SendAsync("Runtime.evaluate", new() { ["expression"] = expression, ["returnByValue"] = true, ["awaitPromise"] = true });
        Assert.True(result["exceptionDetails"] is null, result.ToJsonString());
        return result["result"]!["value"];
    }

    /// <summary>Moves the pointer onto the middle of the first element that a selector finds.</summary>
    public async Task PointAtAsync(string selector)
    {
        JsonNode place = (await EvaluateAsync($$"""(() => { const e = document.querySelector({{JsonSerializer.Serialize(selector)}}); e.scrollIntoView({ block: "center", behavior: "instant" }); const r = e.getClientRects()[0]; return { x: r.x + r.width / 2, y: r.y + r.height / 2 }; })()"""))!;
        await Task.Delay(60); // the page hides its tips as it scrolls, which it learns of in the next frame
        await SendAsync("Input.dispatchMouseEvent", new() { ["type"] = "mouseMoved", ["x"] = place["x"]!.DeepClone(), ["y"] = place["y"]!.DeepClone() });
    }

    /// <summary>Presses a key, such as <c>Tab</c> or <c>ArrowRight</c>.</summary>
    public async Task PressAsync(string key)
    {
        int code = key switch { "Tab" => 9, "Escape" => 27, "ArrowLeft" => 37, "ArrowUp" => 38, "ArrowRight" => 39, "ArrowDown" => 40, _ => throw new ArgumentException($"no code for {key}", nameof(key)) };
        foreach (string type in (string[])["rawKeyDown", "keyUp"])
            await SendAsync("Input.dispatchKeyEvent", new() { ["type"] = type, ["key"] = key, ["code"] = key, ["windowsVirtualKeyCode"] = code });
    }

    /// <summary>A picture of the window, or of the whole page.</summary>
    public async Task<byte[]> ScreenshotAsync(bool wholePage) =>
        Convert.FromBase64String((string)(await SendAsync("Page.captureScreenshot", new() { ["format"] = "png", ["captureBeyondViewport"] = wholePage }))["data"]!);

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _profile.Dispose();
    }

    private static Browser Start()
    {
        string? program = Environment.GetEnvironmentVariable("NIBBLE_BROWSER") ?? (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .SelectMany(folder => s_names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
        Assert.SkipWhen(program is null, "needs Chromium, which is not installed (or name a browser with NIBBLE_BROWSER)");
        TemporaryFolder profile = new();
        ProcessStartInfo start = new(program, ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0", $"--user-data-dir={profile.Path}", "about:blank"]) { RedirectStandardError = true, RedirectStandardOutput = true };
        return new(Process.Start(start)!, profile);
    }

    private async Task ConnectAsync()
    {
        using CancellationTokenSource stop = new(s_longest);
        const string Begin = "DevTools listening on ";
        while (await _process.StandardError.ReadLineAsync(stop.Token) is { } line)
        {
            if (!line.StartsWith(Begin, StringComparison.Ordinal)) continue;
            _ = _process.StandardError.ReadToEndAsync(CancellationToken.None); // so that it never waits for a reader
            await _socket.ConnectAsync(new Uri(line[Begin.Length..]), stop.Token);
            return;
        }
        Assert.Fail("the browser ended without listening");
    }

    private async Task<JsonNode> SendAsync(string method, JsonObject parameters)
    {
        using CancellationTokenSource stop = new(s_longest);
        int id = ++_messages;
        JsonObject message = new() { ["id"] = id, ["method"] = method, ["params"] = parameters };
        if (_session.Length > 0) message["sessionId"] = _session;
        await _socket.SendAsync(Encoding.UTF8.GetBytes(message.ToJsonString()), WebSocketMessageType.Text, endOfMessage: true, stop.Token);
        while (true)
        {
            JsonNode answer = await ReceiveAsync(stop.Token);
            Note(answer);
            if ((int?)answer["id"] != id) continue;
            Assert.True(answer["error"] is null, answer.ToJsonString());
            return answer["result"]!;
        }
    }

    private async Task<JsonNode> ReceiveAsync(CancellationToken cancellationToken)
    {
        using MemoryStream text = new();
        byte[] buffer = new byte[1 << 16];
        WebSocketReceiveResult part;
        do
        {
            part = await _socket.ReceiveAsync(buffer, cancellationToken);
            text.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        return JsonNode.Parse(text.ToArray())!;
    }

    private void Note(JsonNode message)
    {
        switch ((string?)message["method"])
        {
            case "Network.requestWillBeSent":
                Requests.Add((string)message["params"]!["request"]!["url"]!);
                break;
            case "Runtime.exceptionThrown" or "Log.entryAdded" or "Runtime.consoleAPICalled":
                Errors.Add(message["params"]!.ToJsonString());
                break;
        }
    }
}
