using System.Globalization;

namespace MLComponents.Tokenization;

/// <summary>
/// The added tokens of a tokenizer that has no tokenizer.json: what <c>added_tokens_decoder</c> of tokenizer_config.json says, else what
/// added_tokens.json and the roles of the configuration and of special_tokens_map.json say.
/// </summary>
internal sealed class AddedTokenCollector
{
    private static readonly string[] Roles = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    private readonly SortedDictionary<int, AddedToken> _tokens = [];
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly Func<string, int?> _vocabulary;
    private int _next;

    /// <summary>Collects tokens.</summary>
    /// <param name="files">The files.</param>
    /// <param name="vocabulary">The id of a token of the model.</param>
    /// <param name="size">The first id that the model does not use.</param>
    /// <param name="own">Tokens that the model itself makes added ones.</param>
    /// <exception cref="FormatException">Files are broken or contradict each other.</exception>
    public AddedTokenCollector(IReadOnlyDictionary<string, byte[]> files, Func<string, int?> vocabulary, int size, IEnumerable<AddedToken> own)
    {
        (_vocabulary, _next) = (vocabulary, size);
        JsonSection? configuration = Read(files, TokenizerFiles.Configuration);
        JsonSection? map = Read(files, TokenizerFiles.SpecialTokens);
        if (configuration?["added_tokens_decoder"] is { IsNull: false } decoder)
        {
            foreach ((string id, JsonSection value) in decoder.Properties()) Add(Flagged(value, ReadId(id, decoder), special: value["special"].Boolean(false)), decoder);
        }

        HashSet<string> special = SpecialTexts(configuration, map);
        if (Read(files, TokenizerFiles.AddedTokens) is { } added)
        {
            foreach ((string content, JsonSection id) in added.Properties())
                if (!_ids.ContainsKey(content)) Add(Plain(content, id.Id(), special.Contains(content)), added);
        }

        foreach (AddedToken token in own)
            if (!_ids.ContainsKey(token.Content) && !_tokens.ContainsKey(token.Id)) Add(token, default);
        foreach (JsonSection? file in new[] { map, configuration })
            if (file is { } section) AddRoles(section);
    }

    /// <summary>The tokens, by id.</summary>
    public IReadOnlyCollection<AddedToken> Tokens => _tokens.Values;

    private static JsonSection? Read(IReadOnlyDictionary<string, byte[]> files, string name) =>
        files.TryGetValue(name, out byte[]? json) ? TokenizerConfiguration.Parse(name, json) : null;

    private static int ReadId(string id, JsonSection section) =>
        int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value < Vocabulary.IdLimit ? value : throw section.Wrong("an object of token ids");

    private static AddedToken Plain(string content, int id, bool special) => new(id, content, false, false, false, !special, special);

    private static AddedToken Flagged(JsonSection section, int id, bool special) => new(
        id,
        section["content"].String(),
        section["single_word"].Boolean(false),
        section["lstrip"].Boolean(false),
        section["rstrip"].Boolean(false),
        section["normalized"].Boolean(!special),
        special);

    private static HashSet<string> SpecialTexts(params JsonSection?[] files) =>
        [.. files.OfType<JsonSection>().SelectMany(RolesOf).Select(role => role.IsObject ? role["content"].String() : role.String())];

    private static IEnumerable<JsonSection> RolesOf(JsonSection file)
    {
        foreach (string role in Roles)
            if (file[role] is { IsNull: false } section) yield return section;
        foreach (string list in new[] { "additional_special_tokens", "extra_special_tokens" })
        {
            JsonSection tokens = file[list];
            if (tokens.IsNull || tokens.IsObject) continue; // newer files name further roles in an object; those are in added_tokens_decoder
            foreach (JsonSection token in tokens.Items()) yield return token;
        }
    }

    // What has a role is special; what has no id yet gets the next one.
    private void AddRoles(JsonSection file)
    {
        foreach (JsonSection role in RolesOf(file))
        {
            string content = role.IsObject ? role["content"].String() : role.String();
            if (content.Length == 0 || _ids.ContainsKey(content)) continue;
            int id = _vocabulary(content) ?? _next;
            Add(role.IsObject ? Flagged(role, id, special: true) : Plain(content, id, special: true), role);
        }
    }

    private void Add(AddedToken token, JsonSection section)
    {
        if (_vocabulary(token.Content) is { } known && known != token.Id)
            throw new FormatException($"{section.File}: the added token '{token.Content}' has the id {token.Id}, but the vocabulary gives it {known}.");
        if (!_tokens.TryAdd(token.Id, token) || !_ids.TryAdd(token.Content, token.Id))
            throw new FormatException($"{section.File}: the added token '{token.Content}' with the id {token.Id} is there twice.");
        _next = Math.Max(_next, token.Id + 1);
    }
}
