#!/bin/sh
# Wrong command lines: exit 2, one sentence that names the option, nothing written, and that before
# any file is read.
. "$(dirname "$0")/lib.sh"

draw="generate --model $sd1 --width 64 --height 64 --steps 1 --seed 1 --quiet --output o.png"
teach="learn --model $sd1 --size 64 --steps 1 --quiet --output s.safetensors --prompt [V]"
teach="$teach --image $pictures/rgb8.png"

run
check 'no command: the help and exit 2' is 2
refuses 'an unknown command' 2 "no command 'paint'" paint
refuses 'a misspelt command' 2 "no command 'genrate', is it generate;" genrate
refuses 'an unknown option' 2 'Unknown option --bogus' generate --bogus
for typed in --promt --Prompt --pronpt=x --prom -prompt; do
    refuses "$typed: the nearest option" 2 "Unknown option .*is --prompt meant" generate $typed x
done
refuses 'a beginning that is of one option' 2 'is --init-image meant' generate --init-im a.png
refuses 'learn knows its own' 2 'is --image meant' learn --imagee a.png
run generate --bogus
check 'nothing near, nothing named' test -z "$(grep meant "$work/err")"
for empty in --output= --steps= --subject= --sampler=; do
    refuses "$empty is empty" 2 "^$empty is empty" generate --prompt x $empty
done
refuses 'learn: --image= is empty' 2 '^--image= is empty' learn --prompt x --image=
refuses 'a word that is no option' 2 "'word' is no option" generate --prompt x word
refuses 'a prompt without quotes' 2 "'cat' is no option .*quotes" $draw a cat
run $draw 'a "wet" cat'
check 'a word without an option is the prompt' grep -aq 'a "wet" cat' o.png
rm o.png
refuses 'no prompt' 2 '--prompt' $draw
run --version
check '--version' is 0
for command in learn generate edit convert compare directions evaluate info spectrum bench; do
    run $command --help
    check "$command --help" is 0
done

# the help names the defaults of the model that is used
says() { # NAME OPTION PATTERN COMMAND...: the line of the option in the help
    says_name=$1
    says_line="^ *$2=.*$3"
    shift 3
    run "$@"
    check "$says_name" grep -Eq -e "$says_line" "$work/out"
}
cp -rL "$sd1" own
cat >own/svdiff.json <<'EOF'
{"learn": {"steps": 321, "learning_rate": 0.25, "unmix_maps": "max"}, "generate": {"guidance": 2.5},
 "edit": {"structure": 0.5}}
EOF
says "learn --help: the model's own steps" --steps '[(]321,' learn --model own --help
says 'and its rate, in any order' --learning-rate '[(]0.25[)]$' learn --help --model=own
says 'and its words' --unmix-maps '[(]max[)]$' learn --help --model=own
says 'and its size' --size 128 learn --help --model=own
says "generate --help: the model's own guidance" --guidance '[(]2.5[)]$' generate --help --model own
says "edit --help: the model's own structure" --structure '[(]0.5[)]$' edit --help --model own
says 'edit --help: what learning has' --learn-steps '[(]321[)]$' edit --help --model own
says 'a model without svdiff.json: Stable Diffusion' --steps '[(]500,' learn --help --model "$sd1"
says 'the same without a model' --steps '[(]500,' learn --help --model none
mkdir ships
mv own ships/model
export SVDIFF_DATA_DIR=ships
says 'without --model that of the one that ships' --steps '[(]321,' learn --help
unset SVDIFF_DATA_DIR
rm -r ships

# only what is used is offered
while read -r command options; do
    for option in $options; do
        run $command --help
        check "$command does not offer $option" test -z "$(grep -e " $option=" "$work/out")"
        refuses "$command $option" 2 "Unknown option $option" $command $option 1
    done
done <<'EOF'
compare --seed --device --threads --precision --model --tokenizer --prediction
info --seed --device --threads --precision --model --tokenizer --prediction
convert --seed --precision
spectrum --seed --precision --prediction
bench --seed
EOF

timed() { # of the last bench: what, a time and work above 0, the three names
    grep -Eq "^[{]\"what\":\"$1\",\"seconds\":[0-9.e-]*[1-9][0-9.e-]*,\"median_seconds\":[0-9.e-]*[1-9]" "$work/out" &&
        grep -Eq '"flops":[0-9.e+]*[1-9].*"peak_bytes":[1-9].*"precision":"(f32|bf16)","threads":[1-9].*"device":"cpu"' "$work/out"
}
for what in unet learn decode generate start; do
    run bench --what "$what" --model "$sd1" --width 64 --height 64 --repeats 1 --quiet
    check "bench --what $what" timed "$what"
