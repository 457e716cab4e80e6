using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MLComponents.Tokenization;

/// <summary>Values of templates made of JSON. A number with a point or exponent is a float, any other a whole number, as in Python.</summary>
internal static class JsonValues
{
    public static object? Convert(RenderContext context, JsonNode? node)
    {
        context.Step();
        switch (node)
        {
            case null:
                return null;
            case JsonArray array:
                return new ListValue([.. array.Select(item => Convert(context, item))]);
            case JsonObject members:
                var dict = new DictValue(context);
                foreach ((string name, JsonNode? value) in members) dict.Set(name, Convert(context, value));
                return dict;
            case JsonValue value when value.TryGetValue(out JsonElement element):
                return Convert(context, element);
            case JsonValue value when value.TryGetValue(out double number):
                return number;
            case JsonValue value when value.TryGetValue(out float number):
                return (double)number;
            case JsonValue value when value.TryGetValue(out string? text):
                return text;
            default: // numbers of other types, dates and the like
                using (JsonDocument document = JsonDocument.Parse(node.ToJsonString())) return Convert(context, document.RootElement);
        }
    }

    private static object? Convert(RenderContext context, JsonElement element)
    {
        context.Step();
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var dict = new DictValue(context);
                foreach (JsonProperty property in element.EnumerateObject()) dict.Set(property.Name, Convert(context, property.Value));
                return dict;
            case JsonValueKind.Array:
                return new ListValue([.. element.EnumerateArray().Select(item => Convert(context, item))]);
            case JsonValueKind.String:
                return Text(element);
            case JsonValueKind.Number:
                string digits = element.GetRawText();
                if (digits.AsSpan().ContainsAny('.', 'e', 'E')) return double.Parse(digits, CultureInfo.InvariantCulture);
                return element.TryGetInt64(out long number) ? number : Numbers.Whole(BigInteger.Parse(digits, CultureInfo.InvariantCulture));
            case JsonValueKind.True or JsonValueKind.False:
                return element.ValueKind == JsonValueKind.True;
            default:
                return null;
        }
    }

    private static string? Text(JsonElement element)
    {
        try
        {
            return element.GetString();
        }
        catch (InvalidOperationException problem)
        {
            throw new ArgumentException($"The text {element.GetRawText()} has half of a surrogate pair.", problem);
        }
    }
}
