namespace MLComponents.Tokenization.Tests;

public sealed class PreTokenizerTests
{
    [Theory]
    [InlineData("""{"type":"Whitespace"}""", "Hey man!?  a_1", "Hey[0,3]|man[4,7]|!?[7,9]|a_1[11,14]")]
    [InlineData("""{"type":"WhitespaceSplit"}""", " Hey, man!\u3000x", "Hey,[1,5]|man![6,10]|x[11,12]")]
    [InlineData("""{"type":"Punctuation"}""", "Hey!  How?!", "Hey[0,3]|![3,4]|  How[4,9]|?[9,10]|![10,11]")]
    [InlineData("""{"type":"Punctuation","behavior":"Contiguous"}""", "a?!b", "a[0,1]|?![1,3]|b[3,4]")]
    [InlineData("""{"type":"BertPreTokenizer"}""", "Hey friend!     How $5\u3002", "Hey[0,3]|friend[4,10]|![10,11]|How[16,19]|$[20,21]|5[21,22]|\u3002[22,23]")]
    [InlineData("""{"type":"CharDelimiterSplit","delimiter":"-"}""", "a-b--c", "a[0,1]|b[2,3]|c[5,6]")]
    [InlineData("""{"type":"FixedLength","length":2}""", "ab\U0001F642cd", "ab[0,2]|\U0001F642c[2,4]|d[4,5]")]
    [InlineData("""{"type":"Digits","individual_digits":true}""", "a12", "a[0,1]|1[1,2]|2[2,3]")]
    [InlineData("""{"type":"Metaspace","replacement":"\u2581","add_prefix_space":true}""", "Hey   friend!", "\u2581Hey[0,3]|\u2581[3,4]|\u2581[4,5]|\u2581friend![5,13]")]
    [InlineData("""{"type":"Metaspace","replacement":"_","prepend_scheme":"never"}""", "a b_c", "a[0,1]|_b[1,3]|_c[3,5]")]
    [InlineData("""{"type":"Metaspace","replacement":"_","prepend_scheme":"always"}""", "_a", "_a[0,2]")]
    [InlineData("""{"type":"Metaspace","replacement":"_","prepend_scheme":"first","split":false}""", "a b", "_a_b[0,3]")]
    [InlineData("""{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Metaspace","replacement":"_","prepend_scheme":"first"}]}""", "a b", "_a[0,1]|b[2,3]")]
    [InlineData("""{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Metaspace","replacement":"_","prepend_scheme":"always"}]}""", "a b", "_a[0,1]|_b[2,3]")]
    [InlineData("""{"type":"Sequence","pretokenizers":[{"type":"ByteLevel","add_prefix_space":false},{"type":"Digits","individual_digits":true}]}""", "\u00E9 12", "\u00C3\u00A9[0,1]|\u0120[1,2]|1[2,3]|2[3,4]")]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":true,"use_regex":false}""", "Hey you", "\u0120Hey\u0120you[0,7]")]
    public void A_pre_tokenizer_cuts_and_offsets_stay_those_of_the_text(string preTokenizer, string text, string expected) =>
        Assert.Equal(expected, ComponentKit.Pieces(text, preTokenizer: preTokenizer));

    [Fact]
    public void Metaspace_first_looks_at_the_original_text_also_behind_a_normalizer() => Assert.Equal(
        "_a[1,2]|_b[2,4]",
        ComponentKit.Pieces(" a b", """{"type":"Strip"}""", """{"type":"Metaspace","replacement":"_","prepend_scheme":"always"}"""));

    [Fact]
    public void Metaspace_first_puts_nothing_where_the_text_began_with_what_was_stripped()
    {
        const string first = """{"type":"Metaspace","replacement":"_","prepend_scheme":"first"}""";
        Assert.Equal("a[1,2]|_b[2,4]", ComponentKit.Pieces(" a b", """{"type":"Strip"}""", first));
        PretrainedTokenizer tokenizer = ComponentKit.Load("""{"type":"Strip"}""", first, model: """{"type":"WordLevel","vocab":{"?":0,"a":1,"_a":2},"unk_token":"?"}""");
        Assert.Equal([1], tokenizer.EncodeIds(" a"));
        Assert.Equal([2], tokenizer.EncodeIds("a"));
    }

    [Theory]
    [InlineData("""{"type":"Metaspace","replacement":"ab"}""", "single character")]
    [InlineData("""{"type":"Metaspace","replacement":"_","add_prefix_space":false,"prepend_scheme":"first"}""", "add_prefix_space")]
    [InlineData("""{"type":"Metaspace","replacement":"_","prepend_scheme":"sometimes"}""", "prepend_scheme")]
    [InlineData("""{"type":"FixedLength","length":0}""", "length")]
    [InlineData("""{"type":"Punctuation","behavior":"Sideways"}""", "behavior")]
    public void Wrong_settings_are_named(string preTokenizer, string named) =>
        Assert.Contains(named, Assert.Throws<FormatException>(() => ComponentKit.Load(preTokenizer: preTokenizer)).Message);
}
