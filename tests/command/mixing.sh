#!/bin/sh
# Several subjects learned together: how they are mixed, with regions and masks, from one picture
# and from several; that a stopped run goes on as if it had not been.
. "$(dirname "$0")/lib.sh"

image=$pictures/baseline-expected.png
left=$pictures/mask-left.png
right=$pictures/mask-right.png
dog="--prompt [V1]-dog --image $pictures/rgb8.png --image $pictures/rgb16.png"
cat="--prompt [V2]-cat --image $image"
common="--model $sd1 --size 64 --seed 3"

# ---- what is refused ----

for value in -0.1 1.5 nan none; do
    refuses "--cut-mix $value" 2 "cut-mix.*$value" learn $common $dog $cat --steps 1 \
        --output s.safetensors --cut-mix $value
done
for bad in '--unmix-grid 0' '--cut-mix-layouts side' '--unmix-layers side' '--unmix-maps most' '--apart-pictures -1'; do
    refuses "$bad" 2 "^${bad% *} is" learn $common $dog $cat --steps 1 --output s.safetensors $bad
done
refuses '--unmix-weight -1' 2 'unmix-weight.*-1' learn $common $dog $cat --steps 1 \
    --output s.safetensors --unmix-weight -1
refuses 'a region before any prompt' 2 '--region .*--prompt' learn --region $left $dog --output s
refuses 'two regions of one subject' 2 'mask-left.png and .*mask-right.png' \
    learn $common $dog $cat --region $left --region $right --output s
refuses 'a region with one subject' 2 '--region .*mask-left.png' \
    learn $common $dog --region $left --output s
refuses 'a region for one of two' 2 'cat.* has a --region and .*dog' \
    learn $common $dog $cat --region $left --output s
refuses 'an empty region' 1 'mask-empty.png is empty' learn $common --quiet $dog --region $left \
    $cat --region $pictures/mask-empty.png --steps 1 --output s.safetensors
refuses 'no such region' 1 '^missing.png: ' learn $common --quiet $dog --region $left \
    $cat --region missing.png --steps 1 --output s.safetensors
mkfifo fifo
refuses 'a FIFO as region' 1 '^fifo: .*FIFO' learn $common --quiet $dog --region fifo \
    $cat --region $left --steps 1 --output s.safetensors

# ---- what a run shows, read from its trace ----

cat >shown.py <<'END'
"""Prints for each step how many subjects it shows, how many tokens are their own, m where it is mixed, and c
where what is cut out is not a region but what a mask marks."""
import array, json, struct, sys
with open(sys.argv[1], "rb") as file:
    header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    data = file.read()
