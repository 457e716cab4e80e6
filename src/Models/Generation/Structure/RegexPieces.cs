using System.Runtime.CompilerServices;
using MLComponents.Tokenization;

namespace MLComponents.Models;

/// <summary>Regular expressions as parts of texts.</summary>
internal sealed class RegexPieces
{
    private static readonly ConditionalWeakTable<CodePointSet, CodePointRanges> s_ranges = [];

    private readonly string _pattern;
    private readonly Func<CodePointRanges, TextPiece> _write;

    private RegexPieces(string pattern, Func<CodePointRanges, TextPiece> write) => (_pattern, _write) = (pattern, write);

    /// <summary>The texts that match a pattern as a whole.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="write">How a code point of some is written; as it is if null.</param>
    /// <exception cref="FormatException">It is not a regular expression.</exception>
    /// <exception cref="NotSupportedException">It uses something that is not regular, or not supported; the message names it.</exception>
    public static TextPiece Of(string pattern, Func<CodePointRanges, TextPiece>? write = null) =>
        new RegexPieces(pattern, write ?? (static ranges => new TextPiece.Characters(ranges))).Convert(RegexParser.Parse(pattern), isFirst: true, isLast: true);

    private TextPiece Convert(RegexNode node, bool isFirst, bool isLast)
    {
        switch (node)
        {
            case RegexNode.Set set:
                return _write(RangesOf(set.Members));
            case RegexNode.Sequence sequence:
                return new TextPiece.Sequence([.. sequence.Parts.Select((part, index) => Convert(part, isFirst && index == 0, isLast && index == sequence.Parts.Count - 1))]);
            case RegexNode.Alternation alternation:
                return new TextPiece.Choice([.. alternation.Branches.Select(branch => Convert(branch, isFirst, isLast))]);
            case RegexNode.Repeat { Mode: not RepeatMode.Possessive } repeat:
                return new TextPiece.Repeat(Convert(repeat.Body, false, false), repeat.Minimum, repeat.Maximum < 0 ? null : repeat.Maximum);

            // The whole text has to match, so these say nothing new at its ends.
            case RegexNode.At { Place: Anchor.LineStart or Anchor.TextStart } when isFirst:
            case RegexNode.At { Place: Anchor.LineEnd or Anchor.TextEnd or Anchor.TextEndOrFinalNewline } when isLast:
                return TextPiece.Empty;
            default:
                string what = node switch
                {
                    RegexNode.Look => "a look around",
                    RegexNode.Atomic => "an atomic group",
                    RegexNode.Repeat => "a possessive repetition",
                    RegexNode.At at => $"the place {at.Place} inside of the text",
                    _ => node.GetType().Name,
                };
                throw new NotSupportedException($"The regular expression {_pattern} uses {what}, which a constraint does not support.");
        }
    }

    /// <summary>
    /// The members of a set. Of \d, \w and \s those in ASCII, and of the dot no line ends: texts then match in every dialect of regular expressions.
    /// </summary>
    private static CodePointRanges RangesOf(CodePointSet set) => s_ranges.GetValue(set, static set =>
        set == CodePointSet.Digit || set == CodePointSet.Word || set == CodePointSet.Space ? CodePointRanges.Where(codePoint => codePoint < 128 && set.Contains(codePoint))
        : set == CodePointSet.NotNewline ? CodePointRanges.Where(static codePoint => codePoint is not ('\n' or '\r' or 0x85 or 0x2028 or 0x2029))
        : CodePointRanges.Of(set));
}
