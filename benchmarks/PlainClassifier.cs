using MLComponents.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MLComponents.Benchmarks;

/// <summary>
/// A Qwen2 classifier as one would write it plainly in TorchSharp: nn.Linear, operators, fused attention without a mask, the head
/// on every position. What the library's training step is compared with.
/// </summary>
internal sealed class PlainClassifier : Module<Tensor, Tensor, Tensor>
{
    private readonly Embedding embed_tokens;
    private readonly ModuleList<Layer> layers;
    private readonly RmsNorm norm;
    private readonly TorchSharp.Modules.Linear score;
    private readonly DecoderConfig _config;

    public PlainClassifier(DecoderConfig config, ScalarType dtype)
        : base(nameof(PlainClassifier))
    {
        _config = config;
        embed_tokens = Embedding(config.VocabularySize, config.HiddenSize, dtype: dtype);
        layers = [.. Enumerable.Range(0, config.LayerCount).Select(_ => new Layer(config, dtype))];
        norm = new RmsNorm(config, dtype);
        score = Linear(config.HiddenSize, config.LabelCount, hasBias: false, dtype: dtype);
        RegisterComponents();
        foreach (Parameter parameter in parameters().Where(p => p.ndim > 1))
            using (no_grad()) init.normal_(parameter, 0, config.InitializerRange);
    }

    public override Tensor forward(Tensor ids, Tensor lastPositions)
    {
        Tensor hidden = embed_tokens.forward(ids);
        (Tensor cos, Tensor sin) = Rotary(ids.shape[1], hidden.dtype);
        foreach (Layer layer in layers) hidden = layer.forward(hidden, cos, sin);
        Tensor logits = score.forward(norm.forward(hidden));
        return logits[arange(ids.shape[0]), lastPositions];
    }

    private (Tensor, Tensor) Rotary(long length, ScalarType dtype)
    {
        Tensor inverse = 1.0 / pow(100000.0, arange(0, _config.HeadSize, 2, dtype: ScalarType.Float32) / _config.HeadSize);
        Tensor angles = outer(arange(length, dtype: ScalarType.Float32), inverse);
        Tensor both = cat([angles, angles], -1);
        return (both.cos().to_type(dtype), both.sin().to_type(dtype));
    }

    private sealed class RmsNorm : Module<Tensor, Tensor>
    {
        private readonly Parameter weight;
        private readonly double _epsilon;

        public RmsNorm(DecoderConfig config, ScalarType dtype)
            : base(nameof(RmsNorm))
        {
            weight = Parameter(ones(config.HiddenSize, dtype: dtype));
            _epsilon = config.NormEpsilon;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            Tensor wide = input.to_type(ScalarType.Float32);
            Tensor normed = wide * rsqrt(wide.pow(2).mean([-1], keepdim: true) + _epsilon);
            return weight * normed.to_type(input.dtype);
        }
    }

    private sealed class Layer : Module<Tensor, Tensor, Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Linear q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj;
        private readonly RmsNorm input_layernorm, post_attention_layernorm;
        private readonly DecoderConfig _config;

        public Layer(DecoderConfig config, ScalarType dtype)
            : base(nameof(Layer))
        {
            _config = config;
            long hidden = config.HiddenSize, queries = config.HeadCount * config.HeadSize, keys = config.KeyValueHeadCount * config.HeadSize;
            q_proj = Linear(hidden, queries, dtype: dtype);
            k_proj = Linear(hidden, keys, dtype: dtype);
            v_proj = Linear(hidden, keys, dtype: dtype);
            o_proj = Linear(queries, hidden, hasBias: false, dtype: dtype);
            gate_proj = Linear(hidden, config.IntermediateSize, hasBias: false, dtype: dtype);
            up_proj = Linear(hidden, config.IntermediateSize, hasBias: false, dtype: dtype);
            down_proj = Linear(config.IntermediateSize, hidden, hasBias: false, dtype: dtype);
            input_layernorm = new RmsNorm(config, dtype);
            post_attention_layernorm = new RmsNorm(config, dtype);
            RegisterComponents();
        }

        public override Tensor forward(Tensor hidden, Tensor cos, Tensor sin)
        {
            Tensor normed = input_layernorm.forward(hidden);
            long rows = hidden.shape[0], length = hidden.shape[1], groups = _config.HeadCount / _config.KeyValueHeadCount;
            Tensor Heads(Tensor projected, long count) => projected.view(rows, length, count, _config.HeadSize).transpose(1, 2);
            Tensor Rotate(Tensor x)
            {
                Tensor[] halves = x.chunk(2, -1);
                return x * cos + cat([-halves[1], halves[0]], -1) * sin;
            }

            Tensor queries = Rotate(Heads(q_proj.forward(normed), _config.HeadCount));
            Tensor keys = Rotate(Heads(k_proj.forward(normed), _config.KeyValueHeadCount)).repeat_interleave(groups, 1);
            Tensor values = Heads(v_proj.forward(normed), _config.KeyValueHeadCount).repeat_interleave(groups, 1);
            Tensor attended = functional.scaled_dot_product_attention(queries, keys, values, is_casual: true);
            hidden = hidden + o_proj.forward(attended.transpose(1, 2).reshape(rows, length, -1));
            Tensor inner = post_attention_layernorm.forward(hidden);
            return hidden + down_proj.forward(functional.silu(gate_proj.forward(inner)) * up_proj.forward(inner));
        }
    }
}
