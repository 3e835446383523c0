#!/bin/sh
# `svdiff generate --region FILE=TEXT`: what is refused, and that each text acts in its region.
. "$(dirname "$0")/lib.sh"

left=$pictures/mask-left.png
right=$pictures/mask-right.png
draw="generate --model $sd1 --prompt x --width 64 --height 64 --steps 2 --seed 3 --quiet --output"

# the compressed pixels of two PNG files, without their texts
pixels_same() {
    python3 - "$1" "$2" <<'END'
import struct, sys
def pixels(path):
    data, at, found = open(path, "rb").read(), 8, b""
    while at < len(data):
        (length,), kind = struct.unpack_from(">I", data, at), data[at + 4:at + 8]
        found += data[at + 8:at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    assert found
    return found
sys.exit(pixels(sys.argv[1]) != pixels(sys.argv[2]))
END
}

# ---- what is refused ----

for value in left.png =dog "$left=" "$left=  "; do
    refuses "--region '$value'" 2 '--region is ' $draw o.png --region "$value"
done
bad=$(printf '\377')
refuses 'a text that is not UTF-8' 2 '--region.*UTF-8' $draw o.png --region "$left=$bad"
refuses 'a text that is too long' 2 '--region.*10000' $draw o.png \
    --region "$left=$(head -c 10001 /dev/zero | tr '\0' a)"
set -- $draw o.png
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do
    set -- "$@" --region "$left=dog"
done
refuses 'too many regions' 2 '17 --region.*16' "$@"
refuses 'an empty region' 1 'mask-empty.png is empty' $draw o.png \
    --region "$pictures/mask-empty.png=dog"
refuses 'no such region' 1 '^missing.png: ' $draw o.png --region missing.png=dog
mkfifo fifo
refuses 'a FIFO as region' 1 '^fifo: .*FIFO' $draw o.png --region fifo=dog

refuses 'a file and no text' 2 'paint-mask.png.* without a text' $draw o.png \
    --region "$pictures/paint-mask.png"
cp "$left" 'a=b.png'
refuses 'a file with = and no text' 2 'a=b.png.* without a text' $draw o.png --region a=b.png
refuses 'a file with = and a blank text' 2 '--region is ' $draw o.png --region 'a=b.png= '
refuses 'no such file with =' 1 '^a: ' $draw o.png --region 'a=c.png=a dog'

# ---- what it does ----

run $draw plain.png
run $draw dog.png --region "$left=a dog"
check 'a region' is 0
check 'it makes a difference' differ plain.png dog.png
run $draw cat.png --region "$left=a cat"
check 'so does its text' differ cat.png dog.png
run $draw swapped.png --region "$right=a dog"
check 'and its place' differ swapped.png dog.png
check 'the picture tells of it' grep -aq 'Region mask-left.png: a dog' dog.png
run $draw both.png --region "$left=a dog" --region "$right=a cat = a pet" --count 2 --guidance 1
check 'two regions, several pictures, no guidance' is 0
for bad in '--unseam seams' '--unseam classes'; do
    refuses "$bad without subjects" 2 '--unseam' $draw o.png $bad
done
run learn --model "$sd1" --size 64 --seed 3 --quiet --prompt 'a photo of a [V1] dog' \
    --image $pictures/rgb8.png --prompt 'a photo of a [V2] cat' --image $pictures/rgb16.png \
    --steps 1 --output two.safetensors
run $draw words.png --subject two.safetensors --region "$left=[V2]"
check 'words of subjects' grep -aq \
    "Region mask-left.png: $(metadata two.safetensors placeholder.2)" words.png
cat_word=$(metadata two.safetensors placeholder.2)
run $draw marked.png --subject two.safetensors --region "$left=a [V2] cat"
run $draw named.png --names --subject two.safetensors --region "$left=a cat"
check 'its kind means a subject, with --names' same marked.png named.png
check 'and the picture tells which' grep -aq "Region mask-left.png: a $cat_word cat" named.png
run $draw unnamed.png --subject two.safetensors --region "$left=a cat"
check 'without it words stay what they are' grep -aq 'Region mask-left.png: a cat' unnamed.png

# ---- subjects of two files ----

two="--subject $models/sd1-word-sks.safetensors --subject $models/sd1-word-zwx.safetensors"
run $draw added.png $two --region "$left=a dog" --region "$right=a cat"
check 'regions without words of theirs: they add up' is 0
run $draw parted.png $two --region "$left=a sks dog" --region "$right=a [V2] cat"
check 'regions with their words' is 0
check 'part them' differ added.png parted.png
cp $models/sd1-word-sks.safetensors rex.safetensors
run $draw by-name.png --subject rex.safetensors --subject $models/sd1-word-zwx.safetensors --names \
    --region "$left=a Rex" --region "$right=a cat"
check 'so do what they and their files are called' is 0
check 'as the picture tells' grep -aq 'Region mask-left.png: a sks dog' by-name.png
run $draw turned.png $two --region "$right=a sks dog" --region "$left=a [V2] cat"
check 'masks and subjects belong together' differ parted.png turned.png
run $draw one.png $two --region "$left=a sks dog"
check 'the other one is everywhere' differ one.png parted.png
run $draw painted.png $two --region "$left=a sks dog" --region "$right=a [V2] cat" \
    --init-image $pictures/paint.png --mask $pictures/paint-mask.png --strength 0.9 --count 2
check 'painting into a picture' is 0
# a name with = in it, in folders too, is the same mask; and a text may have one
mkdir -p 'x=y=z'
cp "$left" 'x=y=z/a=b.png'
run $draw plain-name.png --region "$left=a dog = b"
for mask in a=b.png 'x=y=z/a=b.png' './x=y=z/a=b.png' "$PWD/x=y=z/a=b.png"; do
    rm -f equals.png
    run $draw equals.png --region "$mask=a dog = b"
    check "a mask called $mask" grep -aq 'Region a=b.png: a dog = b' equals.png
    check "$mask: the same picture" pixels_same equals.png plain-name.png
done
cp "$right" 'a=b.png=a dog '
run $draw longest.png --region 'a=b.png=a dog =b'
check 'the longest name that is a file' grep -aq 'Region a=b.png=a dog : b' longest.png

bytes() { # ARGUMENTS...: memory that a run is estimated to take
    run $draw estimate.png "$@" --estimate --json
    python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["bytes"])' <"$work/out"
}
check 'each set of subjects takes memory of its own' test \
    "$(bytes $two --region "$left=a sks dog" --region "$right=a [V2] cat")" -gt "$(bytes $two)"

# ---- negative prompts against seams ----

run $draw classes.png --subject two.safetensors --unseam classes
check 'classes' grep -aq 'Negative prompt: a dog and a cat$' classes.png
run $draw swapped.png --subject two.safetensors --unseam swapped --negative blurry
check 'swapped, behind what was given' grep -aq 'Negative prompt: blurry, a cat and a dog$' swapped.png
run $draw none.png --subject two.safetensors --unseam none
check 'none' grep -aq 'Negative prompt: $' none.png
end_tests
