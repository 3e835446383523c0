#!/bin/sh
# What people bring along besides adapters: pickled models, other autoencoders, textual inversions.
. "$(dirname "$0")/lib.sh"

draw='--prompt glow --seed 3 --steps 1'
tensors() { # FROM TO PYTHON
    python3 "$SVDIFF_TESTS_DIR/command/tensors.py" "$@"
}
vae=$sd1/vae/diffusion_pytorch_model.safetensors
generate $draw --output plain.png

# ---- pickled files: models, adapters ----

tensors "$models/sd1.safetensors" single.ckpt ''
cp -r "$models/sd1.config" single.config
run generate --model single.ckpt --width 64 --height 64 --quiet $draw --output single-ckpt.png
check 'a .ckpt file' is 0
run generate --model "$models/sd1.safetensors" --width 64 --height 64 --quiet $draw --output single.png
check 'draws what the .safetensors draws' near single.png single-ckpt.png
fresh_model
for part in unet/diffusion_pytorch_model vae/diffusion_pytorch_model text_encoder/model; do
    name=model/$(echo $part | sed 's,/model,/pytorch_model,').bin
    tensors "model/$part.safetensors" "$name" ''
    rm "model/$part.safetensors"
done
run generate --model model --width 64 --height 64 --quiet $draw --output folder-bin.png
check 'a folder of .bin files' near plain.png folder-bin.png
run info single.ckpt --json
check 'info says what it is' grep -q '"kind":"model","format":"compvis"' "$work/out"
learn --prompt '[V]' --image "$pictures/rgb8.png" --steps 1 --output plain.safetensors
run learn --model model --size 64 --seed 3 --quiet --prompt '[V]' --image "$pictures/rgb8.png" --steps 1 \
    --output bin.safetensors
check 'and is learned on' same plain.safetensors bin.safetensors
tensors "$SVDIFF_TESTS_DIR/fixtures/adapters/diffusers-old.safetensors" old.pt ''
generate $draw --lora "$SVDIFF_TESTS_DIR/fixtures/adapters/diffusers-old.safetensors" --output old.png
generate $draw --lora old.pt --output old-pt.png
check 'a pickled LoRA' near old.png old-pt.png
for name in system eval; do
    with_model "a pickle that wants to run a program: $name" "hostile-$name.pt: .*not executed" \
        "$SVDIFF_TESTS_DIR/fixtures/pickles/hostile-$name.pt"
