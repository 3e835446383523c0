#!/bin/sh
# LoRA files and their relatives with the command: where they are found, where they act, what they are
# learned under, and which are refused. That each format draws what its own program draws is the
# traces' to say.
. "$(dirname "$0")/lib.sh"

adapters=$SVDIFF_TESTS_DIR/fixtures/adapters
style=$adapters/diffusers.safetensors
draw='--prompt x --seed 3 --steps 1'
edit_tensors() { # FROM TO PYTHON: the tensors t of a file, {name: (dtype, shape, bytes)}, changed
    python3 "$SVDIFF_TESTS_DIR/command/tensors.py" "$@"
}


# ---- strengths and names ----

generate $draw --output plain.png
generate $draw --lora "$style" --output style.png
check 'an adapter draws something else' differ plain.png style.png
check 'the picture says it' grep -aq 'x <lora:diffusers:1>' style.png
generate $draw --lora "$style:0" --output none.png
check 'at strength 0 nothing' near plain.png none.png
mkdir -p "$work/data/svdiff/loras" elsewhere
cp "$style" elsewhere/chalk.safetensors
echo "$PWD/elsewhere" >"$work/data/svdiff/loras.txt"
generate $draw --lora chalk --output chalk.png
check 'by its name in a folder that is named' near chalk.png style.png
cp "$style" "$work/data/svdiff/loras/my style.safetensors"
generate $draw --lora 'my style:0.5' --output half.png
check 'by its name, with a strength' differ half.png style.png
generate --seed 3 --steps 1 --prompt 'x <lora:my style:0.5>' --output marked.png
check 'in a prompt' near half.png marked.png
check 'in a prompt: nothing to warn of' test ! -s "$work/err"
generate --seed 3 --steps 1 --prompt 'x <lora:nobody:0.5>' --output missing.png
check 'a name that is nowhere is left out' near plain.png missing.png
check 'and told' grep -q '^warning: <lora:nobody:0.5> names no file' "$work/err"
generate $draw --lora "$style:0.5" --lora "$style:0.5" --output twice.png
check 'several add up' near style.png twice.png 1

# ---- in a region alone ----

sides="--region $pictures/mask-left.png=dog --region"
generate $draw $sides "$pictures/mask-right.png=cat" --output sides.png
generate $draw $sides "$pictures/mask-right.png=cat <lora:my style>" --output right.png
check 'in a region' is 0
check 'in a region: something else' differ sides.png right.png
check 'in a region: said of it' grep -aq 'cat <lora:my style:1>' right.png
generate $draw $sides "$pictures/mask-right.png=cat" --lora "$style" --output both.png
check 'in a region: not everywhere' differ both.png right.png

# ---- what of a file is not used is told ----

edit_tensors "$style" more.safetensors 't["unet.other.lora_A.weight"] = t["unet.other.lora_B.weight"] = t[a]
t["unet.mid_block.note"] = t[a]'
generate $draw --lora more.safetensors --output more.png
check 'weights of another model are counted' grep -Eq \
    'more.safetensors: 2 of its [0-9]+ tensors are for weights that this model does not have .* unet.other' "$work/err"
check 'and what is not known' grep -q '1 of its .* say nothing that is known .* unet.mid_block.note' "$work/err"
check 'the rest is drawn' near style.png more.png

# ---- what few files have ----

