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

# ---- figures: where the intervals of the CSV are drawn ----

other="$folder:0.5"
judged="--prompts prompts.txt --class dog --references $photo --clip-model $clip --quiet"
places() { # SVG CSV X Y: of each line of the table its intervals along Y and, but of lines, X are in the figure
    python3 -c '
import csv, re, sys
figure, table, x, y = sys.argv[1:]
rows = list(csv.DictReader(open(table, newline="")))
number = r"(-?[0-9.]+)"
one = f"M {number} {number} L {number} {number} "  # an interval has a cap of 6 units at each end
ends = [tuple(map(float, m)) for m in re.findall(f"d=\"{3 * one}\"", open(figure).read())]
ends = [e[:4] for e in ends if all(abs(abs(e[i + 2] - e[i]) + abs(e[i + 3] - e[i + 1]) - 6) < 0.01 for i in (4, 8))]
flat = sorted((a, c) for a, b, c, d, *caps in ends if b == d)   # x from, to
high = sorted((-b, -d) for a, b, c, d, *caps in ends if a == c)  # y from, to, upwards
def of(keys):
    return sorted((float(row[key + "_low"]), float(row[key + "_high"])) for row in rows for key in keys)
for drawn, keys in (flat, [x] if x else []), (high, y.split("+")):
    wanted = of(keys)
    assert len(drawn) == len(wanted), (drawn, wanted)
    if wanted:
        (p, q), (a, b) = (min(p for p, q in drawn), max(q for p, q in drawn)), (min(a for a, b in wanted), max(b for a, b in wanted))
        scale = (q - p) / (b - a)
        assert scale > 0
        for (p1, q1), (a1, b1) in zip(drawn, wanted):
            most = 0.02 + 2e-6 * scale  # the table has six digits
            assert abs(p + scale * (a1 - a) - p1) < most and abs(p + scale * (b1 - a) - q1) < most, (drawn, wanted)' "$@"
}
run evaluate --pictures $folder --pictures $other $judged --csv points.csv --plot points.svg
check 'a figure of two sets' is 0
check 'is the same table' same points.csv drawn.csv
check 'image above text alignment' places points.svg points.csv text image
run evaluate --pictures $folder=both --pictures $other=both --pictures photos=photos $judged --csv named.csv --plot named.svg
check 'names: those of one are one point' test "$(cut -d, -f1,2 named.csv | tr '\n' ' ')" = 'name,pictures both,8 photos,2 '
check 'names: of all their pictures' python3 -c '
import csv
one, two = csv.DictReader(open("points.csv"))
both = next(csv.DictReader(open("named.csv")))
assert abs((float(one["text"]) + float(two["text"])) / 2 - float(both["text"])) < 2e-6'
check 'names: two colours' test "$(grep -c 'rgb(83.5' named.svg)" -gt 0
check 'names: and their intervals' places named.svg named.csv text image
run evaluate --pictures $folder=at@1 --pictures $other=at@0.5 --pictures photos=photos@0.75 $judged --along strength \
    --csv along.csv --plot along.svg
check 'along: a line a name' is 0
check 'along: a column' test "$(cut -d, -f1-3 along.csv | tr '\n' ' ')" = 'name,strength,pictures at,1,4 at,0.5,4 photos,0.75,2 '
check 'along: text and image' places along.svg along.csv '' text+image
evaluate --subject "$subject" --subject "$subject:0.5" --prompts '[V]' --clip-model "$clip" --count 2 --steps 2 --seed 3 \
    --along scale --csv scale.csv --plot scale.png
check 'along scale: strengths' test "$(cut -d, -f1-3 scale.csv | tr '\n' ' ')" = \
    'name,scale,pictures sd1-word-sks,1,2 sd1-word-sks,0.5,2 '
check 'along scale: a figure' test -s scale.png
cp "$subject" 'part=1.safetensors'
evaluate --subject part=1.safetensors --subject "$subject:only=down=part" --subject "$subject:keep=2" \
    --subject "$subject:keep=2:0.5=half" --prompts '[V]' --clip-model "$clip" --count 1 --steps 1 --seed 3 --csv parts.csv
check 'names beside parts of subjects' test "$(cut -d, -f1 parts.csv | tr '\n' ' ')" = \
    'name part=1.safetensors part sd1-word-sks.safetensors:keep=2 half '
evaluate --pictures $folder --pictures photos --prompts x --csv rows.csv --plot rows.svg --quiet
check 'without texts: rows' python3 -c '
import csv, re
rows = list(csv.DictReader(open("rows.csv")))
number = "(-?[0-9.]+)"
flat = [tuple(map(float, m)) for m in re.findall(f"d=\"M {number} {number} L {number} {number} M", open("rows.svg").read())]
flat = [(a, c) for a, b, c, d in flat if b == d]
assert len(flat) == len(rows) == 2
(p, q), (r, s) = flat
(a, b), (c, d) = ((float(row["image_low"]), float(row["image_high"])) for row in rows)
scale = (q - p) / (b - a)
assert scale > 0 and abs(p + scale * (c - a) - r) < 0.05 and abs(p + scale * (d - a) - s) < 0.05'
refuses 'a figure that is none' 2 '^points.jpg: a figure' evaluate --pictures $folder $judged --plot points.jpg
cp prompts.txt prompts.svg
refuses 'a figure in the place of prompts' 1 'prompts.svg' evaluate --pictures $folder --prompts prompts.svg --class dog \
    --references "$photo" --clip-model "$clip" --plot prompts.svg
refuses 'along without a place' 2 "^'$folder': say where it is along scale" evaluate --pictures $folder $judged --along scale
refuses 'a place that is no number' 2 'say where it is along scale' evaluate --pictures $folder=a@b $judged --along scale
refuses 'along steps: a subject that says none' 2 'does not say after how many steps' evaluate --model "$sd1" \
    --subject "$subject" --prompts '[V]' --references "$photo" --along steps
refuses 'a name that is none' 2 'write FOLDER=NAME' evaluate --pictures $folder= $judged

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
