namespace MLComponents.Trainers;

/// <summary>What turns gradients into changes of weights.</summary>
public enum OptimizerKind
{
    /// <summary>Adam with decoupled weight decay: 8 bytes of state per trained weight (Loshchilov and Hutter 2017).</summary>
    AdamW,

    /// <summary>AdamW whose states are kept in 8 bits: a little more than 2 bytes per trained weight (Dettmers et al. 2021).</summary>
    AdamW8Bit,

    /// <summary>Keeps only means over rows and columns of squared gradients: next to no state (Shazeer and Stern 2018).</summary>
    Adafactor,

    /// <summary>Stochastic gradient descent, with <see cref="FineTuningOptions.Momentum"/>. Learning rates are hundreds of times those of AdamW.</summary>
    StochasticGradientDescent,

    /// <summary>Steps by the sign of a momentum: 4 bytes of state per trained weight (Chen et al. 2023). Learning rates are a third to a tenth of those of AdamW.</summary>
    Lion,
}
