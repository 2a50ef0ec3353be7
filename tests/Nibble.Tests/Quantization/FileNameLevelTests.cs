using Nibble.Quantization;

namespace Nibble.Tests.Quantization;

public class FileNameLevelTests
{
    [Theory]
    [InlineData("llama3.1-70b-instruct-q4_k_m.gguf", "Q4_K_M")]
    [InlineData("Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf", "Q4_K_M")]
    [InlineData("mistral-7b-instruct-v0.2.Q5_K_S.gguf", "Q5_K_S")]
    [InlineData("qwen2.5-0.5b-instruct-fp16.gguf", "F16")]
    [InlineData("Qwen3-30B-A3B-UD-Q4_K_XL.gguf", "Q4_K_XL")]
    [InlineData("gemma-2-9b-it-Q6_K_L.gguf", "Q6_K_L")]
    [InlineData("gemma-2-9b-it-Q6_K.gguf", "Q6_K")]
    [InlineData("Qwen2.5-72B-Instruct-Q8_0-00001-of-00002.gguf", "Q8_0")]
    [InlineData("DeepSeek-R1-UD-IQ1_S-00001-of-00003.gguf", "IQ1_S")]
    [InlineData("Llama-3.3-70B-Instruct-IQ2_XXS.gguf", "IQ2_XXS")]
    [InlineData("Llama-3.3-70B-Instruct.i1-IQ4_XS.gguf", "IQ4_XS")]
    [InlineData("Phi-3-mini-4k-instruct-q4.gguf", null)]
    [InlineData("Phi-3-mini-4k-instruct-IQ4_NL.gguf", "IQ4_NL")]
    [InlineData("gpt-oss-20b-mxfp4.gguf", "MXFP4")]
    [InlineData("gpt-oss-120b-MXFP4_MOE.gguf", "MXFP4_MOE")]
    [InlineData("Nemotron-NVFP4.gguf", "NVFP4")]
    [InlineData("ggml-model-i2_s.gguf", "I2_S")]
    [InlineData("TriLM_3.9B_Unpacked-TQ2_0.gguf", "TQ2_0")]
    [InlineData("SmolLM2-135M-Instruct-bf16.gguf", "BF16")]
    [InlineData("ggml-model-f32.gguf", "F32")]
    [InlineData("model-FP32.gguf", "F32")]
    [InlineData("tiny_Q5_1.gguf", "Q5_1")]
    [InlineData("Q4_0.gguf", "Q4_0")]
    [InlineData("was-Q8_0-now-Q3_K_L.gguf", "Q3_K_L")]
    [InlineData("Llama-2-7b-chat-hf", null)]
    [InlineData("model.safetensors", null)]
    [InlineData("xq4_k_mx.gguf", null)]
    [InlineData("", null)]
    public void A_level_is_found_in_the_names_people_give(string name, string? expected)
    {
        FileNameLevel? level = FileNameLevel.Find(name);
        Assert.Equal(expected, level?.Name);
        if (level is { } found && !found.Name.StartsWith('F')) Assert.Equal(found.Name, name.Substring(found.Start, found.Name.Length), ignoreCase: true);
    }
}
