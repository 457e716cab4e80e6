using System.Text.RegularExpressions;

namespace MLComponents.Tokenization;

/// <summary>Wrapping of lines as Python's textwrap does it.</summary>
internal static partial class WordWrap
{
    public static string Wrap(RenderContext context, string text, int width, bool breakLong, string newline, bool hyphens)
    {
        if (width <= 0) throw Fault.Value($"invalid width {width} (must be > 0)");
        List<string> wrapped = [.. PythonText.SplitLines(text, keepEnds: false).Select(line => string.Join(newline, Lines(context, line, width, breakLong, hyphens)))];
        return context.Made(string.Join(newline, wrapped));
    }

    private static List<string> Lines(RenderContext context, string text, int width, bool breakLong, bool hyphens)
    {
        var chunks = new Stack<string>((hyphens ? Hyphenated() : Plain()).Split(text).Where(chunk => chunk.Length > 0).Reverse());
        var lines = new List<string>();
        while (chunks.Count > 0)
        {
            var line = new List<string>();
            int length = 0;
            if (lines.Count > 0 && IsBlank(chunks.Peek())) chunks.Pop();
            while (chunks.Count > 0 && length + CodePointText.Length(chunks.Peek()) <= width)
            {
                context.Step();
                length += CodePointText.Length(chunks.Peek());
                line.Add(chunks.Pop());
            }

            if (chunks.Count > 0 && CodePointText.Length(chunks.Peek()) > width)
            {
                int space = Math.Max(1, width - length);
                if (breakLong)
                {
                    string chunk = chunks.Pop();
                    int end = space;
                    if (hyphens && CodePointText.Length(chunk) > space && chunk.LastIndexOf('-', CodePointText.Index(chunk, space) - 1) is var hyphen and > 0 && chunk[..hyphen].Any(character => character != '-'))
                        end = CodePointText.Length(chunk[..(hyphen + 1)]);
                    line.Add(CodePointText.Part(chunk, 0, end));
                    chunks.Push(CodePointText.Part(chunk, end, CodePointText.Length(chunk)));
                }
                else if (line.Count == 0)
                {
                    line.Add(chunks.Pop());
                }
            }

            if (line.Count > 0 && IsBlank(line[^1])) line.RemoveAt(line.Count - 1);
            if (line.Count > 0) lines.Add(string.Concat(line));
        }

        return lines;
    }

    private static bool IsBlank(string chunk) => PythonText.Strip(chunk).Length == 0;

    // White space, dashes between words, words up to a hyphen between letters.
    [GeneratedRegex(@"([\t\n\v\f\r ]+|(?<=[\w!""'&.,?])-{2,}(?=\w)|[^\t\n\v\f\r ](?:[^\t\n\v\f\r ])*?(?:-(?:(?<=[^\d\W]{2}-)|(?<=[^\d\W]-[^\d\W]-))(?=[^\d\W]-?[^\d\W])|(?=[\t\n\v\f\r ]|\z)|(?<=[\w!""'&.,?])(?=-{2,}\w)))", RegexOptions.CultureInvariant)]
    private static partial Regex Hyphenated();

    [GeneratedRegex(@"([\t\n\v\f\r ]+)", RegexOptions.CultureInvariant)]
    private static partial Regex Plain();
}
