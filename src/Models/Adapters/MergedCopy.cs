using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A model of its own that computes what another one does with its adapters, without having any.</summary>
internal static class MergedCopy
{
    /// <summary>Makes it; the caller disposes it. The other is left as it is.</summary>
    /// <exception cref="InvalidOperationException">No adapter is active, or some are merged already.</exception>
    /// <exception cref="ArithmeticException">A merged weight would not be a finite number.</exception>
    public static PretrainedModel Of(PretrainedModel model)
    {
        PretrainedModel copy = Create(model);
        try
        {
            using (no_grad())
            {
                Dictionary<string, TorchSharp.Modules.Parameter> own = copy.BaseParameters().ToDictionary(item => item.Name, item => item.Parameter);
                foreach (var (name, parameter) in model.BaseParameters()) own[name].copy_(parameter);
            }

            foreach (LoraAdapter adapter in model.Adapters)
            {
                using var weights = new MemoryStream();
                adapter.SaveWeights(weights);
                weights.Position = 0;
                copy.Adapters.Load(adapter.ToJson(), weights, adapter.Name);
            }

            copy.GenerationConfigJson = model.GenerationConfigJson;
            copy.Adapters.MergeAndUnload([.. model.Adapters.Active]);
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    private static PretrainedModel Create(PretrainedModel model)
    {
        var placement = new WeightPlacement(model.DType, model.parameters().First().device, AttentionImplementation.ScaledDotProduct, 0);
        return model.Head switch
        {
            ModelHead.CausalLanguageModel => CausalLanguageModel.Create(model.Config, placement),
            ModelHead.SequenceClassification => SequenceClassificationModel.Create(model.Config, placement),
            ModelHead.TokenClassification => TokenClassificationModel.Create(model.Config, placement),
            ModelHead.QuestionAnswering => QuestionAnsweringModel.Create(model.Config, placement),
            _ => throw new NotSupportedException($"The head {model.Head} cannot be copied."),
        };
    }
}
