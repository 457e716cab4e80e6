using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLComponents.Transforms;

[assembly: IgnoresAccessChecksTo("Microsoft.ML.Core")]
[assembly: IgnoresAccessChecksTo("Microsoft.ML.Data")]

[assembly: LoadableClass(typeof(FormatPromptTransformer), typeof(StoredTransformerLoader<FormatPromptTransformer>), null, typeof(SignatureLoadModel),
    "Format prompt", FormatPromptTransformer.LoaderSignature)]
[assembly: LoadableClass(typeof(SequenceClassificationTransformer), typeof(StoredTransformerLoader<SequenceClassificationTransformer>), null, typeof(SignatureLoadModel),
    "Sequence classification by a decoder language model", SequenceClassificationTransformer.LoaderSignature)]
[assembly: LoadableClass(typeof(SequenceRegressionTransformer), typeof(StoredTransformerLoader<SequenceRegressionTransformer>), null, typeof(SignatureLoadModel),
    "Sequence regression by a decoder language model", SequenceRegressionTransformer.LoaderSignature)]
[assembly: LoadableClass(typeof(TokenClassificationTransformer), typeof(StoredTransformerLoader<TokenClassificationTransformer>), null, typeof(SignatureLoadModel),
    "Token classification by a decoder language model", TokenClassificationTransformer.LoaderSignature)]
[assembly: LoadableClass(typeof(QuestionAnsweringTransformer), typeof(StoredTransformerLoader<QuestionAnsweringTransformer>), null, typeof(SignatureLoadModel),
    "Extractive question answering by a decoder language model", QuestionAnsweringTransformer.LoaderSignature)]
[assembly: LoadableClass(typeof(TextGenerationTransformer), typeof(StoredTransformerLoader<TextGenerationTransformer>), null, typeof(SignatureLoadModel),
    "Text generation by a decoder language model", TextGenerationTransformer.LoaderSignature)]
[assembly: LoadableClass(typeof(ChoiceScoringTransformer), typeof(StoredTransformerLoader<ChoiceScoringTransformer>), null, typeof(SignatureLoadModel),
    "Choices scored by a decoder language model", ChoiceScoringTransformer.LoaderSignature)]
[assembly: LoadableClass(typeof(CausalLanguageModelTransformer), typeof(StoredTransformerLoader<CausalLanguageModelTransformer>), null, typeof(SignatureLoadModel),
    "Likelihood of texts by a decoder language model", CausalLanguageModelTransformer.LoaderSignature)]

namespace System.Runtime.CompilerServices
{
    /// <summary>Tells the run time that this assembly may use the internals of another, as if that other had named it a friend.</summary>
    [AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
    internal sealed class IgnoresAccessChecksToAttribute(string assemblyName) : Attribute
    {
        public string AssemblyName { get; } = assemblyName;
    }
}

namespace MLComponents.Transforms
{
    /// <summary>
    /// The one place that uses what ML.NET keeps internal. A third-party component cannot be saved, loaded in a process that
    /// never heard of it, or describe its output columns before training without these few members; everything else in
    /// this assembly compiles against the public API.
    /// </summary>
    internal static class MLNetInterop
    {
        /// <summary>What identifies a kind of model file entry: an eight-character signature, the format's version, the class that reads it.</summary>
        /// <param name="Signature">Exactly eight Latin-1 characters.</param>
        /// <param name="Written">The version that <c>Save</c> writes, 0xMMMMmmmm (major, minor).</param>
        /// <param name="Readable">The oldest reader that understands what is written.</param>
        /// <param name="OldestRead">The oldest version that this code reads.</param>
        /// <param name="LoaderSignature">At most 24 Latin-1 characters, as registered at the top of this file.</param>
        internal sealed record ModelFormat(string Signature, uint Written, uint Readable, uint OldestRead, string LoaderSignature)
        {
            internal VersionInfo Native => new(Signature, Written, Readable, OldestRead,
                typeof(MLNetInterop).Assembly.GetName().Name!, LoaderSignature);
        }

