#!/bin/sh
# `svdiff generate` with --init-image: painting into a part of a picture, whatever its size and
# alpha, and beyond its edges. What lies outside keeps every bit.
. "$(dirname "$0")/lib.sh"

paint() { # ARGUMENTS...: working at the model's own size, 128 pixels
    run generate --model "$sd1" --threads 1 --prompt x --steps 4 --seed 1 --quiet "$@"
}

colours='x * 3 + y * 2 + c * 70'
picture wide.png 250 175 3 "$colours"
picture spot.png 250 175 1 '255 * (60 <= x < 63 and 100 <= y < 103)'
picture disc.png 250 175 1 '255 * ((x - 120) ** 2 + (y - 90) ** 2 < 1600)'
picture soft.png 250 175 1 'max(0, 255 - ((x - 120) ** 2 + (y - 90) ** 2) // 16)'
picture corner.png 250 175 1 '255 * (x >= 200 and y >= 150)'
picture all.png 250 175 1 255
for mask in spot disc soft corner all; do
    for strength in 0.5 1; do
        paint --init-image wide.png --mask $mask.png --strength $strength --output out.png
        check "$mask, strength $strength" is 0
        check "$mask, strength $strength: outside nothing changed" unchanged wide.png out.png $mask.png
    done
done
for fill in original blurred noise; do
    paint --init-image wide.png --mask disc.png --strength 0.5 --fill $fill --output $fill.png
    check "--fill $fill" unchanged wide.png $fill.png disc.png
done
check '--fill makes a difference' differ original.png blurred.png
check '--fill makes a difference, too' differ original.png noise.png
for sampler in euler euler-a dpmpp-2m pndm heun dpm2-a unipc lcm; do
    paint --init-image wide.png --mask disc.png --sampler $sampler --output out.png
    check "--sampler $sampler" unchanged wide.png out.png disc.png
done
paint --init-image wide.png --mask disc.png --grow 10 --output out.png
picture grown.png 250 175 1 \
    '255 * (max(abs(x - 120) - 10, 0) ** 2 + max(abs(y - 90) - 10, 0) ** 2 < 1600)'
check '--grow: pixels around the mask change, too' unchanged wide.png out.png grown.png \
    'sum(p != q for p, q, i in pairs) > 5100'
paint --init-image wide.png --mask disc.png --feather 0 --output out.png
check '--feather 0' unchanged wide.png out.png disc.png
paint --init-image wide.png --mask disc.png --width 64 --height 96 --output out.png
check 'another working size' unchanged wide.png out.png disc.png
paint --init-image wide.png --mask disc.png --count 2 --output 'many%d.png'
paint --init-image wide.png --mask disc.png --output again.png --seed 2
check 'the second picture of a run' same again.png many1.png

# ---- grey masks ----

picture veiled.png 250 175 1 '255 if (x - 120) ** 2 + (y - 90) ** 2 < 1600 else 1'
paint --init-image wide.png --mask disc.png --strength 1 --output plain.png
paint --init-image wide.png --mask veiled.png --strength 1 --output out.png
check 'a veil of 1 of 255 changes nothing' same plain.png out.png
picture faint.png 250 175 1 '8 * ((x - 120) ** 2 + (y - 90) ** 2 < 1600)'
paint --init-image wide.png --mask faint.png --strength 1 --output out.png
check 'what is nearly black changes as little' unchanged wide.png out.png disc.png \
    'all(abs(v - w) <= 8 for p, q, i in pairs for v, w in zip(p, q))'

# ---- colours and depth ----

colour_files=$SVDIFF_TESTS_DIR/fixtures/colours
depth() { # FILE: bits and channels
    python3 "$SVDIFF_TESTS_DIR/command/png.py" depth "$1"
}
same_colours() { # FILE OTHER: the same profile, the same chunks
    python3 "$SVDIFF_TESTS_DIR/command/png.py" colours "$1" "$2"
}
picture side.png 23 17 1 '255 * (x >= 10)'
for file in wide8 wide16 wide-alpha16 grey8 grey16 grey-alpha8 gamma gamma-primaries primaries \
    code-points srgb-first; do
    paint --init-image $colour_files/$file.png --mask side.png --strength 1 --output out.png
    check "$file: outside of the mask every sample stays" unchanged $colour_files/$file.png out.png side.png
    check "$file: depth and channels stay" test "$(depth out.png)" = "$(depth $colour_files/$file.png)"
    check "$file: its colours are said as they were" same_colours $colour_files/$file.png out.png
    check "$file: nothing is wrong" test ! -s "$work/err"
