namespace MLComponents.Transforms;

/// <summary>
/// The tokens of choices as a tree: what choices begin with alike is there, and is read by the model, once. A level holds the beginnings of one length that some
/// choice goes on from; that of length 0 is the prompt itself.
/// </summary>
internal sealed class ChoiceTree
{
    /// <param name="choices">The tokens of each choice, at least one each.</param>
    public ChoiceTree(IReadOnlyList<int[]> choices)
    {
        Choices = choices;
        int longest = choices.Max(static choice => choice.Length);
        var levels = new List<Node[]>();
        int[] nodeOf = new int[choices.Count]; // of each choice, in the level before
        for (int depth = 0; depth < longest; depth++)
        {
            var nodes = new List<(int Parent, int Token, List<(int Choice, int Token)> Next)>();
            for (int choice = 0; choice < choices.Count; choice++)
            {
                if (choices[choice].Length <= depth) continue;
                (int parent, int token) = depth == 0 ? (0, -1) : (nodeOf[choice], choices[choice][depth - 1]);
                int node = nodes.FindIndex(other => other.Parent == parent && other.Token == token);
                if (node < 0)
                {
                    node = nodes.Count;
                    nodes.Add((parent, token, []));
                }

                nodes[node].Next.Add((choice, choices[choice][depth]));
                nodeOf[choice] = node;
            }

            levels.Add([.. nodes.Select(static node => new Node(node.Parent, node.Token, [.. node.Next]))]);
        }

        Levels = levels;
    }

    /// <summary>The tokens of each choice.</summary>
    public IReadOnlyList<int[]> Choices { get; }

    /// <summary>The beginnings of each length.</summary>
    public IReadOnlyList<Node[]> Levels { get; }

    /// <summary>The number of tokens of the longest choice.</summary>
    public int Depth => Levels.Count;

    /// <summary>The most beginnings of one length.</summary>
    public int Width => Levels.Max(static level => level.Length);

    /// <summary>A beginning.</summary>
    /// <param name="Parent">The index, in the level before, of the beginning without its last token.</param>
    /// <param name="Token">Its last token; -1 for the empty one.</param>
    /// <param name="Next">The choices that begin so, with the token that each goes on with.</param>
    internal sealed record Node(int Parent, int Token, (int Choice, int Token)[] Next);
}
