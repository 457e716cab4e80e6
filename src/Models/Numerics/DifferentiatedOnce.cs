namespace MLComponents.Models;

/// <summary>
/// A promise about what is computed on this thread until it is disposed: gradients are computed once, so that each operator may give up what it keeps for them as soon as it has
/// given its own. libtorch's operators do so unless told to retain the graph, which operators of one's own are not told.
/// </summary>
internal sealed class DifferentiatedOnce : IDisposable
{
    [ThreadStatic]
    private static int t_promises;

    private bool _isDisposed;

    private DifferentiatedOnce() => t_promises++;

    /// <summary>Whether it is promised.</summary>
    public static bool IsPromised => t_promises > 0;

    /// <summary>Makes the promise. It ends on the same thread.</summary>
    public static DifferentiatedOnce Promise() => new();

    /// <summary>Ends the promise, and gives up the last gradients that went on: nothing more comes.</summary>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        t_promises--;
        GivenGradients.Release();
    }
}
