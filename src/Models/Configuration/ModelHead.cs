namespace MLComponents.Models;

/// <summary>What stands on top of a decoder.</summary>
public enum ModelHead
{
    /// <summary>Scores of the next token.</summary>
    CausalLanguageModel,

    /// <summary>Scores of a whole text.</summary>
    SequenceClassification,

    /// <summary>Scores of each token.</summary>
    TokenClassification,

    /// <summary>Scores of each token as the start and as the end of an answer.</summary>
    QuestionAnswering,
}
