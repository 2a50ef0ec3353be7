using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Nibble.Files;

/// <summary>What a model file says about itself: named values, in the order of the file. Names are GGUF's.</summary>
/// <param name="source">The file, for error messages.</param>
public sealed class Metadata(string source) : IEnumerable<KeyValuePair<string, MetadataValue>>
{
    private readonly OrderedDictionary<string, MetadataValue> _values = new(StringComparer.Ordinal);

    /// <summary>The file these values come from, for error messages.</summary>
    public string Source { get; } = source;

    public int Count => _values.Count;

    /// <summary>Sets a value, in place where the key exists and at the end where it does not.</summary>
    public MetadataValue this[string key] { set => _values[key] = value; }

    public bool Contains(string key) => _values.ContainsKey(key);

    public bool TryGet(string key, [NotNullWhen(true)] out MetadataValue? value) => _values.TryGetValue(key, out value);

    public bool Remove(string key) => _values.Remove(key);

    /// <summary>A copy that can be changed without changing this one.</summary>
    public Metadata Clone()
    {
        Metadata copy = new(Source);
        foreach ((string key, MetadataValue value) in _values) copy[key] = value;
        return copy;
    }

    /// <summary>The value of <paramref name="key"/>, or <see langword="null"/> where it is absent.</summary>
    /// <exception cref="NibbleException">The value has another type.</exception>
    public string? String(string key) => Read(key, v => v.AsString());

    /// <inheritdoc cref="String"/>
    public long? Integer(string key) => Convert(key, v => v.AsInteger());

    /// <inheritdoc cref="String"/>
    public double? Float(string key) => Convert(key, v => v.AsFloat());

    /// <inheritdoc cref="String"/>
    public bool? Bool(string key) => Convert(key, v => v.AsBool());

    /// <inheritdoc cref="String"/>
    public string[]? Strings(string key) => Read(key, v => v.AsStrings());

    /// <inheritdoc cref="String"/>
    public long[]? Integers(string key) => Read(key, v => v.AsIntegers());

    /// <inheritdoc cref="String"/>
    public float[]? Floats(string key) => Read(key, v => v.AsFloats());

    public IEnumerator<KeyValuePair<string, MetadataValue>> GetEnumerator() => _values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private T? Convert<T>(string key, Func<MetadataValue, T> read) where T : struct => Contains(key) ? Read(key, read) : null;

    private T? Read<T>(string key, Func<MetadataValue, T> read)
    {
        if (!_values.TryGetValue(key, out MetadataValue? value)) return default;
        try
        {
            return read(value);
        }
        catch (InvalidCastException e)
        {
            throw new NibbleException($"{Source}: metadata key '{key}' {e.Message}", e);
        }
    }
}
