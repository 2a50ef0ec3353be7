using Nibble.Files;
using Nibble.Quantization;

namespace Nibble.Tests.Quantization;

public class ContentLevelTests
{
    public static TheoryData<string> Levels => [.. Recipe.All.Select(r => r.Name)];

    [Theory]
    [MemberData(nameof(Levels))]
    public void Every_level_is_recognized_by_its_tensors(string level)
    {
        using ModelFile file = ModelFile.Open(SampleModel.At(level));
        ContentLevel content = ContentLevel.Of(file);
        Assert.Equal(new ContentLevel(level, true), content);
        foreach (Recipe recipe in Recipe.All) Assert.Equal(recipe.Name == level, content.Agrees(recipe.Name));
        Assert.True(content.Agrees(level.ToLowerInvariant()));
    }

    [Fact]
    public void A_mixture_of_its_own_is_called_after_most_of_its_weights()
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        QuantizationPlan plan = QuantizationPlan.Create(source, Recipe.Parse("Q4_K_M"));
        PlannedTensor[] tensors = [.. plan.Tensors.Select(t => t.Source.Name == "blk.1.attn_q.weight" ? t with { Target = t.Source } : t)];
        Quantizer.Write(source, plan with { Tensors = tensors }, folder.At("out.gguf"));
        using ModelFile file = ModelFile.Open(folder.At("out.gguf"));
        ContentLevel content = ContentLevel.Of(file);
        Assert.Equal(new ContentLevel("Q4_K", false), content);
        Assert.All(["Q4_K_M", "Q4_K_S", "Q4_K_XL", "q4_k_m"], level => Assert.True(content.Agrees(level), level));
        Assert.All(["Q5_K_M", "Q8_0", "F16", "IQ2_M", "Q3_K_XL"], level => Assert.False(content.Agrees(level), level));
    }
}