header.pop("__metadata__", None)
shape = {k: v["shape"] for k, v in header.items()}
value = {k: array.array("f", data[slice(*v["data_offsets"])]) for k, v in header.items()}
words = []
for k in range(sum(n.startswith("loss.") for n in shape)):
    if f"regions.{k}" not in shape:
        words.append("1")
        continue
    n, s, h, w = shape[f"regions.{k}"]
    t = shape[f"subject_tokens.{k}"][2]
    own = value[f"subject_tokens.{k}"]
    counts = [sum(own[i * t:(i + 1) * t]) for i in range(n * s)]
    assert shape[f"subject_tokens.{k}"] == [n, s, t]
    assert all(0 <= x <= 1 for x in value[f"regions.{k}"])
    word = "+".join("%d" % c for c in counts if c)
    if f"mix_masks.{k}" in shape:
        mask, side = value[f"mix_masks.{k}"], shape[f"mix_masks.{k}"][3]
        f, cut = side // w, False
        assert shape[f"mix_pictures.{k}"] == [2 * n, 3, side, side]
        for i in range(n):  # each pixel is shared out between the two; a region is met in the middle of latents
            first, second = (mask[(2 * i + q) * side * side:(2 * i + q + 1) * side * side] for q in range(2))
            assert all(abs(a + b - 1) < 1e-6 for a, b in zip(first, second))
            cut = cut or not any(
                all(abs(part[(y * f + f // 2) * side + x * f + f // 2] -
                        value[f"regions.{k}"][(i * s + q) * h * w + y * w + x]) < 0.1
                    for y in range(h) for x in range(w)) for q, part in ((0, first), (1, second)))
        word += "mc" if cut else "m"
    words.append(word)
print(" ".join(words))
END
shown() { # TRACE
    python3 shown.py "$1" 2>"$work/err"
}

two="learn $common --quiet $dog $cat --prior-weight 0"
run $two --steps 6 --cut-mix 1 --trace all --output all.safetensors
check '--cut-mix 1' is 0
check 'every step is mixed' test "$(shown all)" = '1+1m 1+1m 1+1m 1+1m 1+1m 1+1m'
run $two --steps 6 --cut-mix 0 --trace none --output none.safetensors
check '--cut-mix 0: none is' test "$(shown none)" = '1 1 1 1 1 1'
run $two --steps 30 --trace some --output some.safetensors
mixed=$(shown some | tr ' ' '\n' | grep -c m)
check 'the default mixes some' test "$mixed" -gt 9 -a "$mixed" -lt 27
run $two --steps 4 --cut-mix 1 --batch 2 --accumulate 2 --flip --crop random --trace many \
    --output many.safetensors
check 'batches, flips and crops' test "$(shown many | tr ' ' '\n' | sort -u)" = 1+1+1+1m
run learn $common --quiet $dog --steps 3 --cut-mix 1 --output one.safetensors
check 'one subject is not mixed' is 0
run $two --steps 2 --cut-mix 1 --unmix-weight 5 --trace unmix --output unmix.safetensors
check 'the unmix loss' grep -aq '"unmix_loss.1":{"dtype":"F32","shape":\[1\]' unmix
run $two --steps 2 --cut-mix 1 --unmix-weight 0 --trace off --output off.safetensors
check 'none with weight 0' test -z "$(grep -ao unmix_loss.1 off)"
check '--unmix-weight makes a difference' differ unmix.safetensors off.safetensors
for other in '--unmix-grid 4' '--unmix-layers up' '--unmix-maps plain' '--unmix-maps max'; do
    run $two --steps 2 --cut-mix 1 --unmix-weight 5 $other --output other.safetensors
    check "$other makes one, too" differ unmix.safetensors other.safetensors
done
run learn $common --quiet $dog $cat --steps 3 --cut-mix 1 --prior-images 2 --trace prior \
    --output prior.safetensors
check 'with class pictures' is 0
run learn $common --quiet $dog $cat --steps 3 --cut-mix 1 --output prediction.safetensors
check "with the model's predictions" is 0
check 'the prior makes a difference' differ prior.safetensors prediction.safetensors

run $two --steps 4 --cut-mix 1 --output halves.safetensors
run learn $common --quiet --prior-weight 0 $dog --region $left $cat --region $right --steps 4 \
    --cut-mix 1 --trace drawn --output drawn.safetensors
check 'regions' test "$(shown drawn)" = '1+1m 1+1m 1+1m 1+1m'
check 'regions make a difference' differ drawn.safetensors halves.safetensors
run learn $common --quiet --prior-weight 0 $dog $cat --mask $right --steps 4 --cut-mix 1 \
    --trace masked --output masked.safetensors
check 'a mask of one of them' test "$(shown masked)" = '1+1mc 1+1mc 1+1mc 1+1mc'
check 'masks make a difference' differ masked.safetensors halves.safetensors
run learn $common --quiet --prior-weight 0 $dog --region $left $cat --mask $right --region $right \
    --flip --batch 2 --steps 4 --cut-mix 1 --trace placed --output placed.safetensors
check 'a mask, regions and mirror images' test "$(shown placed)" = \
    '1+1+1+1mc 1+1+1+1mc 1+1+1+1mc 1+1+1+1mc'
for layouts in stacked corners all; do
    run $two --steps 4 --cut-mix 1 --cut-mix-layouts $layouts --trace layouts --output $layouts.safetensors
    check "layouts: $layouts" test "$(shown layouts)" = '1+1m 1+1m 1+1m 1+1m'
    check "$layouts are not halves" differ $layouts.safetensors halves.safetensors
    run learn $common --quiet --prior-weight 0 $dog $cat --mask $right --steps 4 --cut-mix 1 \
        --cut-mix-layouts $layouts --trace layouts --output own.safetensors
    check "$layouts with a mask" test "$(shown layouts)" = '1+1mc 1+1mc 1+1mc 1+1mc'
done

# three of one picture, named in two ways: random subsets, never mixed
cp $image same.png
run learn $common --quiet --flip --prior-weight 0 --prompt '[V1]-dog' --image same.png \
    --mask $left --prompt '[V2]-cat' --image ./same.png --mask $right --prompt '[V3]-owl' \
    --image "$PWD/same.png" --mask $left --steps 24 --trace scene --output scene.safetensors
check 'several subjects of one picture' is 0
check 'every subset comes up, nothing is mixed' test \
    "$(shown scene | tr ' ' '\n' | sort -u | tr '\n' ' ')" = '1 1+1 1+1+1 '

# ---- the model's own options ----

cp -rL "$sd1" own-model
own="learn --model own-model --size 64 --seed 3 --quiet --prior-weight 0 $dog $cat --steps 2 --cut-mix 1"
printf '{"learn": {"unmix_weight": 5, "unmix_grid": 4, "unmix_layers": "up", "unmix_maps": "max",
    "cut_mix_layouts": "corners"}}' \
    >own-model/svdiff.json
