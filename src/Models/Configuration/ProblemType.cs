namespace MLComponents.Models;

/// <summary>What a sequence classifier's outputs mean, and so which loss it is trained with.</summary>
public enum ProblemType
{
    /// <summary>One of several classes: softmax and cross entropy (<c>single_label_classification</c>).</summary>
    SingleLabelClassification,

    /// <summary>Any number of classes: a sigmoid and binary cross entropy for each (<c>multi_label_classification</c>).</summary>
    MultiLabelClassification,

    /// <summary>Numbers: mean squared error (<c>regression</c>).</summary>
    Regression,
}
