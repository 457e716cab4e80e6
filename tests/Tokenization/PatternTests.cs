using System.Text.RegularExpressions;

namespace MLComponents.Tokenization.Tests;

public sealed class PatternTests
{
    private const string O200k = @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    [Theory]
    [InlineData(PublishedPattern.Gpt2)]
    [InlineData(PublishedPattern.Qwen2)]
    [InlineData(PublishedPattern.Llama3)]
    public void Hand_written_matchers_agree_with_the_general_engine(string pattern)
    {
        TextPattern fast = TextPattern.FromRegex(pattern);
        Assert.IsType<PublishedPattern>(fast);
        var general = new CodePointRegex(pattern);
        var random = new Random(6);
        for (int trial = 0; trial < 3000; trial++)
        {
            string text = Samples.RandomText(random, random.Next(1, 24), loneSurrogates: false);
            Assert.Equal(Pieces(general, text), Pieces(fast, text));
        }
    }

    [Theory]
    [InlineData(PublishedPattern.Gpt2)]
    [InlineData(O200k)]
    [InlineData(@"a|ab|abc\b")]
    [InlineData(@"(?:a|b*)*?b")]
    [InlineData(@"(?:a*)*|s")]
    [InlineData(@"[a-e]{2,3}?|[^a-z\s]+?\.")]
    [InlineData(@"(?<=\s)\w+|(?<!a)b+")]
    [InlineData(@"(?>a+|ab)b|\d\D")]
    [InlineData(@"(?=e)\w{1,2}|!+$")]
    [InlineData(@"(?i)[a-c]+|S")]
    [InlineData(@"\p{Lu}\p{Ll}*|\P{L}")]
    [InlineData(@"")]
    public void The_general_engine_agrees_with_dotnet_where_UTF_16_does_not_matter(string pattern)
    {
        var mine = new CodePointRegex(pattern);
        var theirs = new Regex(pattern, RegexOptions.CultureInvariant);
        var random = new Random(7);
        for (int trial = 0; trial < 2000; trial++)
        {
            string text = new([.. Enumerable.Range(0, random.Next(16)).Select(_ => "abcdeSt '.!1 2\t\u00E9\u4E2D\u00C4"[random.Next(18)])]);
            Match match = theirs.Match(text);
            bool found = mine.TryFind(text, 0, out int start, out int end);
            Assert.Equal(match.Success, found);
            if (found) Assert.Equal((match.Index, match.Index + match.Length), (start, end));
        }
    }

    [Theory]
    [InlineData(@"\p{L}+", "1\U00020000\U0001D4002", "\U00020000\U0001D400")]
    [InlineData(@"\p{N}", "a\U0001D7D8", "\U0001D7D8")]
    [InlineData(@"[^a]", "a\U0001F642", "\U0001F642")]
    [InlineData(@"[\U0001F600-\U0001F64F]", "a\U0001F642b", "\U0001F642")]
    [InlineData(@"(?i:'s)", "it'\u017F", "'\u017F")]
    [InlineData(@"(?i:K)", "\u212A", "\u212A")]
    [InlineData(@"\s+", "a\u0085\u1680\u2028\u00A0\u3000\u200B", "\u0085\u1680\u2028\u00A0\u3000")]
    [InlineData(@"a++b?", "aaab", "aaab")]
    [InlineData(@"\h+", "xyzBeef", "Beef")]
    [InlineData(@"[[:alpha:]&&[^a-m]]+", "abnop1", "nop")]
    [InlineData(@"\u4e00|\x{4e01}|\x41", "zA", "A")]
    [InlineData(@"^b$", "a\nb\nc", "b")]
    [InlineData(@"(?m:a.b)", "a\nb", "a\nb")]
    [InlineData(@"(?x) a b # both", "ab", "ab")]
    public void Code_points_and_the_syntax_of_Oniguruma_mean_what_they_mean_there(string pattern, string text, string expected)
    {
        pattern = Regex.Replace(pattern, @"\\U([0-9A-F]{8})", match => char.ConvertFromUtf32(Convert.ToInt32(match.Groups[1].Value, 16)));
        Assert.True(new CodePointRegex(pattern).TryFind(text, 0, out int start, out int end));
        Assert.Equal(expected, text[start..end]);
    }

