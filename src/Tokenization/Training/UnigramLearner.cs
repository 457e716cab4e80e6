namespace MLComponents.Tokenization;

/// <summary>Learns the pieces of a Unigram model and their scores: the logarithms of how likely they are.</summary>
internal sealed class UnigramLearner
{
    private const int SeedsPerPiece = 20;
    private const int LeastSeeds = 10_000;
    private const int Iterations = 2; // of expectation maximization between two cuts
    private const double Shrinking = 0.75;
    private const double Overshoot = 1.1; // the last cut is by score, from a little more than wanted
    private const double LeastExpected = 0.5;

    private readonly IReadOnlyList<(string Word, long Count)> _words;
    private readonly int _maxPieceLength;

    /// <summary>Takes words with how often each occurs.</summary>
    public UnigramLearner(IReadOnlyList<(string Word, long Count)> words, int maxPieceLength) => (_words, _maxPieceLength) = (words, maxPieceLength);

    /// <summary>Learns at most so many pieces, by falling score.</summary>
    public IReadOnlyList<(string Piece, double Score)> Learn(int count, CancellationToken cancellationToken)
    {
        if (_words.Count == 0) return [];
        Dictionary<string, long> characters = CountCharacters();
        List<(string Piece, double Score)> pieces = Seeds(characters, Math.Max(LeastSeeds, count * SeedsPerPiece));
        while (true)
        {
            for (int iteration = 0; iteration < Iterations; iteration++) pieces = Estimate(pieces, characters, cancellationToken);
            if (pieces.Count <= count * Overshoot) break;
            int keep = Math.Max((int)(count * Overshoot), (int)(pieces.Count * Shrinking));
            List<(string Piece, double Score)> cut = Prune(pieces, characters, keep, cancellationToken);
            if (cut.Count == pieces.Count) break; // only characters are left
            pieces = cut;
        }

        return Finish(pieces, characters, count);
    }

    private Dictionary<string, long> CountCharacters()
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach ((string word, long count) in _words)
        {
            for (int index = 0; index < word.Length;)
            {
                CodePoints.At(word, index, out int length);
                string character = word.Substring(index, length);
                counts[character] = counts.GetValueOrDefault(character) + count;
                index += length;
            }
        }

        return counts;
    }

    // All characters, and the substrings that cover most text.
    private List<(string Piece, double Score)> Seeds(Dictionary<string, long> characters, int size)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach ((string word, long count) in _words)
        {
            for (int start = 0; start < word.Length;)
            {
                CodePoints.At(word, start, out int first);
                int end = start + first;
                for (int length = 2; length <= _maxPieceLength && end < word.Length; length++)
                {
                    CodePoints.At(word, end, out int units);
                    end += units;
                    ReadOnlySpan<char> piece = word.AsSpan(start, end - start);
                    lookup[piece] = lookup.TryGetValue(piece, out long known) ? known + count : count;
                }

                start += first;
            }
        }

        IEnumerable<(string Piece, long Weight)> substrings = counts.Where(piece => piece.Value > 1)
            .Select(piece => (piece.Key, piece.Value * CodePoints.Count(piece.Key)))
            .OrderByDescending(piece => piece.Item2).ThenBy(piece => piece.Key, StringComparer.Ordinal)
            .Take(size);
        List<(string Piece, long Weight)> all = [.. characters.OrderBy(piece => piece.Key, StringComparer.Ordinal).Select(piece => (piece.Key, piece.Value)), .. substrings];
        double total = Math.Log(all.Sum(piece => (double)piece.Weight));
        return all.ConvertAll(piece => (piece.Piece, Math.Log(piece.Weight) - total));
    }

    // One round of expectation maximization; what is hardly expected at all is dropped.
    private List<(string Piece, double Score)> Estimate(List<(string Piece, double Score)> pieces, Dictionary<string, long> characters, CancellationToken cancellationToken)
    {
        var lattice = new UnigramLattice(pieces);
        var expected = new double[pieces.Count];
        foreach ((string word, long count) in _words)
        {
            cancellationToken.ThrowIfCancellationRequested();
            lattice.AddExpectations(word, count, expected);
        }

        var kept = new List<(string Piece, double Expected)>();
        for (int piece = 0; piece < pieces.Count; piece++)
            if (expected[piece] >= LeastExpected || characters.ContainsKey(pieces[piece].Piece)) kept.Add((pieces[piece].Piece, Math.Max(expected[piece], LeastExpected)));
        double total = Digamma(kept.Sum(piece => piece.Expected));
        return kept.ConvertAll(piece => (piece.Piece, Digamma(piece.Expected) - total));
    }

    // Takes out the pieces whose best replacement by others costs least.
    private List<(string Piece, double Score)> Prune(
        List<(string Piece, double Score)> pieces, Dictionary<string, long> characters, int keep, CancellationToken cancellationToken)
    {
        var lattice = new UnigramLattice(pieces);
        var uses = new double[pieces.Count];
        foreach ((string word, long count) in _words)
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (int piece in lattice.Best(word, without: -1)) uses[piece] += count;
        }

        double total = uses.Sum();
        var losses = new List<(int Piece, double Loss)>();
        for (int piece = 0; piece < pieces.Count; piece++)
        {
            if (characters.ContainsKey(pieces[piece].Piece)) continue;
            if (uses[piece] == 0) continue; // nobody misses it
            IReadOnlyList<int> others = lattice.Best(pieces[piece].Piece, without: piece);
            double with = Math.Log(uses[piece]) - Math.Log(total);
            double sumWithout = Math.Log(total + (uses[piece] * (others.Count - 1)));
            double without = others.Sum(other => Math.Log(uses[other] + uses[piece]) - sumWithout);
            losses.Add((piece, uses[piece] * (with - without)));
        }

        int room = Math.Max(0, keep - characters.Count);
        HashSet<int> best = [.. losses.OrderByDescending(loss => loss.Loss).ThenBy(loss => loss.Piece).Take(room).Select(loss => loss.Piece)];
        return [.. pieces.Where((piece, index) => characters.ContainsKey(piece.Piece) || best.Contains(index))];
    }

    // Characters first, the most frequent of them where there is room for few; then what scores best.
    private static List<(string Piece, double Score)> Finish(List<(string Piece, double Score)> pieces, Dictionary<string, long> characters, int count)
    {
        IEnumerable<(string Piece, double Score)> single = pieces.Where(piece => characters.ContainsKey(piece.Piece))
            .OrderByDescending(piece => characters[piece.Piece]).ThenBy(piece => piece.Piece, StringComparer.Ordinal);
        IEnumerable<(string Piece, double Score)> longer = pieces.Where(piece => !characters.ContainsKey(piece.Piece))
            .OrderByDescending(piece => piece.Score).ThenBy(piece => piece.Piece, StringComparer.Ordinal);
        return [.. single.Concat(longer).Take(count).OrderByDescending(piece => piece.Score).ThenBy(piece => piece.Piece, StringComparer.Ordinal)];
    }

    // The derivative of the logarithm of the gamma function: recurrence up to 7, then the asymptotic series (Abramowitz and Stegun, 6.3.18).
    private static double Digamma(double x)
    {
        double result = 0;
        for (; x < 7; x++) result -= 1 / x;
        x -= 0.5;
        double inverse = 1 / x, square = inverse * inverse, fourth = square * square;
        return result + Math.Log(x) + (square / 24) - (7.0 / 960 * fourth) + (31.0 / 8064 * fourth * square) - (127.0 / 30720 * fourth * fourth);
    }
}
