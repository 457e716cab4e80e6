namespace MLComponents.Tokenization;

/// <summary>The stack and the registers of a search with a regular expression, kept per thread.</summary>
internal sealed class RegexScratch
{
    private const int LargestKept = 1 << 16;

    private RegexChoice[] _choices = new RegexChoice[256];

    /// <summary>The number of choices on the stack.</summary>
    public int Count { get; set; }

    /// <summary>The registers.</summary>
    public int[] Registers { get; private set; } = [];

    /// <summary>Prepares for a search.</summary>
    public void Begin(int registers)
    {
        Count = 0;
        if (_choices.Length > LargestKept) _choices = new RegexChoice[256];
        if (Registers.Length < registers) Registers = new int[registers];
    }

    /// <summary>Adds a choice.</summary>
    public void Push(RegexChoice choice)
    {
        if (Count == _choices.Length) Array.Resize(ref _choices, Count * 2);
        _choices[Count++] = choice;
    }

    /// <summary>Takes the last choice.</summary>
    public RegexChoice Pop() => _choices[--Count];
}
