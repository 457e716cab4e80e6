using System.Text.RegularExpressions;

namespace MLComponents.EndToEnd.Tests;

/// <summary>A C# example of a page, as a method of its own. Types that it declares, from the first line that begins one, belong to the whole page.</summary>
/// <param name="Line">The line of the page that it begins at, from 1.</param>
/// <param name="Usings">Its using directives.</param>
/// <param name="Statements">What runs.</param>
/// <param name="Types">What it declares.</param>
internal sealed partial record Snippet(int Line, string Usings, string Statements, string Types)
{
    /// <summary>Finds the examples of a page.</summary>
    /// <param name="name">What to call the page in the compiler's messages.</param>
    /// <param name="page">Its text.</param>
    public static IEnumerable<Snippet> Of(string name, string page)
    {
        foreach (Match block in Block().Matches(page.ReplaceLineEndings("\n")))
        {
            Group code = block.Groups["code"];
            int line = page.AsSpan(0, code.Index).Count('\n') + 1;
            string[] lines = code.Value.Split('\n');
            int statements = Array.FindIndex(lines, text => !UsingDirective().IsMatch(text));
            int types = Array.FindIndex(lines, text => TypeDeclaration().IsMatch(text));
            if (types < 0) types = lines.Length;
            statements = Math.Clamp(statements, 0, types);
            yield return new Snippet(line, Join(lines[..statements], 0), Join(lines[statements..types], statements), Join(lines[types..], types));

            string Join(string[] part, int offset) => $"#line {line + offset} \"{name}\"\n{string.Join('\n', part)}";
        }
    }

    [GeneratedRegex(@"^```csharp\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^(using (static )?[\w.]+;)?\s*$")]
    private static partial Regex UsingDirective();

    [GeneratedRegex(@"^((public|internal|sealed|abstract|static|readonly|partial) )*(class|record|struct|enum|interface) ")]
    private static partial Regex TypeDeclaration();
}
