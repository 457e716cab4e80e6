namespace MLComponents.Tokenization;

/// <summary>
/// Variables of a block. Blocks see the variables of those around them where they stand in the template, and set only their own.
/// Scopes are small: a search through an array is faster than a dictionary.
/// </summary>
internal sealed class Scope(Scope? outer)
{
    private string[] _names = [];
    private object?[] _values = [];
    private int _count;

    public bool TryGet(string name, out object? value)
    {
        for (Scope? scope = this; scope is not null; scope = scope.Outer)
        {
            for (int index = 0; index < scope._count; index++)
            {
                if (scope._names[index] != name) continue;
                value = scope._values[index];
                return true;
            }
        }

        value = null;
        return false;
    }

    public void Set(string name, object? value)
    {
        for (int index = 0; index < _count; index++)
        {
            if (_names[index] != name) continue;
            _values[index] = value;
            return;
        }

        if (_count == _names.Length)
        {
            Array.Resize(ref _names, Math.Max(4, 2 * _count));
            Array.Resize(ref _values, _names.Length);
        }

        _names[_count] = name;
        _values[_count++] = value;
    }

    private Scope? Outer => outer;
}