    [Theory]
    [InlineData("'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+", "I'LL pay 1234 (now)\n\n ok", "I|'LL| pay| |123|4| (|now|)\n\n| ok")]
    [InlineData(O200k, "HelloWorld's fooBAR 12345/x", "Hello|World's| foo|BAR| |123|45|/x")]
    [InlineData("[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+", "ab\u6F22\u5B57\u304Bx", "ab|\u6F22\u5B57\u304B|x")]
    [InlineData("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+", "a_bc [x] $5", "a|_bc| [|x|]| $|5")]
    [InlineData(" ?[^(\\s|[.,!?\u2026\u3002\uFF0C\u3001\u0964\u06D4\u060C])]+", "Hi, (you) there.", "Hi|, (|you|)| there|.")]
    [InlineData("[\\p{Han}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+", "\u6F22\u5B57abc don't 12", "\u6F22\u5B57|abc| don't| |12")]
    [InlineData("[0-9][0-9][0-9]", "a12345", "a|123|45")]
    [InlineData("\\s?\\p{L}+|\\s+$|\\d", "ab cd9  ", "ab| cd|9|  ")]
    public void Patterns_of_published_tokenizers_cut_as_they_say(string pattern, string text, string expected)
    {
        var pieces = new PieceList();
        TextPattern.FromRegex(pattern).Split(text, 0, pieces);
        Assert.Equal(expected, string.Join('|', Enumerable.Range(0, pieces.Count).Select(piece => text[pieces.Start(piece)..pieces.End(piece)])));
    }

    [Theory]
    [InlineData("(")]
    [InlineData("a)")]
    [InlineData("[a")]
    [InlineData("*a")]
    [InlineData("[z-a]")]
    [InlineData(@"a\")]
    [InlineData(@"\x{110000}")]
    [InlineData(@"\x{D800}")]
    [InlineData("(?i")]
    public void Broken_patterns_are_format_errors_that_quote_them(string pattern) =>
        Assert.Contains(pattern, Assert.Throws<FormatException>(() => new CodePointRegex(pattern)).Message);

    [Theory]
    [InlineData(@"(a)\1", "back-reference")]
    [InlineData(@"\p{Klingon}", "Klingon")]
    [InlineData(@"\X", @"\X")]
    [InlineData(@"a{5000}", "5000")]
    [InlineData(@"(?:(?:(?:a|b){900}){900}){900}", "steps")]
    public void Unknown_parts_of_patterns_are_named(string pattern, string named) =>
        Assert.Contains(named, Assert.Throws<NotSupportedException>(() => new CodePointRegex(pattern)).Message);

    [Fact]
    public void Deeply_nested_patterns_are_refused() =>
        Assert.Throws<NotSupportedException>(() => new CodePointRegex(new string('(', 100_000) + new string(')', 100_000)));

    [Fact]
    public void A_search_that_explodes_is_given_up()
    {
        var pattern = new CodePointRegex("(?:a+)+b");
        Assert.Throws<InvalidOperationException>(() => pattern.TryFind(new string('a', 60), 0, out _, out _));
    }

    [Fact]
    public void A_long_text_does_not_overflow_the_stack()
    {
        var pattern = new CodePointRegex("(?:a|b)*c");
        string text = new string('a', 300_000) + "c";
        Assert.True(pattern.TryFind(text, 0, out _, out int end));
        Assert.Equal(text.Length, end);
    }

    private static List<string> Pieces(TextPattern pattern, string text)
    {
        var pieces = new List<string>();
        for (int from = 0; from < text.Length && pattern.TryFind(text, from, out int start, out int end); from = end)
        {
            Assert.True(start == from && end > start);
            pieces.Add(text[start..end]);
        }

        return pieces;
    }
}
