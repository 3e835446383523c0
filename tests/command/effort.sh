#!/bin/sh
# What `svdiff learn --effort` chooses, what wins over it, and where it is found again.
. "$(dirname "$0")/lib.sh"

dog="--prompt [V]-dog --image $pictures/rgb8.png"
cp -rL "$sd1" own
suits() { # JSON: of learning, what the model own says
    printf '{"learn": {%s}}' "$1" >own/svdiff.json
}

# what a run would take, as it is told: "steps 500, learning-rate 0.001, ..."
chosen() { # MODEL OPTIONS...
    model=$1
    shift
    run learn --model "$model" --size 64 --seed 3 $dog "$@" --estimate --output c.safetensors
    sed -n 's/^effort //p' "$work/out"
}
chooses() { # NAME OPTION VALUE MODEL OPTIONS...
    chooses_name=$1
    option=$2
    value=$3
    shift 3
    check "$chooses_name: $option $value" test -n "$(chosen "$@" | grep -E "(: |, )$option $value(,|\$)")"
}

# ---- which word ----

refuses 'a word that there is not' 2 "--effort is 'fast'; it can be quick, normal or thorough" \
    learn --model "$sd1" $dog --effort fast --output s.safetensors
refuses 'a number' 2 "--effort is '1'" learn --model "$sd1" $dog --effort 1 --output s.safetensors
refuses 'nothing' 2 "--effort is ''" learn --model "$sd1" $dog --effort '' --output s.safetensors
refuses '--prior-every 0' 2 '--prior-every is 0; it can be from 1' \
    learn --model "$sd1" $dog --prior-every 0 --output s.safetensors
check 'which one it is is told' test -n "$(chosen "$sd1" --effort quick | grep '^quick: ')"
check 'normal is one, too' test -n "$(chosen "$sd1" --effort normal | grep '^normal: ')"
check 'and is what there is without' test "$(chosen "$sd1")" = "$(chosen "$sd1" --effort normal)"

# ---- what wins: given, the effort, svdiff.json, the table ----

chooses 'the table' steps 500 "$sd1"
chooses 'a number as one writes it' learning-rate-1d 1e-06 "$sd1"
chooses 'a share of the table' steps 150 "$sd1" --effort quick
chooses 'all of it' steps 500 "$sd1" --effort thorough
chooses 'more than in it' prior-every 1 "$sd1" --effort thorough
chooses 'given beside an effort' steps 7 "$sd1" --effort quick --steps 7
chooses 'given before it' steps 7 "$sd1" --steps 7 --effort quick
chooses 'what is not given is the effort s' schedule linear "$sd1" --effort quick --steps 7
suits '"steps": 40, "schedule": "cosine", "learning_rate": 0.5, "prior_every": 3'
chooses 'a model' steps 40 own
chooses 'a model' schedule cosine own
chooses 'a model with normal' prior-every 3 own --effort normal
chooses "a share of the model's" steps 12 own --effort quick
chooses "all of the model's" steps 40 own --effort thorough
chooses "more than the model's" learning-rate 1 own --effort thorough
chooses 'the effort over the model' schedule linear own --effort quick
chooses 'given over all' schedule constant own --effort quick --schedule constant
chooses 'given over a model' steps 9 own --steps 9
suits '"steps": 40, "quick": {"steps": 11, "schedule": "cosine"}, "thorough": {"prior_every": 2}'
chooses 'what the model says of an effort' steps 11 own --effort quick
chooses 'what the model says of an effort' schedule cosine own --effort quick
chooses 'which is of that effort alone' steps 40 own
chooses 'and leaves the others' steps 40 own --effort thorough
chooses 'one that says less' prior-every 2 own --effort thorough
chooses 'given over that' steps 12 own --effort quick --steps 12
suits '"quick": {"steps": "many"}'
chooses 'what cannot be' steps 150 own --effort quick
check 'is said' grep -q 'own/svdiff.json: "steps" must be' "$work/err"
suits '"quick": 5'
chooses 'what is none' steps 150 own --effort quick
check 'is said, too' grep -q 'own/svdiff.json: "quick" must be' "$work/err"

