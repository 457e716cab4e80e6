using System.Text.Json.Nodes;

namespace MLComponents.Tokenization.Tests;

/// <summary>What Jinja and Python do with parts of the language; every line was checked against Jinja 3.1.6.</summary>
public sealed class TemplateLanguageTests
{
    [Theory]
    [InlineData("{% if true %}\n  a\n{% endif %}\nb\n", "  a\nb")]
    [InlineData("  {% if true %}a{% endif %}  \n  {{ 1 }}", "a  \n  1")]
    [InlineData("x  {%- if true -%}  y  {%- endif -%}  z", "xyz")]
    [InlineData("  {%+ if true +%}\na{% endif %}", "  \na")]
    [InlineData("a {#- c -#} b\n{# c #}\nc", "ab\nc")]
    [InlineData("{% raw %}\n{{ x }}{% endraw %}\ny", "\n{{ x }}y")]
    [InlineData("a\r\nb\rc\n", "a\nb\nc")]
    public void White_space_is_kept_and_dropped_as_Jinja_does(string template, string expected) => Assert.Equal(expected, Render(template));

    [Theory]
    [InlineData("{{ 2 ** 3 ** 2 }} {{ -2 ** 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 6 / 3 }}", "64 4 -4 2 3.5 2.0")]
    [InlineData("{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ not 1 in [2] }} {{ 1 is not none }} {{ 3 in [1, 2] or 'x' }}", "True False True True x")]
    [InlineData("{{ 'a' ~ 1 ~ 2.0 ~ none }} {{ 'ab' * 2 }} {{ [1] + [2] }} {{ 'x' 'y' }} {{ 1 if false }}|", "a12.0None abab [1, 2] xy |")]
    [InlineData("{{ -1 | abs }} {{ (-1) | abs }} {{ 'a' + 'b' | upper }} {{ 3 - -2 }} {{ true + true }}", "1 1 aB 5 2")]
    [InlineData("{{ 1e16 }} {{ 1e15 }} {{ 0.1 + 0.2 }} {{ 1e-5 }} {{ 1e400 }} {{ 10 ** 20 }} {{ 2.675 | round(2) }} {{ 2.5 | round }}", "1e+16 1000000000000000.0 0.30000000000000004 1e-05 inf 100000000000000000000 2.67 2.0")]
    [InlineData("{{ 'h\u00E9\U0001F642x'[1:3] }} {{ 'abc'[::-1] }} {{ [1, 2, 3][-2:] }} {{ 'abc'[9] is defined }} {{ '\U0001F642' | length }}", "\u00E9\U0001F642 cba [2, 3] False 1")]
    public void Expressions_have_the_values_of_Python(string template, string expected) => Assert.Equal(expected, Render(template));

    [Theory]
    [InlineData("{{ [1, 'it\\'s', none, 1.0, missing, {'a': (1,)}] }}", "[1, \"it's\", None, 1.0, Undefined, {'a': (1,)}]")]
    [InlineData("{{ ['\\n\u00E9\u200B\\x00'] }}", "['\\n\u00E9\\u200b\\x00']")]
    [InlineData("{{ {'a': 1}.items() }} {{ range(3) }} {{ namespace(a=1) }}", "dict_items([('a', 1)]) range(0, 3) <Namespace {'a': 1}>")]
    public void Values_are_printed_as_Python_prints_them(string template, string expected) => Assert.Equal(expected, Render(template));

    [Theory]
    [InlineData("{% set x = 1 %}{% for i in range(3) %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}", "1231")]
    [InlineData("{% set ns = namespace(n=0) %}{% for i in range(4) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", "6")]
    [InlineData("{% set x = 1 %}{% macro m() %}{{ x }}{{ i is defined }}{% endmacro %}{% for i in [0] %}{{ m() }}{% endfor %}{% set x = 2 %}{{ m() }}", "1False2False")]
    [InlineData("{% if true %}{% set y = 1 %}{% endif %}{{ y }}{% with y = 2 %}{{ y }}{% endwith %}{{ y }}", "121")]
    [InlineData("{% set b %}<{{ 1 }}>{% set inner = 1 %}{% endset %}{{ b }}{{ inner is defined }}", "<1>False")]
    public void Variables_live_where_Jinja_has_them_live(string template, string expected) => Assert.Equal(expected, Render(template));

    [Theory]
    [InlineData("{% for x in 'abc' %}{{ loop.index }}{{ loop.last }}{{ loop.previtem }}{{ loop.nextitem }} {% endfor %}", "1Falseb 2Falseac 3Trueb ")]
    [InlineData("{% for x in [] %}{% else %}none{% endfor %}{% for x in [1, 2, 3] if x != 2 %}{{ loop.length }}{{ x }}{% endfor %}", "none2123")]
    [InlineData("{% for x in range(9) %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 3 %}{% break %}{% endif %}{{ x }}{% endfor %}", "02")]
    [InlineData("{% for x in [1, [2, [3]]] recursive %}{{ loop(x) if x is iterable else x }}{{ loop.depth }}{% endfor %}", "11223321")]
    [InlineData("{% for x in [1, 1, 2] %}{{ loop.changed(x) }}{{ loop.cycle('a', 'b') }} {% endfor %}", "Truea Falseb Truea ")]
    public void Loops_know_where_they_are(string template, string expected) => Assert.Equal(expected, Render(template));

