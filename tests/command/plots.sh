#!/bin/sh
# Figures and tables: --plot and --csv of svdiff compare, learn and bench; which files they are, and what is refused.
. "$(dirname "$0")/lib.sh"

fixtures=$SVDIFF_TESTS_DIR/fixtures/compare
for name in fox-1 fox-2 owl-1 owl-2 hat-1; do
    cp "$fixtures/$name.safetensors" .
done
figure() { # FILE WIDTH: a PNG at least so wide with colours in it, or an SVG
    case $1 in
    *.png) python3 -c '
import struct, sys, zlib
data = open(sys.argv[1], "rb").read()
assert data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR"
assert struct.unpack(">I", data[16:20])[0] >= int(sys.argv[2])' "$@" ;;
    *) python3 -c '
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
assert root.tag.endswith("}svg") and float(root.get("width").rstrip("px")) >= int(sys.argv[2])' "$@" ;;
    esac
}
like() { # CSV FIXTURE: the same lines, the numbers to eight digits
    python3 -c '
import csv, sys
made, want = (list(csv.reader(open(name, newline=""))) for name in sys.argv[1:])
assert len(made) == len(want) and made[0] == want[0]
for line, other in zip(made[1:], want[1:]):
    assert line[:4] == other[:4] and bool(line[4]) == bool(other[4]), (line, other)
    assert not line[4] or abs(float(line[4]) - float(other[4])) < 1e-8, (line, other)' "$@"
}
subjects='fox-1.safetensors fox-2.safetensors owl-1.safetensors owl-2.safetensors hat-1.safetensors'
run compare $subjects --csv files.csv --plot files.png
check 'compare: subjects' is 0
check 'compare: the CSV is that of NumPy' like files.csv "$fixtures/files.csv"
check 'compare: the figure is a PNG' figure files.png 400
check 'compare: both are told' test "$(grep -c '^wrote files' "$work/err")" = 2
check 'compare: a subject is 1 with itself' grep -q '^fox-1  *1.000  *0.927' "$work/out"

things=
for file in $subjects; do
    things="$things $file=${file%%-*}"
done
run compare $things --csv things.csv --plot things.svg --groups
check 'compare: things' is 0
check 'compare: their CSV is that of NumPy' like things.csv "$fixtures/things.csv"
check 'compare: the figure is an SVG' figure things.svg 400
check 'compare: a thing of two files on the diagonal' grep -q '^fox  *0.927  *-0.050  *-0.166$' "$work/out"
check 'compare: none of a thing of one file' grep -q '^hat  *-0.166  *0.049  *-$' "$work/out"
check 'compare: groups of layers' grep -q '^cross-attention$' "$work/out"
run compare $things --json
check 'compare: as JSON files, their groups, and things' python3 -c '
import json, sys
result = json.loads(open(sys.argv[1]).readline())
assert len(result["subjects"]) == 5 and len(result["cosine"]) == 5 and result["layers"][0][1] == 16
assert abs(result["cosine"][0][1] - result["things"]["cosine"][0][0]) < 1e-12
assert result["things"]["names"] == ["fox", "owl", "hat"] and result["things"]["of"] == [0, 0, 1, 1, 2]
assert result["things"]["pairs"] == [[1, 4, 2], [4, 1, 2], [2, 2, 0]]
assert result["things"]["cosine"][2][2] is None
(text,) = [g for g in result["groups"] if g["group"] == "text encoder"]
assert text["cosine"][0][4] is None and text["layers"][0][4] == 0 and text["layers"][0][1] == 4' "$work/out"
run compare fox-1.safetensors owl-1.safetensors
check 'compare: no files unless asked for' test "$(wc -l <"$work/err")" = 0

# a sign in a name that is there says nothing
cp fox-2.safetensors 'rate=2.safetensors'
mkdir lr=1
cp owl-1.safetensors lr=1/owl.safetensors
run compare fox-1.safetensors rate=2.safetensors lr=1/owl.safetensors --json
check 'compare: names with signs are files' test -z "$(grep '"things"' "$work/out")"
run compare fox-1.safetensors=fox rate=2.safetensors=fox lr=1/owl.safetensors --json
check 'compare: and things behind them' grep -q '"names":\["fox","owl"\]' "$work/out"
refuses 'compare: what is not there is named' 1 '^lr=1/no.safetensors: ' compare fox-1.safetensors lr=1/no.safetensors
refuses 'compare: a thing without a name' 2 'write SUBJECT=NAME' compare fox-1.safetensors= owl-1.safetensors
refuses 'compare: a name without a thing' 2 'write SUBJECT=NAME' compare =fox owl-1.safetensors

# what cannot be a figure, or cannot be written
for name in alike.pdf alike png .svg.txt; do
    refuses "compare: --plot $name" 2 "^$name: a figure's name must end in .png or .svg" compare $subjects --plot "$name"
done
refuses 'compare: a folder that is not there' 1 '^no/alike.png: cannot be written' compare $subjects --plot no/alike.png
refuses 'compare: a device in the place of the CSV' 1 '^/dev/full: this is no regular file' compare $subjects \
    --csv /dev/full
ln -s /dev/full full.svg
refuses 'compare: and of the figure' 1 '^full.svg: this is no regular file' compare $subjects --plot full.svg
refuses 'compare: --output is another option' 2 'Unknown option --output' compare $subjects --output alike.png
if [ "$(id -u)" != 0 ]; then
    mkdir -m 500 locked
    refuses 'compare: a folder that cannot be written in' 1 '^locked/a.svg: cannot be written' compare $subjects \
        --plot locked/a.svg
