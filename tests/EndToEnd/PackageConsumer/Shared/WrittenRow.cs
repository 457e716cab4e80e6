/// <summary>A text that was generated, and how likely choices are.</summary>
internal sealed class WrittenRow
{
    public string Written { get; set; } = "";

    public float[] Score { get; set; } = [];
}
