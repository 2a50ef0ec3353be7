using Nibble;
using Nibble.Benchmarks;

const string Usage = """
    usage: dotnet run -c Release --project bench/Nibble.Benchmarks -- SUITE

      attention                                   attention over a prompt and after a long text, on one thread, for every type of cache
      batch MODEL THREADS                         what generating several texts together takes, beside one
      convert FROM:TO...                          where the time of converting goes on one thread, such as F16:Q4_K
      dequantize                                  values of every format per second on one thread, scalar and vector
      dot                                         every format's dot product on one thread, scalar and vector
      evaluate BASE VARIANT CONTEXT WINDOWS       perplexity and KL divergence beside reading prompts
      panels [TYPE...]                            what a product of several tokens consists of, on one thread, for every format
      quantize-memory FOLDER GIGABYTES TYPE...    peak memory of nibble quantize on a synthetic F16 model, written to FOLDER
      stream [TYPE...]                            how fast one token's product reads weights from memory, beside plain reading, on all cores
      tokenize TEXT VOCABULARY...                 MB/s on one thread; vocabularies are GGUF files, model folders or tokenizer files
    """;

try
{
    switch (args)
    {
        case ["attention"]:
            AttentionSuite.Run();
            return 0;
        case ["batch", string model, string count] when int.TryParse(count, out int threads) && threads > 0:
            BatchSuite.Run(model, threads);
            return 0;
        case ["convert", _, ..]:
            ConvertSuite.Run(args.AsSpan(1));
            return 0;
        case ["dequantize"]:
            DequantizeSuite.Run();
            return 0;
        case ["dot"]:
            DotSuite.Run();
            return 0;
        case ["evaluate", string model, string variant, string context, string count] when int.TryParse(context, out int window) && window > 3 && int.TryParse(count, out int windows) && windows > 0:
            EvaluateSuite.Run(model, variant, window, windows);
            return 0;
        case ["panels", ..]:
            PanelSuite.Run(args.AsSpan(1));
            return 0;
        case ["quantize-memory", string folder, string size, _, ..] when double.TryParse(size, out double gigabytes) && gigabytes > 0:
            return QuantizeMemorySuite.Run(folder, gigabytes, args[3..]);
        case ["stream", ..]:
            StreamSuite.Run(args.AsSpan(1));
            return 0;
        case ["tokenize", string text, _, ..]:
            TokenizeSuite.Run(text, args[2..]);
            return 0;
        default:
            Console.Error.WriteLine(Usage);
            return 1;
    }
}
catch (NibbleException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
