#!/usr/bin/env python3
"""Changes the tensors of a safetensors file.

    tensors.py FROM TO PYTHON    runs PYTHON on t, {name: (dtype, shape, bytes)}, with a the name of the first one

TO is written as torch.save would where its name ends in .ckpt, .pt or .bin: a zip of a pickle and of the values.
"""

import json
import struct
import sys
import zipfile

STORAGES = {"F32": "Float", "F16": "Half", "BF16": "BFloat16", "F64": "Double", "I64": "Long", "I32": "Int"}


def text(value):
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def numbers(values):
    return b"(" + b"".join(b"\x8a\x08" + struct.pack("<q", v) for v in values) + b"t"


def write_torch(path, tensors):
    body = b"\x80\x02}" + text("state_dict") + b"}"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        for key, (name, (dtype, shape, values)) in enumerate(tensors.items()):
            strides, count = [], 1
            for side in reversed(shape):
                strides.insert(0, count)
                count *= side
            body += text(name) + b"ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage")
            body += f"ctorch\n{STORAGES[dtype]}Storage\n".encode() + text(str(key)) + text("cpu") + b"\x8a\x08"
            body += struct.pack("<q", count) + b"tQK\x00" + numbers(shape) + numbers(strides)
            body += b"\x89ccollections\nOrderedDict\n)RtRs"
            file.writestr(f"archive/data/{key}", values)
        file.writestr("archive/data.pkl", body + b"s.")


def main():
    source, target, program = sys.argv[1:]
    with open(source, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    t = {name: (e["dtype"], e["shape"], data[slice(*e["data_offsets"])]) for name, e in header.items()}
    scope = {"t": t, "a": next(iter(t))}
    exec(program, scope)
    if target.endswith((".ckpt", ".pt", ".bin")):
        return write_torch(target, scope["t"])
    header, parts, place = {"__metadata__": metadata}, [], 0
    for name, (dtype, shape, values) in scope["t"].items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [place, place + len(values)]}
        parts.append(values)
        place += len(values)
    text = json.dumps(header).encode()
    with open(target, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


main()