done
for file in wide8 wide16; do
    paint --init-image $colour_files/$file.tif --mask side.png --output out.png
    check "$file.tif: every sample stays" unchanged $colour_files/$file.png out.png side.png
    check "$file.tif: with its profile" same_colours $colour_files/$file.png out.png
    paint --init-image $colour_files/$file.png --mask side.png --output kept.tif
    paint --init-image kept.tif --mask side.png --output out.png
    check "$file.png by way of a .tif" same_colours $colour_files/$file.png out.png
done
picture beside.png 30 21 1 '255 * (x >= 23 or y >= 17)'
paint --init-image $colour_files/wide16.png --extend 0,0,7,4 --output out.png
check 'beyond the edges of a picture with a profile' same_colours $colour_files/wide16.png out.png
paint --init-image $colour_files/wide16.png --mask side.png --extend 0,0,7,4 --output out.png
check 'and of 16 bits' test "$(depth out.png)" = '16 3'
paint --init-image $pictures/rgb16.png --mask side.png --output out.png
check '16 bits without a profile' unchanged $pictures/rgb16.png out.png side.png
for file in $pictures/rgb16.png $colour_files/wide16.tif; do
    paint --init-image $file --strength 1 --output out.png
    check 'a whole picture from one of 16 bits has 16' test "$(depth out.png)" = '16 3'
    check 'and is sRGB' same_colours $pictures/rgb8.png out.png
done
paint --init-image $colour_files/wide8.png --strength 1 --output out.png
check 'from one of 8 bits it has 8' test "$(depth out.png)" = '8 3'
run edit --model "$sd1" --image $pictures/rgb16.png --prompt x --target y --learn-steps 1 --steps 2 \
    --width 64 --height 64 --shift shift.safetensors --quiet --output edited.png
check 'an edited picture of 16 bits has 16' test "$(depth edited.png)" = '16 3'

picture large.png 48 32 1 '255 * (x >= 20)'
paint --init-image $colour_files/ink.jpg --mask large.png --output out.png
check 'CMYK comes back as RGB' test "$(depth out.png)" = '8 3'
check 'and that is said' grep -q '^warning: .*ink.jpg is a CMYK picture.* RGB' "$work/err"
check 'without the profile of its inks' same_colours $pictures/rgb8.png out.png
for file in damaged.png damaged.tif damaged.webp wrong-kind.png; do
    paint --init-image $colour_files/$file --mask side.png --output out.png
    check "$file: its profile is left out" is 0
    check "$file: with a warning" grep -q "^warning: .*$file: its colour profile" "$work/err"
done
run learn --model "$sd1" --size 64 --prompt '[V]' --steps 1 --quiet --image $colour_files/damaged.tif \
    --output s.safetensors
check 'learning says so, too, and once' test "$(grep -c '^warning: .*damaged.tif' "$work/err")" = 1
run generate --model "$sd1" --prompt x --steps 2 --init-image $colour_files/grey8.png --mask side.png \
    --output out.png
check 'that grey stays grey is said' grep -q 'grey8.png is grey' "$work/err"

# ---- lossy formats ----

begins() { # FILE BYTES: as od prints them
    test "$(od -An -tx1 -N"$(($(echo "$2" | wc -w)))" "$1" | tr -s ' ' | sed 's/^ //; s/ $//')" = "$2"
}
for quality in 20 95; do
    paint --init-image wide.png --strength 0.5 --output $quality.jpg --quality $quality
    check "a JPEG with --quality $quality" begins $quality.jpg 'ff d8 ff'
    paint --init-image wide.png --strength 0.5 --output $quality.webp --quality $quality
    check "a WebP with --quality $quality" begins $quality.webp '52 49 46 46'
done
check 'more quality is larger' test "$(wc -c <95.jpg)" -gt "$(wc -c <20.jpg)"
check 'more quality is larger, in WebP, too' test "$(wc -c <95.webp)" -gt "$(wc -c <20.webp)"
check 'what made it stands in it' grep -aq 'S.t.e.p.s' 95.jpg
paint --init-image 95.jpg --mask disc.png --output again.webp
check 'and is read again' is 0
run generate --model "$sd1" --prompt x --steps 2 --init-image wide.png --mask disc.png --output o.jpg
check 'that a format changes more is said' grep -q '^o.jpg: this format' "$work/err"
picture hole.png 90 70 4 "$colours if c < 3 else 255 * (x < 60)"
paint --init-image hole.png --strength 0.5 --output hole.jpg
check 'that a JPEG cannot be clear is said' grep -q '^warning: hole.jpg' "$work/err"