done
check 'bench --what start: each part of the time, and the bytes of what is read' python3 -c '
import json, sys
result = json.load(open(sys.argv[1]))
stages = {s["stage"]: s for s in result["stages"]}
assert list(stages) == ["read", "hash", "open", "text", "convert", "step"]
assert all(s["seconds"] > 0 for s in stages.values())
assert all(abs(s["bytes"] / s["seconds"] / 1e9 - s["gb_per_second"]) < 1e-6 for s in stages.values())
assert stages["read"]["bytes"] > stages["convert"]["bytes"] > stages["text"]["bytes"] > 0
parts = sum(s["seconds"] for n, s in stages.items() if n not in ("read", "hash"))
assert abs(parts - result["seconds"]) < 1e-6' "$work/out"

# option, value
while read -r option value; do
    refuses "generate $option $value" 2 "(${option#--}.*$value|$value.*${option#--})" $draw --prompt x "$option" "$value"
done <<'EOF'
--sampler foo
--spacing foo
--timesteps foo
--noise foo
--guidance-rescale 2
--guidance-rescale nan
--steps 0
--steps -1
--steps 1x
--steps 99999999999
--width 30
--height 9000
--width 0
--guidance nan
--guidance -1
--guidance 100000
--eta 2
--eta nan
--count 0
--strength 0
--strength 1.5
--device foo
--precision f8
--threads -1
--seed -1
--seed one
EOF
run $draw --prompt x --width 30
check '--width 30: the nearest sizes are named' one_sentence '24.*32'
refuses 'a picture of an unknown kind' 2 'picture.gif' $draw --prompt x --output picture.gif
refuses 'a scale that is no number' 2 '--subject fox.safetensors is nan' \
    $draw --prompt x --subject fox.safetensors:nan
refuses 'karras with ddim' 2 '--spacing karras.*--sampler ddim' \
    $draw --prompt x --spacing karras --sampler ddim
refuses 'a tree of noise with a seed' 2 '--noise torch.*dpmpp-sde' \
    $draw --prompt x --noise torch --sampler dpmpp-sde
refuses 'usage comes before files' 2 '--sampler' $draw --prompt x --sampler foo --model missing
refuses 'numbers come before files' 2 '--steps' $draw --prompt x --steps 0 --model missing
refuses '--arguments without a file' 2 '--arguments' generate --arguments

while read -r option value; do
    refuses "learn $option $value" 2 "${option#--}.*$value" $teach "$option" "$value"
done <<'EOF'
--steps 0
--steps -5
--learning-rate fast
--learning-rate nan
--learning-rate 0,5
--learning-rate-1d 100
--schedule foo
--crop foo
--latent foo
--norms foo
--subset foo
--batch 0
--accumulate 0
--size 30
--clip -1
--min-snr -1
--weight-decay -1
--warm-up -1
--prior-weight -1
--prior-images -1
--sample-every -1
--checkpoint-every -1
EOF
refuses 'nothing to learn' 2 '--prompt' learn --model "$sd1" --output s.safetensors
refuses 'an empty prompt' 2 '--prompt' learn --prompt '' --image a.png --output s.safetensors
refuses 'a blank prompt' 2 '--prompt' learn --prompt '  ' --image a.png --output s.safetensors
refuses 'no picture' 2 '--image' learn --prompt '[V]' --output s.safetensors
refuses 'a picture before any prompt' 2 '--image' learn --image a.png --output s.safetensors
refuses "another subject's [V2]" 2 'subject 1 but has \[V2\]' \
    learn --prompt 'a [V2] dog' --image a.png --prompt '[V2]' --image b.png --output s.safetensors
refuses 'no output' 2 '--output' learn --prompt '[V]' --image a.png

long=$(head -c 10001 /dev/zero | tr '\0' a)
bad=$(printf '\377')
refuses 'generate: more than 10000 characters' 2 '--prompt.*10000' $draw --prompt "$long"
refuses 'learn: more than 10000 characters' 2 '--prompt.*10000' \
    learn --prompt "$long" --image a.png --output s.safetensors
refuses 'generate: invalid UTF-8' 2 '--prompt.*UTF-8' $draw --prompt "$bad"
refuses 'negative: invalid UTF-8' 2 '--negative.*UTF-8' $draw --prompt x --negative "$bad"
refuses 'learn: invalid UTF-8' 2 '--prompt.*UTF-8' \
    learn --prompt "$bad" --image a.png --output s.safetensors
refuses 'class prompt: invalid UTF-8' 2 '--class-prompt.*UTF-8' $teach --class-prompt "$bad"
LC_ALL=C refuses 'words are bytes under LANG=C' 2 '--sampler' $draw --prompt x --sampler größe

