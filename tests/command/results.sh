#!/bin/sh
# What `svdiff generate` writes and says: names, seeds, texts, events, how it is stopped.
. "$(dirname "$0")/lib.sh"

files() { # NAMES...: these and no others, by a pattern of the shell in $pattern
    [ "$(echo $pattern)" = "$*" ]
}

# ---- names ----

generate --prompt x --steps 2 --seed 7 --count 3 --output 'plain.png'
pattern='plain*' check 'several pictures are numbered from 1' files plain-1.png plain-2.png plain-3.png
generate --prompt x --steps 2 --seed 7 --count 2 --output 'wide%04d.png'
pattern='wide*' check '%04d is the number' files wide0000.png wide0001.png
generate --prompt x --steps 2 --seed 7 --output 'one%d.png'
pattern='one*' check '%d is the number' files one0.png
generate --prompt x --steps 2 --seed 7 --output 'half%%%s%n.png'
pattern='half*' check 'other percent signs are themselves' files 'half%%s%n.png'

# ---- seeds: picture k is that of seed + k ----

for sampler in ddim euler euler-a dpmpp-2m pndm lms heun dpm2 dpm2-a unipc lcm dpmpp-3m-sde \
    dpmpp-sde tcd; do
    generate --prompt x --steps 3 --sampler $sampler --seed 7 --count 3 --output "$sampler-%d.png"
    generate --prompt x --steps 3 --sampler $sampler --seed 9 --output "$sampler.png"
    check "$sampler: the third picture of a run" same "$sampler.png" "$sampler-2.png"
    check "$sampler: pictures of a run differ" differ "$sampler-0.png" "$sampler-2.png"
done
generate --prompt x --steps 3 --eta 1 --seed 7 --count 2 --output 'eta-%d.png'
generate --prompt x --steps 3 --eta 1 --seed 8 --output eta.png
check 'ddim with eta: the second picture' same eta.png eta-1.png
generate --prompt x --steps 3 --seed 7 --count 2 --noise torch --eta 1 --output 'torch-%d.png'
generate --prompt x --steps 3 --seed 8 --noise torch --eta 1 --output torch.png
check '--noise torch: the second picture' same torch.png torch-1.png
check '--noise torch is another noise' differ torch.png eta.png
generate --prompt x --steps 3 --seed 7 --output again.png
check 'the same again' same again.png ddim-0.png
generate --prompt x --steps 3 --seed 7 --threads 1 --output thread.png
check 'one thread or several' same thread.png ddim-0.png
generate --prompt x --steps 3 --seed 7 --output again.tif
check '.tif' is 0
check '.tif is a TIFF file' test "$(head -c 2 again.tif)" = II

# ---- texts ----

generate --prompt 'a "big" dog' --negative cat --steps 2 --seed 5 --guidance 6.5 --output text.png
for part in 'a "big" dog' 'Negative prompt: cat' 'Steps: 2' 'Sampler: DDIM' 'Model: sd1' 'CFG scale: 6.5' \
    'Seed: 5' 'Size: 64x64' 'Model hash: [0-9a-f]\{12\}' 'Precision: \(f32\|bf16\)' 'Device: cpu'; do
    check "the picture says $part" grep -aq "$part" text.png
done
generate --prompt '' --steps 1 --output empty.png
check 'an empty prompt is fine' is 0
LC_ALL=C generate --prompt 'größe 🐶' --steps 1 --seed 1 --output c.png
check 'UTF-8 under LANG=C' is 0
generate --prompt 'größe 🐶' --steps 1 --seed 1 --output utf8.png
check 'and it means the same' same c.png utf8.png
german=$(locale -a 2>/dev/null | grep -i '^de_DE' | head -1)
if [ -n "$german" ]; then
    LC_ALL=$german generate --prompt 'a "big" dog' --negative cat --steps 2 --seed 5 \
        --guidance 6.5 --output german.png
    check 'numbers do not depend on the locale' same text.png german.png
else
    skip 'numbers do not depend on the locale' 'there is no German locale'
fi

# ---- what is said ----

