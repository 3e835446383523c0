"""Prints which devices a program or module has CUDA code for, one a line, as sm_90 (machine code) or compute_90 (PTX): what
every one of its files of kernels has, which all have PTX for the last.

    cuda_devices.py FILE

nvcc puts a fat binary for each file into it: a magic number, the length of its header and of what follows, then for each
device an entry whose header says kind (1: PTX, 2: machine code), its own length, that of its data, and the device.
"""

import struct
import sys
from pathlib import Path

MAGIC = struct.pack("<I", 0xBA55ED50)
KINDS = {1: "compute", 2: "sm"}


def entries(data, at):
    """Of the fat binary that begins there."""
    header, length = struct.unpack_from("<HQ", data, at + 6)
    end, at = at + header + length, at + header
    while at < end:
        kind, _, head, size = struct.unpack_from("<HHIQ", data, at)
        yield f"{KINDS[kind]}_{struct.unpack_from('<I', data, at + 28)[0]}"
        at += head + size


def main():
    data = Path(sys.argv[1]).read_bytes()
    found, at = [], data.find(MAGIC)
    while at >= 0:
        found.append(set(entries(data, at)))
        at = data.find(MAGIC, at + 4)
    kernels = [f for f in found if any(d.startswith("compute") for d in f)]  # the linker's own has no kernels and no PTX
    print("\n".join(sorted(set.intersection(*kernels), key=lambda d: int(d.split("_")[1]))) if kernels else "none")


if __name__ == "__main__":
    main()
