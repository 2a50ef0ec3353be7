#!/usr/bin/env python3
"""Quantizes the same file with Nibble and with llama.cpp, and compares time, bytes and perplexity.

llama.cpp comes as the shared libraries in npm's package @node-llama-cpp/linux-x64, driven through its C interface. Set up once:

    mkdir -p ~/.cache/llama-peer && cd ~/.cache/llama-peer
    npm init -y && npm install --ignore-scripts @node-llama-cpp/linux-x64@3.22.1

(LLAMA_PEER names another folder). Needs Python 3 with numpy; on Debian: apt install python3-numpy, and /usr/bin/python3.

    dotnet build -c Release
    bench/peers/llama_cpp.py models/tiny-F16.gguf --text models/tiny/sample.txt --types Q8_0,Q4_K_M,Q2_K --threads 2

The result is Markdown. Perplexity is measured on the file that Nibble wrote, by both, over the same tokens.
"""
import argparse
import ctypes
import glob
import hashlib
import json
import os
import platform
import struct
import subprocess
import sys
import tempfile
import time

import numpy

REPOSITORY = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
NIBBLE = ["dotnet", os.path.join(REPOSITORY, "artifacts", "bin", "Nibble.Cli", "release", "Nibble.Cli.dll")]

# llama.h: enum llama_ftype
FILE_TYPES = dict(F32=0, F16=1, Q4_0=2, Q4_1=3, Q8_0=7, Q5_0=8, Q5_1=9, Q2_K=10, Q3_K_S=11, Q3_K_M=12, Q3_K_L=13, Q4_K_S=14, Q4_K_M=15,
                  Q5_K_S=16, Q5_K_M=17, Q6_K=18, IQ2_XXS=19, IQ2_XS=20, Q2_K_S=21, IQ3_XS=22, IQ3_XXS=23, IQ1_S=24, IQ4_NL=25, IQ3_S=26, IQ3_M=27,
                  IQ2_S=28, IQ2_M=29, IQ4_XS=30, IQ1_M=31, BF16=32, TQ1_0=36, TQ2_0=37, MXFP4_MOE=38, NVFP4=39, Q1_0=40, Q2_0=41)

# Weights and bytes of a block by ggml_type, for the types a quantized file may hold.
BLOCKS = {0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 10: (256, 84), 11: (256, 110), 12: (256, 144),
          13: (256, 176), 14: (256, 210), 16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
          23: (256, 136), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36), 41: (128, 18), 42: (64, 18)}


# The leading fields of llama.h's structures, up to the last one used here; the rest is room for those that follow.
class ContextParameters(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int32) for name in
                ("context", "batch", "micro_batch", "sequences", "recurrent", "outputs", "reserved", "threads", "threads_batch")]
    _fields_ += [("rest", ctypes.c_byte * 284)]


class ModelParameters(ctypes.Structure):
    _fields_ = [("rest", ctypes.c_int64 * 24)]


class ImportanceEntry(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("values", ctypes.POINTER(ctypes.c_float)), ("count", ctypes.c_size_t)]


class QuantizeParameters(ctypes.Structure):
    _fields_ = [("threads", ctypes.c_int32), ("file_type", ctypes.c_int32), ("output_type", ctypes.c_int32), ("embedding_type", ctypes.c_int32)]
    _fields_ += [(name, ctypes.c_bool) for name in ("requantize", "quantize_output", "only_copy", "pure", "keep_split", "dry_run")]
    _fields_ += [("importance", ctypes.POINTER(ImportanceEntry)), ("rest", ctypes.c_int64 * 24)]


class Batch(ctypes.Structure):
    _fields_ = [("count", ctypes.c_int32), ("tokens", ctypes.c_void_p), ("embeddings", ctypes.c_void_p), ("positions", ctypes.c_void_p),
                ("sequence_counts", ctypes.c_void_p), ("sequences", ctypes.c_void_p), ("scored", ctypes.c_void_p)]


def load_llama():
    folder = os.path.expanduser(os.environ.get("LLAMA_PEER", "~/.cache/llama-peer"))
    found = glob.glob(os.path.join(folder, "node_modules/@node-llama-cpp/linux-x64/bins/*/"))
    if not found:
        sys.exit(f"{folder}: llama.cpp is not installed there; see the head of {__file__}")
    base = None
    for pattern in ("libggml-base.so", "libggml.v*.so"):
        for path in glob.glob(found[0] + pattern):
            base = ctypes.CDLL(path, ctypes.RTLD_GLOBAL)
    library = glob.glob(found[0] + "libllama.v*.so")[0]
    version = os.path.basename(library)[len("libllama."):-len(".so")]
    llama = ctypes.CDLL(library, ctypes.RTLD_GLOBAL)
    llama.silence = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda level, text, data: None)
    llama.llama_log_set(llama.silence, None)
    base.ggml_log_set(llama.silence, None)
    base.ggml_backend_load_all_from_path(found[0].encode())
    llama.llama_model_default_params.restype = ModelParameters
    llama.llama_context_default_params.restype = ContextParameters
    llama.llama_model_quantize_default_params.restype = QuantizeParameters
    for name in ("llama_model_load_from_file", "llama_init_from_model", "llama_model_get_vocab", "llama_get_memory"):
        getattr(llama, name).restype = ctypes.c_void_p
    llama.llama_get_logits_ith.restype = ctypes.POINTER(ctypes.c_float)
    llama.llama_backend_init()
    return llama, version