key='unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_k'
edit_tensors "$style" whole.safetensors "t['$key.alpha'] = ('I64', [], bytes([4, 0, 0, 0, 0, 0, 0, 0]))"
edit_tensors "$style" float.safetensors "t['$key.alpha'] = ('F32', [], bytes([0, 0, 128, 64]))"
generate $draw --lora whole.safetensors --output whole.png
generate $draw --lora float.safetensors --output float.png
check 'an alpha that is a whole number' near whole.png float.png
check 'which is its alpha' differ whole.png style.png
cp -r "$adapters/peft-lora" pattern
generate $draw --lora pattern/adapter_model.safetensors --output name.png
sed -i 's/"attn2.to_k": 5/"^(down|mid|up)_.*attn2\\\\.to_.$": 5/' pattern/adapter_config.json
check 'an expression' grep -qF 'attn2\\.to_.$": 5' pattern/adapter_config.json
generate $draw --lora pattern/adapter_model.safetensors --output expression.png
check 'its alpha is that of more than one' differ name.png expression.png
sed -i 's/to_[.][$]/to_k$/' pattern/adapter_config.json
generate $draw --lora pattern/adapter_model.safetensors --output expression.png
check 'or of one' near name.png expression.png
cp "$adapters/comfy.safetensors" pattern/other.safetensors
generate $draw --lora pattern/other.safetensors --output other.png
generate $draw --lora "$adapters/comfy.safetensors" --output comfy.png
check 'settings of another file are not its own' near other.png comfy.png
edit_tensors "$style" flat.safetensors "t = {'$key.oft_R': ('F32', [32, 0], b'')}"
generate $draw --lora flat.safetensors --output flat.png
check 'rotations of single columns are none' near flat.png plain.png
cp -r "$adapters/peft-oft" terms
for n in 3 4 5; do
    sed -i "s/neumann_terms\": ./neumann_terms\": $n/" terms/adapter_config.json
    generate $draw --lora terms/adapter_model.safetensors --output $n.png
done
check 'three terms of a series are the four that PEFT adds up' near 3.png 4.png
check 'which are not five' far 4.png 5.png

rm -r terms
cp -r "$adapters/peft-oft-constrained" terms
sed -i 's/"coft": true/"coft": false/' terms/adapter_config.json
generate $draw --lora "$adapters/peft-oft-constrained/adapter_model.safetensors" --output bound.png
generate $draw --lora terms/adapter_model.safetensors --output free.png
check 'a constraint of rotations holds' far bound.png free.png

# ---- refused ----

with_adapter() { # NAME PATTERN FILE
    refuses "$1" 1 "$2" generate --model "$sd1" --prompt x --width 64 --height 64 --steps 1 --quiet \
        --output o.png --lora "$3"
}
broken() { # NAME PATTERN PYTHON
    edit_tensors "$style" broken.safetensors "$3"
    with_adapter "$1" "broken.safetensors: .*$2" broken.safetensors
}
with_adapter 'no such file' 'nobody: ' nobody
with_adapter 'a model' 'sd1.safetensors: this is a model, no LoRA' "$models/sd1.safetensors"
with_adapter 'a subject' 'this is a subject, no LoRA' "$models/sd1-subject-scalar.safetensors"
with_adapter 'a picture' 'rgb8.png: ' "$pictures/rgb8.png"
broken 'of Stable Diffusion 2' 'this adapter is for Stable Diffusion 2.x .*attn2.to_k.* 1024 columns' \
    "t['$key.lora_A.weight'] = ('F32', [2, 1024], bytes(8192))"
broken 'of Stable Diffusion XL' 'this adapter is for Stable Diffusion XL .it has lora_te2_' \
    't["lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight"] = t[a]'
broken 'of Flux' 'this adapter is for Flux' 't["lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight"] = t[a]'
broken 'none of its weights' 'none of its .* use it with the family' \
    't = {"lora_unet_other.lora_down.weight": t[a]}'
broken 'a factor is missing' 'has no lora_up; the file is damaged' "del t['$key.lora_B.weight']"
broken 'no rank in common' 'parts of what changes .*attn2.to_k do not fit' \
    "t['$key.lora_A.weight'] = ('F32', [3, 32], bytes(384))"
broken 'another shape' 'attn2.to_k as a weight of 20 x 31, this model.s is 20 x 32' \
    "t['$key.lora_A.weight'] = ('F32', [2, 31], bytes(248))"
broken 'no number' 'attn2.to_k.lora_A.weight has values that are infinite' \
    "t['$key.lora_A.weight'] = ('F32', [2, 32], b'\\0\\0\\300\\177' + bytes(252))"
broken 'the same part twice' 'are the same part of one change' "t['$key.lora.down.weight'] = t['$key.lora_A.weight']"
broken 'two kinds of factors' 'attn2.to_k has factors of several kinds' "t['$key.hada_w1_a'] = t['$key.lora_A.weight']"
broken 'one factor in two ways' 'lokr_w1 and .*lokr_w1_a cannot be in one file' \
    "t['$key.lokr_w1'] = t['$key.lokr_w1_a'] = t['$key.lokr_w2'] = t.pop('$key.lora_A.weight'); del t['$key.lora_B.weight']"
