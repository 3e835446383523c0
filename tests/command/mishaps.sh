#!/bin/sh
# A model that is replaced while it is in use, a process that is killed at any moment, a file system
# without space: what was there stays, what is there is whole.
. "$(dirname "$0")/lib.sh"

# ---- replaced while it is in use ----

begin() { # ARGUMENTS...
    rm -f "$work/out"
    "$svdiff" "$@" </dev/null >"$work/out" 2>"$work/err" &
    process=$!
}
finish() {
    wait $process
    status=$?
}
learn --prompt '[V]' --image "$pictures/rgb8.png" --steps 1 --output one.safetensors

fresh_model
begin learn --model model --size 64 --seed 3 --prompt '[V]' --image "$pictures/rgb8.png" \
    --steps 100000 --json --output replaced.safetensors
await $process "$work/out" '"phase":"learn","step":2,'
for file in $unet text_encoder/model.safetensors vae/diffusion_pytorch_model.safetensors; do
    truncate -s 1000 model/$file
done
at=$(grep -o '"phase":"learn","step":[0-9]*' "$work/out" | tail -1 | sed 's/.*://')
await $process "$work/out" "\"phase\":\"learn\",\"step\":$((at + 3)),"
check 'learn: goes on when its model is cut off' kill -0 $process
kill -INT $process
finish
check 'learn: and ends as it should' is 130
steps=$(metadata replaced.safetensors steps)
learn --prompt '[V]' --image "$pictures/rgb8.png" --steps "$steps" --output straight.safetensors
check 'learn: with the subject of the model that it began with' \
    same replaced.safetensors straight.safetensors
with_both 'the next run says so' 'model/.*truncated'

fresh_model
begin generate --model model --prompt x --width 64 --height 64 --steps 400 --seed 1 --json \
    --output replaced.png
await $process "$work/out" '"phase":"generate","step":2,'
cp -r "$sd1" other
chmod -R u+w other
poke other/$unet conv_in.weight '\000\000\200\077'
mv -f other/$unet model/$unet
finish
check 'generate: goes on when another model takes its name' is 0
run generate --model "$sd1" --prompt x --width 64 --height 64 --steps 400 --seed 1 --quiet \
    --output straight.png
check 'generate: with the picture of the model that it began with' near replaced.png straight.png

# ---- SIGKILL at any moment: files are whole, or not there ----

rm -rf "$XDG_CACHE_HOME" killed*
for delay in 0.02 0.1 0.3 0.6 1 1.5; do
    begin learn --model "$sd1" --size 64 --seed 3 --prompt '[V]' --image "$pictures/rgb8.png" \
        --steps 4 --checkpoint-every 1 --sample-every 2 --json --output killed.safetensors
    sleep $delay
    kill -KILL $process 2>/dev/null
    finish 2>/dev/null
    for file in killed*; do
        case $file in
        *.safetensors | *.resume) sound=$(run info "$file" && is 0 && echo yes) ;;
        *.png) sound=$(run generate --model "$sd1" --prompt x --init-image "$file" --steps 2 \
            --quiet --output sound.png && is 0 && echo yes) ;;
        *) sound=yes ;;
        esac
        [ "$sound" = yes ] || break
    done
    check "learn: killed after $delay s, what is there is whole" test "$sound" = yes
done
learn --prompt '[V]' --image "$pictures/rgb8.png" --steps 1 --output after.safetensors
check 'learn: the next run finds nothing amiss' same after.safetensors one.safetensors
for delay in 0.05 0.3 0.7; do
    rm -rf "$XDG_CACHE_HOME"
    begin convert one.safetensors --to folder --model "$sd1" --output merged --json
    sleep $delay
    kill -KILL $process 2>/dev/null
    finish 2>/dev/null
    [ ! -e merged ] || draw merged.png merged
    check "convert: killed after $delay s, the model is whole or not there" \
        test ! -e merged -o "$status" -eq 0
    rm -rf merged
done
run convert one.safetensors --to folder --model "$sd1" --output merged --quiet
check 'convert: the next run finds nothing amiss' is 0
# a file has no name before it is whole; a folder needs one, and has a hidden one until then
check 'no hidden files are left' test -z "$(find . -name '.?*' ! -name '.merged.??????')"
rm -rf .merged.??????

# ---- no space at all, on a file system of 1 MiB ----

mkdir small
space='mount -t tmpfs -o size=1m none small && head -c 1020000 /dev/zero >small/full'
if unshare -rm sh -c "$space" 2>/dev/null; then
    for what in "generate --model $sd1 --prompt x --width 64 --height 64 --steps 1 --output small/o.tif" \
        "learn --model $sd1 --size 64 --prompt [V] --image $pictures/rgb8.png --steps 1 --output small/s" \
        "convert one.safetensors --to checkpoint --model $models/sd1.safetensors --output small/m.safetensors"; do
        unshare -rm sh -c "$space"'
            "$@" >out 2>err
            status=$?
            ls -A small >left
            exit $status' sh "$svdiff" $what --quiet
        status=$?
        mv err "$work/err"
        check "${what%% *}: no space left: exit 1" is 1
        check "${what%% *}: no space left: the file is named" one_sentence '^small/.*pace'
        check "${what%% *}: no space left: nothing is written" test "$(cat left)" = full
    done
else
    skip 'no space left on a file system' 'none can be mounted here'
fi
end_tests