def read_importance(path):
    """The entries of an importance matrix in the older form, by name."""
    with open(path, "rb") as file:
        def integer():
            return struct.unpack("<i", file.read(4))[0]

        matrix = {}
        for _ in range(integer()):
            name = file.read(integer())
            calls, count = integer(), integer()
            matrix[name] = numpy.frombuffer(file.read(4 * count), numpy.float32) / numpy.float32(max(calls, 1))
        return matrix


def llama_version():
    return load_llama()[1]


def llama_quantize(source, target, type_name, threads, importance=None):
    llama, version = load_llama()
    parameters = llama.llama_model_quantize_default_params()
    parameters.threads, parameters.file_type = threads, FILE_TYPES[type_name]
    if importance:
        matrix = read_importance(importance)
        entries = [ImportanceEntry(name, values.ctypes.data_as(ctypes.POINTER(ctypes.c_float)), values.size) for name, values in matrix.items()]
        end = ImportanceEntry(None, None, 0)
        array = (ImportanceEntry * (len(entries) + 1))(*entries, end)
        parameters.importance = ctypes.cast(array, ctypes.POINTER(ImportanceEntry))
    start = time.perf_counter()
    if llama.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(parameters)) != 0:
        sys.exit(f"llama.cpp cannot quantize {source} to {type_name}")
    return dict(seconds=time.perf_counter() - start, version=version)


