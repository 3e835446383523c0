#!/bin/sh
# `mpirun -n N svdiff learn`: what N processes learn is what one learns with N times --accumulate, byte
# for byte; whichever of them fails or is stopped, all end, one tells why, and nothing is lost.
. "$(dirname "$0")/lib.sh"

if ! command -v mpirun >/dev/null; then
    skip 'processes that learn together' 'mpirun is not installed'
    end_tests
    exit
fi
if [ ! -e "$(dirname "$svdiff")/svdiff-mpi.so" ]; then
    skip 'processes that learn together' 'built without MPI'
    end_tests
    exit
fi
# more processes than processors, also as root; what it says of itself is no sentence of ours, and what it
# leaves to the system at its end no leak of ours
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1
launch="mpirun --oversubscribe --bind-to none --mca orte_abort_print_stack 0 -q"
dog="--prompt [V]-dog --image $pictures/rgb8.png --image $pictures/rgb16.png"
common="learn --model $sd1 --size 64 --seed 3 --quiet"

together() { # PROCESSES ARGUMENTS...: status, $work/out, $work/err
    processes=$1
    shift
    $launch -n "$processes" "$svdiff" $common "$@" >"$work/out" 2>"$work/err"
    status=$?
}

said() { # PATTERN: one line that matches
    [ "$(grep -Ec -e "$1" "$work/err")" -eq 1 ]
}

# ---- the same bytes ----

learn $dog --steps 4 --accumulate 2 --output one.safetensors
together 2 $dog --steps 4 --output two.safetensors
check 'two processes learn' is 0
check 'what one learns with --accumulate 2' same one.safetensors two.safetensors
check 'with its losses' same one.safetensors.csv two.safetensors.csv
check "the prior's among them" [ "$(grep -Ec '^[0-9]+,[0-9.e-]+,[0-9.e-]+$' two.safetensors.csv)" -eq 4 ]
check 'and its checkpoint' same one.safetensors.resume two.safetensors.resume
check 'one of them tells it' [ ! -s "$work/err" ]

several="--steps 3 --cut-mix 1 --batch 2 --flip --crop random --latent sample --validate-every 1
    --sample-every 3 --precision f32
    --prompt [V1]-dog --image $pictures/rgb8.png --prompt [V2]-cat --image $pictures/rgba8.png"
learn $several --accumulate 6 --output one.safetensors
together 3 $several --accumulate 2 --output three.safetensors
check 'three processes, several subjects and all that is drawn' same one.safetensors three.safetensors
check 'the losses, also those of the validation' same one.safetensors.csv three.safetensors.csv
check 'and the samples' same one.safetensors-3.png three.safetensors-3.png
differ one.safetensors two.safetensors
check 'which is something else than before' is 0

# ---- going on ----

learn $dog --steps 6 --accumulate 2 --output one.safetensors
together 2 $dog --steps 4 --output two.safetensors
together 2 $dog --steps 6 --resume --output two.safetensors
check 'together stopped, together resumed' same one.safetensors two.safetensors
together 2 $dog --steps 4 --output two.safetensors
learn $dog --steps 6 --accumulate 2 --resume --output two.safetensors
check 'and resumed alone' same one.safetensors two.safetensors
learn $dog --steps 4 --output two.safetensors
together 2 $dog --steps 6 --resume --output two.safetensors
check 'the checkpoint of another run is refused' is 1
check 'once' said 'belongs to a run with other'

# the seed is that of the process that leads
$launch -n 2 "$svdiff" learn --model "$sd1" --size 64 $dog --steps 2 --output random.safetensors \
    >"$work/out" 2>"$work/err"
seed=$(sed -n 's/^seed \([0-9]*\)$/\1/p' "$work/err")
run learn --model "$sd1" --size 64 --quiet $dog --steps 2 --accumulate 2 --seed "$seed" \
    --output one.safetensors
check 'without --seed it is said once, and is that of all' same one.safetensors random.safetensors

# ---- one that fails ----

