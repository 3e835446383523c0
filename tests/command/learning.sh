#!/bin/sh
# What `svdiff learn` leaves: stopped and resumed equals uninterrupted byte for byte; what its
# options change; that a run gone wrong keeps what was good.
. "$(dirname "$0")/lib.sh"

dog="--prompt [V]-dog --image $pictures/rgb8.png --image $pictures/rgb16.png"

# ---- stopped and resumed ----

learn $dog --steps 9 --output whole.safetensors
check 'an uninterrupted run' is 0
check 'its losses' test "$(wc -l <whole.safetensors.csv)" -eq 10
check 'its end is kept to go on from' test "$(metadata whole.safetensors.resume step)" = 9
learn $dog --steps 9 --output again.safetensors
check 'the same again' same whole.safetensors again.safetensors

# ---- the seed ----

said() { # of the last run
    sed -n 's/^seed \([0-9]*\)$/\1/p' "$work/err"
}
run learn --model "$sd1" --size 64 $dog --steps 2 --output one.safetensors
one=$(said)
check 'without --seed it is said' test -n "$one"
cp "$work/err" "$work/said"
check 'and kept with the subject' test "$(metadata one.safetensors seed)" = "$one"
run learn --model "$sd1" --size 64 $dog --steps 2 --output two.safetensors
check 'another run has another one' test "$(said)" != "$one"
check 'and learns otherwise' differ one.safetensors two.safetensors
run learn --model "$sd1" --size 64 $dog --steps 2 --seed "$one" --output two.safetensors
check 'asked for, it is the same run' same one.safetensors two.safetensors
check 'and is not said' test -z "$(said)"
run learn --model "$sd1" --size 64 --quiet $dog --steps 4 --seed "$one" --output whole4.safetensors
run learn --model "$sd1" --size 64 $dog --steps 4 --output one.safetensors --resume
check "--resume goes on with the checkpoint's" same one.safetensors whole4.safetensors
check 'which is not said' test -z "$(said)"

# a run that would last for long, in the background, with the file $input as standard input
input=/dev/null
begin() { # OUTPUT OPTIONS...
    output=$1
    shift
    rm -f "$work/out"
    "$svdiff" learn --model "$sd1" --size 64 --seed 3 $dog --steps 100000 --output "$output" \
        --json "$@" <"$input" >"$work/out" 2>"$work/err" 9>&- &
    process=$!
}

finish() {
    wait $process
    status=$?
}

# goes on for two steps and compares with an uninterrupted run of as many
goes_on() { # NAME OUTPUT STEPS
    total=$(($3 + 2))
    learn $dog --steps $total --output straight.safetensors
    learn $dog --steps $total --output "$2" --resume
    check "$1: it goes on" is 0
    check "$1: the subject is that of an uninterrupted run" same "$2" straight.safetensors
    check "$1: and so are the losses" same "$2.csv" straight.safetensors.csv
    check "$1: the checkpoint is that of its end" same "$2.resume" straight.safetensors.resume
}

for signal in INT TERM; do
    begin stopped.safetensors
    await $process "$work/out" '"phase":"learn","step":3,'
    kill -$signal $process
    finish
    check "SIG$signal: exit 130" is 130
    check "SIG$signal: it says what is kept" \
        grep -q '^Cancelled after step [0-9]* .*--resume' "$work/err"
    check "SIG$signal: the subject is written" test -s stopped.safetensors
    goes_on SIG$signal stopped.safetensors "$(metadata stopped.safetensors steps)"
done

begin killed.safetensors --checkpoint-every 2
await $process "$work/out" '"event":"checkpoint".*"step":4,'
kill -KILL $process
finish
check 'SIGKILL: no half files' test "$(ls -A | grep killed)" = killed.safetensors.resume
goes_on SIGKILL killed.safetensors "$(metadata killed.safetensors.resume step)"

# ---- a finished run, to which steps are added ----

adds() { # NAME OPTIONS...: 4 steps, then 3 more, equal 7
    name=$1
    shift
    learn $dog --steps 4 --output more.safetensors "$@"
    learn $dog --steps 7 --output more.safetensors --resume "$@"
    check "$name: a finished run goes on" is 0
    check "$name: without a word" test ! -s "$work/err"
    learn $dog --steps 7 --output straight.safetensors "$@"
    check "$name: the subject is that of an uninterrupted run" \
        same more.safetensors straight.safetensors
    check "$name: and so are the losses" same more.safetensors.csv straight.safetensors.csv
}
adds plain
adds 'a rate that rises' --warm-up 6
adds 'batches, summed up' --batch 2 --accumulate 2 --flip --crop random
adds 'a word that learns' --placeholder-rate 0.001 --norms scalar
adds 'a validation loss' --validate-every 2
adds 'two subjects' --prompt '[V2]-cat' --image "$pictures/rgba8.png" --cut-mix 1 --apart-pictures 0

