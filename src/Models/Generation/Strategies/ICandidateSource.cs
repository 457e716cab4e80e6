namespace MLComponents.Models;

/// <summary>Proposes the next tokens of a row, for the model to check several at a time.</summary>
internal interface ICandidateSource : IDisposable
{
    /// <summary>Proposes tokens; none where there is nothing to propose.</summary>
    /// <param name="ids">Padding, prompt and new tokens of the row.</param>
    /// <param name="most">The most tokens that are of use.</param>
    Candidates Propose(ReadOnlySpan<int> ids, int most);

    /// <summary>Takes note of how many of the last proposed tokens were right.</summary>
    void Learn(int proposed, int right);
}
