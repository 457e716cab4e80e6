namespace MLComponents.Tokenization;

/// <summary>A place in a template: line and column, from 1.</summary>
internal readonly record struct Position(int Line, int Column);