rm -f ./*.safetensors*
apart() { # ARGUMENTS OF EACH OF TWO...
    timeout 60 $launch -n 1 "$svdiff" $common --steps 3 --output apart.safetensors $1 : \
        -n 1 "$svdiff" $common --steps 3 --output apart.safetensors $2 >"$work/out" 2>"$work/err"
    status=$?
}
apart "$dog" "$dog --learning-rate 0.5"
check 'others options: all end' is 1
check 'and it is said once' said 'Process 2 of 2 has another model, precision, prompts or options'
apart "$dog" "$dog --batch 2"
check 'other sizes as well' said 'Process 2 of 2 has another model'
apart "$dog" "--prompt [V]-dog --image missing.png"
check 'one without its picture: all end' is 1
check 'and it says why' said 'missing.png'
apart "--prompt [V]-dog --image missing.png" "$dog"
check 'and where it is the one that leads' said 'missing.png'
check 'nothing is written' [ ! -e apart.safetensors ]
# weights so large that the rising rate overflows
fresh_model
poke model/$unet conv_out.weight '\153\013\136\135'
lost="--prompt [V]-dog --image $pictures/rgb8.png --steps 200 --learning-rate-1d 10 --warm-up 20
    --subset unet-1d --no-text-encoder --prior-weight 0"
together 2 --model model $lost --output lost.safetensors
check 'a loss that is no number ends all' is 1
check 'and is told once' said 'The loss of step [0-9]* is not a number'
check 'with what was good' [ "$(metadata lost.safetensors steps)" -gt 0 ]
mkdir taken.safetensors
together 2 $dog --steps 2 --output taken.safetensors
check 'a place that cannot be written ends all' [ "$status" -ne 0 ]

# ---- stopped ----

begin() { # PROCESSES ARGUMENTS...
    n=$1
    shift
    rm -f "$work/out"
    $launch -n "$n" "$svdiff" learn --model "$sd1" --size 64 --seed 3 $dog --steps 100000 --json "$@" >"$work/out" 2>"$work/err" \
        </dev/null &
    process=$!
}
finish() {
    wait $process
    status=$?
}
ended() { # OUTPUT: no process of the run is left; mpirun may be gone a moment before them
    while pgrep -f -- "--output $1" >/dev/null; do
        sleep 0.1
    done
}
process_of() { # OUTPUT RANK
    pgrep -f -- "--output $1" | while read -r pid; do
        tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qx "OMPI_COMM_WORLD_RANK=$2" && echo "$pid"
    done | head -1
}
begin 2 --checkpoint-every 2 --output stopped.safetensors
await $process "$work/out" '"event":"checkpoint".*"step":2'
kill -INT $process
finish
check 'interrupted: it ends with a failure' [ "$status" -ne 0 ]
check 'and every process of it' ended stopped.safetensors
steps=$(metadata stopped.safetensors.resume step)
check 'what was learned is written' [ "$(metadata stopped.safetensors steps)" = "$steps" ]
learn $dog --steps $((steps + 2)) --accumulate 2 --resume --output stopped.safetensors
check 'from its checkpoint it goes on' is 0
learn $dog --steps $((steps + 2)) --accumulate 2 --output straight.safetensors
check 'to what an uninterrupted run learns' same stopped.safetensors straight.safetensors

# the one that leads is asked: nothing is lost, and the others hear of it
begin 3 --checkpoint-every 100000 --output asked.safetensors
await $process "$work/out" '"phase":"learn","step":3,'
kill -TERM "$(process_of asked.safetensors 0)"
finish
check 'the one that leads is stopped: all end' is 130
check 'each of them' ended asked.safetensors
steps=$(metadata asked.safetensors steps)
learn $dog --steps "$steps" --accumulate 3 --output straight.safetensors
check 'with all that was learned' same asked.safetensors straight.safetensors

begin 2 --checkpoint-every 2 --output killed.safetensors
await $process "$work/out" '"event":"checkpoint".*"step":2'
kill -KILL "$(process_of killed.safetensors 1)"
finish
check 'one is killed: all end' [ "$status" -ne 0 ]
check 'none is left' ended killed.safetensors
steps=$(metadata killed.safetensors.resume step)
learn $dog --steps $((steps + 1)) --accumulate 2 --resume --output killed.safetensors
check 'and from its checkpoint it goes on' is 0

# ---- what cannot be shared ----

together 2 $dog --steps 2 --trace t.safetensors --output t2.safetensors
check 'a trace is of one process' said '^--trace is of one process'
together 2 $dog --steps 2 --accumulate 600 --output t2.safetensors
check 'so many micro-batches are refused' said 'in each of 2 processes or devices is too much: 512 at most'
together 2 $dog --estimate --output t2.safetensors
check 'an estimate is told once' [ "$(grep -c '^memory' "$work/out")" -eq 1 ]
$launch -n 2 "$svdiff" generate --model "$sd1" --prompt x --output x.png >"$work/out" 2>"$work/err"
check 'other commands are for one process' said '^mpirun started 2 processes, which only learn shares'
cp "$svdiff" alone
if [ ! -e "$(pkg-config --variable=libdir svdiff 2>/dev/null)/svdiff/svdiff-mpi.so" ]; then
    $launch -n 2 ./alone $common --tokenizer "$sd1/tokenizer" $dog --steps 2 --output t2.safetensors \
        >"$work/out" 2>"$work/err"
    check 'without the module it says so' grep -q 'the module .* is not installed at' "$work/err"
fi
end_tests
