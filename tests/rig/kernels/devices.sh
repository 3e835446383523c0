#!/bin/sh
# Several devices that share learning and pictures: the bytes of one.
. "$SVDIFF_TESTS_DIR/command/lib.sh"
export RIG_DEVICES=3

learn_on() { # DEVICE OUTPUT OPTIONS...
    device=$1
    output=$2
    shift 2
    learn --device "$device" --precision f32 --prior-weight 0 --prompt '[V] dog' --image "$pictures/rgb8.png" \
        --image "$pictures/rgb16.png" --output "$output" "$@"
}

# ---- learning ----

learn_on cuda:2 one.safetensors --steps 1 --accumulate 2
check 'a device that is not the first' is 0
learn_on cuda:2,0 two.safetensors --steps 1
check 'two devices learn' is 0
check 'what one learns with --accumulate 2' same one.safetensors two.safetensors
check 'with its losses' same one.safetensors.csv two.safetensors.csv
check 'and its checkpoint' same one.safetensors.resume two.safetensors.resume

"$svdiff" learn --model "$sd1" --size 64 --seed 3 --json --device cuda:2,0 --precision f32 --prior-weight 0 --prompt '[V] dog' \
    --image "$pictures/rgb8.png" --image "$pictures/rgb16.png" --steps 100000 --resume --output two.safetensors \
    >"$work/out" 2>"$work/err" &
process=$!
await $process "$work/out" '"phase":"learn","step":2,'
kill -INT $process
wait $process
status=$?
check 'they go on from there, and stop when asked' is 130
steps=$(metadata two.safetensors steps)
learn_on cuda:2 one.safetensors --steps "$steps" --accumulate 2 --resume
check 'with all that was learned' same one.safetensors two.safetensors

# ---- pictures ----

draw_on() { # DEVICE NAME
    generate --device "$1" --precision f32 --prompt x --steps 1 --seed 4 --count 3 --output "$2%d.png"
}
draw_on cuda one-
draw_on cuda:0,1 two-
check 'two devices draw' is 0
for i in 0 1 2; do
    check "picture $i" same one-$i.png two-$i.png
done

# ---- spectra ----

spectra_on() { # DEVICE FOLDER
    mkdir "$2"
    run spectrum --model "$sd1" --device "$1" --cache "$2"
}
spectra_on cuda one-cache
spectra_on cuda:2,0,1 three-cache
check 'three devices compute spectra' is 0
check 'in the bytes of one' same one-cache/*.safetensors three-cache/*.safetensors
RIG_SOLVER=0 spectra_on cuda:0,1 none-cache
check 'without the library the host does' is 0

# ---- what is told before ----

told() { # FILE DEVICE JOB OPTIONS...
    file=$1
    device=$2
    shift 2
    run "$@" --model "$sd1" --device "$device" --precision f32 --estimate --json
    cp "$work/out" "$file"
}
holds() { # CONDITION: of the objects one and two
    python3 -c 'import json, sys
one, two = (json.load(open(name)) for name in ("one", "two"))
assert eval(sys.argv[1]), (one, two)' "$1"
}

told one cuda:1 generate --prompt x --width 64 --height 64 --steps 2 --count 2
told two cuda:1,2 generate --prompt x --width 64 --height 64 --steps 2 --count 3
check 'pictures: each device needs what one does that draws its share' holds \
    'two["bytes"] == one["bytes"] and two["all_bytes"] == 2 * one["all_bytes"] == 2 * one["bytes"]'
check 'and all work is told' holds '2 * two["operations"] == 3 * one["operations"]'
check 'of both' holds 'one["device"] == "cuda:1" and two["device"] == "cuda:1,2" and two["devices"] == 2 * one["devices"]'
told two cuda:1,2 generate --prompt x --width 64 --height 64 --steps 2
check 'a single picture is drawn by one' holds 'two["device"] == "cuda:1" and two["devices"] == 1'
run generate --model "$sd1" --device cuda:1,2 --precision f32 --estimate --prompt x --width 64 --height 64 --count 2
check 'in words' grep -Eq '^memory: .* on each of 2 devices, .* together$' "$work/out"

set -- learn --prompt '[V] dog' --image "$pictures/rgb8.png" --prior-weight 0 --size 64 --steps 2 --output x.safetensors
told one cuda:1 "$@"
told two cuda:1,2 "$@"
check 'learning: each device does what is asked of one' holds '2 * one["operations"] == two["operations"]'
told one cuda:1 "$@" --accumulate 2
check 'and needs what one does that adds up as much' holds \
    'one["bytes"] == two["bytes"] and one["least_bytes"] == two["least_bytes"] and two["all_bytes"] == 2 * two["bytes"]'

# ---- what cannot be ----

export RIG_LOST=3000
learn_on cuda:0,1 lost.safetensors --steps 9
unset RIG_LOST
check 'devices that are lost end the run' is 1
check 'with a sentence' one_sentence '^(On the device cuda:1: )?The device cuda failed: an illegal memory access'
refuses 'a device that is not there' 1 '^there is no CUDA device 3: this machine has 3' \
    learn --model "$sd1" --prompt '[V]' --image "$pictures/rgb8.png" --output x.safetensors --device cuda:0,3
for list in 0,0 0, ,1 0,x 0.1; do
    refuses "--device cuda:$list" 2 "^--device is cuda:$list; what follows cuda: is a number from 0, or several" \
        generate --prompt x --device "cuda:$list" --output x.png
done
refuses 'a command for one device' 2 '^--device is cuda:0,1; edit computes on one device' \
    edit --model "$sd1" --device cuda:0,1 --image "$pictures/rgb8.png" --prompt a --output x.png
end_tests
