#!/bin/sh
# What the options of `svdiff learn` change, and what a subject does to a picture: its scale, two of
# them, its name, its other formats.
. "$(dirname "$0")/lib.sh"

short="--prompt [V]-dog --image $pictures/rgb8.png --steps 2"

# ---- options of learning ----

learn $short --output default.safetensors
for subset in unet unet-ca unet-ca-kv unet-1d unet-2d unet-4d up down mid up-ca down-ca mid-ca; do
    learn $short --subset $subset --no-text-encoder --output $subset.safetensors
    check "--subset $subset" is 0
done
names() { # FILE: of its shifts, sorted
    python3 -c '
import json, struct, sys
with open(sys.argv[1], "rb") as file:
    (size,) = struct.unpack("<Q", file.read(8))
    print("\n".join(sorted(n for n in json.loads(file.read(size)) if n != "__metadata__")))
' "$1"
}
parts() { # WHOLE PARTS...: the parts are disjoint and make up the whole
    names "$1" | sort >expected
    shift
    for part in "$@"; do
        names "$part"
    done | sort >found
    cmp -s expected found
}
check '1d, 2d and 4d are the UNet' parts unet.safetensors unet-1d.safetensors unet-2d.safetensors \
    unet-4d.safetensors
check 'the three cross attentions' parts unet-ca.safetensors up-ca.safetensors \
    down-ca.safetensors mid-ca.safetensors
check 'no text encoder, no shifts of it' test -z "$(names unet.safetensors | grep ^text_model)"
check 'the text encoder learns by default' test -n "$(names default.safetensors | grep ^text_model)"
learn $short --norms scalar --output scalar.safetensors
check '--norms scalar' grep -aq '"conv_norm_out.delta":{"dtype":"F32","shape":\[1\]' \
    scalar.safetensors

json="learn --model $sd1 --size 64 --seed 3 --json $short"
run $json --prior-images 2 --output prior.safetensors
check '--prior-images: pictures are made' grep -q '"phase":"class pictures"' "$work/out"
run $json --prior-images 2 --output second.safetensors
check '--prior-images: and kept' test -z "$(grep '"phase":"class pictures"' "$work/out")"
check '--prior-images: the same subject' same prior.safetensors second.safetensors
check '--prior-images: not that of predictions' differ prior.safetensors default.safetensors

run $json --sample-every 1 --output samples.safetensors
check '--sample-every' test "$(ls samples.safetensors-*.png | tr '\n' ' ')" = \
    'samples.safetensors-0.png samples.safetensors-1.png samples.safetensors-2.png '
check '--sample-every: events' test "$(grep -c '"event":"sample".*png' "$work/out")" -eq 3
check '--sample-every changes nothing' same samples.safetensors default.safetensors
for option in '--flip' '--crop random' '--latent mean' '--batch 2' '--accumulate 2' \
    '--schedule cosine' '--warm-up 1' '--min-snr 0.01' '--prior-weight 0' '--clip 0.01'; do
    learn $short $option --output option.safetensors
    check "$option" is 0
    check "$option makes a difference" differ option.safetensors default.safetensors
done

learn --prompt 'a [V] dog' --image "$pictures/rgb8.png" --prompt 'a [V] cat' \
    --image "$pictures/rgb16.png" --steps 3 --output two.safetensors
check 'two subjects in one file' is 0
first=$(metadata two.safetensors placeholder)
second=$(metadata two.safetensors placeholder.2)
check 'each has its word' test -n "$first" -a -n "$second" -a "$first" != "$second"
generate --prompt '[V] and [V2]' --subject two.safetensors --steps 1 --output two.png
check 'both words are put in' grep -aq "$first and $second" two.png

run learn --model "$sd1" --size 64 --seed 3 --prompt 'a [V1] dog' --image "$pictures/rgb8.png" \
    --prompt 'a [V2] cat' --image "$pictures/rgb16.png" --steps 3 --output said.safetensors
check 'both words are said' grep -q "\[V\] of \"a \[V2\] cat\" is the word \"$second\"" "$work/err"
check '[V1] and [V2] are [V] of each' test "$(metadata said.safetensors placeholder.2)" = "$second"
refuses 'two subjects with one word' 1 'same word' learn --model "$sd1" --size 64 --steps 1 --quiet \
    --output s.safetensors --prompt 'a sks dog' --class-prompt 'a dog' --image "$pictures/rgb8.png" \
    --prompt 'a sks cat' --class-prompt 'a cat' --image "$pictures/rgb16.png"