done
tensors "$models/sd1.safetensors" nan.ckpt 'n = "model.diffusion_model.out.2.bias"
t[n] = (t[n][0], t[n][1], b"\0\176" * (len(t[n][2]) // 2))'
cp -r single.config nan.config
with_model 'a pickled model with NaN' 'nan.ckpt: tensor model.diffusion_model.out.2.bias .*NaN' nan.ckpt

# ---- other autoencoders ----

compvis='t = {k[18:]: v for k, v in t.items() if k.startswith("first_stage_model.")}'
tensors "$models/sd1.safetensors" bare.pt "$compvis"
for other in "$vae" "$sd1/vae" "$sd1" "$models/sd1.safetensors" bare.pt; do
    generate $draw --vae "$other" --output vae.png
    check "--vae ${other#"$models/"}: the same picture" near plain.png vae.png 12 # of 16 bits, some
done
tensors "$vae" other.safetensors 'n = "decoder.conv_out.bias"
t[n] = (t[n][0], t[n][1], bytes(len(t[n][2])))'
generate $draw --vae other.safetensors --output other.png
check 'another autoencoder: another picture' differ plain.png other.png
check 'and said' grep -aq ', VAE: other.safetensors' other.png
with_vae() { # NAME PATTERN FILE
    refuses "--vae: $1" 1 "$2" generate --model "$sd1" --prompt x --width 64 --height 64 --steps 1 --quiet \
        --output o.png --vae "$3"
}
with_vae 'none there' 'nobody: ' nobody
with_vae 'a text encoder' 'model.safetensors: tensor encoder.conv_in.weight of the autoencoder is missing' \
    "$sd1/text_encoder/model.safetensors"
with_vae 'a folder without one' 'config.json' "$sd1/scheduler"
tensors "$vae" odd.safetensors 'n = "decoder.conv_out.bias"
t[n] = (t[n][0], [1], t[n][2][:4])'
with_vae 'of another shape' 'odd.safetensors: tensor decoder.conv_out.bias has shape' odd.safetensors
refuses '--vae: written over' 1 'other.safetensors' learn --model "$sd1" --size 64 --quiet --prompt '[V]' \
    --image "$pictures/rgb8.png" --steps 1 --vae other.safetensors --output other.safetensors

# ---- textual inversions ----

glow=$SVDIFF_TESTS_DIR/fixtures/pickles/embedding.pt
generate $draw --embedding "$glow=glow" --output glow.png
check 'a word with vectors of its own' differ plain.png glow.png
check 'the picture says it' grep -aq ', Embeddings: embedding.pt=glow' glow.png
generate $draw --embedding "$glow" --output unused.png
check 'its own word is another: not in this prompt' near plain.png unused.png
generate --prompt 'Glow' --seed 3 --steps 1 --embedding "$glow=glow" --output capital.png
check 'in capitals' near glow.png capital.png
generate --prompt 'glowing' --seed 3 --steps 1 --output glowing.png
generate --prompt 'glowing' --seed 3 --steps 1 --embedding "$glow=glow" --output inside.png
check 'not inside of another word' near glowing.png inside.png
mkdir -p "$work/data/svdiff/embeddings"
cp "$glow" "$work/data/svdiff/embeddings/glow.pt"
generate $draw --embedding glow --output named.png
check 'by its name' near glow.png named.png
generate --prompt x --negative glow --seed 3 --steps 1 --output negative.png
generate --prompt x --negative glow --seed 3 --steps 1 --embedding glow --output negative-glow.png
check 'in the negative prompt' differ negative.png negative-glow.png
style=$SVDIFF_TESTS_DIR/fixtures/adapters/diffusers-old.safetensors
tensors "$style" bundle.safetensors 't["bundle_emb.glow.string_to_param.*"] = ("F32", [2, 32], bytes(256))'
generate $draw --lora "$style" --output style.png
generate $draw --lora bundle.safetensors --output bundle.png
check 'in an adapter file' differ style.png bundle.png
check 'in an adapter file: nothing is left out' test ! -s "$work/err"
generate $draw --lora bundle.safetensors --embedding "$glow=Glow" --output given.png
check 'one that is given counts before it' differ given.png bundle.png
check 'which is told' grep -q '^warning: bundle.safetensors: its embedding glow is left out, another' "$work/err"
learn --prompt '[V]' --image "$pictures/rgb8.png" --steps 1 --lora bundle.safetensors --output on.safetensors
check 'learning has no use for it' grep -q 'bundle.safetensors: 1 embedding in it is left out: prompts of learning' "$work/err"
with_word() { # NAME PATTERN PYTHON
    tensors "$style" word.safetensors "t = $3"
    refuses "embedding: $1" 1 "word.safetensors: .*$2" generate --model "$sd1" --prompt x --width 64 --height 64 \
        --steps 1 --quiet --output o.png --embedding word.safetensors
}
with_word 'of SD 2' 'this embedding is for Stable Diffusion 2.x .its vectors have 1024 values' \
    '{"emb_params": ("F32", [1, 1024], bytes(4096))}'
with_word 'of SD XL' 'for Stable Diffusion XL' '{"clip_l": ("F32", [1, 32], bytes(128)), "clip_g": ("F32", [1, 32], bytes(128))}'
with_word 'of another width' 'vectors of 16 values' '{"<word>": ("F32", [16], bytes(64))}'
with_word 'no numbers' 'NaN' '{"emb_params": ("F32", [1, 32], b"\0\0\300\177" * 32)}'
with_word 'too many vectors' '76 vectors' '{"emb_params": ("F32", [76, 32], bytes(128 * 76))}'
with_word 'something else' 'no textual inversion' '{"a": ("F32", [32], bytes(128)), "b": ("F32", [32], bytes(128))}'
with_word 'a LoRA' 'this is a LoRA, no textual inversion' 't'
bytes=$(printf '\303').pt
cp "$glow" "$bytes"
refuses 'embedding: called by bytes that are no text' 1 'it has no name that a prompt could have' generate \
    --model "$sd1" --prompt x --width 64 --height 64 --steps 1 --quiet --output o.png --embedding "$bytes"
generate $draw --embedding "$bytes=glow" --output bytes.png
check 'embedding: with a word of its own' near glow.png bytes.png
refuses 'embedding: twice' 1 'two embeddings are called GLOW' generate --model "$sd1" --prompt x --width 64 --height 64 \
    --steps 1 --quiet --output o.png --embedding glow --embedding "$glow=GLOW"
end_tests
