using System.Globalization;
using System.Text.Json;

namespace Nibble.Files.HuggingFace;

/// <summary>
/// What the files beside the vocabulary say: <c>tokenizer_config.json</c> first, then <c>special_tokens_map.json</c>, <c>config.json</c>
/// and <c>generation_config.json</c>; and the tokens that they add.
/// </summary>
internal sealed class TokenizerSettings(string folder)
{
    /// <summary>Rows of the embedding by <c>config.json</c>, or 0.</summary>
    public int VocabularySize()
    {
        using JsonFile? config = JsonFile.TryOpen(folder, "config.json");
        return config?.Integer(JsonFile.Member(config.Root, "vocab_size") ?? JsonFile.Member(JsonFile.Member(config.Root, "text_config"), "vocab_size"), "vocab_size") ?? 0;
    }

    /// <summary>The family of the model by <c>config.json</c>, else the class of its tokenizer.</summary>
    public string? ModelType()
    {
        using JsonFile? config = JsonFile.TryOpen(folder, "config.json");
        if (config?.Text(JsonFile.Member(config.Root, "model_type"), "model_type") is string type) return type;
        using JsonFile? tokenizer = JsonFile.TryOpen(folder, "tokenizer_config.json");
        return tokenizer?.Text(JsonFile.Member(tokenizer.Root, "tokenizer_class"), "tokenizer_class");
    }

    /// <summary>Whether a space goes before a text, where <c>tokenizer_config.json</c> says.</summary>
    public bool? PrefixesSpace()
    {
        using JsonFile? tokenizer = JsonFile.TryOpen(folder, "tokenizer_config.json");
        return tokenizer is null ? null : JsonFile.Bool(JsonFile.Member(tokenizer.Root, "add_prefix_space"));
    }

    /// <summary>Adds the tokens that <c>added_tokens.json</c> and <c>tokenizer_config.json</c> list.</summary>
    public void AddTokens(TokenList tokens)
    {
        using JsonFile? added = JsonFile.TryOpen(folder, "added_tokens.json");
        if (added is not null)
            foreach (JsonProperty token in added.Root.EnumerateObject()) tokens.SetAdded(added.Integer(token.Value, "id")!.Value, added.Name(token, "token"), special: false, score: -1000);

        using JsonFile? tokenizer = JsonFile.TryOpen(folder, "tokenizer_config.json");
        if (JsonFile.Member(tokenizer?.Root, "added_tokens_decoder") is not { ValueKind: JsonValueKind.Object } decoder) return;
        foreach (JsonProperty token in decoder.EnumerateObject())
        {
            string? text = tokenizer!.Text(JsonFile.Member(token.Value, "content"), "added_tokens_decoder.content");
            bool numbered = int.TryParse(token.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int id);
            if (!numbered || text is null) Throw.BadFile(tokenizer.Path, "'added_tokens_decoder' has an entry without a number or 'content'; download the file again");
            tokens.SetAdded(id, text!, JsonFile.Bool(JsonFile.Member(token.Value, "special")) ?? false, score: -1000);
        }
    }

    /// <summary>Sets which tokens play which part, where the vocabulary's own file has not.</summary>
    public void ReadIds(TokenList tokens, SpecialIds ids)
    {
        using JsonFile? tokenizer = JsonFile.TryOpen(folder, "tokenizer_config.json");
        using JsonFile? map = JsonFile.TryOpen(folder, "special_tokens_map.json");
        using JsonFile? config = JsonFile.TryOpen(folder, "config.json");
        using JsonFile? generation = JsonFile.TryOpen(folder, "generation_config.json");
        foreach ((string role, _) in SpecialIds.Roles)
        {
            int? id = Named(tokenizer, role) ?? Named(map, role) ?? Numbered(config, role) ?? Numbered(generation, role);
            if (id is not null) ids.Set(role, id);
            if (tokenizer is not null && JsonFile.Bool(JsonFile.Member(tokenizer.Root, $"add_{role}_token")) is bool adds) ids.SetAdds(role, adds);
        }

        int? Named(JsonFile? file, string role)
        {
            JsonElement? token = JsonFile.Member(file?.Root, $"{role}_token");
            if (token is { ValueKind: JsonValueKind.Object }) token = JsonFile.Member(token, "content");
            return token is { ValueKind: JsonValueKind.String } ? tokens.Find(file!.Text(token, $"{role}_token")) : null;
        }

        static int? Numbered(JsonFile? file, string role)
        {
            JsonElement? id = JsonFile.Member(file?.Root, $"{role}_token_id");
            if (id is { ValueKind: JsonValueKind.Array } list) id = list.GetArrayLength() > 0 ? list[0] : null;
            return id is { ValueKind: JsonValueKind.Number } ? file!.Integer(id, $"{role}_token_id") : null;
        }
    }

    /// <summary>Writes the chat templates: that of <c>chat_template.jinja</c>, else those of <c>tokenizer_config.json</c>.</summary>
    public void WriteTemplates(Metadata metadata)
    {
        const long LargestTemplate = 16 << 20;
        const string Key = "tokenizer.chat_template";
        string separate = Path.Combine(folder, "chat_template.jinja");
        if (File.Exists(separate))
        {
            metadata[Key] = MetadataValue.Of(System.Text.Encoding.UTF8.GetString(JsonFile.ReadBytes(separate, LargestTemplate)));
            return;
        }
        using JsonFile? tokenizer = JsonFile.TryOpen(folder, "tokenizer_config.json");
        JsonElement? template = JsonFile.Member(tokenizer?.Root, "chat_template");
        if (template is { ValueKind: JsonValueKind.String }) metadata[Key] = MetadataValue.Of(tokenizer!.Text(template, "chat_template")!);
        if (template is not { ValueKind: JsonValueKind.Array } list) return;

        List<string> names = [];
        foreach (JsonElement entry in list.EnumerateArray())
        {
            string? name = tokenizer!.Text(JsonFile.Member(entry, "name"), "chat_template.name");
            string? text = tokenizer.Text(JsonFile.Member(entry, "template"), "chat_template.template");
            if (name is null || text is null) continue;
            if (name != "default") names.Add(name);
            metadata[name == "default" ? Key : $"{Key}.{name}"] = MetadataValue.Of(text);
        }
        if (names.Count > 0) metadata["tokenizer.chat_templates"] = MetadataValue.Of(names);
    }
}
