#!/usr/bin/env python3
"""Times Nibble's quantizing beside llama.cpp's, type by type and in turn, and checks that the tensors are the same bytes.

llama.cpp is installed as the head of llama_cpp.py says. Any F16, BF16 or F32 model in GGUF form will do.

    dotnet build -c Release
    bench/peers/quantize_speed.py model-f16.gguf --types Q4_K_M,Q5_K_M,Q2_K,Q8_0,IQ4_XS,IQ2_XXS --threads 1,2,8 --rounds 3

The types that start with IQ are quantized with an importance matrix: --imatrix FILE, in the older form (.dat), or else random numbers.
Nibble's time is that of its whole process, llama.cpp's that of its quantize call alone; the model was read once before, so that both find it
in memory. Peak memory is the most that Nibble's process had resident, less the largest tensor it must stay below 2 GB. The result is
Markdown, written line by line. The exit code is 1 where bytes or memory are not as they should be.
"""
import argparse
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import numpy

import llama_cpp

MEMORY_LIMIT = 2 << 30


def make_importance(model, path):
    """Writes a random matrix for every matrix of the model but the embedding."""
    random = numpy.random.default_rng(5)
    matrices = [(name.encode(), shape[0]) for name, shape, *_ in llama_cpp.tensors_of(model) if len(shape) > 1 and name != "token_embd.weight"]
    with open(path, "wb") as file:
        file.write(struct.pack("<i", len(matrices)))
        for name, columns in matrices:
            file.write(struct.pack("<i", len(name)) + name + struct.pack("<ii", 1, columns))
            file.write(random.exponential(size=columns).astype(numpy.float32).tobytes())


def time_nibble(model, target, type_name, threads, importance, check):
    """Seconds and the peak of the resident memory, in bytes."""
    command = [*llama_cpp.NIBBLE, "quantize", model, type_name, "-o", target, "--threads", str(threads)]
    command += ["--imatrix", importance] if importance else []
    command += [] if check else ["--no-check"]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    problem = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"nibble cannot quantize {model} to {type_name}: {problem.decode('utf-8', 'replace').strip()}")
    return seconds, usage.ru_maxrss * 1024


def warm(path):
    with open(path, "rb") as file:
        while file.read(1 << 20):
            pass


def compare(options):
    types, threads = options.types.split(","), [int(count) for count in options.threads.split(",")]
    unknown = [name for name in types if name not in llama_cpp.FILE_TYPES]
    if unknown:
        sys.exit(f"{', '.join(unknown)}: the types are {', '.join(llama_cpp.FILE_TYPES)}")
    largest = max(size for *_, size in llama_cpp.tensors_of(options.model))
    problems = []
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        ours, theirs = os.path.join(folder, "nibble.gguf"), os.path.join(folder, "llama.gguf")
        importance = options.imatrix or os.path.join(folder, "importance.dat")
        if not options.imatrix:
            make_importance(options.model, importance)
        warm(options.model)
        version = llama_cpp.child("llama_version")
        print(f"{time.strftime('%Y-%m-%d', time.gmtime())}, {llama_cpp.processor()} ({os.cpu_count()} processors), llama.cpp {version}, "
              f"{os.path.basename(options.model)} of {os.path.getsize(options.model) / 1e9:.2f} GB, largest tensor {largest / 1e6:.0f} MB, medians of {options.rounds}\n")
        print(f"    bench/peers/quantize_speed.py {os.path.basename(options.model)} --types {options.types} --threads {options.threads} --rounds {options.rounds}"
              f"{'' if options.check else ' --no-check'}\n")
        print("| type | matrix | threads | Nibble, s | llama.cpp, s | ratio | Nibble's peak memory, MB | equal tensors |")
        print("| --- | --- | --: | --: | --: | --: | --: | --: |", flush=True)
        for name in types:
            matrix = importance if name.startswith("IQ") else None
            for count in threads:
                seconds, peak = ([], []), 0
                for _ in range(options.rounds):
                    os.sync()
                    taken, resident = time_nibble(options.model, ours, name, count, matrix, options.check)
                    seconds[0].append(taken)
                    peak = max(peak, resident)
                    os.sync()
                    seconds[1].append(llama_cpp.child("llama_quantize", source=options.model, target=theirs, type_name=name, threads=count, importance=matrix)["seconds"])
                first, second = llama_cpp.child("tensor_digests", path=ours), llama_cpp.child("tensor_digests", path=theirs)
                same = sum(first.get(tensor) == digest for tensor, digest in second.items())
                if same < len(second) or len(first) != len(second):
                    problems.append(f"{name} with {count} threads: {len(second) - same} tensors differ")
                if peak > largest + MEMORY_LIMIT:
                    problems.append(f"{name} with {count} threads: {peak / 1e6:.0f} MB of memory")
                nibble, llama = (statistics.median(times) for times in seconds)
                print(f"| {name} | {'yes' if matrix else 'no'} | {count} | {nibble:.2f} | {llama:.2f} | {llama / nibble:.1f} | {peak / 1e6:.0f} | {same} of {len(second)} |", flush=True)
                os.remove(ours)
                os.remove(theirs)
    sys.exit("\n".join(problems) or 0)


def main():
    parser = argparse.ArgumentParser(description="Times quantizing by Nibble and by llama.cpp.")
    parser.add_argument("model", help="an unquantized GGUF file")
    parser.add_argument("--types", default="Q4_K_M,Q5_K_M,Q2_K,Q3_K_M,Q6_K,Q8_0,Q4_0,BF16,IQ4_XS,IQ4_NL,IQ3_S,IQ3_XXS,IQ2_S,IQ2_XS,IQ2_XXS,IQ1_M,IQ1_S")
    parser.add_argument("--threads", default="1,2,8", help="numbers of threads, with commas between them")
    parser.add_argument("--rounds", type=int, default=3, help="quantize so often, in turn, and take the medians")
    parser.add_argument("--imatrix", help="an importance matrix in the older form for the types that start with IQ")
    parser.add_argument("--no-check", dest="check", action="store_false", help="have Nibble not read its result back")
    parser.add_argument("--scratch", help="folder for the quantized files (default: the system's)")
    compare(parser.parse_args())


if __name__ == "__main__":
    main()
