#!/usr/bin/env python3
"""Times reading prompts and generating by Nibble and by llama.cpp, file by file and in turn.

llama.cpp is installed as the head of llama_cpp.py says. The files are GGUF; with --types, the one file is an unquantized model, and
each type is made of it first.

    dotnet build -c Release
    bench/peers/run_speed.py model-Q4_K_M.gguf model-Q8_0.gguf --threads 2
    bench/peers/run_speed.py model-f16.gguf --types Q4_K_M,Q8_0,Q2_K --prompt 128,512 --generate 32 --threads 2 --rounds 3

Both read the prompt from an empty context, in one piece, and score its last token; both generate from an empty context, one token at a time,
without choosing among the scores. A round is a process of each, which warms up and takes the median of its repetitions; the table has the
median of the rounds. What the machine does beside this slows both, but not equally: measure on one that does nothing else. The result is
Markdown, written line by line.
"""
import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

import llama_cpp


def llama_speed(path, prompts, generate, repetitions, threads):
    """The median of tokens per second of each test."""
    llama, version = llama_cpp.load_llama()
    model = ctypes.c_void_p(llama.llama_model_load_from_file(path.encode(), llama.llama_model_default_params()))
    parameters = llama.llama_context_default_params()
    longest = max([*prompts, generate, 32])
    parameters.context = parameters.batch = parameters.micro_batch = longest
    parameters.threads = parameters.threads_batch = threads
    session = ctypes.c_void_p(llama.llama_init_from_model(model, parameters))
    if not model or not session:
        sys.exit(f"{path}: llama.cpp cannot load it")
    size = llama.llama_vocab_n_tokens(ctypes.c_void_p(llama.llama_model_get_vocab(model)))
    tokens = numpy.random.default_rng(1).integers(0, size, longest).astype(numpy.int32)
    memory = ctypes.c_void_p(llama.llama_get_memory(session))

    zero = (ctypes.c_int32 * 1)(0)
    ones = (ctypes.c_int32 * longest)(*[1] * longest)
    sequences = (ctypes.c_void_p * longest)(*[ctypes.addressof(zero)] * longest)

    def decode(first, count):
        ids = (ctypes.c_int32 * count)(*tokens[first:first + count].tolist())
        positions = (ctypes.c_int32 * count)(*range(first, first + count))
        scored = (ctypes.c_int8 * count)(*[0] * (count - 1), 1)
        pointers = [ctypes.cast(array, ctypes.c_void_p) for array in (ids, positions, ones, sequences, scored)]
        if llama.llama_decode(session, llama_cpp.Batch(count, pointers[0], None, *pointers[1:])) != 0:
            sys.exit(f"{path}: llama.cpp cannot decode it")
        llama.llama_get_logits_ith(session, -1)  # waits for them

    def rate(count, step):
        llama.llama_memory_clear(memory, ctypes.c_bool(True))
        start = time.perf_counter()
        for first in range(0, count, step):
            decode(first, step)
        return count / (time.perf_counter() - start)

    tests = [(f"pp{count}", count, count) for count in prompts] + ([(f"tg{generate}", generate, 1)] if generate else [])
    for _, count, step in tests:
        rate(count, step)
    return dict(version=version, **{name: statistics.median(rate(count, step) for _ in range(repetitions)) for name, count, step in tests})


def nibble_speed(path, options):
    arguments = ["--prompt", options.prompt, "--generate", str(options.generate), "--repetitions", str(options.repetitions), "--threads", str(options.threads)]
    return {test["test"]: test for test in llama_cpp.nibble("bench", path, *arguments, *(["--no-repack"] if options.no_repack else []))}


def warm(path):
    with open(path, "rb") as file:
        while file.read(1 << 20):
            pass


def compare(options):
    prompts = [int(count) for count in options.prompt.split(",") if count != "0"]
    tests = [f"pp{count}" for count in prompts] + ([f"tg{options.generate}"] if options.generate else [])
    version = llama_cpp.child("llama_version")
    print(f"{time.strftime('%Y-%m-%d', time.gmtime())}, {llama_cpp.processor()} ({os.cpu_count()} processors), llama.cpp {version}, {options.threads} threads, "
          f"medians of {options.rounds} rounds of {options.repetitions} repetitions, tokens per second\n")
    files = " ".join(os.path.basename(path) for path in options.models) + (f" --types {options.types}" if options.types else "")
    print(f"    bench/peers/run_speed.py {files} --prompt {options.prompt} --generate {options.generate} --threads {options.threads} --rounds {options.rounds}"
          f"{' --no-repack' if options.no_repack else ''}\n")
    head = ["file", *[f"{test}, {name}" for test in tests for name in ("Nibble", "llama.cpp", "ratio")], "of the bandwidth", "MB in use"]
    for row in [head, ["---"] + ["--:"] * (len(head) - 1)]:
        print(f"| {' | '.join(row)} |", flush=True)
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        for name, path in files_of(options, folder):
            warm(path)
            ours, theirs, shares, resident = {}, {}, [], 0
            for _ in range(options.rounds):
                measured = nibble_speed(path, options)
                peer = child("llama_speed", path=path, prompts=prompts, generate=options.generate, repetitions=options.repetitions, threads=options.threads)
                for test in tests:
                    ours.setdefault(test, []).append(measured[test]["median"])
                    theirs.setdefault(test, []).append(peer[test])
                    shares += [measured[test]["shareOfBandwidth"]] if test.startswith("tg") else []
                    resident = max(resident, measured[test]["memory"]["resident"])
            cells = [name]
            for test in tests:
                nibble, llama = statistics.median(ours[test]), statistics.median(theirs[test])
                cells += [f"{nibble:.1f}", f"{llama:.1f}", f"{nibble / llama:.2f}"]
            cells += [f"{100 * statistics.median(shares):.0f} %" if shares else "", f"{resident / 1e6:.0f}"]
            print(f"| {' | '.join(cells)} |", flush=True)
            if options.types:
                os.remove(path)


def files_of(options, folder):
    """Name and path of each file; those that are made here when it is their turn."""
    if not options.types:
        for path in options.models:
            yield os.path.basename(path), path
        return
    for name in options.types.split(","):
        path = os.path.join(folder, f"{name}.gguf")
        llama_cpp.nibble("quantize", options.models[0], name, "-o", path, "--no-check", "--threads", str(options.threads))
        yield name, path


def child(name, **arguments):
    """Runs a function of this file in a process of its own, so that nothing of llama.cpp stays in memory."""
    command = [sys.executable, __file__, "--child", json.dumps([name, arguments])]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--child":
        name, arguments = json.loads(sys.argv[2])
        print(json.dumps({"llama_speed": llama_speed}[name](**arguments)))
        return
    parser = argparse.ArgumentParser(description="Times prompts and generation by Nibble and by llama.cpp.")
    parser.add_argument("models", nargs="+", help="GGUF files, or with --types one unquantized model")
    parser.add_argument("--types", help="make these of the model, with commas between them")
    parser.add_argument("--prompt", default="128,512", help="lengths of prompts, with commas between them; 0 for none")
    parser.add_argument("--generate", type=int, default=32, help="tokens to generate; 0 for none")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3, help="measure both so often, in turn")
    parser.add_argument("--repetitions", type=int, default=3, help="how often a round runs each test")
    parser.add_argument("--no-repack", action="store_true", help="have Nibble multiply weights as they lie in the file")
    parser.add_argument("--scratch", help="folder for the files made of types (default: the system's)")
    options = parser.parse_args()
    if options.types and len(options.models) != 1:
        parser.error("--types takes one model")
    compare(options)


if __name__ == "__main__":
    main()
