namespace MLComponents.EndToEnd.Tests;

/// <summary>What the whole pipeline says of a row.</summary>
internal sealed class Prediction
{
    public string PredictedQueue { get; set; } = "";

    public float[] Score { get; set; } = [];

    public float Probability { get; set; }
}