run $own --output own.safetensors
run $two --steps 2 --cut-mix 1 --unmix-weight 5 --unmix-grid 4 --unmix-layers up --unmix-maps max \
    --cut-mix-layouts corners --output asked.safetensors
check 'from its svdiff.json' same own.safetensors asked.safetensors
run $own --unmix-maps plain --output own.safetensors
check 'unless others are asked for' differ own.safetensors asked.safetensors
printf '{"learn": {"unmix_layers": "side"}}' >own-model/svdiff.json
run $own --output own.safetensors
check 'a word that means nothing is said' grep -q 'unmix_layers.*must be down, up or both' "$work/err"

# ---- how well they stay apart ----

cat >apart.py <<'END'
"""Checks the event `apart`: pictures, the subjects' shares, and the seam or none."""
import json, sys
pictures, subjects, seam = (int(x) for x in sys.argv[2:])
events = [json.loads(line) for line in open(sys.argv[1])]
told, = (event for event in events if event["event"] == "apart")
assert told["pictures"] == pictures and len(told["subjects"]) == subjects, told
assert all(0 < s["own"] < 1 and 0 < s["others"] < 1 for s in told["subjects"]), told
assert ("seam" in told) == bool(seam), told
if seam:  # halves: one or the other
    assert all(abs(s["own"] + s["others"] - 1) < 1e-6 for s in told["subjects"]), told
    assert told["seam"] > 0
END
apart() { # PICTURES SUBJECTS SEAM: what the last run told
    python3 apart.py "$work/out" "$@" 2>"$work/err"
}
run learn $common $dog $cat --prior-weight 0 --steps 2 --output told.safetensors
check 'for people' grep -q "^attention on the words of '\[V2\]-cat': [0-9]* of 100 in its region" "$work/out"
check 'the seam' grep -q '^seam: [0-9.]* times the change around it$' "$work/out"
run $two --steps 2 --cut-mix 0 --json --output told.safetensors
check 'halves, also without mixing' apart 2 2 1
run $two --steps 2 --json --apart-pictures 3 --output told.safetensors
check 'more pictures' apart 3 2 1
run $two --steps 2 --json --apart-pictures 0 --output told.safetensors
check 'none' test -z "$(grep '"apart"' "$work/out")"
run learn $common --quiet --prior-weight 0 --json $dog --region $left $cat --region $right --steps 2 \
    --output told.safetensors
check 'drawn regions have no seam' apart 2 2 0
run learn $common --quiet --prior-weight 0 --json --prompt '[V1]-dog' --image same.png --mask $left \
    --prompt '[V2]-cat' --image same.png --mask $right --prompt '[V3]-owl' --image $pictures/rgb8.png \
    --steps 2 --output told.safetensors
check 'three: a picture each' apart 3 3 1
run learn $common --quiet --json $dog --steps 2 --output told.safetensors
check 'one has nobody to be apart from' test -z "$(grep '"apart"' "$work/out")"

# ---- stopped and resumed ----

mixing="$dog --region $left $cat --mask $left --region $right"
"$svdiff" learn $common $mixing --output stopped.safetensors --steps 100000 --json </dev/null \
    >"$work/out" 2>"$work/err" &
process=$!
await $process "$work/out" '"phase":"learn","step":5,'
kill -INT $process
wait $process
steps=$(($(metadata stopped.safetensors steps) + 4))
cp stopped.safetensors.resume kept.resume
run learn $common --quiet $mixing --steps $steps --output stopped.safetensors --resume
check 'it goes on' is 0
run learn $common --quiet $mixing --steps $steps --output straight.safetensors
check 'and gives the subject of an uninterrupted run' same stopped.safetensors straight.safetensors
cp kept.resume stopped.safetensors.resume
refuses '--resume with another --cut-mix' 1 'stopped.safetensors.resume ' learn $common --quiet \
    $mixing --steps $steps --cut-mix 0.5 --output stopped.safetensors --resume
refuses '--resume with another --unmix-weight' 1 'stopped.safetensors.resume ' learn $common --quiet \
    $mixing --steps $steps --unmix-weight 0.5 --output stopped.safetensors --resume
refuses '--resume with other regions' 1 'stopped.safetensors.resume ' learn $common --quiet \
    $dog --region $right $cat --region $left --steps $steps --output stopped.safetensors --resume
refuses '--resume without regions' 1 'stopped.safetensors.resume ' learn $common --quiet \
    $dog $cat --steps $steps --output stopped.safetensors --resume
end_tests