learn $dog --steps 7 --output plain.safetensors
cp plain.safetensors.resume again.safetensors.resume
learn $dog --steps 7 --output again.safetensors --resume
check 'as many steps as there are: done' is 0
check 'as many steps as there are: it says so' grep -q 'has all of the 7 steps' "$work/err"
check 'as many steps as there are: the same subject' same again.safetensors plain.safetensors
refuses 'fewer steps than there are' 1 'again.safetensors.resume has 7 steps' learn --model "$sd1" \
    --size 64 --seed 3 --quiet $dog --steps 5 --output again.safetensors --resume

# a rate that falls has fallen already: it goes on, and is said to be another course
for schedule in linear cosine; do
    learn $dog --steps 4 --schedule $schedule --output fall.safetensors
    learn $dog --steps 7 --schedule $schedule --output fall.safetensors --resume
    check "$schedule: a finished run goes on" is 0
    check "$schedule: it is said not to equal an uninterrupted one" \
        grep -q '^warning: The rate of the first 4 steps fell towards step 4 .* step 7 ' "$work/err"
    check "$schedule: it has all the steps" test "$(metadata fall.safetensors steps)" = 7
    learn $dog --steps 7 --schedule $schedule --output straight.safetensors
    check "$schedule: the losses before are kept, and count" \
        test "$(wc -l <fall.safetensors.csv)" -eq 8
    check "$schedule: it is another subject" differ fall.safetensors straight.safetensors
    learn $dog --steps 4 --warm-up 4 --schedule $schedule --output rise.safetensors
    learn $dog --steps 7 --warm-up 4 --schedule $schedule --output rise.safetensors --resume
    check "$schedule: nothing is said where it has not fallen yet" test ! -s "$work/err"
    learn $dog --steps 7 --warm-up 4 --schedule $schedule --output straight.safetensors
    check "$schedule: and the subject is that of an uninterrupted run" \
        same rise.safetensors straight.safetensors
done

# ---- the validation loss: the same noise in every run, begun before the first step ----

column() { # FILE STEP [NAME]: the validation loss, or what else the table has
    awk -F, -v step="$2" -v name="${3:-validation_loss}" 'NR == 1 { for (i = 1; i <= NF; i++) place[$i] = i }
        $1 == step { print $place[name] }' "$1"
}

learn $dog --steps 8 --validate-every 4 --output valid.safetensors
check 'validation: a column' test "$(head -1 valid.safetensors.csv)" = step,loss,prior_loss,validation_loss
check 'validation: from step 0 on' test -n "$(column valid.safetensors.csv 0)"
check 'validation: where it was asked for' test -z "$(column valid.safetensors.csv 3)"
check 'validation: it falls' awk -v a="$(column valid.safetensors.csv 0)" \
    -v b="$(column valid.safetensors.csv 8)" 'BEGIN { exit !(b < a) }'
learn $dog --steps 8 --output unmeasured.safetensors
check 'validation: learning is the same without' same valid.safetensors unmeasured.safetensors
learn $dog --steps 1 --validate-every 4 --seed 9 --output other.safetensors
check 'validation: its noise is of no seed' \
    test "$(column other.safetensors.csv 0)" = "$(column valid.safetensors.csv 0)"
begin halved.safetensors --checkpoint-every 4 --validate-every 4
await $process "$work/out" '"event":"checkpoint".*"step":4,'
kill -KILL $process
finish
more=$(($(metadata halved.safetensors.resume step) + 4)) # it may have come further than step 4
learn $dog --steps $more --validate-every 4 --output halved.safetensors --resume
learn $dog --steps $more --validate-every 4 --output valid.safetensors
check 'validation: a resumed run tells the same' same halved.safetensors.csv valid.safetensors.csv
refuses 'validation: fewer than no steps' 2 '--validate-every' learn --model "$sd1" $dog \
    --validate-every -1 --output none.safetensors

# ---- the prior's loss: the mean over a step's micro-batches, in the steps that have one ----

