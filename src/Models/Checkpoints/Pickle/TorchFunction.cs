namespace MLComponents.Models;

/// <summary>What stands for a function of Python.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Call">What it gives for arguments, or null where it does not take them.</param>
internal sealed record TorchFunction(string Name, Func<object?[], object?> Call);
