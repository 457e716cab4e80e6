using MLComponents.Benchmarks;

switch (args)
{
    case ["training-step", var model, ..]:
        TrainingStep.Compare(model, rows: 16, tokens: 64, steps: 3, rounds: 3, skipped: args[2..]);
        return 0;
    case ["training-step-variant", var variant, var model, var rows, var tokens, var steps]:
        TrainingStep.Run(variant, model, int.Parse(rows), int.Parse(tokens), int.Parse(steps));
        return 0;
    default:
        Console.Error.WriteLine("usage: training-step MODEL_FOLDER [VARIANT_TO_SKIP ...]");
        return 2;
}
