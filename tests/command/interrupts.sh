#!/bin/sh
# Signals while it computes: no handler ever runs on a thread that does, the work ends as it should.
#   tests/command/interrupts.sh SVDIFF [LIBRARY]    LIBRARY: signals.c, where it can be preloaded
handler=${2:+$(realpath "$2")}
as_usual='env --default-signal=HUP' # the test itself may run under nohup
. "$(dirname "$0")/lib.sh"

start() { # ARGUMENTS...: process, a long run that computes when this returns
    rm -f "$work/out"
    $as_usual "$svdiff" generate --model "$sd1" --width 64 --height 64 --prompt x --steps 900 --json \
        --output long.png "$@" </dev/null >"$work/out" 2>"$work/err" &
    process=$!
    await $process "$work/out" '"phase":"generate","step":5,'
}

ends() {
    wait $process
    status=$?
}

# ---- which threads take signals ----

# of signals 1 to 31 all but SIGKILL, SIGSTOP, those of faults and SIGABRT
can_be_blocked=$((0x7ffbfeff & ~(1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 10 | 1 << 30)))
mask_of() { # FIELD STATUS: signals 1 to 32, the last digits
    sed -n "s/^$1:.*\(........\)$/0x\1/p" "$2"
}
open_threads() { # how many leave a signal open that could be blocked
    for thread in /proc/$process/task/*; do
        [ $((can_be_blocked & ~$(mask_of SigBlk "$thread/status"))) -eq 0 ] || echo "$thread"
    done | wc -l
}
has_caught() { # whether a handler of such a signal is installed
    [ $(($(mask_of SigCgt "/proc/$process/status") & can_be_blocked)) -ne 0 ]
}

OMP_NUM_THREADS=3 start
check 'it computes with several threads' test "$(ls "/proc/$process/task" | wc -l)" -ge 3
check 'one thread takes signals and no other' test "$(open_threads)" = 1
check 'there is no handler' test -z "$(has_caught && echo one)"
kill -INT $process
ends
check 'SIGINT: exit 130' is 130
check 'SIGINT: one sentence' grep -q '^Cancelled' "$work/err"

# ---- a handler that somebody else installs ----

same_picture() {
    cmp -s with.png without.png && [ "$(sed -n 's/^the handler ran \([0-9]*\) times$/\1/p' "$work/err")" -ge 50 ]
}
storm='a handler that runs all the time leaves the picture as it is'
checker=$(find /lib /usr/lib -name libc_malloc_debug.so.0 2>/dev/null | head -1)
if [ -n "$handler" ]; then
    run generate --prompt x --seed 1 --quiet --output without.png
    GOMP_SPINCOUNT=1000 LD_PRELOAD="$checker $handler" MALLOC_CHECK_=3 \
        "$svdiff" generate --prompt x --seed 1 --quiet --output with.png >"$work/out" 2>"$work/err"
    check "$storm" same_picture
else
    skip "$storm" 'nothing can be preloaded beside a sanitizer'
fi

# ---- other ways to end ----

start
kill -STOP $process # both wait for it
kill -INT $process
kill -TERM $process
kill -CONT $process
ends
check 'a second signal ends it at once' is 143

start
kill -HUP $process
ends
check 'SIGHUP: exit 130' is 130
as_usual='env --ignore-signal=HUP' # as nohup does
start
kill -HUP $process
begun=$(grep -c . "$work/out")
goes_on() {
    until [ "$(grep -c . "$work/out")" -gt $((begun + 5)) ]; do
        kill -0 $process 2>/dev/null || return 1
        sleep 0.05
    done
}
check 'SIGHUP where it is ignored: it goes on' goes_on
kill -TERM $process
ends
check 'and ends by SIGTERM: exit 130' is 130

# ---- what was finished stays ----

echo 'an older picture' >kept-60.png
"$svdiff" generate --model "$sd1" --width 64 --height 64 --prompt x --steps 30 --count 60 --seed 1 \
    --output kept.png </dev/null >"$work/out" 2>"$work/err" &
process=$!
until [ -e kept-2.png ] || ! kill -0 $process; do sleep 0.02; done
kill -INT $process
ends
finished=$(ls kept-?.png kept-[1-5]?.png 2>/dev/null | wc -l)
check 'cancelled after some pictures: exit 130' is 130
check 'they are kept' test "$finished" -ge 2
check 'they are counted' grep -qx "Cancelled; $finished pictures of 60 were finished and are kept." "$work/err"
check 'they are named' test "$(grep -c '^wrote kept-[0-9]*\.png$' "$work/err")" -eq "$finished"
check 'an older one is as it was' grep -qx 'an older picture' kept-60.png
run generate --model "$sd1" --width 64 --height 64 --prompt x --steps 30 --seed 1 --quiet --output first.png
check 'the first is that of a run to its end' same kept-1.png first.png

# the same of a run that fails half-way: the second picture has no place
mkdir taken-2.png
run generate --model "$sd1" --width 64 --height 64 --prompt x --steps 2 --count 2 --seed 1 --json \
    --output taken.png
check 'a run that fails: exit 1' is 1
check 'what was finished before is kept and told' grep -q \
    '"event":"error",.*"files":\["taken-1.png"\]' "$work/out"

picture photo.png 64 64 3 '(3 * x + y) % 256'
"$svdiff" edit --model "$sd1" --image photo.png --prompt x --target y --count 60 --learn-steps 1 \
    --steps 8 --no-invert --seed 1 --output edited.png </dev/null >"$work/out" 2>"$work/err" &
process=$!
until [ -e edited-1.png ] || ! kill -0 $process; do sleep 0.02; done
kill -INT $process
ends
finished=$(ls edited-*.png | wc -l)
check 'edit, cancelled after some pictures: exit 130' is 130
check 'edit: they are kept and counted' grep -Eqx \
    "Cancelled; $finished pictures? of 60 (was|were) finished and (is|are) kept." "$work/err"
end_tests