learn --prompt 'a red sks dog' --class-prompt 'a dog' --image "$pictures/rgb8.png" \
    --prompt 'a red zwx cat' --class-prompt 'a cat' --image "$pictures/rgb16.png" --steps 1 \
    --output named.safetensors
check 'words that both have are no names' is 0
run learn --model "$sd1" --size 64 --seed 3 --quiet --prompt 'a [V1] dog' \
    --image "$pictures/rgb8.png" --prompt 'a [V2] cat' --image "$pictures/rgb16.png" --steps 1 \
    --sample-every 1 --sample-prompt '[V1] and [V2]' --output sampled.safetensors
check 'a sample of both' is 0

# ---- subjects in pictures ----

draw() { # OUTPUT OPTIONS...
    drawn=$1
    shift
    generate --prompt 'a wet dog' --steps 3 --seed 5 --output "$drawn.tif" "$@" &&
        take_pixels "$drawn"
}
learn $short --steps 6 --learning-rate 0.05 --output strong.safetensors
draw plain
draw learned --subject strong.safetensors
draw none --subject strong.safetensors:0
draw half --subject strong.safetensors:0.5
draw halves --subject strong.safetensors:0.5 --subject strong.safetensors:0.5
check 'a subject changes the picture' differ plain.pixels learned.pixels
check 'half of it is neither' differ half.pixels learned.pixels
check 'scale 0 is no subject, bit for bit' same none.pixels plain.pixels
check 'scales add up, bit for bit' same halves.pixels learned.pixels
learned=$XDG_DATA_HOME/svdiff/subjects
mkdir -p "$learned"
mv strong.safetensors "$learned/mine.safetensors"
draw named --subject mine
check 'a subject by its name' same named.pixels learned.pixels
for called in mine.safetensors 'mine:1' 'mine: 1'; do
    draw named --subject "$called"
    check "$called: by its file's name, or with a strength" same named.pixels learned.pixels
done
mkdir mine # a folder of photos
draw named --subject mine
check 'a folder of the same name is not in its way' same named.pixels learned.pixels

# names with what is otherwise special; "mine:0" draws nothing of mine
for called in 'portrait 16:9' 'a;b' 'fox.safetensors' 'mine:0' 'größe=1'; do
    cp "$learned/mine.safetensors" "$learned/$called.safetensors"
    draw named --subject "$called"
    check "a subject called $called" same named.pixels learned.pixels
    draw named --subject "$called:0.5"
    check "half of $called" same named.pixels half.pixels
done
rm "$learned/mine:0.safetensors"
draw named --subject mine:0
check 'without it: none of mine' same named.pixels plain.pixels
run compare 'portrait 16:9' 'a;b'
check 'compare knows these names' is 0
run convert 'portrait 16:9' --to subject --output converted.safetensors
check 'so does convert' is 0

for output in '  ' ' ' ' .safetensors' 'fox .safetensors' ' fox.safetensors' .fox.safetensors \
    "$(printf 'a\nb.safetensors')" "$(printf 'a\tb')" '.safetensors'; do
    shown=$(printf %s "$output" | tr '\n\t' '??')
    refuses "no name for a subject: '$shown'" 2 '--output is .*could not be named' learn \
        --model "$sd1" --size 64 $short --quiet --output "$output"
    refuses "nor when converted: '$shown'" 2 '--output is .*could not be named' convert \
        default.safetensors --to subject --output "$output"
done

# ---- the small picture in a subject file ----

run info default.safetensors --preview small.png
check 'info tells of the preview' grep -q 'a preview of 64 x 64 pixels' "$work/err"
check 'info: its size as JSON' grep -q '"preview":{"width":64,"height":64,' "$work/out"
check 'info: it is no text of the file' test -z "$(grep -o '"preview":"iVBOR' "$work/out")"
check 'info: and written out' python3 -c '
import base64, json, struct, sys
with open(sys.argv[1], "rb") as file:
    (size,) = struct.unpack("<Q", file.read(8))
    png = base64.b64decode(json.loads(file.read(size))["__metadata__"]["preview"], validate=True)
assert png[:16] == b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
assert struct.unpack(">II", png[16:24]) == (64, 64)
assert png == open(sys.argv[2], "rb").read()
' default.safetensors small.png
run info --json default.safetensors
check 'info --json: what it is of, and its picture' python3 -c '
import base64, json, sys
info = json.load(open(sys.argv[1]))
assert info["things"] == ["-dog"], info["things"]
assert base64.b64decode(info["preview"]["png"]) == open(sys.argv[2], "rb").read()
' "$work/out" small.png
learn --prompt [V]-dog --image "$pictures/rgb16.png" --image "$pictures/rgb8.png" --steps 1 \
    --output second.safetensors
