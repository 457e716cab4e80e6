using System.Text.Json;
using Microsoft.Extensions.AI;

namespace MLComponents.Models;

/// <summary>
/// What a reply consists of, as its text comes: what the model thought before it answered, within <c>&lt;think&gt;</c> and <c>&lt;/think&gt;</c> at the beginning; text;
/// and calls of functions in the forms that models are taught: <c>&lt;tool_call&gt;{"name": ..., "arguments": ...}&lt;/tool_call&gt;</c>, any number of them within the text,
/// or a reply that is nothing but such JSON, one object or an array of them. What looks like a call and is none stays text. Not for several threads at a time.
/// </summary>
/// <param name="functions">The names of the functions that may be called; null for none.</param>
/// <param name="isThinking">Whether the prompt ends with the mark that opens a thought, as some templates write it.</param>
internal sealed class ReplyReader(IReadOnlySet<string>? functions, bool isThinking = false)
{
    private const string Opening = "<tool_call>";
    private const string Closing = "</tool_call>";

    private string _held = "";
    private Place _place = isThinking ? Place.Thought : Place.Beginning;
    private bool _wasThinking = isThinking;
    private bool _hasThought;

    private enum Place
    {
        Beginning,
        Thought,
        Answer,
        Json,
        Text,
        Call,
    }

    /// <summary>The mark that opens a thought.</summary>
    public const string Thinking = "<think>";

    /// <summary>The mark that closes a thought.</summary>
    public const string Thought = "</think>";

    /// <summary>How many calls there were.</summary>
    public int CallCount { get; private set; }

    /// <summary>Takes more text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="isLast">Whether there is no more.</param>
    /// <returns>What is certain now.</returns>
    public IEnumerable<AIContent> Add(string text, bool isLast)
    {
        _held += text;
        List<AIContent> contents = [];
        while (Step(contents, isLast)) ;
        return contents;
    }

    /// <summary>Goes on by one part.</summary>
    /// <returns>Whether there may be another.</returns>
    private bool Step(List<AIContent> contents, bool isLast)
    {
        switch (_place)
        {
            case Place.Beginning:
                string beginning = _held.TrimStart();
                if (!isLast && Thinking.StartsWith(beginning, StringComparison.Ordinal) && beginning.Length < Thinking.Length) return false;
                _wasThinking = beginning.StartsWith(Thinking, StringComparison.Ordinal);
                if (_wasThinking) _held = beginning[Thinking.Length..];
                _place = _wasThinking ? Place.Thought : Place.Answer;
                return true;
            case Place.Thought:
                int end = _held.IndexOf(Thought, StringComparison.Ordinal);
                if (end < 0) return ThinkOn(contents, isLast);
                AddThought(contents, _held.AsSpan(0, end).TrimEnd().Length);
                _held = _held[(_held.IndexOf(Thought, StringComparison.Ordinal) + Thought.Length)..];
                _place = Place.Answer;
                return true;
            case Place.Answer:
                string trimmed = _held.TrimStart();
                if (_wasThinking) _held = trimmed;
                if (trimmed.Length == 0 && !isLast && (functions is not null || _wasThinking)) return false;
                _place = functions is not null && (trimmed.StartsWith('{') || trimmed.StartsWith('[')) ? Place.Json : Place.Text;
                return true;
            case Place.Json:
                if (!isLast) return false;
                if (CallsOf(_held, isNamed: true) is { } all)
                {
                    AddCalls(contents, all);
                    _held = "";
                }

                _place = Place.Text;
                return true;
            case Place.Text when functions is null:
                AddText(contents, _held.Length);
                return false;
            case Place.Text:
                int opening = _held.IndexOf(Opening, StringComparison.Ordinal);
                if (opening < 0)
                {
                    AddText(contents, isLast ? _held.Length : LengthWithoutBeginning(Opening));
                    return false;
                }

                AddText(contents, _held.AsSpan(0, opening).TrimEnd().Length);
                _held = _held.TrimStart()[Opening.Length..];
                _place = Place.Call;
                return true;
            default:
                int closing = _held.IndexOf(Closing, StringComparison.Ordinal);
                if (closing < 0 && !isLast) return false;

                // A model may end with the JSON and leave the closing mark out.
                string json = closing < 0 ? _held : _held[..closing], mark = closing < 0 ? "" : Closing;
                _held = _held[(json.Length + mark.Length)..];
                if (CallsOf(json, isNamed: false) is { } calls) AddCalls(contents, calls);
                else contents.Add(new TextContent(Opening + json + mark));
                _place = Place.Text;
                return true;
        }
    }

