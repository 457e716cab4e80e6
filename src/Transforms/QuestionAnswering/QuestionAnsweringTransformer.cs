using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Models;
using IQuestionBatchScorer = MLComponents.Transforms.IBatchScorer<MLComponents.Transforms.QuestionAndContext, MLComponents.Transforms.QuestionRow, MLComponents.Transforms.Answer[]>;

namespace MLComponents.Transforms;

/// <summary>Answers questions with parts of a text, found by a decoder language model.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Column</term><description>Type and content; K is <see cref="QuestionAnsweringSettings.TopK"/></description></listheader>
/// <item><term>Answer</term><description><c>Vector&lt;String, K&gt;</c>, the answers, the best first: parts of the context as they stand there; empty where a context has fewer</description></item>
/// <item><term>Score</term><description><c>Vector&lt;Single, K&gt;</c>, how likely each is among the candidates, 0 to 1; 0 where there is none</description></item>
/// <item><term>AnswerStart</term><description><c>Vector&lt;Int32, K&gt;</c>, where in the context each begins, in UTF-16 characters; -1 where there is none</description></item>
/// </list>
/// The model reads the question and then the context. A context of more tokens than it may read is read in windows that overlap; candidates of all windows
/// are ranked together, by the sum of the logits of their first and last token, and the score is the softmax over the best 20. Answers may overlap each other. Rows are read
/// ahead and served in their own order; several cursors may be open at once. Disposing the transformer frees the model, after which its views throw
/// <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class QuestionAnsweringTransformer : DecoderTransformer<QuestionAnsweringModel>, IQuestionBatchScorer, IStoredTransformer<QuestionAnsweringTransformer>
{
    internal const string LoaderSignature = "MLCQuestionAnswerer";

    internal static readonly MLNetInterop.ModelFormat Format = new("MLCQUEST", 0x00010001, 0x00010001, 0x00010001, LoaderSignature);

    /// <summary>Wraps a scorer.</summary>
    /// <param name="env">The environment.</param>
    /// <param name="scorer">The model; owned by this transformer from now on.</param>
    /// <param name="settings">Columns and batches; copied.</param>
    internal QuestionAnsweringTransformer(IHostEnvironment env, QuestionAnsweringScorer scorer, QuestionAnsweringSettings settings)
        : base(env, scorer, settings, Format) => Scorer = scorer;

    internal QuestionAnsweringScorer Scorer { get; }

    internal QuestionAnsweringSettings Settings => (QuestionAnsweringSettings)Running;

    QuestionRow IQuestionBatchScorer.Encode(QuestionAndContext input) => Scorer.Encoder.Encode(input);

    float[][] IQuestionBatchScorer.Forward(IReadOnlyList<int[]> sequences) => InTurn(() => Scorer.Forward(sequences));

    Answer[] IQuestionBatchScorer.Combine(QuestionRow row, ReadOnlySpan<float[]> outputs) =>
        AnswerSearch.Best(row, outputs, Settings.TopK, Settings.MaxAnswerLength);

    void IQuestionBatchScorer.TellTruncated(long rows, long truncated) => Warn(
        "Scoring",
        $"{truncated} of {rows} questions of column '{Settings.QuestionColumnName}' had more than {Scorer.Encoder.MaxQuestionLength} tokens and were cut at the end. Raise MaxQuestionLength.");

    static MLNetInterop.ModelFormat IStoredTransformer<QuestionAnsweringTransformer>.Format => Format;

    static QuestionAnsweringTransformer IStoredTransformer<QuestionAnsweringTransformer>.Read(ModelSource source)
    {
        QuestionAnsweringSettings settings = source.ReadSettings(QuestionAnsweringSettings.Read);
        return ModelSource.Wrap(QuestionAnsweringScorer.Read(source, settings), scorer => new QuestionAnsweringTransformer(source.Environment, scorer, settings));
    }

    private protected override void WriteSettings(BinaryWriter writer) => Settings.Write(writer);

    private protected override RowMap Bind(DataViewSchema input) => new QuestionAnsweringMap(this, input);
}