dog="--prompt [V]-dog --image $pictures/rgb8.png --prompt [V2]-cat --image $pictures/rgba8.png"
chooses 'of two subjects half as many more' steps 225 "$sd1" --effort quick
dog="--prompt [V]-dog --image $pictures/rgb8.png"

# ---- the same by hand, and where it stands ----

few='--steps 4 --learning-rate 0.01'
learn $dog $few --output none.safetensors
learn $dog $few --effort normal --output normal.safetensors
check 'normal is what is learned without' same none.safetensors normal.safetensors
check 'the subject says which it was' test "$(metadata none.safetensors effort)" = normal
learn $dog $few --effort quick --output quick.safetensors
run learn --model "$sd1" --size 64 --seed 3 $dog $few --effort quick --output told.safetensors
check 'which one it is is told, and what it chose' \
    grep -q '^effort quick: steps 4, .*schedule linear' "$work/err"
check 'quick is another' differ quick.safetensors normal.safetensors
check 'the subject says so' test "$(metadata quick.safetensors effort)" = quick
check 'and what was chosen' \
    test "$(metadata quick.safetensors schedule) $(metadata quick.safetensors steps)" = 'linear 4'
check 'so does the checkpoint' test "$(metadata quick.safetensors.resume effort)" = quick
chosen "$sd1" --effort quick $few >words
learn $dog --output hand.safetensors $(sed 's/^[a-z]*: /--/; s/, / --/g' words)
check 'what is told is all of it' same hand.safetensors.csv quick.safetensors.csv

# ---- going on ----

going='--steps 6 --schedule constant'
learn $dog $going --effort quick --output whole.safetensors
learn $dog --steps 3 --schedule constant --effort quick --output part.safetensors
cp part.safetensors.resume kept.resume
learn $dog $going --output part.safetensors --resume
check '--resume takes the effort from the checkpoint' is 0
check 'and goes on as if it had never ended' same part.safetensors whole.safetensors
cp kept.resume part.safetensors.resume
learn $dog $going --output part.safetensors --continue
check '--continue, too' same part.safetensors whole.safetensors
cp kept.resume part.safetensors.resume
refuses '--resume with another effort' 1 'part.safetensors.resume belongs to a run with other' learn \
    --model "$sd1" --size 64 --seed 3 --quiet $dog $going --learning-rate 0.5 --effort thorough \
    --output part.safetensors --resume
cp kept.resume part.safetensors.resume
learn $dog $going --effort thorough --learning-rate 0.5 --output part.safetensors --continue
check '--continue with another effort begins anew' is 0
check 'with that' test "$(metadata part.safetensors effort)" = thorough

# ---- how often the class is kept ----

tensors() { # FILE EXPRESSION: of t(NAME), a value of the trace, and has(NAME)
    python3 -c '
import json, struct, sys
data = open(sys.argv[1], "rb").read()
(size,) = struct.unpack("<Q", data[:8])
header = json.loads(data[8:8 + size])
has = lambda name: name in header
t = lambda name: struct.unpack_from("<f", data, 8 + size + header[name]["data_offsets"][0])[0]
near = lambda a, b: abs(a - b) <= 1e-5 * abs(b)
assert eval("(" + sys.argv[2] + ")")' "$1" "$2"
}
learn $dog --steps 26 --learning-rate 0.01 --prior-every 4 --trace every.trace --output every.safetensors
check '--prior-every' is 0
check 'each of the first steps keeps it' tensors every.trace \
    'all(near(t(f"total_loss.{k}"), t(f"loss.{k}") + t(f"prior_loss.{k}")) for k in range(20))'
check 'then every fourth one, as if it were four' tensors every.trace \
    'all(near(t(f"total_loss.{k}"), t(f"loss.{k}") + 4 * t(f"prior_loss.{k}")) for k in (20, 24))'