# ---- sizes ----

picture tiny.png 8 8 3 "$colours"
picture tinymask.png 8 8 1 '255 * (x == 3 and y == 3)'
paint --init-image tiny.png --mask tinymask.png --strength 1 --output out.png
check 'a picture of 8x8' unchanged tiny.png out.png tinymask.png
picture flat.png 300 9 3 "$colours"
picture flatmask.png 300 9 1 '255 * (x > 200 and y > 3)'
paint --init-image flat.png --mask flatmask.png --output out.png
check 'a picture of 300x9' unchanged flat.png out.png flatmask.png

# ---- alpha ----

picture clear.png 90 70 4 "$colours if c < 3 else 255 * (x < 60)"
picture half.png 90 70 1 '255 * (40 < x < 80 and 20 < y < 60)'
paint --init-image clear.png --mask half.png --strength 1 --output out.png
check 'alpha comes back' unchanged clear.png out.png half.png \
    'channels == 4 and all(p[3] == q[3] for p, q, i in pairs)'
paint --init-image clear.png --mask half.png --strength 1 --outpaint --output out.png
check '--outpaint: what is painted is opaque' unchanged clear.png out.png half.png \
    'all(q[3] == 255 for p, q, i in pairs if i)'
paint --init-image clear.png --strength 0.5 --output out.png
picture full.png 90 70 1 255
check 'alpha comes back without a mask, too' unchanged clear.png out.png full.png \
    'channels == 4 and all(p[3] == q[3] for p, q, i in pairs)'

# ---- beyond the edges ----

picture small.png 90 70 3 "$colours"
picture larger.png 110 80 3 "(x - 15) * 3 + (y - 10) * 2 + c * 70"
picture margins.png 110 80 1 '255 * (x < 15 or x >= 105 or y < 10)'
paint --init-image small.png --extend 15,10,5,0 --strength 1 --output out.png
check '--extend' unchanged larger.png out.png margins.png

# ---- what is refused ----

picture black.png 250 175 1 0
paint_line="generate --model $sd1 --prompt x --steps 2 --quiet --output o.png"
refuses 'a mask without a picture' 2 '--init-image' $paint_line --mask disc.png
refuses '--extend without a picture' 2 '--init-image' $paint_line --extend 8
refuses '--fill without a mask' 2 '--fill.*--mask' $paint_line --init-image wide.png --fill blurred
refuses 'an unknown --fill' 2 '--fill.*original' \
    $paint_line --init-image wide.png --mask disc.png --fill red
refuses 'margins that are none' 2 '--extend.*LEFT' $paint_line --init-image wide.png --extend 1,2
refuses '--grow below 0' 2 '--grow' $paint_line --init-image wide.png --mask disc.png --grow -1
refuses 'a mask of another size' 1 'mask.*90 x 70.*250 x 175' \
    $paint_line --init-image wide.png --mask half.png
refuses '--quality of a .png' 2 '--quality.*o.png' $paint_line --init-image wide.png --quality 80
for quality in 0 101 -5; do
    refuses "--quality $quality" 2 "--quality is $quality" generate --model $sd1 --prompt x \
        --output o.jpg --quality $quality
done
refuses 'a format that is none' 2 'o.gif: a picture.s name must end in' generate --model $sd1 \
    --prompt x --output o.gif
refuses 'an empty mask' 1 'mask.*empty' $paint_line --init-image wide.png --mask black.png
picture veil.png 250 175 1 1
refuses 'a mask that is nothing but a veil' 1 'mask.*empty' $paint_line --init-image wide.png \
    --mask veil.png
refuses 'no clear pixel to paint' 1 'empty' $paint_line --init-image wide.png --outpaint
refuses 'no such mask' 1 'none.png' $paint_line --init-image wide.png --mask none.png
picture sliver.png 40 7 3 "$colours"
refuses 'a picture of less than 8x8' 1 'sliver.png.*40 x 7.*8 x 8' \
    $paint_line --init-image sliver.png
refuses 'strength beyond 1' 2 '--strength' \
    $paint_line --init-image wide.png --mask disc.png --strength 1.1
refuses 'strength 0' 2 '--strength' $paint_line --init-image wide.png --mask disc.png --strength 0
refuses 'a strength that leaves no step' 2 '--strength' \
    $paint_line --init-image wide.png --mask disc.png --strength 0.1
end_tests
