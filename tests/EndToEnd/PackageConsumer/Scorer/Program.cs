// The second process: reads a model file. The package is referenced, but none of its types or namespaces is named here.
using Microsoft.ML;

var ml = new MLContext();
ITransformer model = ml.Model.Load(Path.Combine(args[0], "model.zip"), out DataViewSchema schema);
Scores.Print(ml, model, schema, Path.Combine(args[0], "rows.tsv"));
Scores.PrintWritten(ml, ml.Model.Load(Path.Combine(args[0], "writer.zip"), out _), Path.Combine(args[0], "rows.tsv"));