refuses 'convert: unknown format' 2 '--to' convert missing --to painting --output x
refuses 'convert: nothing said' 2 '--to' convert
run info --json
check 'info: nothing said is the model that ships' grep -q '"kind":"model"' "$work/out"
refuses 'spectrum: a limit that is no number' 2 '--cache-limit' spectrum --cache-limit nan
refuses 'spectrum: a negative limit' 2 '--cache-limit' spectrum --cache-limit -1
refuses 'bench: unknown work' 2 '--what' bench --what sleep
refuses 'bench: a start without files' 2 '--shapes sd15.*--model' bench --what start --shapes sd15
refuses 'bench: unknown shapes' 2 '--shapes' bench --shapes sd99
# ---- what no shell spreads ----

mkdir many masks none few
for name in a b c; do cp "$pictures/rgb8.png" "many/$name.png"; done
cp "$pictures/rgb8.png" many/.hidden.png
echo text >many/notes.txt
for name in a b c; do
    picture "masks/$name.png" "$(od -An -tu1 -j19 -N1 "$pictures/rgb8.png" | tr -d ' ')" \
        "$(od -An -tu1 -j23 -N1 "$pictures/rgb8.png" | tr -d ' ')" 1 '255 if x < 20 else 0'
done
cp masks/a.png masks/b.png few
teach() { # OUTPUT ARGUMENTS...: the same run but for how its pictures are named
    output=$1
    shift
    run learn --model "$sd1" --size 64 --seed 3 --steps 2 --prompt 'a photo of [V]' "$@" --output "$output"
}
teach one.safetensors --image many/a.png --image many/b.png --image many/c.png --quiet
check 'three times --image' is 0
teach two.safetensors --image many/a.png many/b.png many/c.png --quiet
check 'several words behind --image' same one.safetensors two.safetensors
teach two.safetensors --image=many/a.png many/b.png --image many/c.png --quiet
check 'and behind its =' same one.safetensors two.safetensors
teach two.safetensors --image many
check 'a folder' same one.safetensors two.safetensors
check 'which is told' grep -qx 'many: pictures: 3, and 1 that are none' "$work/err"
teach one.safetensors --image many/a.png --mask masks/a.png --image many/b.png --mask masks/b.png \
    --image many/c.png --mask masks/c.png --quiet
teach two.safetensors --image many --mask masks --quiet
check 'a folder with a folder of masks' same one.safetensors two.safetensors
refuses 'one mask for several images' 2 '--mask masks/a.png .* 3 images' learn --prompt '[V]' \
    --image many --mask masks/a.png --output o.safetensors
refuses 'a mask that is missing' 1 'few .*many/c.png' learn --prompt '[V]' --image many --mask few \
    --output o.safetensors
refuses 'a folder without pictures' 1 'none.* no picture' learn --prompt '[V]' --image none \
    --output o.safetensors
refuses 'several words behind --image of edit' 2 'many/b.png' edit --image many/a.png many/b.png \
    --prompt x --target y --output o.png

HOME="$work/home"
export HOME
mkdir "$HOME"
generate --prompt x --steps 1 --seed 1 '--output=~/at-home.png'
check '~ behind =' test -s "$HOME/at-home.png"
generate '--prompt=~/x' --steps 1 --seed 1 --output plain.png
check 'is what it is in a prompt' grep -q '~/x' plain.png

refuses 'an option in the place of a value' 2 '--output has no value: --steps' generate --prompt x \
    --output --steps 2
refuses 'an empty option of all commands' 2 '--model= is empty' generate --prompt x --model=
refuses 'a misspelt option of all commands' 2 'modell.*--model' generate --prompt x --modell y

run info --json "$sd1/unet"
check 'info of a part: exit 0' is 0
check 'info of a part says what it is' grep -q '"kind":"part","format":"diffusers","tensors":[1-9]' "$work/out"
run info --json "$sd1/text_encoder"
check 'info of a text encoder, too' grep -q '"kind":"part"' "$work/out"
refuses 'info of a part without weights' 1 'scheduler' info "$sd1/scheduler"

# ---- a device that is not here ----

for device in cuda cuda:0 cuda:7; do
    if [ -e "$(dirname "$svdiff")/../kernels/svdiff-cuda.so" ] && [ -e /dev/nvidia0 ]; then
        skip "--device $device" 'there is an NVIDIA device'
    else
        refuses "--device $device" 1 'CUDA|NVIDIA' generate --model "$sd1" --prompt x --device $device \
            --width 64 --height 64 --steps 1 --output x.png
    fi
done
refuses '--device cuda:x' 2 '^--device is cuda:x; what follows cuda: is a number' generate --prompt x \
    --device cuda:x --output x.png
end_tests