    [Theory]
    [InlineData("{% macro m(a, b='d') %}{{ a }}{{ b }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1) }} {{ m(1, 2, 3, c=4) }}", "1d(){} 12(3,){'c': 4}")]
    [InlineData("{% macro m(x) %}[{{ caller(x) }}]{% endmacro %}{% call(y) m(5) %}{{ y + 1 }}{% endcall %}", "[6]")]
    [InlineData("{% macro m(a, b=a ~ '!') %}{{ b }}{% endmacro %}{{ m('x') }}", "x!")]
    [InlineData("{% filter upper | replace('A', 'b') %}a{{ 'c' }}{% endfilter %}", "bC")]
    public void Macros_take_what_they_are_given(string template, string expected) => Assert.Equal(expected, Render(template));

    [Theory]
    [InlineData("{{ {'b': 1, 'a': [1.0, none, '<\u00E9\"']} | tojson }}", "{\"b\": 1, \"a\": [1.0, null, \"<\u00E9\\\"\"]}")]
    [InlineData("{{ {'b': [], 'a': [1]} | tojson(indent=1, sort_keys=true) }}", "{\n \"a\": [\n  1\n ],\n \"b\": []\n}")]
    [InlineData("{{ \"it's o'neill\" | title }} {{ \"it's o'neill\".title() }} {{ '\u00DF' | upper }} {{ 'a.b' | capitalize }}", "It's O'neill It'S O'Neill SS A.b")]
    [InlineData("{{ ['b', 'A', 'a'] | sort }} {{ ['b', 'A', 'a'] | sort(case_sensitive=true) }} {{ ['b', 'B'] | unique | list }}", "['A', 'a', 'b'] ['A', 'a', 'b'] ['b']")]
    [InlineData("{{ ' a b '.split() }} {{ ' a b '.split(' ') }} {{ 'a,b,c'.rsplit(',', 1) }} {{ '' | default('d') }}|{{ '' | default('d', true) }}", "['a', 'b'] ['', 'a', 'b', ''] ['a,b', 'c'] |d")]
    [InlineData("{{ '%5.1f|%-4d|%03d|%x|%s' % (2.25, 7, 5, 255, none) }} {{ '{:>5}|{x:.2f}'.format('a', x=1) }}", "  2.2|7   |005|ff|None     a|1.00")]
    [InlineData("{{ ('a' | safe) + '<b>' }} {{ '<' | e ~ '>' }}", "a&lt;b&gt; &lt;>")]
    public void Filters_and_methods_give_what_the_reference_gives(string template, string expected) => Assert.Equal(expected, Render(template));

    [Theory]
    [InlineData("{{ missing.x }}", ChatTemplateErrorKind.Undefined, "'missing' is undefined")]
    [InlineData("{{ {}.x.y }}", ChatTemplateErrorKind.Undefined, "'dict object' has no attribute 'x'")]
    [InlineData("{{ [][1].y }}", ChatTemplateErrorKind.Undefined, "list object has no element 1")]
    [InlineData("{{ [].append(1) }}", ChatTemplateErrorKind.Security, "access to attribute 'append' of 'list' object is unsafe.")]
    [InlineData("{{ 'a' + 1 }}", ChatTemplateErrorKind.Value, "can only concatenate str (not \"int\") to str")]
    [InlineData("{% break %}", ChatTemplateErrorKind.Value, "'break' outside loop")]
    [InlineData("{{ 1 | nope }}", ChatTemplateErrorKind.Assertion, "No filter named 'nope'.")]
    [InlineData("{% if true %}{{ 1 | nope }}{% endif %}", ChatTemplateErrorKind.Runtime, "No filter named 'nope' found.")]
    [InlineData("{% if x %}", ChatTemplateErrorKind.Syntax, "Unexpected end of template. Jinja was looking for the following tags: 'elif' or 'else' or 'endif'. The innermost block that needs to be closed is 'if'.")]
    public void Errors_say_what_Jinja_says(string template, ChatTemplateErrorKind kind, string reason)
    {
        ChatTemplateException problem = Assert.Throws<ChatTemplateException>(() => Render(template));
        Assert.Equal((kind, reason), (problem.Kind, problem.Reason));
    }

    [Fact]
    public void A_branch_that_is_not_taken_may_use_what_does_not_exist() => Assert.Equal("ok", Render("{% if false %}{{ 1 | nope }}{% endif %}ok"));

    private static string Render(string template) => ChatTemplate.Compile(template).Render(new JsonArray()).Text;
}
