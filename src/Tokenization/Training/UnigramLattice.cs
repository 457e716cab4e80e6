namespace MLComponents.Tokenization;

/// <summary>All ways to cut a word into the pieces of a vocabulary that holds every character.</summary>
internal sealed class UnigramLattice
{
    private readonly PieceTrie _trie = new();
    private readonly double[] _scores;
    private double[] _before = []; // logarithm of the sum over all ways up to a place
    private double[] _behind = []; // over all ways from a place on

    /// <summary>Prepares the pieces.</summary>
    public UnigramLattice(IReadOnlyList<(string Piece, double Score)> pieces)
    {
        _scores = new double[pieces.Count];
        for (int piece = 0; piece < pieces.Count; piece++)
        {
            _trie.Add(pieces[piece].Piece, piece);
            _scores[piece] = pieces[piece].Score;
        }
    }

    /// <summary>Adds how often every piece is expected in a word that occurs so many times.</summary>
    public void AddExpectations(string word, double count, double[] expected)
    {
        int length = word.Length;
        if (_before.Length <= length) (_before, _behind) = (new double[2 * (length + 1)], new double[2 * (length + 1)]);
        _before.AsSpan(0, length + 1).Fill(double.NegativeInfinity);
        _behind.AsSpan(0, length + 1).Fill(double.NegativeInfinity);
        _before[0] = 0;
        _behind[length] = 0;
        for (int start = 0; start < length; start++)
        {
            if (double.IsNegativeInfinity(_before[start])) continue; // inside a character
            int node = PieceTrie.Root;
            for (int end = start + 1; end <= length && (node = _trie.Next(node, word[end - 1])) >= 0; end++)
                if (_trie.Value(node) is >= 0 and var piece) _before[end] = LogSum(_before[end], _before[start] + _scores[piece]);
        }

        for (int start = length - 1; start >= 0; start--)
        {
            int node = PieceTrie.Root;
            for (int end = start + 1; end <= length && (node = _trie.Next(node, word[end - 1])) >= 0; end++)
                if (_trie.Value(node) is >= 0 and var piece) _behind[start] = LogSum(_behind[start], _scores[piece] + _behind[end]);
        }

        for (int start = 0; start < length; start++)
        {
            if (double.IsNegativeInfinity(_before[start])) continue;
            int node = PieceTrie.Root;
            for (int end = start + 1; end <= length && (node = _trie.Next(node, word[end - 1])) >= 0; end++)
                if (_trie.Value(node) is >= 0 and var piece) expected[piece] += count * Math.Exp(_before[start] + _scores[piece] + _behind[end] - _before[length]);
        }
    }

    /// <summary>The most likely way.</summary>
    /// <param name="word">The word.</param>
    /// <param name="without">A piece that must not be used, or -1.</param>
    public List<int> Best(string word, int without)
    {
        int length = word.Length;
        var best = new double[length + 1];
        var starts = new int[length + 1];
        var pieces = new int[length + 1];
        best.AsSpan(1).Fill(double.NegativeInfinity);
        for (int start = 0; start < length; start++)
        {
            if (double.IsNegativeInfinity(best[start])) continue;
            int node = PieceTrie.Root;
            for (int end = start + 1; end <= length && (node = _trie.Next(node, word[end - 1])) >= 0; end++)
            {
                int piece = _trie.Value(node);
                if (piece >= 0 && piece != without && best[start] + _scores[piece] > best[end]) (best[end], starts[end], pieces[end]) = (best[start] + _scores[piece], start, piece);
            }
        }

        var way = new List<int>();
        for (int end = length; end > 0; end = starts[end]) way.Add(pieces[end]);
        way.Reverse();
        return way;
    }

    private static double LogSum(double left, double right)
    {
        (double smaller, double larger) = left < right ? (left, right) : (right, left);
        return double.IsNegativeInfinity(smaller) ? larger : larger + Math.Log(1 + Math.Exp(smaller - larger));
    }
}