broken 'rotations of two programs' 'oft_blocks and .*oft_R cannot be' \
    "t = {'$key.oft_R': ('F32', [8, 6], bytes(192)), '$key.oft_blocks': ('F32', [5, 4, 4], bytes(320))}"
sed -i 's/"coft": false/"coft": true/; s/"eps": [0-9.e-]*/"eps": -1/' terms/adapter_config.json
with_adapter 'a constraint below none' 'constrain rotations .coft. with an eps of -1, which' terms/adapter_model.safetensors
broken 'lengths without their rotations' 'has no oft_blocks' "t = {'$key.rescale': ('F32', [20], bytes(80))}"
broken 'an alpha that is a list' 'alpha has 2 values' "t['$key.alpha'] = ('F32', [2], bytes(8))"
broken 'whole numbers' 'has type I32' "t['$key.lora_A.weight'] = ('I32', [2, 32], bytes(256))"
refuses 'a wild strength' 2 'strength of --lora .* from -100 to 100' generate --prompt x --quiet \
    --model "$sd1" --output o.png --lora "$style:1e9"
refuses 'no number for a strength' 2 'strength of --lora' generate --prompt x --quiet --model "$sd1" \
    --output o.png --lora "$style:nan"

# ---- learning on top of one ----

learn --prompt '[V]' --image "$pictures/rgb8.png" --steps 2 --lora "$style:0.5" --output on.safetensors
check 'a subject on top of a style' is 0
check 'the file says so' grep -aq ' 0.5 diffusers.safetensors' on.safetensors
learn --prompt '[V]' --image "$pictures/rgb8.png" --steps 2 --output off.safetensors
check 'it is another subject' differ on.safetensors off.safetensors
with_it() { # NAME PATTERN OPTIONS...
    name=$1
    pattern=$2
    shift 2
    refuses "$name" 1 "$pattern" generate --model "$sd1" --prompt x --width 64 --height 64 --steps 1 \
        --quiet --output o.png --subject on.safetensors "$@"
}
with_it 'drawn without it: refused' 'learned on top of the adapter diffusers.safetensors:0.5 .*--lora'
with_it 'at another strength: refused' 'diffusers.safetensors:0.5' --lora "$style:0.6"
with_it 'beside a plain subject: refused' 'not learned on top of the same' --lora "$style:0.5" \
    --subject off.safetensors
generate $draw --subject on.safetensors --lora 'my style:0.5' --output on.png
check 'with it, whatever it is called' is 0
generate $draw --subject on.safetensors --output forced.png --force
check '--force' is 0
learn --prompt '[V]' --image "$pictures/rgb8.png" --steps 1 --lora "$style:0.5" --output still.safetensors \
    --learning-rate 0 --learning-rate-1d 0
generate $draw --subject still.safetensors --lora "$style:0.5" --output still.png
check 'what learned nothing is the style' near half.png still.png
refuses 'resumed without it' 1 'on.safetensors.resume' learn --model "$sd1" --size 64 --seed 3 --quiet \
    --prompt '[V]' --image "$pictures/rgb8.png" --steps 3 --resume --output on.safetensors
run convert on.safetensors --to folder --model "$sd1" --output merged --quiet
check 'converted: refused' one_sentence 'learned on top of the adapter diffusers.safetensors:0.5'
check 'converted: nothing is left' test ! -e merged
run convert on.safetensors --lora "$style:0.5" --to folder --model "$sd1" --output merged --quiet
check 'with it: both are in the model' is 0
run generate --model merged --width 64 --height 64 --quiet $draw --output merged.png
check 'which draws what they draw together' near on.png merged.png 1

# ---- what all weights learned, as a model of its own ----

full=$SVDIFF_TESTS_DIR/fixtures/adapters/learned-full.safetensors
generate $draw --lora "$full:0.8" --output full.png
for format in folder checkpoint; do
    run convert --lora "$full:0.8" --to $format --model "$sd1" --output full-$format.safetensors --quiet
    check "--lora --to $format" is 0
    cp -r "$models/sd1.config" full-$format.config
    run generate --model full-$format.safetensors --width 64 --height 64 --quiet $draw --output full-$format.png
    check 'is a model that draws what it draws' near full.png full-$format.png 1
    check 'and not what the model draws' far plain.png full-$format.png
