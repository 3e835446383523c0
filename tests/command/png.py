#!/usr/bin/env python3
"""Pictures for the tests of the command, with nothing but Python itself; made in 8 bits a channel, read in 8 or 16.

    png.py make FILE WIDTH HEIGHT CHANNELS EXPRESSION   values 0..255 of x, y, c
    png.py scale FILE WIDTH HEIGHT OUTPUT               bilinear
    png.py unchanged FILE OTHER MASK [CONDITION]        where the mask is black both are the same; where it is white
                                                        some value differs; CONDITION is about size (width, height,
                                                        channels), pixels a and b, and pairs (of a, of b, in the mask)
    png.py near FILE OTHER [MOST]                       no value differs by more than MOST (0)
    png.py part FILE X Y OTHER                          what of it begins at (x, y) is the other picture
    png.py edges FILE                                   prints the mean step from the last column to the first over that
                                                        between neighbours, and the same of rows
    png.py size FILE                                    prints WIDTHxHEIGHT
    png.py say FILE OUTPUT KIND TEXT                    with this text alone under "parameters"; KIND: tEXt, iTXt, zTXt,
                                                        with *N behind it N times,
                                                        or a number of bytes that are left of the file; \\xNN are bytes
    png.py comment FILE OUTPUT ORDER CODE TEXT          a JPEG picture with this user comment in EXIF data of byte order MM
                                                        or II; CODE: UNICODE (high bytes first), LITTLE (the other way),
                                                        ASCII, or another word; N of ORDER:N is what is added to where
                                                        the comment is said to be
    png.py depth FILE                                   prints bits and channels
    png.py colours FILE OTHER                           both say their colours by the same chunks
    png.py border FILE MASK                             prints the mean step between neighbours across the mask's
                                                        border over the mean step between neighbours inside
"""

import struct
import sys
import zlib

CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
COLOURS = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM")


