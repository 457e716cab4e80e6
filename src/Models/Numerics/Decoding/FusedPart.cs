namespace MLComponents.Models;

/// <summary>A caller's tokens of one pass, and where their logits go.</summary>
internal sealed unsafe class FusedPart
{
    /// <summary>The tokens; those of a row one behind the other.</summary>
    public FusedEntry[] Entries { get; } = new FusedEntry[FusedStep.MostTokens];

    /// <summary>How many of them.</summary>
    public int Count { get; set; }

    /// <summary>The rows that the tokens belong to, with room for their keys and values.</summary>
    public CachedRow[] Rows { get; set; } = [];

    /// <summary>The weights.</summary>
    public FusedWeights Weights { get; set; } = null!;

    /// <summary>Where keys and values lie.</summary>
    public CacheLayout Layout { get; set; } = null!;

    /// <summary>The frequencies of positions.</summary>
    public float[] Frequencies { get; set; } = [];

    /// <summary>Takes the logits.</summary>
    public float* Logits { get; set; }

    /// <summary>Takes the hidden states behind the last norm, or is null.</summary>
    public float* Hidden { get; set; }

    /// <summary>How many threads the caller allows.</summary>
    public int Members { get; set; }

    /// <summary>Whether it has been computed, or has failed.</summary>
    public bool IsDone { get; set; }

    /// <summary>Why it has failed, or null.</summary>
    public Exception? Fault { get; set; }

    /// <summary>Whether one pass can compute both parts.</summary>
    public bool FitsTo(FusedPart other) =>
        Weights == other.Weights && Members == other.Members && Hidden == null && other.Hidden == null && Frequencies.AsSpan().SequenceEqual(other.Frequencies);
}
