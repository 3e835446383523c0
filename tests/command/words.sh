#!/bin/sh
# `svdiff learn --placeholder-rate`: the word that stands for [V] learns beside the shifts, is kept
# in the subject file, and means the same to everything that reads it.
. "$(dirname "$0")/lib.sh"

dog="--prompt [V]-dog --image $pictures/rgb8.png"
cat="--prompt [V]-cat --image $pictures/rgb16.png"

names() { # FILE: of its tensors, sorted
    python3 -c '
import json, struct, sys
with open(sys.argv[1], "rb") as file:
    (size,) = struct.unpack("<Q", file.read(8))
    print("\n".join(sorted(n for n in json.loads(file.read(size)) if n != "__metadata__")))
' "$1"
}
row='text_model\.embeddings\.token_embedding\.row\.[0-9]*\.delta'
rows() { # FILE: how many words learned
    names "$1" | grep -c "^$row\$"
}

learn $dog --steps 3 --output still.safetensors
learn $dog --steps 3 --placeholder-rate 0 --output zero.safetensors
check 'rate 0 is none' same still.safetensors zero.safetensors
check 'no word learns unasked' test "$(rows still.safetensors)" -eq 0
learn $dog --steps 3 --placeholder-rate 0.1 --output word.safetensors
check 'a word learns' is 0
check 'its row is in the file' test "$(rows word.safetensors)" -eq 1
check 'the rate, too' test "$(metadata word.safetensors placeholder_rate)" = 0.10000000000000001
learn $dog --steps 3 --placeholder-rate 0.1 --no-text-encoder --output bare.safetensors
check 'without shifts of the text encoder it is all of it' test \
    "$(names bare.safetensors | grep -c '^text_model')" -eq 1
learn $dog $cat --steps 3 --placeholder-rate 0.1 --output two.safetensors
check 'each subject has its word' test "$(rows two.safetensors)" -eq 2
run learn --model "$sd1" --size 64 $dog --placeholder-rate 0.1 --steps 2 --estimate \
    --output none.safetensors
check 'it can be estimated' is 0
refuses 'without [V] no word was chosen' 2 '--placeholder-rate .*\[V\]' learn --model "$sd1" \
    --prompt 'a sks dog' --image "$pictures/rgb8.png" --placeholder-rate 0.1 --output s.safetensors
# a rate that the model proposes is no reason to refuse a prompt without [V]
cp -r "$sd1" proposing && chmod -R u+w proposing
echo '{"learn": {"placeholder_rate": 0.1}}' >proposing/svdiff.json
run learn --model proposing --size 64 --steps 2 --seed 3 --quiet --prompt 'a sks dog' \
    --image "$pictures/rgb8.png" --output bare-name.safetensors
check 'a rate of the model: learned without [V]' is 0
check 'and no row learns' test "$(rows bare-name.safetensors)" -eq 0
run learn --model proposing --size 64 --steps 2 --seed 3 --quiet $dog --output proposed.safetensors
check 'with [V] it does' test "$(rows proposed.safetensors)" -eq 1
refuses 'a rate below zero' 2 '--placeholder-rate is -1' learn --model "$sd1" $dog \
    --placeholder-rate -1 --output s.safetensors

# ---- in pictures ----

draw() { # OUTPUT OPTIONS...
    drawn=$1
    shift
    run generate --width 64 --height 64 --quiet --prompt '[V]-dog' --steps 2 --seed 5 \
        --output "$drawn.tif" "$@" && take_pixels "$drawn"
}
# the same subject without its word
python3 - <<'EOF'
import json, struct
data = open("word.safetensors", "rb").read()
(size,) = struct.unpack("<Q", data[:8])
header, values = json.loads(data[8:8 + size]), data[8 + size:]
kept, body = {"__metadata__": header.pop("__metadata__")}, b""
for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
    if ".row." not in name:
        begin, end = entry["data_offsets"]
        kept[name] = {**entry, "data_offsets": [len(body), len(body) + end - begin]}
        body += values[begin:end]
text = json.dumps(kept).encode()
open("shifts.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + body)
EOF
draw plain --model "$sd1"
draw whole --model "$sd1" --subject word.safetensors
draw shifts --model "$sd1" --subject shifts.safetensors
draw none --model "$sd1" --subject word.safetensors:0
draw halves --model "$sd1" --subject word.safetensors:0.5 --subject word.safetensors:0.5
placeholder=$(metadata word.safetensors placeholder)
draw other --model "$sd1" --subject word.safetensors --prompt 'a dog'
draw others --model "$sd1" --subject shifts.safetensors --prompt 'a dog'
draw base --model "$sd1" --prompt "$placeholder-dog"
check 'the word changes the picture' differ whole.pixels shifts.pixels
check 'prompts without it stay as they are' same other.pixels others.pixels
check 'scale 0 is no subject, bit for bit' same none.pixels base.pixels
check 'scales add up, bit for bit' same halves.pixels whole.pixels
run convert word.safetensors --to folder --model "$sd1" --output merged --quiet
check 'a merged model' is 0
draw merged --model merged --prompt "$placeholder-dog"
check 'draws the same' same merged.pixels whole.pixels
run convert word.safetensors --to svdiff-pytorch --output pair
check 'svdiff-pytorch has no place for it, and that is said' grep -q '^warning: What 1 word ' \
    "$work/err"
check 'its files have none' test "$(rows pair/spectral_shifts_te.safetensors)" -eq 0
run convert word.safetensors --to lora --model "$sd1" --output lora.safetensors
with=$(sed -n 's/.*; \(.*\) % has no place.*/\1/p' "$work/err")
run convert shifts.safetensors --to lora --model "$sd1" --output lora.safetensors
without=$(sed -n 's/.*; \(.*\) % has no place.*/\1/p' "$work/err")
check 'nor has a LoRA, and that is counted' \
    awk -v a="$with" -v b="$without" 'BEGIN { exit !(a > b && b >= 0) }'
run compare word.safetensors shifts.safetensors
check 'subjects with and without can be compared' is 0

python3 - <<'EOF'
import re, struct
data = open("word.safetensors", "rb").read()
(size,) = struct.unpack("<Q", data[:8])
text = re.sub(rb"(token_embedding\.row\.)[0-9]+", rb"\g<1>9999999", data[8:8 + size])
open("far.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + data[8 + size:])
EOF
refuses 'a word beyond the vocabulary' 1 'row.9999999.delta' generate --model "$sd1" --prompt x \
    --steps 1 --width 64 --height 64 --quiet --output o.png --subject far.safetensors

# ---- stopped and resumed ----

teach="learn --model $sd1 --size 64 --seed 3 $dog --placeholder-rate 0.1"
"$svdiff" $teach --output stopped.safetensors --steps 100000 --json \
    </dev/null >"$work/out" 2>"$work/err" &
process=$!
await $process "$work/out" '"phase":"learn","step":3,'
kill -INT $process
wait $process
steps=$(($(metadata stopped.safetensors steps) + 2))
cp stopped.safetensors.resume kept.resume
run $teach --quiet --steps $steps --output stopped.safetensors --resume
check 'it goes on' is 0
run $teach --quiet --steps $steps --output straight.safetensors
check 'and gives the subject of an uninterrupted run' same stopped.safetensors straight.safetensors
cp kept.resume stopped.safetensors.resume
refuses '--resume with another rate' 1 'stopped.safetensors.resume ' $teach --quiet \
    --steps $steps --placeholder-rate 0.2 --output stopped.safetensors --resume
end_tests
