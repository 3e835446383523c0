#!/bin/sh
# What `svdiff learn --estimate` and `svdiff generate --estimate` say, held against what a run takes.
. "$(dirname "$0")/lib.sh"

value() { # MEMBER: of the object in $work/out, a whole number
    python3 -c 'import json, sys; print(int(json.load(open(sys.argv[1]))[sys.argv[2]]))' \
        "$work/out" "$1"
}

# kilobytes that a run had at most
peak() { # ARGUMENTS...
    python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$svdiff" "$@"
}

estimate() { # NAME ARGUMENTS...
    what=$1
    shift
    run "$@" --estimate --json
    check "$what: an estimate" is 0
    check "$what: memory" test "$(value bytes)" -gt 0
    check "$what: never more where it is short" test "$(value least_bytes)" -le "$(value bytes)"
    check "$what: memory that is free" test "$(value available)" -gt 0
    check "$what: products" test "$(value operations)" -gt 0
    check "$what: time" test "$(value seconds)" -ge 0
    if nm "$svdiff" 2>/dev/null | grep -q __asan_init; then
        skip "$what: a run takes no more" 'a sanitizer needs memory of its own'
        return
    fi
    told=$(value bytes)
    taken=$(peak "$@" --quiet)
    check "$what: a run takes no more" test $((taken * 1024)) -le "$told"
    check "$what: nor much less" test $((taken * 1024 + 201326592)) -ge "$told"
}

picture=$pictures/rgb8.png
estimate learn learn --model "$sd1" --prompt '[V] dog' --image "$picture" --size 256 --batch 2 \
    --steps 2 --seed 1 --output a.safetensors
estimate generate generate --model "$sd1" --prompt x --steps 2 --width 512 --height 512 --seed 1 \
    --output a.png
rm -f a.*

run generate --model "$sd1" --prompt x --width 72 --height 64 --estimate --json --output b.png
check 'of generating: the size' test "$(value width) $(value height)" = '72 64'

# what is in a region alone has a UNet for itself, an adapter as well as a subject
sides="--region $pictures/mask-left.png=dog --region $pictures/mask-right.png=cat"
memory() { # ARGUMENTS...
    run generate --model "$sd1" --prompt x --width 64 --height 64 --estimate --json --output b.png "$@"
    value bytes
}
mkdir -p "$work/data/svdiff/loras"
cp "$SVDIFF_TESTS_DIR/fixtures/adapters/diffusers.safetensors" "$work/data/svdiff/loras/style.safetensors"
one=$(memory $sides)
check 'an adapter everywhere takes no more' test "$(memory $sides --lora style)" -eq "$one"
two=$(memory $sides --region "$pictures/mask-left.png=fox <lora:style>")
check 'in a region: another UNet' test "$two" -gt "$((one + $(stat -c %s "$sd1/$unet") / 4))"

run learn --model "$sd1" --prompt '[V] dog' --image "$picture" --size 64 --estimate --output b.safetensors
check 'for people' is 0
check 'its lines' grep -q '^memory: ' "$work/out"
check 'and the device' grep -q '^device: cpu$' "$work/out"
check 'nothing is written' test -z "$(ls)"
half=$work/half.png
python3 - "$half" <<'PYTHON'
import struct, sys, zlib