learn $dog --steps 26 --batch 2 --accumulate 2 --prior-every 4 --trace kept.trace --output kept.safetensors
check 'the prior: a column' test "$(head -1 kept.safetensors.csv)" = step,loss,prior_loss
check 'the prior: with what the trace has of it' python3 -c '
import csv, json, struct, sys
data = open(sys.argv[1], "rb").read()
(size,) = struct.unpack("<Q", data[:8])
header = json.loads(data[8:8 + size])
t = lambda name: struct.unpack_from("<f", data, 8 + size + header[name]["data_offsets"][0])[0]
rows = list(csv.DictReader(open(sys.argv[2])))
assert len(rows) == 26 and float(rows[0]["prior_loss"]) < 1e-3 * float(rows[0]["loss"])
for i, row in enumerate(rows):
    for name in "loss", "prior_loss":
        there = f"{name}.{2 * i}" in header
        assert there == bool(row[name]) and (there or name == "prior_loss" and i > 20), (i, name)
        mean = (t(f"{name}.{2 * i}") + t(f"{name}.{2 * i + 1}")) / 2 if there else 0
        assert not there or abs(float(row[name]) - mean) <= 1e-6 * mean, (i, name, row[name], mean)
assert [i for i, row in enumerate(rows) if not row["prior_loss"]] == [21, 22, 23, 25]' kept.trace kept.safetensors.csv
learn $dog --steps 23 --batch 2 --accumulate 2 --prior-every 4 --output going.safetensors
learn $dog --steps 26 --batch 2 --accumulate 2 --prior-every 4 --resume --output going.safetensors
check 'the prior: a resumed run tells the same' same going.safetensors.csv kept.safetensors.csv
learn $dog --steps 3 --prior-weight 0 --output alone.safetensors
check 'the prior: no column where there is none' test "$(head -1 alone.safetensors.csv)" = step,loss
# a checkpoint of before, which has no prior losses
learn $dog --steps 4 --output older.safetensors
python3 "$SVDIFF_TESTS_DIR/command/tensors.py" older.safetensors.resume older 't.pop("prior_loss")'
mv older older.safetensors.resume
learn $dog --steps 6 --output older.safetensors --resume
check 'the prior: a checkpoint without goes on' is 0
check 'the prior: with those that are known' test -z "$(column older.safetensors.csv 4 prior_loss)" \
    -a -n "$(column older.safetensors.csv 5 prior_loss)"
learn $dog --steps 6 --output straight.safetensors
check 'the prior: to the same subject' same older.safetensors straight.safetensors

for how in end cancel stop; do
    rm -f pipe
    mkfifo pipe
    exec 9<>pipe
    input=pipe
    begin worker.safetensors --worker
    await $process "$work/out" '"phase":"learn","step":2,'
    if [ $how = end ]; then
        exec 9>&-
    else
        echo $how >&9
    fi
    finish
    exec 9>&-
    check "--worker, $how: exit 130" is 130
    check "--worker, $how: the subject is written" test -s worker.safetensors
done
cp worker.safetensors.resume kept.resume
while read -r option value; do
    cp kept.resume worker.safetensors.resume
    refuses "--resume with another $option" 1 'worker.safetensors.resume ' learn --model "$sd1" \
        --size 64 --seed 3 --quiet $dog --steps 90 --output worker.safetensors --resume \
        "$option" $value
done <<'EOF'
--learning-rate 0.5
--weight-decay 0.5
--clip 0.5
--batch 2
--prior-weight 0
--seed 4
--class-prompt cat
--subset mid
--norms scalar
--no-text-encoder
--schedule cosine
EOF

# the precision: auto is the fastest that this CPU has, and of a run that goes on the checkpoint's
best=f32
! grep -q -w avx512_bf16 /proc/cpuinfo || best=bf16
check 'auto takes bfloat16 where this CPU has it' test "$(metadata worker.safetensors precision)" = $best
if [ $best = bf16 ]; then
    check 'and says so' grep -q '^device cpu, precision bf16, .*--precision f32' "$work/said"
    cp kept.resume worker.safetensors.resume
    refuses '--resume with another --precision' 1 'worker.safetensors.resume ' learn --model "$sd1" \
        --size 64 --seed 3 --quiet $dog --steps 90 --output worker.safetensors --resume --precision f32
else
    check 'and says so # SKIP this CPU has no bfloat16' true
    check '--resume with another --precision # SKIP this CPU has no bfloat16' true
