#!/bin/sh
# svdiff directions: files that other commands read, and strips over them.
. "$(dirname "$0")/lib.sh"

for i in 1 2 3; do
    learn --prompt '[V]-dog' --image "$pictures/rgb8.png" --steps 2 --seed $i --output s$i.safetensors
done
run directions s1.safetensors s2.safetensors s3.safetensors --random 1 --seed 4 --output found --json
check 'directions of three subjects' is 0
check 'are two, a random one and the mean' test "$(ls found | tr '\n' ' ')" = \
    'mean.safetensors principal-1.safetensors principal-2.safetensors random-1.safetensors '
check 'and it tells what they are of the variance' python3 -c '
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
(shares,) = [line["shares"] for line in lines if "shares" in line]
assert len(shares) == 2 and shares[0] > shares[1] > 0 and abs(sum(shares) - 1) < 1e-9, shares' "$work/out"
cp -r found before
run directions s1.safetensors s2.safetensors s3.safetensors --random 1 --seed 4 --output found --count 1 \
    --prompt 'a dog' --strip 0,20 --steps 2 --model "$sd1" --quiet
check 'each drawn' test "$(ls found/*.png | tr '\n' ' ')" = \
    'found/mean.png found/principal-1.png found/random-1.png '
check 'with a seed the same files' same found/random-1.safetensors before/random-1.safetensors
run generate --model "$sd1" --quiet --names --prompt 'a dog' --steps 2 --seed 4 --subject found/mean.safetensors \
    --subject found/principal-1.safetensors:20 --output one.png
check 'a direction around the mean' python3 "$SVDIFF_TESTS_DIR/command/png.py" part found/principal-1.png 130 15 one.png
refuses 'one subject' 2 'Name two subjects' directions s1.safetensors --output no
refuses 'no folder' 2 'and a folder' directions s1.safetensors s2.safetensors
refuses 'nothing asked for' 2 'ask for a direction' directions s1.safetensors s2.safetensors --count 0 --output no
for strip in 1 scale=-1..1:3 a,b; do
    refuses "a strip that is none: $strip" 2 "^--strip '$strip' says no values; write FROM..TO:N" \
        directions s1.safetensors s2.safetensors --output no --prompt x --strip "$strip"
done
refuses 'a strip of nothing' 2 '^--strip is of what is drawn' directions s1.safetensors s2.safetensors --output no \
    --strip 1,2
check 'of which nothing is written' test ! -e no
refuses 'what is no subject' 1 'rgb8.png' directions s1.safetensors "$pictures/rgb8.png" --output no
cp s1.safetensors mean.safetensors
refuses 'a subject that would be overwritten' 1 'mean.safetensors' directions mean.safetensors s2.safetensors \
    --output . --quiet
refuses 'an image size of another kind' 2 'Unknown option --width' directions s1.safetensors s2.safetensors \
    --width 64 --output no
end_tests
