using Nibble.Formats;
using Nibble.Tests.Files.Gguf;

namespace Nibble.Tests.Cli;

/// <summary>What a user sees of the three layouts of I2_S.</summary>
public class I2SLayoutTests
{
    [Fact]
    public void A_layout_is_told_where_it_was_concluded_and_asked_for_where_it_could_not_be()
    {
        using TemporaryFolder folder = new();
        string plain = TernaryModel.Plain(folder.At("plain.gguf"));
        string clear = TernaryModel.Save(folder.At("clear.gguf"), plain, I2_SLayout.Arm), unclear = TernaryModel.Save(folder.At("unclear.gguf"), plain, I2_SLayout.Arm, isEven: _ => true);

        Assert.Contains($"{clear}: I2_S layout arm (concluded", NibbleProcess.Run("run", clear, "Hello", "-n", "2").Success().Error, StringComparison.Ordinal);
        Assert.Contains("--i2s-layout (x86, arm, rows4)", NibbleProcess.Run("run", unclear, "Hello", "-n", "2").Refusal(), StringComparison.Ordinal);
        Assert.Contains("--i2s-layout (x86, arm, rows4)", NibbleProcess.Run("quantize", unclear, "F16", "--allow-requantize", "-o", folder.At("out.gguf")).Refusal(), StringComparison.Ordinal);
        Assert.Contains("I2_S layout    unknown", NibbleProcess.Run("show", unclear).Success().Output, StringComparison.Ordinal);

        NibbleProcess.Run("convert", unclear, "--type", "f32", "--i2s-layout", "arm", "-o", folder.At("back.gguf")).Success();
        Assert.Contains("take x86, arm, rows4", NibbleProcess.Run("show", unclear, "--i2s-layout", "mips").Refusal(), StringComparison.Ordinal);
    }
}
