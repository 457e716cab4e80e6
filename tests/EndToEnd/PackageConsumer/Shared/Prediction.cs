/// <summary>What the pipeline says of a row.</summary>
internal sealed class Prediction
{
    public string PredictedQueue { get; set; } = "";

    public float[] Score { get; set; } = [];

    public float Probability { get; set; }

    /// <summary>The prediction to the last bit.</summary>
    public override string ToString() =>
        $"{PredictedQueue} {string.Join(' ', Score.Append(Probability).Select(value => BitConverter.SingleToUInt32Bits(value).ToString("x8")))}";
}
