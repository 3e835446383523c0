#!/bin/sh
# No command overwrites what it reads, with any of the files that it writes, whatever these are
# called: exit 1, one sentence, everything as it was.
. "$(dirname "$0")/lib.sh"

spares() { # NAME INPUT ARGUMENTS...: the sentence names what would be lost
    spared_name=$1
    spared=$2
    shift 2
    refuses "$spared_name" 1 "would overwrite $spared," "$@"
}

cp "$pictures/rgb8.png" a.png
cp "$pictures/rgb16.png" b.png
cp "$pictures/mask-left.png" mask.png
cp "$models/sd1-subject-elementwise.safetensors" fox.safetensors
fresh_model
ln -s a.png soft.png
ln a.png hard.png
teach="learn --model model --size 64 --steps 4 --quiet --prompt [V]-dog --image a.png"
draw="generate --model model --width 64 --height 64 --steps 2 --quiet --prompt x"

# ---- learn ----

for output in a.png soft.png hard.png ./a.png "$PWD/a.png"; do
    spares "learn: --output $output" a.png $teach --output "$output"
done
spares 'learn: a picture that is read through a link' soft.png learn --model model --size 64 \
    --quiet --prompt '[V]' --image soft.png --output a.png
spares 'learn: the second picture' b.png $teach --image b.png --output b.png
spares 'learn: a mask' mask.png $teach --mask mask.png --output mask.png
spares 'learn: a region' mask.png learn --model model --size 64 --quiet --prompt '[V]' \
    --image a.png --region b.png --prompt '[V]' --image a.png --region mask.png --output mask.png
spares 'learn: --trace' a.png $teach --output s.safetensors --trace hard.png
spares 'learn: the model' model/unet/diffusion_pytorch_model.safetensors $teach \
    --output model/unet/diffusion_pytorch_model.safetensors
spares 'learn: its tokenizer' model/tokenizer/vocab.json $teach --output s.safetensors \
    --trace model/tokenizer/vocab.json
cp a.png s-2.png
spares 'learn: a sample' s-2.png $teach --image s-2.png --output s --sample-every 2
cp a.png s.csv
spares 'learn: the losses' s.csv $teach --image s.csv --output s
cp a.png s.resume
spares 'learn: the checkpoint' s.resume $teach --image s.resume --output s
refuses 'learn: one file twice' 1 '--output and --trace would both write' $teach --output s2 \
    --trace ./s2
refuses 'learn: a trace in the place of the losses' 1 'would both write s2.csv' $teach --output s2 \
    --trace s2.csv
run $teach --output s --sample-every 3
check 'learn: otherwise all is well' is 0

# ---- generate ----

spares 'generate: the picture it starts from' a.png $draw --init-image a.png --output a.png
cp "$pictures/paint-mask.png" paint-mask.png
spares 'generate: its mask' paint-mask.png $draw --init-image "$pictures/paint.png" \
    --mask paint-mask.png --output paint-mask.png
spares 'generate: a region' mask.png $draw --region mask.png=dog --output mask.png
spares 'generate: a subject' fox.safetensors $draw --subject fox.safetensors --output o.png \
    --trace fox.safetensors
spares 'generate: the model' model/unet/config.json $draw --output o.png \
    --trace model/unet/config.json
spares 'generate: --preview' a.png $draw --init-image a.png --output o.png --preview soft.png
cp a.png p2.png
spares 'generate: the preview of a step' p2.png $draw --init-image p2.png --output o.png \
    --preview 'p%d.png'
cp a.png many-3.png
spares 'generate: the third picture' many-3.png $draw --init-image many-3.png --output many.png \
    --count 3
cp a.png deep0001.png
spares 'generate: a numbered picture' deep0001.png $draw --init-image deep0001.png \
    --output 'deep%04d.png' --count 2
refuses 'generate: one file twice' 1 '--output and --preview would both write' $draw \
    --output o.png --preview o.png
run $draw --init-image a.png --output model/picture.png
check 'generate: beside what is read of a model' is 0
run $draw --init-image a.png --output model/picture.png
check 'generate: and once more' is 0
run $draw --init-image a.png --output b.png
check 'generate: over what is not read' is 0

# ---- edit ----

change="edit --model model --image a.png --prompt dog --target cat --learn-steps 1 --steps 1 --quiet"
spares 'edit: --output' a.png $change --output a.png
spares 'edit: --trace' a.png $change --trace hard.png
spares 'edit: --preview' a.png $change --preview a.png
cp a.png edit-2.png
spares 'edit: the second picture' edit-2.png edit --model model --image edit-2.png --prompt dog \
    --target cat --target bird --quiet
cp a.png k.part
spares 'edit: what is learned in the place of its file' k.part edit --model model --image k.part \
    --prompt dog --target cat --shift k --quiet

# ---- the others ----

cp s fox.png # a subject with a preview
spares 'info: --preview' fox.png info fox.png --preview ./fox.png
spares 'compare: --plot' fox.png compare fox.png fox.safetensors --plot fox.png
spares 'compare: --csv' fox.safetensors compare fox.png fox.safetensors --csv fox.safetensors
refuses 'compare: one file twice' 1 '--plot and --csv would both write' compare fox.png fox.safetensors \
    --plot both.svg --csv both.svg
for to in subject lora checkpoint; do
    spares "convert: to $to" fox.safetensors convert fox.safetensors --to $to --model model \
        --output ./fox.safetensors
done
run convert fox.safetensors --to svdiff-pytorch --output pair --quiet
spares 'convert: a file of the pair, to the pair' pair/spectral_shifts.safetensors convert \
    pair/spectral_shifts.safetensors --to svdiff-pytorch --output pair
spares 'convert: the pair to itself' pair/spectral_shifts.safetensors convert pair \
    --to svdiff-pytorch --output pair
spares 'convert: a checkpoint in the place of the weights' \
    model/unet/diffusion_pytorch_model.safetensors convert fox.safetensors --to checkpoint \
    --model model --output model/unet/diffusion_pytorch_model.safetensors
cp "$models/sd1.safetensors" one.safetensors
cp -r "$models/sd1.config" one.config
spares 'convert: a single file' one.safetensors convert fox.safetensors --to checkpoint \
    --model one.safetensors --output one.safetensors
spares 'generate: the config of a single file' one.config/unet/config.json $draw \
    --model one.safetensors --output o.png --trace one.config/unet/config.json
end_tests
