namespace Nibble.Tests;

/// <summary>
/// Files too large for the repository (golden vectors, real vocabularies, texts). They lie in a folder <c>shared</c>
/// beside the checkout, or where <c>NIBBLE_SHARED</c> says; tests that need one are skipped where it is absent.
/// </summary>
internal static class Shared
{
    /// <summary>The root of the checkout: the folder that holds <c>Nibble.slnx</c>.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>The sample model, which the repository itself holds.</summary>
    public static string TinyModel => Path.Combine(Repository, "models", "tiny");

    /// <summary>The path of a shared file or folder; skips the calling test where it is absent.</summary>
    public static string Find(string relativePath)
    {
        string root = Environment.GetEnvironmentVariable("NIBBLE_SHARED") ?? Path.Combine(Repository, "..", "shared");
        string path = Path.GetFullPath(Path.Combine(root, relativePath));
        Assert.SkipUnless(Path.Exists(path), $"needs shared/{relativePath}, which is not beside this checkout");
        return path;
    }

    private static string FindRepository()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Nibble.slnx"))) return folder.FullName;
        throw new DirectoryNotFoundException("the tests run from a checkout that holds Nibble.slnx");
    }
}
