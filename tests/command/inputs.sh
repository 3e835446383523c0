#!/bin/sh
# Pictures, texts and names that are odd but sound: they work, and mean what they mean elsewhere;
# and their neighbours that are not sound.
. "$(dirname "$0")/lib.sh"

dog="--prompt [V]-dog --steps 1"

# a PNG file of one colour; its size may be a lie
png() { # FILE WIDTH HEIGHT
    python3 -c '
import struct, sys, zlib
width, height = int(sys.argv[2]), int(sys.argv[3])
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = (b"\0" + b"\x40\x80\xc0" * width) * min(height, 5000)
open(sys.argv[1], "wb").write(b"\x89PNG\r\n\x1a\n" +
    chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
    chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
' "$@"
}

# ---- captions ----

shown() { # FILE: the tokens of the first step's texts
    python3 -c '
import json, struct, sys
data = open(sys.argv[1], "rb").read()
size, = struct.unpack("<Q", data[:8])
first, last = json.loads(data[8 : 8 + size])["tokens.0"]["data_offsets"]
print(data[8 + size + first : 8 + size + last].hex())' "$1"
}
same_text() { [ "$(shown "$1")" = "$(shown "$2")" ]; }
cp "$pictures/rgb8.png" described.png
printf 'in snow\r\n' >described.txt
learn --prompt 'a [V] dog, in snow' --image described.png --steps 1 --trace whole.trace --output whole.safetensors
learn --prompt 'a [V] dog' --image described.png --caption 'in snow' --steps 1 --trace caption.trace \
    --output caption.safetensors
check 'a caption stands behind the prompt' same_text whole.trace caption.trace
learn --prompt 'a [V] dog' --image described.png --caption-files --steps 1 --trace file.trace --output file.safetensors
check 'a file beside the picture says it' same_text whole.trace file.trace
learn --prompt 'a [V] dog' --image described.png --caption 'a [V] dog, in snow' --steps 1 --trace mark.trace \
    --output mark.safetensors
check 'with [V] it stands in its place' same_text whole.trace mark.trace
learn --prompt 'a [V] dog' --image described.png --caption '' --steps 1 --trace plain.trace --output plain.safetensors
check 'an empty one says nothing' eval '! same_text whole.trace plain.trace'
refuses 'no file beside a picture' 1 'rgb8.txt' learn --model "$sd1" --prompt 'a [V] dog' --caption-files \
    --image "$pictures/rgb8.png" --steps 1 --output none.safetensors
refuses 'a caption of no picture' 2 '--caption' learn --model "$sd1" --prompt 'a [V] dog' --caption x --steps 1 \
    --image described.png --output none.safetensors
refuses 'the word of another subject' 2 '\[V2\]' learn --model "$sd1" --prompt 'a [V] dog' --image described.png \
    --caption 'a [V2] cat' --steps 1 --output none.safetensors
printf 'in \377' >described.txt
refuses 'a caption that is no text' 1 'described.txt' learn --model "$sd1" --prompt 'a [V] dog' --caption-files \
    --image described.png --steps 1 --output none.safetensors

# ---- kinds of pictures ----

sound='rgb8.png rgb16.png grey8.png grey16.png greyalpha8.png palette.png palette-clear.png
    bits.png rgba8.png rgba16.png interlaced.png gamma.png turned.png clear-colour.png baseline.jpg
    progressive.jpg grey.jpg cmyk.jpg lossy.webp lossless.webp alpha.webp turned.webp rgb8.tif
    rgb16.tif rgb16-big.tif rgb32.tif bits.tif palette.tif lzw.tif deflate.tif float.tif half.tif
    float-alpha.tif float-grey.tif float-tiles.tif float-planes.tif float-turned.tif
    exif-1.jpg exif-2.jpg exif-3.jpg exif-4.jpg exif-5.jpg exif-6.jpg exif-7.jpg exif-8.jpg'
many=
for file in $sound; do
    many="$many --image $pictures/$file"
done
learn $dog $many --output many.safetensors
check 'pictures of every kind are learned from' is 0

size() { od -An -tx1 -j16 -N8 "$1"; }
for file in grey16.png palette.png rgba16.png cmyk.jpg alpha.webp float.tif; do
    generate --prompt x --init-image "$pictures/$file" --steps 2 --output from.png
    check "a picture from $file" is 0
done
for n in 1 2 3 4 5 6 7 8; do
    generate --prompt x --init-image "$pictures/exif-$n.jpg" --steps 1 --strength 1 \
        --output turned.png
    check "EXIF orientation $n: the size is that of the turned picture" \
        test "$(size turned.png)" = "$(size "$pictures/exif-$n-expected.png")"
done

# what was learned, by the small picture in the file: the mean difference of two of them
seen() { # PICTURE
    learn $dog --image "$1" --output seen.safetensors && run info seen.safetensors \
        --preview "$(basename "$1").small.png"
}
difference() { # PICTURE PICTURE
    python3 -c '
import struct, sys, zlib
def pixels(path):
    data, at, body = open(path, "rb").read(), 8, b""
    while at < len(data):
        (size,), kind = struct.unpack(">I", data[at:at + 4]), data[at + 4:at + 8]
        body += data[at + 8:at + 8 + size] if kind == b"IDAT" else b""
        at += 12 + size
    raw, stride, rows = zlib.decompress(body), 64 * 3, []
    for y in range(64):
        kind, row = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        up = rows[-1] if rows else bytes(stride)
        for i in range(stride):
            a, b, c = row[i - 3] if i >= 3 else 0, up[i], up[i - 3] if i >= 3 else 0
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            row[i] = (row[i] + (0, a, b, (a + b) // 2, paeth)[kind]) & 255
        rows.append(bytes(row))
    return b"".join(rows)
a, b = (pixels(path) for path in sys.argv[1:])
print(round(sum(abs(x - y) for x, y in zip(a, b)) / len(a)))
' "$(basename "$1").small.png" "$(basename "$2").small.png"
}
seen "$pictures/exif-1-expected.png"
for n in 2 6; do
    seen "$pictures/exif-$n.jpg"
    seen "$pictures/exif-$n-expected.png"
    check "EXIF orientation $n: it is learned turned" \
        test "$(difference exif-$n.jpg exif-$n-expected.png)" -le 3
    check "EXIF orientation $n: which is not as it is stored" \
        test "$(difference exif-$n.jpg exif-1-expected.png)" -gt 3
done

# ---- colours of pictures ----

colour_files=$SVDIFF_TESTS_DIR/fixtures/colours
many=
for file in wide8.png wide.jpg wide.webp wide16.tif grey16.png grey.jpg ink.jpg ink16.tif code-points.png \
    gamma-primaries.png wide-palette.png one-way.tif; do
    many="$many --image $colour_files/$file"
done
learn $dog $many --output many.safetensors
check 'pictures of every kind of colours are learned from' is 0
seen "$pictures/rgb8.png"
for name in wide8.png:wide8 grey8.tif:grey8 gamma.png:gamma code-points-first.png:code-points-first; do
    file=${name%:*}
    expected=${name#*:}-expected.tif
    seen "$colour_files/$file"
    seen "$colour_files/$expected"
    check "$file: what is learned is what is seen" test "$(difference $file $expected)" -le 1
    check "$file: which is not what is stored" test "$(difference $file rgb8.png)" -gt 3
done

# ---- sizes of pictures ----

png tiny.png 2 2
png narrow.png 3 900
png wide.png 5000 8
for file in tiny narrow wide; do
    learn $dog --image $file.png --output $file.safetensors
    check "a $file picture is learned from" is 0
done
generate --prompt x --init-image wide.png --width 128 --steps 1 --strength 1 --output drawn.png
check 'a wide picture is drawn from' test "$(size drawn.png)" = "$(size wide.png)"
png none.png 0 8
png flat.png 8 0
png line.png 1 900
png liar.png 16385 8
png cheat.png 30000 30000
for file in none flat line liar cheat; do
    refuses "learn: $file.png" 1 "^$file.png: " learn --model "$sd1" --size 64 --quiet $dog \
        --image $file.png --output s.safetensors
    refuses "generate: $file.png" 1 "^$file.png: " generate --model "$sd1" --prompt x --quiet \
        --init-image $file.png --steps 1 --output o.png
done
for file in float-nan.tif animation.webp; do
    refuses "learn: $file" 1 "$file: " learn --model "$sd1" --size 64 --quiet $dog \
        --image "$pictures/$file" --output s.safetensors
done
run generate --model "$sd1" --prompt x --width 72 --height 104 --steps 1 --quiet --output s.png
check 'sizes divisible by 8 and not by 64' is 0
for size in '--width 68 --height 64' '--width 64 --height 100' '--width 7 --height 64'; do
    refuses "$size" 2 "${size%% *}|--height" generate --model "$sd1" --prompt x $size --steps 1 \
        --quiet --output o.png
done

# ---- texts ----

image="--image $pictures/rgb8.png --steps 1"
learn --prompt 'a [V] größe 🐶' $image --output utf8.safetensors
(
    LC_ALL=C
    export LC_ALL
    learn --prompt 'a [V] größe 🐶' $image --output c.safetensors
    is 0
)
check 'learn: UTF-8 under LANG=C' test $? -eq 0
check 'learn: it means the same' same utf8.safetensors c.safetensors
check 'learn: and is kept' test "$(metadata c.safetensors prompt)" = 'a [V] größe 🐶'
long=$(head -c 10000 /dev/zero | tr '\0' a)
learn --prompt "$long" $image --output long.safetensors
check 'learn: 10,000 characters' is 0
check 'learn: what is left out is told' grep -q '^warning: ' "$work/err"
wide=$(python3 -c 'print("ä" * 10000)')
generate --prompt "$wide" --steps 1 --output long.png
check 'generate: 10,000 characters of two bytes each' is 0
refuses 'learn: a class prompt of 10,001 characters' 2 '--class-prompt.*10000' learn \
    --model "$sd1" --prompt '[V]' --class-prompt "${long}a" $image --output s.safetensors
generate --prompt '<|endoftext|> (a:1.5) [V] % %s \n' --steps 1 --seed 1 --output marks.png
check 'generate: marks are characters' is 0
generate --prompt "$(printf 'a\tdog\001 \342\200\213\n')" --steps 1 --seed 1 --output control.png
check 'generate: control characters' is 0

# ---- names ----

cp "$pictures/rgb8.png" 'größe 1.png'
bytes=$(printf 'a\377b')
cp "$pictures/rgb8.png" "$bytes.png"
(
    LC_ALL=C
    export LC_ALL
    learn $dog --image 'größe 1.png' --image "$bytes.png" --output 'größe.safetensors'
    is 0
)
check 'names in any encoding' test $? -eq 0
run learn --model "$sd1" --size 64 --seed 3 --json $dog --image "$bytes.png" \
    --output "$bytes.safetensors"
check 'a name that is no text' test -s "$bytes.safetensors"
check 'every line is JSON for all that' python3 -c '
import json, sys
for line in open(sys.argv[1], encoding="utf-8"):
    json.loads(line)
' "$work/out"
generate --prompt x --steps 1 --subject "$bytes.safetensors" --output "$bytes.out.png"
check 'and is found again' is 0
refuses 'a name with a line feed is one line' 1 'a.b.png: ' learn --model "$sd1" --quiet $dog \
    --image "$(printf 'a\nb.png')" --output s.safetensors
refuses 'a name of nothing' 1 '' learn --model "$sd1" --quiet $dog --image '' --output s.safetensors
end_tests