        /// <summary>The environment behind a catalog such as <c>mlContext.Transforms.Text</c>.</summary>
        internal static IHostEnvironment EnvironmentOf(object catalog)
        {
            ArgumentNullException.ThrowIfNull(catalog);
            return ((IInternalCatalog)catalog).Environment;
        }

        /// <summary>The GPU that <c>MLContext.GpuDeviceId</c> asks for, or null.</summary>
        internal static int? GpuDeviceId(IHostEnvironment environment) => (environment as IHostEnvironmentInternal)?.GpuDeviceId;

        /// <summary>Whether a missing GPU means the CPU (<c>MLContext.FallbackToCpu</c>) instead of an error.</summary>
        internal static bool FallbackToCpu(IHostEnvironment environment) => (environment as IHostEnvironmentInternal)?.FallbackToCpu ?? true;

        /// <summary>The folder for temporary files: <c>MLContext.TempFilePath</c>, else the system's.</summary>
        internal static string TemporaryFolder(IHostEnvironment environment) =>
            (environment as IHostEnvironmentInternal)?.TempFilePath is { Length: > 0 } path ? path : Path.GetTempPath();

        /// <summary>Throws <see cref="OperationCanceledException"/> once the context has been cancelled.</summary>
        internal static void CheckAlive(IHostEnvironment environment) => environment.CheckAlive();

        /// <summary>A column of an estimator's promise.</summary>
        internal static SchemaShape.Column ShapeColumn(string name, SchemaShape.Column.VectorKind kind, DataViewType itemType, bool isKey,
            SchemaShape? annotations = null) => new(name, kind, itemType, isKey, annotations);

        /// <summary>The shape of a schema: what an estimator may promise when its transformer delivers that schema.</summary>
        internal static SchemaShape ShapeOf(DataViewSchema schema) => SchemaShape.Create(schema);

        /// <summary>Writes the header that names the format and its reader; the first thing that <c>Save</c> does.</summary>
        internal static void BeginSave(ModelSaveContext context, ModelFormat format)
        {
            ArgumentNullException.ThrowIfNull(context);
            context.CheckAtModel();
            context.SetVersionInfo(format.Native);
        }

        /// <summary>Adds an entry to the model file; the stream is seekable and belongs to ML.NET.</summary>
        internal static void SaveEntry(ModelSaveContext context, string name, Action<Stream> write) =>
            context.SaveBinaryStream(name, writer =>
            {
                writer.Flush();
                write(writer.BaseStream);
            });

        /// <summary>Checks that the model was written by this format in a version that this code reads.</summary>
        /// <returns>The version that it was written in, 0xMMMMmmmm (major, minor).</returns>
        /// <exception cref="FormatException">The entry is of another kind, or newer than this library.</exception>
        internal static uint BeginLoad(ModelLoadContext context, ModelFormat format)
        {
            ArgumentNullException.ThrowIfNull(context);
            context.CheckAtModel(format.Native);
            return context.Header.ModelVerWritten;
        }

        /// <summary>Reads an entry of the model file.</summary>
        /// <exception cref="FormatException">The model file has no such entry.</exception>
        internal static void LoadEntry(ModelLoadContext context, string name, Action<Stream> read)
        {
            if (!context.TryLoadBinaryStream(name, reader => read(reader.BaseStream)))
                throw new FormatException($"The model file has no entry '{name}': it is incomplete or was written by another version of MLComponents.");
        }
    }

    /// <summary>What ML.NET calls to read a transformer.</summary>
    internal static class StoredTransformerLoader<TTransformer>
        where TTransformer : IStoredTransformer<TTransformer>
    {
        // Found by name and signature: the return type must be the registered type exactly.
        private static TTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
        {
            uint version = MLNetInterop.BeginLoad(ctx, TTransformer.Format);
            return TTransformer.Read(new ModelSource(env, version, (name, read) => MLNetInterop.LoadEntry(ctx, name, read)));
        }
    }
}
