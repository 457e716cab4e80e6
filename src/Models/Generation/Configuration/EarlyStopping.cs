namespace MLComponents.Models;

/// <summary>When a beam search ends, beside the greatest length.</summary>
public enum EarlyStopping
{
    /// <summary>When the best running beam, at its present length, is no better than the worst finished one. <c>false</c> in files.</summary>
    Heuristic,

    /// <summary>As soon as there are as many finished texts as beams. <c>true</c> in files.</summary>
    WhenFull,

    /// <summary>When no running beam can become better than the worst finished one. <c>"never"</c> in files.</summary>
    Never,
}
