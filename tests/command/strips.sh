#!/bin/sh
# svdiff generate --strip: each picture of a strip is the one that is drawn without it.
. "$(dirname "$0")/lib.sh"

paint() { # OUTPUT ARGUMENTS...: one small picture, or a strip
    paint_output=$1
    shift
    generate --prompt x --steps 2 --seed 1 --output "$paint_output" "$@"
}
is_cell() { # SHEET COLUMN ROW FILE: the picture there is this one
    python3 "$SVDIFF_TESTS_DIR/command/png.py" part "$1" $(($2 * 66)) $((15 + $3 * 66)) "$4"
}
sized() { # FILE WIDTHxHEIGHT
    [ "$(python3 "$SVDIFF_TESTS_DIR/command/png.py" size "$1")" = "$2" ]
}

learn --prompt '[V]-dog' --image "$pictures/rgb8.png" --steps 2 --output a.safetensors
learn --prompt '[V]-cat' --image "$pictures/grey8.png" --steps 2 --seed 9 --output b.safetensors

paint strip.png --subject a.safetensors --strip scale=-40..40:3
check 'a strip over the strength' sized strip.png 196x79
paint less.png --subject a.safetensors:-40
paint none.png
paint more.png --subject a.safetensors:40
check 'begins with the first' is_cell strip.png 0 0 less.png
check 'has the model itself at 0' is_cell strip.png 1 0 none.png
check 'ends with the last' is_cell strip.png 2 0 more.png
check 'which are not the same' differ less.png more.png
check 'and says what it is' grep -aq 'Seed: 1, .*Size: 64x64.*, Strip: "scale=-40..40:3"' strip.png

paint mix.png --subject a.safetensors:40 --subject b.safetensors:30 --strip mix=0,0.5,1
paint b.png --subject b.safetensors:30
paint both.png --subject a.safetensors:20 --subject b.safetensors:15
paint three.png --subject a.safetensors:without=down:40 --subject a.safetensors:only=down:40 \
    --subject b.safetensors:only=down:30 --strip mix=0,1
paint mixed.png --subject a.safetensors:without=down:40 --subject b.safetensors:only=down:30
check 'of three the last two' is_cell three.png 1 0 mixed.png
check 'and the first stays' is_cell three.png 0 0 more.png
check 'between two subjects: the first' is_cell mix.png 0 0 more.png
check 'both' is_cell mix.png 1 0 both.png
check 'the second' is_cell mix.png 2 0 b.png

paint second.png --subject a.safetensors:40 --subject b.safetensors:30 --strip scale2=0,1
check 'over the second of them alone' is_cell second.png 0 0 more.png

paint keep.png --subject a.safetensors:only=down:40 --count 2 --strip keep=1,1000
paint one.png --subject a.safetensors:only=down:keep=1:40
paint all.png --subject a.safetensors:only=down:40 --seed 2
check 'of each layer the largest' is_cell keep.png 0 0 one.png
check 'a row a seed' is_cell keep.png 1 1 all.png
check 'under one label' sized keep.png 130x145

paint sampler.png --strip sampler=ddim,euler
paint euler.png --sampler euler
check 'an option of words' is_cell sampler.png 1 0 euler.png
generate --settings sampler.png --output again.png
check 'and is drawn again from what it says' same sampler.png again.png
paint 'file-%d.png' --count 2 --strip guidance=1,3
paint guided.png --guidance 3 --seed 2
check 'with a number in the name a file each' test "$(ls file-*.png | tr '\n' ' ')" = \
    'file-0.png file-1.png file-2.png file-3.png '
check 'all of a value before the next' same file-3.png guided.png
run generate --model "$sd1" --width 64 --height 64 --prompt x --steps 2 --strip guidance=1,3 --estimate
check 'its estimate' is 0
operations() { # OPTIONS...: of what they draw
    run generate --model "$sd1" --width 64 --height 64 --prompt x --estimate --json "$@"
    sed -n 's/.*"operations": *\([0-9.e+]*\).*/\1/p' "$work/out"
}
# but for the texts, which several pictures have in common
check 'which is of each value by itself' awk -v two="$(operations --steps 2)" -v four="$(operations --steps 4)" \
    -v strip="$(operations --strip steps=2,4)" 'BEGIN { exit !(two > 0 && (strip / (two + four) - 0.95)^2 < 0.05^2) }'
paint lora.png --lora "$SVDIFF_TESTS_DIR/fixtures/adapters/diffusers-old.safetensors" --strip lora=0,1
check 'over adapters begins without them' is_cell lora.png 0 0 none.png

refused_strip() { # NAME PATTERN ARGUMENTS...
    refused_strip_name=$1
    refused_strip_pattern=$2
    shift 2
    refuses "$refused_strip_name" 2 "$refused_strip_pattern" generate --model "$sd1" --prompt x --quiet \
        --output no.png "$@"
}
for strip in scale scale= =1..2:3 scale=1 scale=1..2 scale=1..2:1 scale=1..2:101 scale=a..b:3 scale=1..2:x scale=1,,2; do
    refused_strip "--strip $strip" "^--strip '$strip' says no values" --strip "$strip"
done
refused_strip 'a name that is none' "cannot vary 'prompt'; it can be of scale, mix, keep, lora, .*guidance" \
    --strip prompt=1,2
for with in strength:init-image hires-strength:hires fill:mask feather:mask grow:mask; do
    values=1,2
    case $with in *strength*) values=0.5,1 ;; fill*) values=noise,blurred ;; esac
    refused_strip "${with%:*} alone" "varies ${with%:*}, which goes with --${with#*:}" \
        --strip "${with%:*}=$values" --steps 2
done
refused_strip 'sizes' "cannot vary 'width'" --strip width=64,128
refused_strip 'scale without a subject' 'varies subjects; give one' --strip scale=0,1
refused_strip 'scale of one that is not there' 'varies subject 2, and there are 1' --subject a.safetensors \
    --strip scale2=0,1
refused_strip 'mix of one' 'between two subjects; give two' --subject a.safetensors --strip mix=0,1
refused_strip 'lora without one' 'varies adapters' --strip lora=0,1
refused_strip 'a value that is none' "^--strip keep is '2.5'; it must be a whole number" --subject a.safetensors \
    --strip keep=1..4:3
refused_strip 'the last value' "^--sampler is 'none'" --strip sampler=ddim,none
refused_strip 'out of range' '^--guidance is 2000; it can be' --strip guidance=1,2000
refused_strip 'a trace' '^--trace is of one picture' --trace t.safetensors --strip guidance=1,2
refused_strip 'what one picture cannot hold' 'too many for one picture' --width 1024 --height 64 \
    --strip guidance=1..2:50
end_tests
