using Nibble.Files;

namespace Nibble.Tests.Files;

public class MetadataTextTests
{
    public static TheoryData<string> Texts =>
    [
        "uint8:255", "int8:-128", "uint16:65535", "int16:-32768", "uint32:4294967295", "int32:-2147483648", "uint64:9223372036854775807",
        "int64:-9223372036854775808", "float32:0.1", "float32:1E-05", "float64:0.1", "bool:true", "bool:false", "string:", "string:a:b = c", "string:Grüße\n",
    ];

    [Theory]
    [MemberData(nameof(Texts))]
    public void A_value_is_the_same_after_writing_and_reading(string text)
    {
        MetadataValue value = MetadataText.Parse(text)!;
        Assert.Equal(text, MetadataText.Write(value), ignoreCase: text.StartsWith("bool", StringComparison.Ordinal));
        MetadataValue again = MetadataText.Parse(MetadataText.Write(value)!)!;
        Assert.Equal((value.Type, value.ElementType, value.Count), (again.Type, again.ElementType, again.Count));
        Assert.Equal(value.Bytes.ToArray(), again.Bytes.ToArray());
    }

    [Theory]
    [InlineData("")]
    [InlineData("tiny")]
    [InlineData("int:1")]
    [InlineData("uint8:256")]
    [InlineData("uint32:-1")]
    [InlineData("float32:0,5")]
    [InlineData("bool:1")]
    [InlineData("array:1")]
    public void Other_texts_stand_for_no_value(string text) => Assert.Null(MetadataText.Parse(text));

    [Fact]
    public void Arrays_and_bytes_that_are_no_text_have_none()
    {
        Assert.Null(MetadataText.Write(MetadataValue.Of([1, 2])));
        Assert.Null(MetadataText.Write(new MetadataValue(MetadataType.String, MetadataType.String, 1, new byte[] { 0xff })));
    }
}
