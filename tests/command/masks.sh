#!/bin/sh
# What masks mean to `svdiff learn`: what is said of them, what they change, and which are refused.
. "$(dirname "$0")/lib.sh"

image=$pictures/baseline-expected.png
left=$pictures/mask-left.png
right=$pictures/mask-right.png
teach="learn --model $sd1 --size 64 --seed 3 --steps 2 --prompt [V]-dog"

# ---- what is refused ----

refuses 'a mask before any picture' 2 '--mask .*--image' $teach --output s.safetensors --mask $left
refuses 'a mask before any prompt' 2 '--mask .*--prompt' \
    learn --mask $left --prompt x --image $image --output s.safetensors
refuses 'two masks of one picture' 2 'mask-left.png and .*mask-right.png' $teach \
    --output s.safetensors --image $image --mask $left --mask $right
for value in -0.1 1.5 nan none; do
    refuses "--mask-weight $value" 2 "mask-weight.*$value" $teach --output s.safetensors \
        --image $image --mask-weight $value
done
refuses 'an empty mask' 1 'mask-empty.png is empty' $teach --quiet --output s.safetensors \
    --image $image --mask $pictures/mask-empty.png
picture veil.png 24 16 1 1
refuses 'a mask that is nothing but a veil' 1 'veil.png is empty' $teach --quiet \
    --output s.safetensors --image $image --mask veil.png
refuses 'a region that is nothing but a veil' 1 'veil.png is empty' $teach --quiet \
    --output s.safetensors --image $image --region veil.png --prompt [V]-cat \
    --image $pictures/rgb8.png --region veil.png
refuses 'a mask of another size' 1 'rgb8.png has 23 x 17 pixels.*24 x 16' $teach --quiet \
    --output s.safetensors --image $image --mask $pictures/rgb8.png
refuses 'no such mask' 1 '^missing.png: ' $teach --quiet --output s.safetensors --image $image \
    --mask missing.png
mkfifo fifo
refuses 'a FIFO as mask' 1 '^fifo: .*FIFO' $teach --quiet --output s.safetensors --image $image \
    --mask fifo
head -c 60 $left >cut.png
refuses 'a mask that is cut off' 1 '^cut.png: ' $teach --quiet --output s.safetensors \
    --image $image --mask cut.png

# ---- what is said and changed ----

run $teach --image $image --output plain.safetensors
check 'without a mask' is 0
run $teach --image $image --mask $left --output masked.safetensors
check 'with a mask' is 0
check 'its share is said' grep -Eq 'mask-left.png marks [0-9.]+ % of what is learned of .*baseline' \
    "$work/err"
check 'it makes a difference' differ masked.safetensors plain.safetensors
run $teach --image $image --mask $right --output other.safetensors
check 'another mask makes another' differ masked.safetensors other.safetensors
picture spot.png 24 16 1 '255 * (15 <= x < 20 and 4 <= y < 11)'
picture veiled.png 24 16 1 '255 if 15 <= x < 20 and 4 <= y < 11 else 1'
for mask in spot veiled; do
    run $teach --image $image --mask $mask.png --mask-weight 0 --output $mask.safetensors
done
check 'a veil of 1 of 255 is not learned' same spot.safetensors veiled.safetensors
run $teach --image $image --mask $left --mask-weight 0 --output hard.safetensors
check '--mask-weight makes a difference' differ masked.safetensors hard.safetensors
run $teach --image $image --mask $left --crop random --flip --output random.safetensors
check 'with flips and random crops' is 0
run $teach --image $image --image $pictures/rgb8.png --mask $pictures/rgb8.png --batch 2 \
    --output some.safetensors
check 'one picture with and one without' is 0

# ---- stopped and resumed ----

begin() { # OUTPUT OPTIONS...
    output=$1
    shift
    "$svdiff" $teach --image $image --mask $left --output $output --steps 100000 --json "$@" \
        </dev/null >"$work/out" 2>"$work/err" &
    process=$!
    await $process "$work/out" '"phase":"learn","step":3,'
    kill -INT $process
    wait $process
}
begin stopped.safetensors
steps=$(($(metadata stopped.safetensors steps) + 2))
cp stopped.safetensors.resume kept.resume
run $teach --image $image --mask $left --quiet --steps $steps --output stopped.safetensors --resume
check 'it goes on' is 0
run $teach --image $image --mask $left --quiet --steps $steps --output straight.safetensors
check 'and gives the subject of an uninterrupted run' same stopped.safetensors straight.safetensors
cp kept.resume stopped.safetensors.resume
refuses '--resume with another mask' 1 'stopped.safetensors.resume ' $teach --quiet \
    --steps $steps --image $image --mask $right --output stopped.safetensors --resume
refuses '--resume with another --mask-weight' 1 'stopped.safetensors.resume ' $teach --quiet \
    --steps $steps --image $image --mask $left --mask-weight 0.3 --output stopped.safetensors --resume
end_tests