    /// <summary>A thought goes on until it is closed. One that never is ends before a call: models leave the mark out there.</summary>
    private bool ThinkOn(List<AIContent> contents, bool isLast)
    {
        int call = functions is null ? -1 : _held.IndexOf(Opening, StringComparison.Ordinal);
        AddThought(contents, call >= 0 ? _held.AsSpan(0, call).TrimEnd().Length
            : isLast ? _held.AsSpan().TrimEnd().Length
            : functions is null ? LengthWithoutBeginning(Thought)
            : Math.Min(LengthWithoutBeginning(Thought), LengthWithoutBeginning(Opening)));
        if (call < 0 || !isLast) return false;
        _place = Place.Text;
        return true;
    }

    private void AddThought(List<AIContent> contents, int length)
    {
        string text = _held[..length];
        _held = _held[length..];
        if (!_hasThought) text = text.TrimStart();
        _hasThought |= text.Length > 0;
        if (text.Length > 0) contents.Add(new TextReasoningContent(text));
    }

    private void AddText(List<AIContent> contents, int length)
    {
        string text = _held[..length];
        _held = _held[length..];
        if (CallCount > 0 && string.IsNullOrWhiteSpace(text)) return; // between calls
        if (text.Length > 0) contents.Add(new TextContent(text));
    }

    private void AddCalls(List<AIContent> contents, List<FunctionCallContent> calls)
    {
        contents.AddRange(calls);
        CallCount += calls.Count;
    }

    /// <summary>How much there is before what may be the beginning of a mark at the end, and before the white space in front of it.</summary>
    private int LengthWithoutBeginning(string mark)
    {
        int length = Math.Min(mark.Length - 1, _held.Length);
        while (length > 0 && !_held.AsSpan().EndsWith(mark.AsSpan(0, length), StringComparison.Ordinal)) length--;
        return _held.AsSpan(0, _held.Length - length).TrimEnd().Length;
    }

    /// <summary>The calls that JSON says; null if it says none.</summary>
    private List<FunctionCallContent>? CallsOf(string json, bool isNamed)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            List<FunctionCallContent> calls = [];
            foreach (JsonElement item in document.RootElement.ValueKind == JsonValueKind.Array ? document.RootElement.EnumerateArray().AsEnumerable() : [document.RootElement])
            {
                if (CallOf(item) is not { } call || (isNamed && !functions!.Contains(call.Name))) return null;
                calls.Add(call);
            }

            return calls.Count > 0 ? calls : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static FunctionCallContent? CallOf(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object) return null;
        if (item.TryGetProperty("function", out JsonElement function) && function.ValueKind == JsonValueKind.Object) item = function;
        if (!item.TryGetProperty("name", out JsonElement name) || name.ValueKind != JsonValueKind.String) return null;
        var arguments = new Dictionary<string, object?>();
        if (item.TryGetProperty("arguments", out JsonElement given) || item.TryGetProperty("parameters", out given))
        {
            // Some write the arguments as a text that is JSON.
            using JsonDocument? inner = given.ValueKind == JsonValueKind.String ? JsonDocument.Parse(given.GetString()!) : null;
            if (inner is not null) given = inner.RootElement;
            if (given.ValueKind is not (JsonValueKind.Object or JsonValueKind.Null)) return null;
            if (given.ValueKind == JsonValueKind.Object)
                foreach (JsonProperty argument in given.EnumerateObject()) arguments[argument.Name] = argument.Value.Clone();
        }

        return new FunctionCallContent($"call_{Guid.NewGuid():N}", name.GetString()!, arguments);
    }
}