check 'that of the first picture' test \
    "$(metadata second.safetensors preview)" != "$(metadata default.safetensors preview)"
run info --preview none.txt default.safetensors
check 'info: a picture of no known kind' is 2
refuses 'info: a file without one' 1 'sd1-subject-scalar.* carries no preview' info --preview none.png \
    "$models/sd1-subject-scalar.safetensors"

# ---- parts of subjects ----

# FILE NEW KEEP WORD: the KEEP largest values of each shift that has WORD in its name
cut() {
    python3 - "$@" <<'END'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
start = 8 + struct.unpack("<Q", data[:8])[0]
header, body = json.loads(data[8:start]), b""
for name in [n for n in header if n != "__metadata__"]:
    if sys.argv[4] not in name:
        del header[name]
        continue
    first, last = header[name]["data_offsets"]
    values = list(struct.unpack(f"<{(last - first) // 4}f", data[start + first : start + last]))
    for i in sorted(range(len(values)), key=lambda i: -abs(values[i]))[int(sys.argv[3]) :]:
        values[i] = 0
    header[name]["data_offsets"] = [len(body), len(body) + last - first]
    body += struct.pack(f"<{len(values)}f", *values)
text = json.dumps(header).encode()
open(sys.argv[2], "wb").write(struct.pack("<Q", len(text)) + text + body)
END
}
cp "$learned/mine.safetensors" whole.safetensors
draw whole --subject whole.safetensors
cut whole.safetensors cut.safetensors 3 ''
draw cut --subject cut.safetensors
draw kept --subject whole.safetensors:keep=3
check 'the three largest changes of each layer' same cut.pixels kept.pixels
check 'are not all of them' differ kept.pixels whole.pixels
draw kept --keep 3 --subject whole.safetensors
check '--keep says it of all' same cut.pixels kept.pixels
draw kept --keep 1 --subject whole.safetensors:keep=3:1
check 'but not of one that says it itself' same cut.pixels kept.pixels
cut whole.safetensors cut.safetensors 100000 down
draw cut --subject cut.safetensors
draw only --subject whole.safetensors:only=down
check 'some layers alone' same cut.pixels only.pixels
draw both --subject whole.safetensors:only=down --subject whole.safetensors:without=down
check 'they and the others are all' same both.pixels whole.pixels
refuses 'keep= without a number' 2 'keep=some tells how many' generate --model "$sd1" --prompt x \
    --subject whole.safetensors:keep=some --output none.png
refuses 'keep=0' 2 'keep=0 tells how many' generate --model "$sd1" --prompt x \
    --subject whole.safetensors:keep=0 --output none.png
refuses 'only= without a name' 2 'only= names no layers' generate --model "$sd1" --prompt x \
    --subject whole.safetensors:only= --output none.png
refuses 'only= of a layer that it has not' 1 "'nowhere' in its name" generate --quiet --model "$sd1" --prompt x \
    --subject whole.safetensors:only=down,nowhere --output none.png
refuses 'a part as a subject' 2 'one subject as it is' convert whole.safetensors:keep=3 --to subject \
    --output none.safetensors

# ---- svdiff-pytorch's files ----

run convert scalar.safetensors --to svdiff-pytorch --output pair --quiet
check 'to svdiff-pytorch' is 0
check 'its two files' test "$(ls pair | tr '\n' ' ')" = \
    'spectral_shifts.safetensors spectral_shifts_te.safetensors '
run convert pair --to subject --output back.safetensors --quiet
run convert back.safetensors --to svdiff-pytorch --output pair2 --quiet
check 'and back: the UNet unchanged' same pair/spectral_shifts.safetensors \
    pair2/spectral_shifts.safetensors
check 'and back: the text encoder unchanged' same pair/spectral_shifts_te.safetensors \
    pair2/spectral_shifts_te.safetensors
draw scalar --subject scalar.safetensors
draw pair --subject pair
check 'both draw the same' same scalar.pixels pair.pixels
refuses 'svdiff-pytorch has no place for a preview' 1 'pair carries no preview' info \
    --preview none.png pair
run convert default.safetensors --to subject --output again.safetensors --quiet
check 'a subject as it is, preview and all' same default.safetensors again.safetensors
run convert default.safetensors --to svdiff-pytorch --output pair3
check 'element-wise norms are left out, and it says so' grep -q '^warning: .*norms' "$work/err"
end_tests