def write(path, width, height, channels, rows):
    """rows: the bytes of each row."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    kind = {count: name for name, count in CHANNELS.items()}[channels]
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, kind, 0, 0, 0)))
        file.write(chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))) + chunk(b"IEND", b""))


def chunks(path):
    """(kind, content) of each."""
    with open(path, "rb") as file:
        data = file.read()
    at = 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        yield kind, data[at + 8 : at + 8 + size]
        at += 12 + size


def read(path):
    """(width, height, channels, rows of pixels)."""
    parts = list(chunks(path))
    header = struct.unpack(">2I5B", dict(parts)[b"IHDR"])
    rows = zlib.decompress(b"".join(body for kind, body in parts if kind == b"IDAT"))
    width, height, channels, size = header[0], header[1], CHANNELS[header[3]], header[2] // 8
    before, out = bytes(width * channels * size), []
    for y in range(height):
        start = y * (width * channels * size + 1)
        row = bytearray(rows[start + 1 : start + 1 + width * channels * size])
        unfilter(rows[start], row, before, channels * size)
        values = row if size == 1 else struct.unpack(f">{width * channels}H", row)
        out.append([tuple(values[i : i + channels]) for i in range(0, len(values), channels)])
        before = row
    return width, height, channels, out


def paeth(a, b, c):
    to_a, to_b, to_c = abs(b - c), abs(a - c), abs(a + b - c - c)
    if to_a <= to_b and to_a <= to_c:
        return a
    return b if to_b <= to_c else c


def unfilter(kind, row, before, channels):
    """One loop a kind, because half of all time goes here. before: the row above."""
    left = bytearray(channels + len(row))  # the row shifted by a pixel, as it is worked out
    if kind == 1:
        for i in range(channels, len(row)):
            row[i] = row[i] + row[i - channels] & 255
    elif kind == 2:
        row[:] = bytes([value + above & 255 for value, above in zip(row, before)])
    elif kind == 3:
        for i, above in enumerate(before):
            left[channels + i] = row[i] = row[i] + (left[i] + above) // 2 & 255
    elif kind == 4:
        corners = bytes(channels) + before
        for i, above in enumerate(before):
            left[channels + i] = row[i] = row[i] + paeth(left[i], above, corners[i]) & 255


def make(path, width, height, channels, text):
    width, height, channels = int(width), int(height), int(channels)
    value = eval("lambda x, y, c: " + text)
    rows = ([int(value(x, y, c)) & 255 for x in range(width) for c in range(channels)] for y in range(height))
    write(path, width, height, channels, rows)


def places(old, new):
    """For each new position the two old ones around it and the share of the second."""
    for i in range(new):
        at = min(max((i + 0.5) * old / new - 0.5, 0), old - 1)
        yield int(at), min(int(at) + 1, old - 1), at % 1


def scale(path, width, height, output):
    old_width, old_height, channels, rows = read(path)
    columns = list(places(old_width, int(width)))
    wide = [[[p + (q - p) * t for p, q in zip(row[a], row[b])] for a, b, t in columns] for row in rows]
    out = (
        [round(p + (q - p) * t) for one, two in zip(wide[a], wide[b]) for p, q in zip(one, two)]
        for a, b, t in places(old_height, int(height))
    )
    write(output, int(width), int(height), channels, out)


def unchanged(path, other, mask, condition="True"):
    width, height, channels, a = read(path)
    size = read(other)
    b, mask = size[3], read(mask)[3]
    assert size[:3] == (width, height, channels), (size[:3], width, height, channels)
    pairs = [(a[y][x], b[y][x], mask[y][x][0] > 0) for y in range(height) for x in range(width)]
    outside = sum(p != q for p, q, inside in pairs if not inside)
    inside = sum(p != q for p, q, inside in pairs if inside)
    assert outside == 0, f"{outside} pixels outside changed"
    assert inside > 0, "nothing inside changed"
    names = {"width": width, "height": height, "channels": channels, "a": a, "b": b, "pairs": pairs}
    assert eval(condition, names), condition


def near(path, other, most="0"):
    a, b = read(path), read(other)
    assert a[:3] == b[:3], (a[:3], b[:3])
    pixels = ((p, q) for row, beside in zip(a[3], b[3]) for p, q in zip(row, beside))
    far = max(abs(v - w) for p, q in pixels for v, w in zip(p, q))
    assert far <= int(most), f"values differ by {far}"


def part(path, x, y, other):
    whole, (width, height, channels, pixels) = read(path), read(other)
    assert whole[2] == channels, (whole[2], channels)
    assert [row[int(x) : int(x) + width] for row in whole[3][int(y) : int(y) + height]] == pixels


def size(path):
    print("{}x{}".format(*struct.unpack(">2I", dict(chunks(path))[b"IHDR"][:8])))


def edges(path):
    def over(lines):
        steps = [sum(abs(v - w) for p, q in zip(a, b) for v, w in zip(p, q)) for a, b in zip(lines, lines[1:])]
        around = sum(abs(v - w) for p, q in zip(lines[-1], lines[0]) for v, w in zip(p, q))
        return around * len(steps) / sum(steps)

    rows = read(path)[3]
    print(f"{over(list(zip(*rows))):.3f} {over(rows):.3f}")


def say(path, output, kind, text):
    kind, _, times = kind.partition("*")
    data = int(times or 1) * text.encode().decode("unicode_escape").encode("latin-1")
    if kind == "iTXt":
        data = b"\0\0\0\0" + data
    elif kind == "zTXt":
        data = b"\0" + zlib.compress(data)
    parts = [(k, body) for k, body in chunks(path) if k not in (b"tEXt", b"iTXt")]
    if not kind.isdigit():
        parts.insert(-1, (kind.encode(), b"parameters\0" + data))
    with open(output, "wb") as file:
        whole = b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(body)) + k + body + struct.pack(">I", zlib.crc32(k + body)) for k, body in parts)
        file.write(whole[: int(kind)] if kind.isdigit() else whole)


def comment(path, output, order, code, text):
    order, _, moved = order.partition(":")
    text = text.encode().decode("unicode_escape")
    coded = {"UNICODE": text.encode("utf-16-be"), "LITTLE": text.encode("utf-16-le")}.get(code, text.encode("latin-1"))
    body = {"LITTLE": "UNICODE"}.get(code, code).encode().ljust(8, b"\0") + coded
    pack = lambda form, *values: struct.pack((">" if order == "MM" else "<") + form, *values)
    entry = lambda tag, kind, count, value: pack("HHHIII", 1, tag, kind, count, value, 0)
    tiff = order.encode() + pack("HI", 42, 8) + entry(0x8769, 4, 1, 26) + entry(0x9286, 7, len(body), 44 + int(moved or 0)) + body
    segment = b"Exif\0\0" + tiff
    with open(path, "rb") as file:
        data = file.read()
    with open(output, "wb") as file:
        file.write(data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:])


def depth(path):
    header = struct.unpack(">2I5B", dict(chunks(path))[b"IHDR"])
    print(header[2], CHANNELS[header[3]])


def colours(path, other):
    """A profile is compared by what is packed in it."""

    def of(name):
        found = {kind: body for kind, body in chunks(name) if kind in COLOURS}
        if b"iCCP" in found:
            found[b"iCCP"] = zlib.decompress(found[b"iCCP"].partition(b"\0")[2][1:])
        return found

    assert of(path) == of(other), (of(path).keys(), of(other).keys())


def border(path, mask):
    width, height, _, rows = read(path)
    inside = [[pixel[0] > 0 for pixel in row] for row in read(mask)[3]]
    steps = {1: [0, 0], 2: [0, 0]}  # by how many of the two are inside
    for y in range(height):
        for x in range(width):
            for nx, ny in ((x + 1, y), (x, y + 1)):
                if nx < width and ny < height and (inside[y][x] or inside[ny][nx]):
                    sums = steps[inside[y][x] + inside[ny][nx]]
                    sums[0] += sum(abs(p - q) for p, q in zip(rows[y][x], rows[ny][nx]))
                    sums[1] += 1
    (across, n), (within, m) = steps[1], steps[2]
    print(f"{across / n / (within / m) if n and within else 0:.3f}")


if __name__ == "__main__":
    {"make": make, "scale": scale, "unchanged": unchanged, "border": border,
     "near": near, "say": say, "comment": comment, "part": part, "edges": edges, "size": size, "depth": depth, "colours": colours}[sys.argv[1]](*sys.argv[2:])
