namespace MLComponents.Models;

/// <summary>How attention and feed-forward layer are added to the hidden state x of a block.</summary>
public enum ResidualKind
{
    /// <summary>One after the other: <c>y = x + attention(norm₁(x))</c>, then <c>y + feedforward(norm₂(y))</c>.</summary>
    Sequential,

    /// <summary>Side by side, each with a norm: <c>x + attention(norm₁(x)) + feedforward(norm₂(x))</c>.</summary>
    Parallel,

    /// <summary>Side by side behind one norm: <c>x + attention(norm(x)) + feedforward(norm(x))</c>.</summary>
    ParallelOneNorm,
}
