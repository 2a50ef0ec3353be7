using Nibble.Quantization;

namespace Nibble.Tests.Quantization;

public class RecipeTests
{
    [Theory]
    [InlineData("q4_k_m", "Q4_K_M")]
    [InlineData("Q4_K", "Q4_K_M")]
    [InlineData("q5_k", "Q5_K_M")]
    [InlineData("q3_K", "Q3_K_M")]
    [InlineData("bf16", "BF16")]
    public void Names_ignore_case_and_llama_cpp_s_other_names_are_known(string name, string expected) => Assert.Equal(expected, Recipe.Parse(name).Name);

    [Fact]
    public void An_unknown_name_is_refused_with_the_known_ones()
    {
        string message = Assert.Throws<NibbleException>(() => Recipe.Parse("Q4_K_X")).Message;
        foreach (string name in new[] { "Q4_K_X", "Q4_K_M", "Q8_0", "F16" }) Assert.Contains(name, message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_levels_asked_for_exist_under_gguf_s_numbers()
    {
        // llama_ftype of llama.h
        Dictionary<string, int> numbers = new()
        {
            ["F32"] = 0,
            ["F16"] = 1,
            ["Q4_0"] = 2,
            ["Q4_1"] = 3,
            ["Q8_0"] = 7,
            ["Q5_0"] = 8,
            ["Q5_1"] = 9,
            ["Q2_K"] = 10,
            ["Q3_K_S"] = 11,
            ["Q3_K_M"] = 12,
            ["Q3_K_L"] = 13,
            ["Q4_K_S"] = 14,
            ["Q4_K_M"] = 15,
            ["Q5_K_S"] = 16,
            ["Q5_K_M"] = 17,
            ["Q6_K"] = 18,
            ["BF16"] = 32,
        };
        foreach ((string name, int number) in numbers)
        {
            Assert.Equal(number, Recipe.Parse(name).FileType);
            Assert.Equal([name], Recipe.FromFileType(number).Select(r => r.Name));
        }
        Assert.Empty(Recipe.FromFileType(4));
        Assert.Equal(["I2_S", "Q1_0"], Recipe.FromFileType(40).Select(r => r.Name).Order(StringComparer.Ordinal));
    }
}