check 'and no other' tensors every.trace \
    'not any(has(f"prior_loss.{k}") or has(f"prior_target.{k}") for k in (21, 22, 23, 25)) and
     all(near(t(f"total_loss.{k}"), t(f"loss.{k}")) for k in (21, 22, 23, 25))'
learn $dog --steps 23 --learning-rate 0.01 --prior-every 4 --output more.safetensors
learn $dog --steps 26 --learning-rate 0.01 --prior-every 4 --output more.safetensors --resume
check 'a run that goes on keeps it in the same steps' same more.safetensors every.safetensors
learn $dog --steps 22 --accumulate 2 --prior-every 3 --trace sum.trace --output sum.safetensors
check 'of batches that are summed up all or none' tensors sum.trace \
    'not any(has(f"prior_loss.{m}") for m in (40, 41)) and has("prior_loss.42") and has("prior_loss.43")'
cat="--prompt [V2]-cat --image $pictures/rgba8.png --apart-pictures 0 --cut-mix 1 --unmix-layers both"
learn $dog $cat --steps 23 --prior-every 3 --trace two.trace --output two.safetensors
check 'of two subjects that are mixed' is 0
check 'the unmix loss is there in all steps' tensors two.trace \
    'all(has(f"unmix_loss.{k}") for k in range(23)) and not has("prior_loss.22")'
check 'the last ones are no numbers of other rows' tensors two.trace \
    'all(0 < t(f"unmix_loss.{k}") < 10 for k in range(23))'

# ---- what it takes ----

estimate() { # NAME: of the object in $work/out
    python3 -c 'import json, sys; print(eval("e" + sys.argv[2], {"e": json.load(open(sys.argv[1]))}))' \
        "$work/out" "$1"
}
holds() { # EXPRESSION
    python3 -c 'import json, sys; assert eval(sys.argv[2], {"e": json.load(open(sys.argv[1]))})' \
        "$work/out" "$1"
}
run learn --model "$sd1" --size 64 --seed 3 $dog --effort quick --estimate --json --output e.safetensors
check '--estimate: which one' test "$(estimate '["effort"]')" = quick
check '--estimate: the time of each' \
    holds '0 < e["efforts"]["quick"] < e["efforts"]["normal"] < e["efforts"]["thorough"]'
check '--estimate: that of the chosen one' holds 'abs(e["efforts"]["quick"] / e["seconds"] - 1) < 1e-6'
check '--estimate: what stands without more' \
    holds 'e["defaults"]["steps"] == 150 and e["defaults"]["schedule"] == "linear"'
operations=$(estimate '["operations"]')
run learn --model "$sd1" --size 64 --seed 3 $dog --effort quick --steps 9 --estimate --json \
    --output e.safetensors
check '--estimate: what is given is in all of them' \
    holds 'e["efforts"]["quick"] <= e["efforts"]["thorough"] < 1.01 * e["efforts"]["quick"]'
check '--estimate: but not in what stands without' holds 'e["defaults"]["steps"] == 150'
check '--estimate: fewer steps are less' holds "e['operations'] < $operations"
run learn --model "$sd1" --size 64 --seed 3 $dog --estimate --output e.safetensors
check '--estimate: for people' \
    grep -Eq '^by effort: quick [0-9]+ s, normal [0-9]+ s, thorough [0-9]+ s$' "$work/out"
products() { # OPTIONS...
    run learn --model "$sd1" --size 64 --seed 3 $dog "$@" --estimate --json --output e.safetensors
    estimate '["operations"]'
}
one=$(products --steps 20 --prior-every 4)
check '--estimate: the first steps keep the class' test "$one" = "$(products --steps 20 --prior-every 1)"
check '--estimate: steps without it are counted' python3 -c '
import sys
first, kept, most, plain = (float(x) for x in sys.argv[1:])
assert abs((kept - first) - ((most - first) / 4 + (plain - first) * 3 / 4)) < 1e-6 * most' "$one" \
    "$(products --steps 60 --prior-every 4)" "$(products --steps 60 --prior-every 1)" \
    "$(products --steps 60 --prior-every 1000)"
check '--estimate: nothing is written' test ! -e e.safetensors
end_tests
