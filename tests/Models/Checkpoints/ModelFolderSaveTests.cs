using System.Text.Json;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>What a save leaves in a folder: the files that the reference would, of one generation.</summary>
public class ModelFolderSaveTests
{
    private const long OneFile = long.MaxValue, Several = 20_000, Many = 5_000;

    [Fact]
    public void Large_models_are_spread_over_shards_and_stale_files_go()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 5);
        File.WriteAllText(folder["model-card.safetensors"], "not a shard");
        File.WriteAllText(folder["model-00001-of-00002.bin"], "not safetensors");

        ModelFolder.Save(model, folder.Path, maxShardBytes: Several);

        string[] shards = [.. Directory.GetFiles(folder.Path, "model-0*.safetensors").Select(Path.GetFileName).Order()!];
        Assert.True(shards.Length > 1);
        Assert.Equal($"model-00001-of-{shards.Length:D5}.safetensors", shards[0]);
        using (CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path)) ModelSamples.AssertSameWeights(model, loaded);
        using (JsonDocument index = JsonDocument.Parse(File.ReadAllBytes(folder[ModelFolder.IndexName])))
        {
            Assert.Equal(4 * model.ParameterCount, index.RootElement.GetProperty("metadata").GetProperty("total_size").GetInt64());
            Assert.Equal(model.ParameterCount, index.RootElement.GetProperty("metadata").GetProperty("total_parameters").GetInt64());
        }

        model.Save(folder.Path);

        Assert.Equal(
            ["config.json", "generation_config.json", "model-00001-of-00002.bin", "model-card.safetensors", ModelFolder.WeightsName],
            Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        using CausalLanguageModel again = CausalLanguageModel.Load(folder.Path);
        ModelSamples.AssertSameWeights(model, again);
    }

    [Fact]
    public void A_tensor_larger_than_a_shard_has_one_of_its_own_and_the_others_go_on()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 5);
        long embedding = 4 * 60 * 24; // larger than the other tensors

        ModelFolder.Save(model, folder.Path, maxShardBytes: embedding - 1);

        using JsonDocument index = JsonDocument.Parse(File.ReadAllBytes(folder[ModelFolder.IndexName]));
        ILookup<string, string> byFile = index.RootElement.GetProperty("weight_map").EnumerateObject().ToLookup(item => item.Value.GetString()!, item => item.Name);
        Assert.Equal(["model.embed_tokens.weight"], byFile["model-00001-of-" + $"{byFile.Count:D5}.safetensors"]);
        Assert.Single(byFile, file => file.Contains("lm_head.weight") && file.Count() == 1);
    }

    [Fact]
    public void Files_are_those_of_the_reference_byte_for_byte()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        string single = ParityFolder.PathOf("layouts", "single-file"), sharded = ParityFolder.PathOf("layouts", "sharded");
        string[] shards = [.. Directory.EnumerateFiles(sharded, "model-*.safetensors").Select(Path.GetFileName)!];
        long largest = shards.Max(name =>
        {
            using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(sharded, name));
            return file.Entries.Sum(entry => entry.ByteCount);
        });

        using (CausalLanguageModel model = CausalLanguageModel.Load(single)) model.Save(folder.Path);
        AssertSame(single, ModelFolder.WeightsName);
        AssertSame(single, "generation_config.json");

        using (CausalLanguageModel model = CausalLanguageModel.Load(sharded)) ModelFolder.Save(model, folder.Path, maxShardBytes: largest);
        foreach (string name in shards) AssertSame(sharded, name);
        AssertSame(sharded, ModelFolder.IndexName);

        void AssertSame(string from, string name) => Assert.True(File.ReadAllBytes(Path.Combine(from, name)).AsSpan().SequenceEqual(File.ReadAllBytes(folder[name])), name);
    }

    [Theory]
    [InlineData(OneFile, OneFile)]
    [InlineData(OneFile, Several)]
    [InlineData(Several, OneFile)]
    [InlineData(Several, Several)]
    [InlineData(Several, Many)]
    [InlineData(Many, Several)]
    public void A_process_that_ends_while_it_saves_leaves_one_generation_or_none_that_is_read(long before, long after)
    {
        using var scope = NewDisposeScope();
        using var older = new CausalLanguageModel(ModelSamples.Config(), seed: 5);
        using var newer = new CausalLanguageModel(ModelSamples.Config(""", "rope_theta": 77.0"""), seed: 6);
        int olderRead = 0, newerRead = 0, refused = 0;
        bool isWhole = false;
        for (int ends = 0; !isWhole; ends++)
        {
            using var folder = new TemporaryFolder();
            ModelFolder.Save(older, folder.Path, maxShardBytes: before);
            File.Copy(folder[ModelFolder.ConfigName], folder["kept.json"]);

            isWhole = true;
            int taken = 0;
            FolderUpdate update = ModelFolder.Prepare(newer, folder.Path, null, after); // its files stay, as those of a process that was ended
            foreach (Action step in update.Steps())
            {
                isWhole = taken++ != ends;
                if (!isWhole) break;
                step();
            }

            try
            {
                using CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path);
                bool isNewer = loaded.Config.Equals(newer.Config);
                ModelSamples.AssertSameWeights(isNewer ? newer : older, loaded);
                Assert.Equal(isNewer ? newer.Config : older.Config, loaded.Config);
                (isNewer ? ref newerRead : ref olderRead)++;
            }
            catch (FileNotFoundException exception)
            {
                Assert.Contains(ModelFolder.ConfigName, exception.Message);
                refused++;
            }

            // The next save puts things right and leaves nothing of the one that ended.
            ModelFolder.Save(older, folder.Path, maxShardBytes: after);
            using CausalLanguageModel repaired = CausalLanguageModel.Load(folder.Path);
            ModelSamples.AssertSameWeights(older, repaired);
            Assert.DoesNotContain(Directory.GetFiles(folder.Path), path => path.EndsWith(".tmp", StringComparison.Ordinal));
            Assert.True(File.Exists(folder["kept.json"]));
        }

        Assert.True(olderRead >= 1 && newerRead >= 1 && refused >= 1, $"{olderRead} {newerRead} {refused}");
    }

    [Fact]
    public void Where_only_the_weights_change_the_folder_can_be_read_at_any_time()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var older = new CausalLanguageModel(ModelSamples.Config(), seed: 5);
        using var newer = new CausalLanguageModel(ModelSamples.Config(), seed: 6);
        older.Save(folder.Path);

        using FolderUpdate update = ModelFolder.Prepare(newer, folder.Path, null, OneFile);
        PretrainedModel expected = older;
        foreach (Action step in update.Steps())
        {
            step();
            expected = newer;
            using CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path);
            ModelSamples.AssertSameWeights(expected, loaded);
        }

        Assert.Same(newer, expected);
    }

    [Fact]
    public void A_save_that_fails_before_its_files_are_written_changes_nothing()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var older = new CausalLanguageModel(ModelSamples.Config(), seed: 5);
        using var newer = new CausalLanguageModel(ModelSamples.Config(), seed: 6);
        older.Save(folder.Path);
        string[] files = Directory.GetFiles(folder.Path);

        Assert.Throws<NotSupportedException>(() => newer.Save(folder.Path, ScalarType.ComplexFloat32));

        Assert.Equal(files, Directory.GetFiles(folder.Path));
        using CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path);
        ModelSamples.AssertSameWeights(older, loaded);
    }

    [Fact]
    public void A_save_that_fails_between_its_files_leaves_a_folder_that_nobody_reads_until_the_next()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var older = new CausalLanguageModel(ModelSamples.Config(), seed: 5);
        using var newer = new CausalLanguageModel(ModelSamples.Config(), seed: 6);
        older.Save(folder.Path);
        Directory.CreateDirectory(folder[ModelFolder.IndexName]); // the index cannot take its place

        Assert.ThrowsAny<Exception>(() => ModelFolder.Save(newer, folder.Path, maxShardBytes: Several));

        Assert.Throws<FileNotFoundException>(() => CausalLanguageModel.Load(folder.Path));
        Directory.Delete(folder[ModelFolder.IndexName]);
        ModelFolder.Save(newer, folder.Path, maxShardBytes: Several);
        using CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path);
        ModelSamples.AssertSameWeights(newer, loaded);
    }

    [Fact]
    public void A_generation_config_comes_back_as_it_was()
    {
        using var scope = NewDisposeScope();
        using TemporaryFolder first = new(), second = new();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 5);
        const string Own = """{"temperature": 0.7, "top_k": 3, "something new": [1, {"a": null}]}""", Other = """{"temperature": 0.1}""";
        File.WriteAllText(first["generation_config.json"], Own);

        model.Save(first.Path); // a model that was made from a configuration has none of its own
        Assert.Equal(Own, File.ReadAllText(first["generation_config.json"]));

        File.WriteAllText(second["generation_config.json"], Other);
        using CausalLanguageModel loaded = CausalLanguageModel.Load(first.Path);
        loaded.Save(second.Path);
        Assert.Equal(Own, File.ReadAllText(second["generation_config.json"]));
    }

    [Theory]
    [InlineData("[1]")]
    [InlineData("{\"temperature\"")]
    public void A_broken_generation_config_is_refused_by_a_model_that_generates(string content)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 5);
        model.Save(folder.Path);
        File.WriteAllText(folder["generation_config.json"], content);

        Assert.Contains("generation_config.json", Assert.Throws<FormatException>(() => CausalLanguageModel.Load(folder.Path)).Message);
        using SequenceClassificationModel classifier = SequenceClassificationModel.Load(folder.Path);
        Assert.NotNull(classifier);
    }
}