run generate --model "$sd1" --width 64 --height 64 --prompt x --steps 2 --json --output said.png
check '--json' is 0
check 'every line is JSON' python3 -c '
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert all(line["event"] in ("progress", "warning", "done") for line in lines)
assert lines[-1] == {"event": "done", "file": "said.png", "files": ["said.png"]}
steps = [line["step"] for line in lines if line.get("phase") == "generate"]
assert steps == sorted(steps) and steps[-1] == 2
' "$work/out"
check 'a random seed is said' grep -q '^seed [0-9]*$' "$work/err"
generate --prompt x --steps 1 --seed 1 --output quiet.png
check '--quiet: nothing on standard output' test ! -s "$work/out"
check '--quiet: nothing on standard error' test ! -s "$work/err"
run generate --model "$sd1" --width 64 --height 64 --prompt x --steps 1 --json --subject nobody \
    --output said.png
check 'an error is an event, too' grep -q '^{"event":"error","message":".*nobody' "$work/out"
run info --json "$sd1"
check 'info --json' python3 -c '
import json, sys
info = json.load(open(sys.argv[1]))
assert (info["kind"], info["format"], info["prediction"]) == ("model", "diffusers", "epsilon")
assert info["defaults"]["learn"]["steps"] == 500 and info["defaults"]["generate"]["guidance"] == 7.5
' "$work/out"
run info --json
check 'info --json: the model that ships' python3 -c '
import json, sys
info = json.load(open(sys.argv[1]))
assert info["kind"] == "model" and info["things"] == [] and info["preview"] is None
assert info["defaults"]["generate"]["width"] == 128
' "$work/out"
cp -R "$sd1" own
cat >own/svdiff.json <<EOF
{"learn": {"steps": 321, "learning_rate": 0.02}, "generate": {"steps": 7}, "edit": {"structure": 0.5}}
EOF
run info --json own
check 'info --json: what a model wants by default' python3 -c '
import json, sys
own = json.load(open(sys.argv[1]))["defaults"]
assert (own["learn"]["steps"], own["learn"]["learning_rate"]) == (321, 0.02)
assert (own["generate"]["steps"], own["edit"]["steps"], own["edit"]["structure"]) == (7, 7, 0.5)
assert own["generate"]["width"] == own["learn"]["size"] > 0
' "$work/out"
rm -r own

# ---- arguments from a file ----

cat >arguments.json <<EOF
["--model", "$sd1", "--prompt", "x", "--width", "64", "--height", "64", "--steps", "3",
 "--seed", "7", "--quiet", "--output", "arguments.png"]
EOF
run generate --arguments arguments.json
check '--arguments' is 0
check '--arguments: the same picture' same arguments.png ddim-0.png
echo '["--steps", 3]' >bad.json
refuses '--arguments: a number is no string' 1 bad.json generate --arguments bad.json
refuses '--arguments: no such file' 1 none.json generate --arguments none.json

# ---- a picture to start from ----

generate --prompt x --steps 4 --strength 0.5 --init-image "$pictures/rgb8.png" --seed 1 \
    --output init.png
check '--init-image' is 0
size() { od -An -tx1 -j16 -N8 "$1"; }
check 'the result has its size' test "$(size init.png)" = "$(size "$pictures/rgb8.png")"

# ---- cancel: exit 130, nothing written ----

stopped() { # NAME HOW
    rm -f pipe "$work/out"
    mkfifo pipe
    exec 9<>pipe
    "$svdiff" generate --worker --model "$sd1" --width 64 --height 64 --prompt x --steps 900 \
        --count 20 --output 'stopped%d.png' <pipe >"$work/out" 2>"$work/err" 9>&- &
    process=$!
    await $process "$work/out" '"phase":"generate","step":20,'
    case $2 in
    end) exec 9>&- ;;
    INT | TERM) kill -$2 $process ;;
    *) echo "$2" >&9 ;;
    esac
    wait $process
    status=$?
    exec 9>&-
    check "$1: exit 130" is 130
    check "$1: nothing is written" test -z "$(ls | grep stopped)"
    check "$1: one sentence" grep -q '^Cancelled' "$work/err"
}
stopped 'the end of standard input' end
stopped 'the line cancel' cancel
stopped 'the line stop' stop
stopped SIGINT INT
stopped SIGTERM TERM
run generate --worker --model "$sd1" --width 64 --height 64 --prompt x --steps 900 \
    --output stopped.png </dev/null
check 'no standard input: exit 130' is 130
end_tests