else
    skip 'compare: a folder that cannot be written in' 'an administrator can'
fi
space='mount -t tmpfs -o size=64k none small && head -c 60000 /dev/zero >small/full'
mkdir small
if unshare -rm sh -c "$space" 2>/dev/null; then
    unshare -rm sh -c "$space"'
        "$@" >/dev/null 2>"$0"
        status=$?
        ls -A small >"$0.left"
        exit $status' "$work/err" "$svdiff" compare $subjects --plot small/alike.png
    status=$?
    check 'compare: no space left: exit 1' is 1
    check 'compare: no space left: the file is named' one_sentence '^small/alike.png.*pace'
    check 'compare: no space left: nothing is written' test "$(cat "$work/err.left")" = full
else
    skip 'compare: no space left' 'no file system can be mounted here'
fi

# ---- learning and timing ----

teach="learn --model $sd1 --size 64 --seed 3 --quiet --prompt [V] --image $pictures/rgb8.png --no-text-encoder"
run $teach --steps 3 --validate-every 15 --plot loss.svg --output cat.safetensors
check 'learn: the figure of a run' figure loss.svg 400
cp loss.svg short.svg
run $teach --steps 45 --resume --validate-every 15 --plot loss.svg --output cat.safetensors
check 'learn: of one that is resumed' figure loss.svg 400
run $teach --steps 45 --validate-every 15 --plot whole.svg --output cat2.safetensors
# of the title alone they differ, whose letters are drawn
points() { # FILE: its long lines; letters have curves
    grep -o 'd="M [-0-9. L]*"' "$1" | awk 'length > 300'
}
points loss.svg >points
check 'learn: has the steps before it' test -n "$(points loss.svg)" -a "$(points loss.svg)" = "$(points whole.svg)"
check 'learn: which the first one had not' test -z "$(points short.svg)"
check 'learn: with the losses of the CSV, and their means, in their places' python3 -c '
import csv, re, sys
table = [row for row in csv.DictReader(open(sys.argv[2])) if row["loss"]]
losses = [float(row["loss"]) for row in table]
kept = [(i, float(row["prior_loss"])) for i, row in enumerate(table) if row["prior_loss"]]
lines = [[float(n) for n in re.findall(r"-?[0-9.]+", line)] for line in open(sys.argv[1])]
lines = [list(zip(line[::2], line[1::2])) for line in lines]
raw, mean = ([y for x, y in line] for line in lines[:2])
assert len(raw) == len(mean) == len(losses) == 45
low, high = losses.index(min(losses)), losses.index(max(losses))
scale = (raw[high] - raw[low]) / (losses[high] - losses[low])
place = lambda loss: raw[low] + scale * (loss - losses[low])
around = [losses[max(0, i - 1):i + 2] for i in range(45)]
assert scale < 0 and all(abs(place(loss) - y) < 0.01 for loss, y in zip(losses, raw))
assert all(abs(place(sum(a) / len(a)) - y) < 0.01 for a, y in zip(around, mean))
# the prior has its own steps: each of the first twenty, then every fourth; points on straight lines are not drawn
assert [i for i, loss in kept] == [*range(20), *range(20, 45, 4)]
def on(line, x, y):
    return any(a <= x + 0.01 and x <= c + 0.01 and abs(b + (d - b) * (x - a) / (c - a) - y) < 0.01
               for (a, b), (c, d) in zip(line, line[1:]))
prior, prior_mean = lines[2:]
around = [[loss for j, loss in kept if abs(i - j) <= 1] for i, own in kept]
assert 20 < len(prior) <= 27 and 20 < len(prior_mean) <= 27
assert all(on(prior, lines[0][i][0], place(loss)) for i, loss in kept)
assert all(on(prior_mean, lines[0][i][0], place(sum(a) / len(a))) for (i, loss), a in zip(kept, around))' points cat.safetensors.csv
run $teach --steps 45 --prior-weight 0 --plot alone.svg --output cat3.safetensors
check 'learn: without the prior there are two lines' test "$(points alone.svg | wc -l)" = 2
refuses 'learn: --plot loss.jpg' 2 "^loss.jpg: a figure's name must end" $teach --steps 1 --plot loss.jpg --output no
refuses 'learn: a figure in the place of the losses' 1 'would both write no.svg' $teach --steps 1 --plot no.svg \
    --trace no.svg --output no
refuses 'learn: over what is read' 1 'would overwrite' $teach --steps 1 --plot "$pictures/rgb8.png" --output no
refuses 'learn: a folder that is not there' 1 '^no/loss.png: cannot be written' $teach --steps 1 --plot no/loss.png \
    --output no.safetensors
for what in unet start; do
    run bench --what $what --model "$sd1" --width 64 --height 64 --repeats 1 --quiet --plot "$what.png"
    check "bench --what $what: bars" figure "$what.png" 400
done
refuses 'bench: what has no parts' 2 '^--plot shows what a time is spent on' bench --what spectrum --model "$sd1" \
    --plot no.svg
refuses 'bench: --plot bars.tif' 2 "^bars.tif: a figure's name must end" bench --what unet --model "$sd1" --plot bars.tif
end_tests
