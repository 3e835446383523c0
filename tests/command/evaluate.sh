#!/bin/sh
# svdiff evaluate: pictures that it draws and pictures that are there, with CLIP and without.
. "$(dirname "$0")/lib.sh"

clip=$models/clip
subject=$models/sd1-word-sks.safetensors
photo=$pictures/rgb8.png
evaluate() { # ARGUMENTS...
    run evaluate --model "$sd1" --references "$photo" "$@"
}
# EXPRESSION: of the result r and its points p
tells() {
    python3 -c '
import json, sys
(r,) = [r for r in map(json.loads, open(sys.argv[1])) if "points" in r]
p = r["points"]
assert eval(sys.argv[2]), r' "$work/out" "$1"
}

evaluate --subject "$subject" --subject "$subject:0.5" --prompts 'a [V] dog' --prompts '[V] in the snow' \
    --clip-model "$clip" --count 2 --steps 2 --seed 3 --output kept --csv drawn.csv --json
check 'two strengths of a subject' is 0
check 'are two points of four pictures' tells 'len(p) == 2 and [q["pictures"] for q in p] == [4, 4]'
check 'the class in the place of [V]' tells '[x["text"] for x in r["pictures"][:4]] == ["a dog"] * 2 + ["dog in the snow"] * 2'
check 'each picture by its seed' tells '[x["picture"] for x in r["pictures"][:4]] == ["seed 3", "seed 4"] * 2'
check 'means within their intervals' tells 'all(q[k]["low"] < q[k]["mean"] < q[k]["high"] for q in p for k in ("text", "image"))'
check 'the mean is that of the pictures' tells 'abs(sum(x["text_alignment"] for x in r["pictures"][:4]) / 4 - p[0]["text"]["mean"]) < 1e-12'
check 'it says by what' tells 'r["measure"] == "clip"'
check 'strengths differ' tells 'p[0]["text"]["mean"] != p[1]["text"]["mean"]'
folder=kept/sd1-word-sks.safetensors
check 'the pictures are kept' test "$(ls $folder | tr '\n' ' ')" = '0001.png 0002.png 0003.png 0004.png '
cp "$work/out" drawn.json
run generate --model "$sd1" --quiet --prompt '[V] in the snow' --subject "$subject" --steps 2 --seed 4 --output one.png
check 'as generate draws them' near one.png $folder/0004.png

run evaluate --model none --pictures $folder --pictures "$folder:0.5" --prompts 'a [V] dog' --prompts '[V] in the snow' \
    --class dog --references "$photo" --clip-model "$clip" --csv read.csv --quiet
check 'pictures that are there need no model' is 0
check 'and are judged the same' same drawn.csv read.csv
check 'as a table for people' grep -Eq '^sd1-word-sks.safetensors:0.5 +4  -?0[.][0-9]{3} \[' "$work/out"
printf '# remark\na [V] dog\n\n[V] in the snow\n' >prompts.txt
run evaluate --pictures $folder --pictures "$folder:0.5" --prompts prompts.txt --class 'a dog' --references "$photo" \
    --clip-model "$clip" --csv file.csv --quiet
check 'prompts of a file, a class with its article' same drawn.csv file.csv
mkdir photos
cp "$photo" photos/a.png
cp one.png photos/b.png
run evaluate --pictures $folder --prompts x --references photos --clip-model "$clip" --json
check 'a folder of references: the mean of both' python3 -c '
import json, sys
both, one = ([r for r in map(json.loads, open(f)) if "points" in r][0]["pictures"][3]["image_alignment"]
             for f in sys.argv[1:])
assert abs(both - (one + 1) / 2) < 1e-4 and one < 0.999, (both, one)' "$work/out" drawn.json
run evaluate --pictures photos --prompts x --references photos/b.png --clip-model "$clip" --json
check 'a picture beside itself' tells 'abs(r["pictures"][1]["image_alignment"] - 1) < 1e-6 and r["pictures"][0]["image_alignment"] < 0.9999'
run evaluate --pictures photos --prompts x --references photos/b.png --clip-model "$clip" --json --device cpu --threads 1
check 'the same on one thread' tells 'abs(r["pictures"][1]["image_alignment"] - 1) < 1e-6'

evaluate --pictures photos --prompts x --json
check 'without CLIP: no text' tells 'p[0]["text"]["mean"] is None and r["measure"] == "autoencoder"'
check 'and latents of the model' tells 'abs(r["pictures"][0]["image_alignment"] - 1) < 1e-6 and r["pictures"][1]["image_alignment"] < 0.9999'
evaluate --pictures photos --prompts x
check 'which says what that is worth' grep -q 'without --clip-model no text is compared' "$work/err"

refuses 'nothing to judge' 2 '^Say what is judged' evaluate --prompts x --references photos
refuses 'no references' 2 '^Say with which pictures' evaluate --pictures photos --prompts x
refuses 'no prompts' 2 '--prompts TEXT' evaluate --pictures photos --references photos
refuses 'a prompt without [V]' 2 "'a dog' has no \[V\]" evaluate --model "$sd1" --subject "$subject" --prompts 'a dog' \
    --references photos
refuses 'a [V] that nobody explains' 2 "the \[V\] of 'a \[V\] dog'.*--class" evaluate --pictures photos \
    --prompts 'a [V] dog' --references photos --clip-model "$clip"
refuses 'prompts for other pictures' 1 '^photos: 2 pictures are not the same number of each of 3' evaluate \
    --pictures photos --prompts x --prompts y --prompts z --references photos --clip-model "$clip"
echo 'a dog --steps 3' >options.txt
refuses 'prompts with options' 2 'options.txt, line 1: It has options' evaluate --pictures photos --prompts options.txt \
    --references photos --clip-model "$clip"
printf 'a \377 dog\n' >bytes.txt
refuses 'prompts that are no text' 2 'bytes.txt, line 1: .*UTF-8' evaluate --pictures photos --prompts bytes.txt \
    --references photos --clip-model "$clip"
echo none >photos/c.png
refuses 'a picture that is none' 1 'photos/c.png' evaluate --pictures photos --prompts x --references "$photo" \
    --clip-model "$clip" --quiet
refuses 'a reference that is none' 1 'photos/c.png' evaluate --pictures $folder --prompts x --references photos/c.png \
    --clip-model "$clip" --quiet
mkdir empty
refuses 'a folder without pictures' 1 '^empty: the folder has no picture' evaluate --pictures photos --prompts x \
    --references empty --clip-model "$clip"
refuses 'a model that is no CLIP' 1 'text_encoder/config.json: there is no "vision_config"' evaluate --pictures $folder \
    --prompts x --references "$photo" --clip-model "$sd1/text_encoder"
cp prompts.txt before.txt
refuses 'a table in the place of prompts' 1 'prompts.txt' evaluate --pictures $folder --prompts prompts.txt --class dog \
    --references "$photo" --clip-model "$clip" --csv prompts.txt --quiet
refuses 'pictures in the place of references' 1 '0001.png' evaluate --model "$sd1" --subject "$subject" \
    --prompts '[V]' --references $folder --clip-model "$clip" --output kept --quiet
refuses 'a table where none can be' 1 'none/table.csv' evaluate --pictures $folder --prompts x --references "$photo" \
    --clip-model "$clip" --csv none/table.csv
end_tests