fi
learn $dog --steps 4 --output exact.safetensors --precision f32
learn $dog --steps 7 --output exact.safetensors --resume
check '--resume without --precision: that of the checkpoint' \
    test "$(metadata exact.safetensors precision)" = f32
learn $dog --steps 7 --output straight.safetensors --precision f32
check '--resume without --precision: the same subject' same exact.safetensors straight.safetensors
head -c 2000 kept.resume >worker.safetensors.resume
refuses '--resume with a truncated checkpoint' 1 'worker.safetensors.resume: .*truncated' \
    learn --model "$sd1" --size 64 --seed 3 --quiet $dog --output worker.safetensors --resume

# --continue: the same where the checkpoint is of the same run, with its seed; else anew
cp kept.resume worker.safetensors.resume
more=$(($(metadata kept.resume step) + 2))
run learn --model "$sd1" --size 64 --quiet $dog --steps $more --output worker.safetensors --continue
learn $dog --steps $more --output straight.safetensors
check '--continue goes on with the seed of the checkpoint' same worker.safetensors straight.safetensors
check '--continue leaves no checkpoint' test ! -e worker.safetensors.resume
for kind in other truncated missing; do
    case $kind in
    other) cp kept.resume worker.safetensors.resume ;;
    truncated) head -c 2000 kept.resume >worker.safetensors.resume ;;
    missing) rm -f worker.safetensors.resume ;;
    esac
    run learn --model "$sd1" --size 64 --seed 4 --quiet $dog --steps 2 --output worker.safetensors --continue
    run learn --model "$sd1" --size 64 --seed 4 --quiet $dog --steps 2 --output fresh.safetensors
    check "--continue begins anew where the checkpoint is $kind" same worker.safetensors fresh.safetensors
done
input=/dev/null
begin none.safetensors --worker
finish
check 'cancelled before the first step: exit 130' is 130
check 'cancelled before the first step: nothing is written' test -z "$(ls -A | grep none)"

# ---- a loss that is no number: weights so large that the rising rate overflows ----

short="--prompt [V]-dog --image $pictures/rgb8.png --steps 2"
fresh_model
poke model/$unet conv_out.weight '\153\013\136\135'
run learn --model model --size 64 --seed 3 --quiet $short --steps 200 --learning-rate-1d 10 \
    --warm-up 20 --subset unet-1d --no-text-encoder --prior-weight 0 --output lost.safetensors
check 'a loss that is no number: exit 1' is 1
check 'its step is named' one_sentence '^The loss of step [0-9]+ is not a number'
lost=$(sentences | sed 's/^The loss of step \([0-9]*\) .*/\1/')
kept=$(metadata lost.safetensors steps)
check 'the last good shifts are kept' test "$kept" -gt 0 -a "$kept" -lt "$lost"
run generate --model model --prompt x --width 64 --height 64 --steps 1 --quiet --output lost.png \
    --subject lost.safetensors
check 'and can be used' is 0
# ---- pictures that keep their shapes ----

shapes="--prompt [V] --image $pictures/paint.png $pictures/exif-5-expected.png $pictures/baseline-expected.png --buckets"
learn $shapes --steps 6 --batch 2 --flip --validate-every 3 --output shapes.safetensors
check 'three shapes' is 0
check 'their loss on fixed noise is there' grep -q '^6,.*,[0-9]' shapes.safetensors.csv
learn $shapes --steps 3 --batch 2 --flip --checkpoint-every 3 --output again.safetensors
learn $shapes --steps 6 --batch 2 --flip --resume --output again.safetensors
check 'a run that goes on ends in the same' same shapes.safetensors again.safetensors
learn $shapes --steps 1 --mask "$pictures/none" --output none.safetensors
check 'several images have no one mask' is 2
learn --prompt '[V]' --image "$pictures/baseline-expected.png" --mask "$pictures/mask-left.png" --buckets --steps 1 \
    --crop random --output masked.safetensors
check 'with a mask and random cuts' is 0
learn $shapes --steps 1 --output estimate.safetensors --estimate --squares squares.png --json
check 'an estimate, and what is learned in squares' test -s squares.png
refuses 'shapes of several subjects' 2 '--buckets' learn --model "$sd1" $shapes --prompt '[V2]' --image "$pictures/rgb8.png" \
    --steps 1 --output two.safetensors
refuses 'squares of the class' 2 '--buckets.*--prior-images' learn --model "$sd1" $shapes --prior-images 2 --steps 1 \
    --output class.safetensors

end_tests
