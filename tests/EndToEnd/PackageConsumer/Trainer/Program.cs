// What a program that has only the packages sees. PackageTests builds it in a temporary folder and reads what it prints.
using Microsoft.ML;
using MLComponents.Models;
using MLComponents.Tokenization;
using MLComponents.Trainers;
using MLComponents.Transforms;
using TorchSharp;

using (torch.Tensor tensor = torch.arange(3, torch.float32) + 1)
    Console.WriteLine($"tensor: {string.Join(' ', tensor.data<float>().ToArray())}");
if (args.Length == 0) return;

// The first process: makes a decoder of 20,000 random weights, fine-tunes it, saves the pipeline and scores.
string folder = args[0], rows = Path.Combine(folder, "rows.tsv"), decoder = Path.Combine(folder, "decoder");
string[] lines = File.ReadAllLines(rows);
new ByteLevelBpeTrainer(300).Train(lines).Save(decoder);
using (var model = new CausalLanguageModel(DecoderConfig.Parse("""
    {"model_type": "qwen2", "vocab_size": 320, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
     "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128, "tie_word_embeddings": true}
    """u8)))
{
    model.Save(decoder);
}

var ml = new MLContext(seed: 1);
IDataView data = ml.Data.LoadFromTextFile<Row>(rows);
var pipeline = ml.Transforms.Text.FormatPrompt("Prompt", "Product: {Product}, {Price:F2} EUR\n\n{Body}")
    .Append(ml.Transforms.Conversion.MapValueToKey("Label", "Queue"))
    .Append(ml.MulticlassClassification.Trainers.SequenceClassification("Label", "Prompt", new SequenceClassificationOptions
    {
        Model = decoder,
        TextPairColumnName = "Product",
        Epochs = 2,
        BatchSize = 8,
        LearningRate = 3e-3,
    }))
    .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedQueue", "PredictedLabel"));
ITransformer trained = pipeline.Fit(data);
ml.Model.Save(trained, data.Schema, Path.Combine(folder, "model.zip"));
Scores.Print(ml, trained, data.Schema, rows);

// What generates and what scores choices, of the decoder as it is.
ITransformer writer = ml.Transforms.Text.GenerateText("Written", "Body", new() { Model = decoder, Generation = new() { DoSample = true, MaxNewTokens = 8 } })
    .Append(ml.Transforms.Text.ScoreChoices("Body", ["Billing", "Delivery", "Returns"], new() { Model = decoder, LengthNormalization = LengthNormalization.Tokens }))
    .Fit(data);
ml.Model.Save(writer, data.Schema, Path.Combine(folder, "writer.zip"));
Scores.PrintWritten(ml, writer, rows);
