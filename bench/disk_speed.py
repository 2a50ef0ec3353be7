#!/usr/bin/env python3
"""Times converting a model beside copying its file, both from and to the disk.

    dotnet build -c Release
    bench/disk_speed.py model-f16.gguf --types BF16,Q8_0,Q4_0 --scratch /a/folder/on/the/disk --rounds 5

Before each measurement the model is dropped from the system's cache (`--cached` leaves it there), and each measurement ends when the new
file is on the disk (fsync). A copy reads and writes 4 MB at a time. Where converting takes no longer than copying, the disk sets the
pace. The times are medians of rounds in turn; the ratio is that of each round's pair, and its median above 1 means that converting was
the faster. Needs Linux.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

NIBBLE = ["dotnet", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "artifacts", "bin", "Nibble.Cli", "release", "Nibble.Cli.dll")]
AT_A_TIME = 4 << 20


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown processor")


def prepare(path, cached):
    os.sync()
    file = os.open(path, os.O_RDONLY)
    if cached:
        while os.read(file, AT_A_TIME):
            pass
    else:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(file)


def on_disk(path):
    file = os.open(path, os.O_RDONLY)
    os.fsync(file)
    os.close(file)


def copy(source, target):
    with open(source, "rb", buffering=0) as read, open(target, "wb", buffering=0) as write:
        while block := read.read(AT_A_TIME):
            write.write(block)


def convert(source, target, type_name):
    process = subprocess.run([*NIBBLE, "quantize", source, type_name, "-o", target], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if process.returncode != 0:
        sys.exit(f"nibble cannot convert {source} to {type_name}: {process.stderr.decode('utf-8', 'replace').strip()}")


def seconds(action, source, target, cached):
    prepare(source, cached)
    start = time.perf_counter()
    action()
    on_disk(target)
    taken = time.perf_counter() - start
    os.remove(target)
    return taken


def compare(options):
    size = os.path.getsize(options.model)
    print(f"{time.strftime('%Y-%m-%d', time.gmtime())}, {processor()} ({os.cpu_count()} processors), {os.path.basename(options.model)} of {size / 1e9:.2f} GB, "
          f"{'in the cache' if options.cached else 'not in the cache'}, medians of {options.rounds}\n")
    print(f"    bench/disk_speed.py {os.path.basename(options.model)} --types {options.types} --rounds {options.rounds}{' --cached' if options.cached else ''}\n")
    print("| type | converting, s | copying, s | copying / converting | least and most |\n| --- | --: | --: | --: | --: |", flush=True)
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        target = os.path.join(folder, "target.gguf")
        for name in options.types.split(","):
            converting, copying = [], []
            for _ in range(options.rounds):
                converting.append(seconds(lambda: convert(options.model, target, name), options.model, target, options.cached))
                copying.append(seconds(lambda: copy(options.model, target), options.model, target, options.cached))
            ratios = [theirs / ours for theirs, ours in zip(copying, converting)]
            print(f"| {name} | {statistics.median(converting):.2f} | {statistics.median(copying):.2f} | {statistics.median(ratios):.2f} | {min(ratios):.2f}, {max(ratios):.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description="Times converting a model beside copying its file.")
    parser.add_argument("model", help="an unquantized GGUF file")
    parser.add_argument("--types", default="BF16,Q8_0,Q4_0", help="types to convert to, with commas between them")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is done, in turn")
    parser.add_argument("--scratch", help="folder on the disk for the new files (default: the system's for temporary files)")
    parser.add_argument("--cached", action="store_true", help="read the model from the system's cache")
    compare(parser.parse_args())


if __name__ == "__main__":
    main()