def llama_perplexity(path, tokens, context, bos, threads):
    llama, version = load_llama()
    model = ctypes.c_void_p(llama.llama_model_load_from_file(path.encode(), llama.llama_model_default_params()))
    parameters = llama.llama_context_default_params()
    parameters.context = parameters.batch = parameters.micro_batch = context
    parameters.threads = parameters.threads_batch = threads
    session = ctypes.c_void_p(llama.llama_init_from_model(model, parameters))
    if not model or not session:
        sys.exit(f"{path}: llama.cpp cannot load it")
    size = llama.llama_vocab_n_tokens(ctypes.c_void_p(llama.llama_model_get_vocab(model)))
    positions = (ctypes.c_int32 * context)(*range(context))
    ones = (ctypes.c_int32 * context)(*[1] * context)
    zero = (ctypes.c_int32 * 1)(0)
    sequences = (ctypes.c_void_p * context)(*[ctypes.addressof(zero)] * context)
    scored = (ctypes.c_int8 * context)(*[1] * context)
    loss = count = 0
    for first in range(0, len(tokens) - context + 1, context):
        window = tokens[first:first + context]
        if bos is not None:
            window[0] = bos
        ids = (ctypes.c_int32 * context)(*window)
        llama.llama_memory_clear(ctypes.c_void_p(llama.llama_get_memory(session)), ctypes.c_bool(True))
        pointers = [ctypes.cast(array, ctypes.c_void_p) for array in (ids, positions, ones, sequences, scored)]
        batch = Batch(context, pointers[0], None, pointers[1], pointers[2], pointers[3], pointers[4])
        if llama.llama_decode(session, batch) != 0:
            sys.exit(f"{path}: llama.cpp cannot decode it")
        for i in range(context // 2, context - 1):
            scores = numpy.ctypeslib.as_array(llama.llama_get_logits_ith(session, i), (size,)).astype(numpy.float64)
            highest = scores.max()
            loss += highest + numpy.log(numpy.exp(scores - highest).sum()) - scores[window[i + 1]]
            count += 1
    return dict(perplexity=float(numpy.exp(loss / count)), version=version)


def tensors_of(path):
    """Name, shape, type, first byte and number of bytes of every tensor of a GGUF file."""
    number = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
    with open(path, "rb") as file:
        def read(form):
            return struct.unpack(form, file.read(struct.calcsize(form)))[0]

        def text():
            return file.read(read("<Q")).decode("utf-8", "replace")

        def value(kind):
            if kind == 8:
                return text()
            if kind == 9:
                inner, count = read("<I"), read("<Q")
                return [value(inner) for _ in range(count)]
            return read(number[kind])

        magic, _, tensors, pairs = file.read(4), read("<I"), read("<Q"), read("<Q")
        assert magic == b"GGUF", path
        metadata = {}
        for _ in range(pairs):
            key = text()
            metadata[key] = value(read("<I"))
        entries = []
        for _ in range(tensors):
            name = text()
            shape = [read("<Q") for _ in range(read("<I"))]
            entries.append((name, shape, read("<I"), read("<Q")))
        alignment = metadata.get("general.alignment", 32)
        start = -(-file.tell() // alignment) * alignment
        return [(name, shape, kind, start + offset, int(numpy.prod(shape)) // BLOCKS[kind][0] * BLOCKS[kind][1]) for name, shape, kind, offset in entries]


def tensor_digests(path):
    """SHA-256 of every tensor's bytes in a GGUF file, by name, with its type."""
    digests = {}
    with open(path, "rb") as file:
        for name, _, kind, start, left in tensors_of(path):
            file.seek(start)
            digest = hashlib.sha256()
            while left > 0:
                part = file.read(min(left, 1 << 20))
                if not part:
                    sys.exit(f"{path}: tensor {name} is cut off")
                digest.update(part)
                left -= len(part)
            digests[name] = (kind, digest.hexdigest())
    return digests


def processor():
    with open("/proc/cpuinfo") as file:
        return next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.processor())


def nibble(*arguments):
    """Runs a command and returns its JSON."""
    return json.loads(subprocess.run([*NIBBLE, *arguments, "--json"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)


def child(name, **arguments):
    """Runs a function of this file in a process of its own and returns its result."""
    command = [sys.executable, __file__, "--child", json.dumps([name, arguments])]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def compare(options):
    tokens, bos, context = [], None, options.ctx
    if options.text:
        show = nibble("tokenize", options.model, "--file", options.text)
        tokens = [token["id"] for token in show["tokens"]]
        tokens = tokens[:context * min(options.windows, len(tokens) // context)]
        without = nibble("tokenize", options.model, "--file", options.text, "--no-bos")
        bos = tokens[0] if without["count"] < show["count"] else None
    rows, version = [], ""
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        for name in options.types.split(","):
            ours, theirs = os.path.join(folder, "nibble.gguf"), os.path.join(folder, "llama.gguf")
            seconds = [], []
            for _ in range(options.rounds):
                seconds[0].append(nibble("quantize", options.model, name, "-o", ours, "--threads", str(options.threads))["seconds"])
                result = child("llama_quantize", source=options.model, target=theirs, type_name=name, threads=options.threads)
                seconds[1].append(result["seconds"])
                version = result["version"]
            first, second = tensor_digests(ours), tensor_digests(theirs)
            same = sum(first.get(tensor) == digest for tensor, digest in second.items())
            row = [name, f"{min(seconds[0]):.2f}", f"{min(seconds[1]):.2f}", f"{os.path.getsize(ours):,}", f"{os.path.getsize(theirs):,}", f"{same} of {len(second)}"]
            if options.text:
                measured = nibble("perplexity", ours, "--text", options.text, "--ctx", str(context), "--windows", str(options.windows), "--threads", str(options.threads))
                peer = child("llama_perplexity", path=ours, tokens=tokens, context=context, bos=bos, threads=options.threads)
                row += [f"{measured['perplexity']:.4f}", f"{peer['perplexity']:.4f}"]
            rows.append(row)
    print(f"{time.strftime('%Y-%m-%d', time.gmtime())}, {processor()} ({os.cpu_count()} processors), llama.cpp {version}, {options.threads} threads, best of {options.rounds}\n")
    text = f" --text {os.path.basename(options.text)} --ctx {context} --windows {options.windows}" if options.text else ""
    print(f"    bench/peers/llama_cpp.py {os.path.basename(options.model)}{text} --types {options.types} --threads {options.threads}\n")
    head = ["type", "Nibble, s", "llama.cpp, s", "Nibble, bytes", "llama.cpp, bytes", "equal tensors"]
    head += ["perplexity by Nibble", "by llama.cpp"] if options.text else []
    for row in [head, ["---"] + ["--:"] * (len(head) - 1), *rows]:
        print(f"| {' | '.join(row)} |")


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--child":
        name, arguments = json.loads(sys.argv[2])
        functions = (llama_version, llama_quantize, llama_perplexity, tensor_digests)
        print(json.dumps(next(function for function in functions if function.__name__ == name)(**arguments)))
        return
    parser = argparse.ArgumentParser(description="Compares Nibble with llama.cpp on one GGUF file.")
    parser.add_argument("model", help="an unquantized GGUF file")
    parser.add_argument("--text", help="a text for perplexity")
    parser.add_argument("--types", default="Q8_0,Q6_K,Q5_K_M,Q4_K_M,Q3_K_M,Q2_K")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--ctx", type=int, default=256)
    parser.add_argument("--windows", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=1, help="quantize so often and take the fastest")
    parser.add_argument("--scratch", help="folder for the quantized files (default: the system's)")
    compare(parser.parse_args())


if __name__ == "__main__":
    main()