side = 64 # a grey picture whose upper quarter is white
rows = b"".join(b"\0" + bytes([255 if y < side // 4 else 0]) * side for y in range(side))
chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
open(sys.argv[1], "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
                              + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
PYTHON
run learn --model "$sd1" --prompt '[V] dog' --image "$half" --mask "$half" --size 64 --crop centre \
    --estimate --json --output b.safetensors
check 'with a mask' is 0
check 'what share of the square it marks' python3 -c '
import json, sys
assert json.load(open(sys.argv[1]))["marked"] == [0.25]' "$work/out"
# what is encoded before the first step counts, too: of two masked subjects their mixtures
cp "$half" other.png
products() { # STEPS CUT-MIX: of two subjects
    run learn --model "$sd1" --size 64 --prompt 'a [V1] dog' --image "$half" --mask "$half" \
        --prompt 'a [V2] cat' --image other.png --mask other.png --steps $1 --cut-mix $2 --seed 1 \
        --estimate --json --output b.safetensors
    value operations
}
alone=$((2 * $(products 1 0) - $(products 2 0)))
mixed=$((2 * $(products 1 1) - $(products 2 1)))
check 'encoding before the first step' test "$alone" -gt 0
check 'each mixture of masked subjects is encoded' test "$mixed" -gt "$alone"
rm other.png

# ---- the squares that are learned ----

# wide: a square of 64 pixels around what is marked, the 24 x 24 pixels from 90, 20; tall: without a
# mask its middle
picture wide.png 128 64 3 'x + 64 * c'
picture mark.png 128 64 1 '255 if 90 <= x < 114 and 20 <= y < 44 else 0'
picture tall.png 64 128 3 'y + 64 * c'
run learn --model "$sd1" --prompt '[V] dog' --image wide.png --mask mark.png --image tall.png --size 64 \
    --estimate --squares squares.png --output b.safetensors
check 'the squares are written' is 0
check 'each as it is cut, beside the other, clear where nothing is marked' python3 -c '
import sys
sys.path.insert(0, sys.argv[1] + "/command")
import png
width, height, channels, rows = png.read("squares.png")
assert (width, height, channels) == (128, 64, 4)
assert rows[0][0] == (64, 128, 192, 0) and rows[63][63] == (127, 191, 255, 0)
assert [x for x in range(64) if rows[30][x][3] == 255] == list(range(26, 50))
assert [y for y in range(64) if rows[y][30][3] == 255] == list(range(20, 44))
assert rows[0][64] == (32, 96, 160, 255) and rows[63][127] == (95, 159, 223, 255)
' "$SVDIFF_TESTS_DIR"

# ---- the file of each method ----

sized() { # METHOD OPTIONS...
    what=$1
    shift
    set -- learn --model "$sd1" --size 64 --prompt 'a [V] dog' --image "$picture" --method "$what" --steps 2 \
        --seed 3 --output "$what.safetensors" "$@"
    run "$@" --estimate --json
    cp "$work/out" "$work/said"
    told=$(python3 -c 'import json, sys; e = json.load(open(sys.argv[1])); print(e["methods"][e["method"]])' "$work/out")
    run "$@" --quiet
    check "$what: the file is as large as was told" test "$(stat -c %s "$what.safetensors")" = "$told"
    check "$what: and has as many numbers" python3 -c '
import glob, json, math, struct, sys
(told,) = [e for e in map(json.loads, open(sys.argv[1])) if "values" in e]
tensors = []
for path in sys.argv[2:]:
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    tensors += [math.prod(e["shape"]) for name, e in header.items() if name != "__metadata__" and not name.endswith(".alpha")]
# several vectors of a word are one tensor of its file
assert sum(tensors) == told["values"] and len(tensors) <= told["tensors"], (sum(tensors), len(tensors), told)' \
        "$work/said" "$what".*safetensors
    rm -f "$what".*
}
sized svdiff --placeholder-rate 0.001
sized svdiff --norms scalar --no-text-encoder --subset up
sized lora
sized lora --modules all --rank 2 --keys diffusers --no-text-encoder
sized textual-inversion --vectors 3
sized textual-inversion --keys diffusers
sized full --text-encoder
sized full --subset mid
sized custom-diffusion
methods() { # PROMPT OPTIONS...: of each method that can be had the bytes of its file
    asked=$1
    shift
    run learn --model "$sd1" --size 64 --prompt "$asked" --image "$picture" --output b.safetensors --estimate --json "$@"
    python3 -c 'import json, sys; print(*json.load(open(sys.argv[1]))["methods"].items())' "$work/out" | tr -d "',()"
}
without=$(methods 'a [V] dog')
with=$(methods 'a [V] dog' --method lora --rank 8)
check 'the others are told as well' test "$(echo "$with" | wc -w)" = 10 -a \
    "$(echo "$with" | cut -d' ' -f1,2,5-)" = "$(echo "$without" | cut -d' ' -f1,2,5-)"
check 'with what is given' test "$(echo "$with" | cut -d' ' -f4)" -gt "$(echo "$without" | cut -d' ' -f4)"
check 'but those that need [V]' test "$(methods 'a dog' | wc -w)" = 6
run learn --model "$sd1" --size 64 --prompt 'a [V] dog' --image "$picture" --output b.safetensors --estimate
check 'for people' grep -Eq '^by method: svdiff [0-9.]+.kB, lora [0-9.]+.kB, textual-inversion .*, full .*, custom-diffusion ' \
    "$work/out"

# ---- the memory of each method, of Stable Diffusion 1.5 ----

# its true shapes, holes in the place of values
cp -r "$SVDIFF_TESTS_DIR/fixtures/headers/sd15" sd15
python3 - sd15/*/*.safetensors >values <<'PYTHON'
import json, math, os, struct, sys

for path in sys.argv[1:]:
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(length))
    os.truncate(path, 8 + length + max(entry["data_offsets"][1] for entry in header.values()))
    print(path.split("/")[1], sum(math.prod(entry["shape"]) for entry in header.values()))
PYTHON
set -- learn --model sd15 --prompt 'a [V] dog' --image "$picture" --precision f32 --seed 1 --output b.safetensors
least() { # METHOD: bytes at least, and those of its file
    run "$@" --estimate --json
    python3 -c 'import json, sys
e = json.load(open(sys.argv[1]))
print(e["least_bytes"], e["methods"][e["method"]])' "$work/out"
}
# as many numbers in as many tensors as the paper's Table 1 leaves room for (a tensor has about 360 bytes of its own there)
for subset in 'unet 322856 391 1404' 'unet-ca 43776 64 194' 'unet-ca-kv 18816 32 84.8' 'unet-1d 100160 109 430' \
    'unet-2d 140416 184 617' 'unet-4d 82280 98 355'; do
    run "$@" --estimate --json --no-text-encoder --subset "${subset%% *}"
    check "subset ${subset%% *}: as the paper has it" python3 -c '
import json, sys
e = json.load(open(sys.argv[1]))
name, values, tensors, paper = sys.argv[2].split()
assert (e["values"], e["tensors"]) == (int(values), int(tensors)), e
assert 350 < (1024 * float(paper) - 4 * e["values"]) / e["tensors"] < 382' "$work/out" "$subset"
done
svdiff_least=$(least "$@" | cut -d' ' -f1)
check "svdiff: memory of $svdiff_least bytes" test "$svdiff_least" -gt 0
for method in lora textual-inversion custom-diffusion; do
    # of each value that learns its gradient and two moments as well, and what a run keeps of it
    least "$@" --method $method >of
    check "$method: not more than svdiff and what it learns" python3 -c '
import sys
bytes, file = map(int, open("of").read().split())
assert bytes <= int(sys.argv[1]) + 7 * file, (bytes, file)' "$svdiff_least"
done
least "$@" --method full >of
check 'full: all that learns is counted' python3 -c '
bytes, file = map(int, open("of").read().split())
values = dict(line.split() for line in open("values"))
# W as it was and as it is, its gradient, two moments; W and the moments kept by the run
own = 4 * int(values["unet"]) * (5 + 3)
assert 4 * int(values["unet"]) < file < 1.001 * 4 * int(values["unet"]), file
assert own < bytes < own + 4e9, bytes'
if (ulimit -v 16777216 && "$svdiff" --version >/dev/null 2>&1); then
    (
        ulimit -v 16777216
        "$svdiff" "$@" --method full --steps 1 --quiet >"$work/out" 2>"$work/err"
    )
    status=$?
    check 'full: refused where it does not fit' is 1
    check 'full: with what it needs' one_sentence \
        "^$(($(cut -d' ' -f1 of) * 100 / 1073741824 / 100))\.[0-9]* GiB of memory are needed and 1[0-9.]* GiB are available"
    check 'full: and nothing is written' test ! -e b.safetensors
else
    skip 'full: refused where it does not fit' 'the program does not start with so little memory'
fi
rm -rf sd15 of values

# ---- what is refused ----

refuses '--squares without --estimate' 2 '--squares .*--estimate' learn --model "$sd1" --prompt x \
    --image wide.png --squares squares.png --output b.safetensors
refuses '--squares of no known kind' 2 'squares.txt' learn --model "$sd1" --prompt x --image wide.png \
    --estimate --squares squares.txt --output b.safetensors
run learn --model "$sd1" --prompt '[V] dog' --image none.png --estimate --output b.safetensors
check 'a picture that is missing' is 1
check 'is named' one_sentence '^none.png: '
end_tests