done
for format in lora lycoris subject; do
    refuses "--lora --to $format" 2 '^--lora is for --to folder and --to checkpoint' convert --lora "$full" \
        --to $format --model "$sd1" --output o.safetensors
done
run convert --lora nobody --to folder --model "$sd1" --output o --quiet
check '--lora that is nowhere' one_sentence '^nobody: '
check 'and nothing is left' test ! -e o
refuses '--lora over itself' 1 'full-checkpoint.safetensors' convert --lora full-checkpoint.safetensors \
    --to checkpoint --model "$sd1" --output full-checkpoint.safetensors
run edit --model "$sd1" --width 64 --height 64 --quiet --image "$pictures/rgb8.png" --prompt x --target y \
    --learn-steps 1 --steps 1 --seed 3 --shift . --output edit.png
run edit --model "$sd1" --width 64 --height 64 --quiet --image "$pictures/rgb8.png" --prompt x --target y \
    --learn-steps 1 --steps 1 --seed 3 --shift . --output edit-style.png --lora "$style"
check 'an edit is drawn with it' differ edit.png edit-style.png
check 'and learned without: once' test "$(ls ./*.svdiff.safetensors | wc -l)" -eq 1
refuses 'an edit with one that is nowhere: nothing is learned before' 1 'nobody: ' edit --model "$sd1" --width 64 \
    --height 64 --quiet --image "$pictures/rgb8.png" --prompt z --target y --learn-steps 1 --steps 1 --seed 3 \
    --shift . --output o.png --lora nobody

# ---- subjects as adapters: all of what they change ----

scalar=$models/sd1-subject-scalar.safetensors
for subject in "$scalar" off.safetensors; do
    run convert "$subject" --to lycoris --model "$sd1" --output full.safetensors
    check "--to lycoris: ${subject##*/}" is 0
    generate $draw --subject "$subject" --output subject.png
    generate $draw --lora full.safetensors --output full.png
    check 'draws what the subject draws' near subject.png full.png 1
    check 'nothing of it is left out' test ! -s "$work/err"
done
check 'its metadata names the network' grep -aq '"ss_network_module":"lycoris.kohya"' full.safetensors

# ---- and the largest parts of it, as the fixtures have them, which others' drawings are compared with ----

part() { # NAME OPTIONS...
    fixture=$1
    shift
    run convert "$models/sd1-subject-elementwise.safetensors:1.5" --to lora --model "$sd1" --output part.safetensors "$@"
    check "--to lora $*" is 0
    check 'what it keeps is said' grep -Eq 'keeps [0-9.e-]+ % of the change' "$work/err"
    generate $draw --lora part.safetensors --output part.png
    check 'nothing of it is left out' test ! -s "$work/err"
    generate $draw --lora "$adapters/$fixture.safetensors" --output fixture.png
    check 'draws as the fixture' near part.png fixture.png 1
}
part exported-kohya --rank 2 --rank-conv 3
part exported-diffusers --rank 3 --rank-conv 2 --keys diffusers
check 'with settings for PEFT' grep -aq '"lora_adapter_metadata":"{' part.safetensors
part exported-norms --rank 2 --rank-conv 2 --norms
refuses '--norms in names that have none' 2 '--norms is for --keys kohya' convert "$scalar" --to lora --norms \
    --keys diffusers --model "$sd1" --output l.safetensors
refuses '--keys of no LoRA' 2 '--keys is for --to lora' convert "$scalar" --to lycoris --keys diffusers --model "$sd1" \
    --output l.safetensors
refuses '--norms of no LoRA' 2 '--norms is for --to lora' convert "$scalar" --to lycoris --norms --model "$sd1" \
    --output l.safetensors

for type in f32 f16 bf16; do
    run convert "$scalar" --to checkpoint --model "$sd1" --type $type --output $type.safetensors --quiet
    check "--type $type" grep -aqi "\"dtype\":\"$type\"" $type.safetensors
done
check 'f32 has twice the bytes' test "$(stat -c %s f32.safetensors)" -gt "$(($(stat -c %s f16.safetensors) * 3 / 2))"
refuses '--type of a LoRA' 2 '--type is for' convert "$scalar" --to lora --type f16 --model "$sd1" --output l.safetensors
end_tests
