namespace MLComponents.Models;

/// <summary>A part of the texts that a constraint allows.</summary>
internal abstract record TextPiece
{
    /// <summary>Nothing.</summary>
    public static TextPiece Empty { get; } = new Sequence([]);

    /// <summary>No text at all, not even the empty one.</summary>
    public static TextPiece Never { get; } = new Choice([]);

    public static TextPiece Of(params TextPiece[] parts) => new Sequence(parts);

    public static TextPiece Any(params IEnumerable<TextPiece> choices) => new Choice([.. choices]);

    public static TextPiece Optional(TextPiece piece) => new Repeat(piece, 0, 1);

    public static implicit operator TextPiece(string text) => new Literal(text);

    /// <summary>A text as it is.</summary>
    public sealed record Literal(string Text) : TextPiece;

    /// <summary>One code point of some.</summary>
    public sealed record Characters(CodePointRanges Ranges) : TextPiece;

    /// <summary>One part after the other.</summary>
    public sealed record Sequence(IReadOnlyList<TextPiece> Parts) : TextPiece;

    /// <summary>One of several parts.</summary>
    public sealed record Choice(IReadOnlyList<TextPiece> Choices) : TextPiece;

    /// <summary>A part some times; a maximum of null is none.</summary>
    public sealed record Repeat(TextPiece Body, int Minimum, int? Maximum) : TextPiece;

    /// <summary>Parts in order, some of which may be left out, with a separator between those that are there.</summary>
    public sealed record Members(IReadOnlyList<(TextPiece Piece, bool Required)> Parts, TextPiece Separator) : TextPiece;
}
