#!/bin/sh
# Model files in shards and variants and in one file: damaged ones are refused by name with nothing
# written, odd but sound ones give the same picture.
. "$(dirname "$0")/lib.sh"

index=unet/diffusion_pytorch_model.safetensors.index.json
first=unet/diffusion_pytorch_model-00001-of-00002.safetensors
second=unet/diffusion_pytorch_model-00002-of-00002.safetensors
half=unet/diffusion_pytorch_model.fp16.safetensors

fresh_sd2() {
    rm -rf model
    cp -r "$sd2" model
    chmod -R u+w model
}

# of the UNet only the variant is left
fresh_half() {
    fresh_sd2
    rm model/$index model/$first model/$second
}

# a safetensors file with this header and so many bytes behind it
write() { # FILE HEADER BYTES
    python3 -c '
import struct, sys
text = sys.argv[2].encode()
open(sys.argv[1], "wb").write(struct.pack("<Q", len(text)) + text + bytes(int(sys.argv[3])))
' "$@"
}

# JSON that is 100,000 objects deep behind these words
deep() { # FILE WORDS...
    python3 -c '
import struct, sys
text = (sys.argv[3] + "{\"a\":" * 100000 + "1" + "}" * 100000 + "}").encode()
header = struct.pack("<Q", len(text)) if sys.argv[2] == "header" else b""
open(sys.argv[1], "wb").write(header + text)
' "$@"
}

# ---- shards ----

draw whole.png "$sd2"
check 'a model in shards' is 0
for elsewhere in ../vae/diffusion_pytorch_model.safetensors /etc/passwd .. \
    ../unet/diffusion_pytorch_model-00002-of-00002.safetensors; do
    fresh_sd2
    sed -i "s|diffusion_pytorch_model-00002-of-00002.safetensors|$elsewhere|" model/$index
    with_both "a shard at $elsewhere" "model/$index: .*is not in its folder"
done
fresh_sd2
rm model/$second
with_both 'a shard that is missing' "model/$second: "
mkfifo model/$second
with_both 'a FIFO as shard' "model/$second: .*FIFO"
rm model/$second
mkdir model/$second
with_both 'a folder as shard' "model/$second: .*folder"
fresh_sd2
truncate -s -1 model/$second
with_both 'a shard that is cut off' "model/$second: .*truncated"
fresh_sd2
cp model/$first model/$second
with_both 'the same shard twice' 'up_blocks.*missing'
fresh_sd2
deep model/$second header '{"__metadata__":'
with_both 'a header nested too deep' "model/$second: .*nested"
fresh_sd2
write model/$second '{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}' 0
with_both 'a tensor that overflows' "model/$second: .*a .*too many values"
fresh_sd2
poke model/$second up_blocks.0.resnets.0.conv1.bias '\000\000\300\177'
with_both 'a NaN in the second shard' \
    "model/$second: .*up_blocks.0.resnets.0.conv1.bias.*NaN"
fresh_sd2
deep model/$index file '{"weight_map":'
with_both 'an index nested too deep' "model/$index: .*nested"
fresh_sd2
truncate -s 100 model/$index
with_both 'an index that is cut off' "model/$index: "
fresh_sd2
sed -i 's/"conv_in.bias":/"conv_in.weight":/' model/$index
with_both 'an index with a key twice' "model/$index: .*conv_in.weight"
rm model/$index
mkdir model/$index
with_both 'a folder as index' "model/unet"

# ---- variants ----

fresh_half
draw half.png model
check 'a variant in half precision' is 0
check 'its weights are not the others' far half.png whole.png
truncate -s -1 model/$half
with_both 'a variant that is cut off' "model/$half: .*truncated"
fresh_half
poke model/$half conv_in.bias '\000\176'
with_both 'a NaN in half precision' "model/$half: .*conv_in.bias.*NaN"
fresh_half
edit model/$half 's/"conv_in.bias":{"dtype":"F16"/"conv_in.bias":{"dtype":"I16"/'
with_both 'integers in half precision' "model/$half: .*conv_in.bias.*I16"
fresh_sd2
rm model/text_encoder/model-0000?-of-00002.safetensors model/text_encoder/model.safetensors.index.json
draw text.png model
check 'a variant in shards' is 0
rm model/text_encoder/model.fp16-00002-of-00002.safetensors
with_both 'a shard of a variant is missing' 'model.fp16-00002-of-00002.safetensors: '

# ---- configs and tokenizers ----

fresh_sd2
deep model/unet/config.json file '{"a":'
with_both 'a config nested too deep' 'model/unet/config.json: .*nested'
fresh_sd2
sed -i 's/^{/{"in_channels": 4,/' model/unet/config.json
with_both 'a config with a key twice' 'model/unet/config.json: .*in_channels'
for file in scheduler/scheduler_config.json tokenizer/vocab.json tokenizer/merges.txt; do
    fresh_sd2
    rm model/$file
    mkfifo model/$file
    with_both "a FIFO as $file" "model/$file: .*FIFO"
    rm model/$file
    mkdir model/$file
    with_both "a folder as $file" "model/$file: "
done
fresh_sd2
truncate -s 1000 model/tokenizer/vocab.json
with_both 'a vocabulary that is cut off' 'model/tokenizer/vocab.json: '

# ---- whose tokenizer it is ----

same_as_whole() { # NAME OPTIONS...: the model `model`
    name=$1
    shift
    run generate --model model --prompt x --width 64 --height 64 --steps 2 --seed 1 --quiet \
        --output odd.png "$@"
    check "$name" is 0
    check "$name: the same picture" near odd.png whole.png
}
saved=$models/sd2.tokenizer
fresh_sd2
rm -r model/tokenizer
cp -r "$saved" model/tokenizer
same_as_whole 'a tokenizer as transformers 5 saves it'
rm model/tokenizer/tokenizer_config.json
same_as_whole 'tokenizer.json alone: the padding of the family'
rm -r model/tokenizer
same_as_whole 'a tokenizer that is named' --tokenizer "$saved"
same_as_whole 'by the folder of a model' --tokenizer "$sd2"
same_as_whole 'of the other family, with its own padding' --tokenizer "$sd1/tokenizer"
with_both 'no tokenizer, and another vocabulary than CLIP' '^model: .*no tokenizer.*--tokenizer'
refuses 'a tokenizer that is not there' 1 '^none: there is no such folder' generate --model model \
    --tokenizer none --prompt x --quiet --output o.png
mkdir model/tokenizer
with_both 'a tokenizer without files' '^model/tokenizer: has neither tokenizer.json'
cp "$saved/tokenizer.json" model/tokenizer
truncate -s 1000 model/tokenizer/tokenizer.json
with_both 'a tokenizer.json that is cut off' '^model/tokenizer/tokenizer.json: '
deep model/tokenizer/tokenizer.json file '{"model":'
with_both 'a tokenizer.json nested too deep' '^model/tokenizer/tokenizer.json: .*nested'
truncate -s 40M model/tokenizer/tokenizer.json
with_both 'a tokenizer.json that is too large' '^model/tokenizer/tokenizer.json: '
rm model/tokenizer/tokenizer.json
mkfifo model/tokenizer/tokenizer.json
with_both 'a FIFO as tokenizer.json' '^model/tokenizer/tokenizer.json: .*FIFO'

# as many tokens as CLIP has: the rows of the small vocabulary again and again
many_tokens() { # MODEL
    chmod -R u+w "$1"
    for file in "$1"/text_encoder/model*.safetensors; do
        python3 - "$file" <<'EOF'
import json, math, struct, sys
data = open(sys.argv[1], "rb").read()
(size,) = struct.unpack("<Q", data[:8])
header, values, out = json.loads(data[8:8 + size]), data[8 + size:], b""
for name, tensor in header.items():
    if name != "__metadata__":
        begin, end = tensor["data_offsets"]
        part = values[begin:end]
        if name.endswith("token_embedding.weight"):
            row = len(part) // tensor["shape"][0]
            part = (part * 100)[:49408 * row]
            tensor["shape"][0] = 49408
        tensor["data_offsets"] = [len(out), len(out) + len(part)]
        out += part
text = json.dumps(header).encode()
open(sys.argv[1], "wb").write(struct.pack("<Q", len(text)) + text + out)
EOF
    done
    sed -i 's/"vocab_size": 833/"vocab_size": 49408/' "$1/text_encoder/config.json"
}
clip=$SVDIFF_TESTS_DIR/../resources/clip
long='a photo of the Eiffel tower, 50% snow! 3 foxes'
for family in sd1 sd2; do
    rm -rf model
    cp -r "$models/$family" model
    many_tokens model
    rm -r model/tokenizer
    cp -r "$clip" model/tokenizer
    [ $family = sd1 ] || sed -i '/pad_token/s/<|endoftext|>/!/' model/tokenizer/tokenizer_config.json
    run generate --model model --prompt "$long" --width 64 --height 64 --steps 2 --seed 1 --quiet \
        --output right.png
    rm -r model/tokenizer
    run generate --model model --prompt "$long" --width 64 --height 64 --steps 2 --seed 1 --quiet \
        --output odd.png
    check "$family: without a tokenizer CLIP's vocabulary is taken" is 0
    check "$family: without a word" test ! -s "$work/err"
    check "$family: it is the one with the padding of the family" near odd.png right.png
    learn --model model --prompt '[V]' --image "$pictures/rgb8.png" --steps 1 --output own.safetensors
    check "$family: [V] is a rare word of it" \
        grep -Eq '"placeholder":"[a-z]{3,5}"' own.safetensors
    run convert own.safetensors --to folder --model model --output written --quiet
    check "$family: converted, the tokenizer is in the folder" is 0
    check "$family: which says what fills prompts up" \
        grep -q "\"pad_token\" : \"$([ $family = sd1 ] && echo '<|endoftext|>' || echo '!')\"" \
        written/tokenizer/tokenizer_config.json
    run generate --model written --prompt "$long" --width 64 --height 64 --steps 2 --seed 1 --quiet \
        --output odd.png
    run generate --model written --tokenizer "$clip" --prompt "$long" --width 64 --height 64 \
        --steps 2 --seed 1 --quiet --output right.png
    check "$family: and reads prompts alike" \
        near odd.png right.png
    rm -rf written
done

# ---- what it predicts ----

draw right.png "$sd2"
fresh_sd2
sed -i 's/"v_prediction"/"epsilon"/' model/scheduler/scheduler_config.json
draw wrong.png model
check 'a model whose config is wrong about what it predicts' far wrong.png right.png
run generate --model model --prompt x --width 64 --height 64 --steps 2 --seed 1 --quiet \
    --output odd.png --prediction v
check 'set right: the same picture' near odd.png right.png
check 'set right: the config is said to say otherwise' \
    grep -q '^warning: model: its scheduler_config.json says .* epsilon; .* v,' "$work/err"
run generate --model "$sd2" --prompt x --width 64 --height 64 --steps 2 --seed 1 --quiet \
    --output odd.png --prediction epsilon
check 'the other way round' near odd.png wrong.png
run generate --model "$sd2" --prompt x --width 64 --height 64 --steps 2 --seed 1 --quiet \
    --output odd.png --prediction v
check 'what it is anyway: no word' test ! -s "$work/err"
check 'what it is anyway: the same picture' near odd.png right.png
rm -r model
cp -r "$models/sd2.config" single.config
cp "$models/sd2.safetensors" single.safetensors
chmod -R u+w single.config
draw right.png single.safetensors
sed -i '/v_prediction/d' single.config/scheduler/scheduler_config.json
run generate --model single.safetensors --prompt x --width 64 --height 64 --steps 2 --seed 1 --quiet \
    --output odd.png --prediction v
check 'one file whose config does not say it' near odd.png right.png
refuses 'a prediction that there is not' 2 "^--prediction is 'sample'" generate --model "$sd2" \
    --prompt x --prediction sample --output o.png
refuses 'an empty prediction' 2 "^--prediction is ''" generate --model "$sd2" --prompt x \
    --prediction '' --output o.png
run learn --model single.safetensors --size 64 --prompt '[V]' --image "$pictures/rgb8.png" --steps 1 \
    --quiet --output own.safetensors --prediction v
run convert own.safetensors --to folder --model single.safetensors --prediction v --output written --quiet
run info written
check 'converted to a folder: its config says what it predicts' \
    grep -q '"prediction" *: *"v_prediction"' "$work/out"
rm -rf written
for prediction in v epsilon; do
    run convert own.safetensors --to checkpoint --model single.safetensors --prediction $prediction \
        --output written.safetensors --quiet --force
    check "converted to one file, $prediction: it is marked so" \
        test "$(grep -ac '"v_pred"' written.safetensors)" = $([ $prediction = v ] && echo 1 || echo 0)
    mv written.safetensors single.safetensors # epsilon: the mark of v goes
done
rm -rf single.config single.safetensors

# ---- one file ----

cp -r "$models/sd1.config" single.config
cp "$models/sd1.safetensors" single.safetensors
chmod -R u+w single.config single.safetensors
draw single.png single.safetensors
check 'a model in one file' is 0
truncate -s -1 single.safetensors
with_model 'one file that is cut off' '^single.safetensors: .*truncated' single.safetensors
deep single.safetensors header '{"__metadata__":'
with_model 'one file, nested too deep' '^single.safetensors: .*nested' single.safetensors
cp "$models/sd1.safetensors" single.safetensors
edit single.safetensors 's/"model.diffusion_model.out.2.bias"/"model.diffusion_model.out.2.xxxx"/'
with_model 'one file without a tensor' '^single.safetensors: .*model.out.2.bias.*missing' \
    single.safetensors
for kind in pickle zip; do
    case $kind in
    pickle) printf '\200\002\212\012\154\374\234\106\371\040\152\250\120\031.' >model.ckpt ;;
    zip) printf 'PK\003\004and so on' >model.ckpt ;;
    esac
    with_model "a .ckpt file that is cut off ($kind)" '^model.ckpt: .*cut off' model.ckpt
done

# ---- odd, and accepted: the same picture ----

draw plain.png "$sd1"
same_picture() { # NAME: of the folder `model`
    draw odd.png model
    check "$1" is 0
    check "$1: the same picture" near odd.png plain.png
}
fresh_model
python3 - model/$unet <<'EOF'
import struct, sys
data = open(sys.argv[1], "rb").read()
(size,) = struct.unpack("<Q", data[:8])
text = data[8:8 + size].rstrip()
text += b" " * (1 - (8 + len(text)) % 2)
assert (8 + len(text)) % 2 == 1
open(sys.argv[1], "wb").write(struct.pack("<Q", len(text)) + text + data[8 + size:])
EOF
same_picture 'tensors at odd addresses'
fresh_model
python3 - model/$unet <<'EOF'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
(size,) = struct.unpack("<Q", data[:8])
header, values = json.loads(data[8:8 + size]), data[8 + size:]
header["somebody.else"] = {"dtype": "F8_E4M3", "shape": [3], "data_offsets": [len(values), len(values) + 3]}
text = json.dumps(header).encode()
open(sys.argv[1], "wb").write(struct.pack("<Q", len(text)) + text + values + b"abc")
EOF
same_picture 'a foreign tensor'
check 'a foreign tensor: it is told' grep -q '^warning: .*somebody.else' "$work/err"
fresh_model
mkdir blobs
mv model/$unet blobs/0123
ln -s ../../blobs/0123 model/$unet
same_picture 'files that are links, as in a cache of downloads'
hub=hub/models--somebody--tiny
mkdir -p $hub/blobs $hub/refs $hub/snapshots/89ab
cp -r model/. $hub/snapshots/89ab
mv "$(readlink -f model/$unet)" $hub/blobs/0123
ln -sf ../../../blobs/0123 $hub/snapshots/89ab/$unet
echo 89ab >$hub/refs/main
rm -rf model
draw odd.png $hub
check 'the folder of a download' is 0
check 'the folder of a download: the same picture' near odd.png plain.png
run info $hub
check 'the folder of a download: what it is' \
    grep -q "^$hub/snapshots/89ab: model, diffusers" "$work/err"
rm $hub/snapshots/89ab/model_index.json
with_model 'the folder of a download, without a model' "^$hub: none of the snapshots" $hub
fresh_sd2
mkdir -p blobs
mv model/$second blobs/4567
ln -s "$PWD/blobs/4567" model/$second
draw odd.png model
check 'a shard that is a link' near odd.png whole.png

# ---- weights in 8 bits ----

# the same model in 32 bits: values as PyTorch has them (fixtures/models/fp8.safetensors), times the scale beside
widen() { # FILE OUTPUT
    python3 - "$models/fp8.safetensors" "$@" <<'EOF'
import array, json, struct, sys

def load(path):
    data = open(path, "rb").read()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {n: (t["dtype"], t["shape"], data[8 + size + t["data_offsets"][0]:8 + size + t["data_offsets"][1]])
            for n, t in header.items()}

known, model, out, header = load(sys.argv[1]), load(sys.argv[2]), b"", {}
table = {kind: array.array("f", known[name][2]) for kind, name in
         (("F8_E4M3", "e4m3.expected"), ("F8_E5M2", "e5m2.expected"))}
for name, (dtype, shape, values) in model.items():
    if dtype in table and name != "scaled_fp8":
        scale = model.get(name[:-len("weight")] + "scale_weight")
        factor = struct.unpack("<f", scale[2])[0] if scale else 1
        values = array.array("f", [table[dtype][v] * factor for v in values]).tobytes()
        dtype = "F32"
    if name != "scaled_fp8" and not name.endswith(".scale_weight"):
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(out), len(out) + len(values)]}
        out += values
text = json.dumps(header).encode()
open(sys.argv[3], "wb").write(struct.pack("<Q", len(text)) + text + out)
EOF
}
for name in short wide; do
    cp -r "$models/sd1.config" $name.config
done
cp "$models/sd1-fp8.safetensors" short.safetensors
widen short.safetensors wide.safetensors
draw odd.png short.safetensors
check 'weights in 8 bits' is 0
check 'weights in 8 bits: without a word' test ! -s "$work/err"
draw wide.png wide.safetensors
check 'weights in 8 bits: the picture of their values in 32' near odd.png wide.png
learn --model short.safetensors --prompt '[V]' --image "$pictures/rgb8.png" --steps 2 \
    --output short.subject
learn --model wide.safetensors --prompt '[V]' --image "$pictures/rgb8.png" --steps 2 \
    --output wide.subject
check 'weights in 8 bits: learned the same' same short.subject wide.subject
for to in folder checkpoint; do
    run convert short.subject --to $to --model short.safetensors --output merged.safetensors --quiet
    check "weights in 8 bits: converted --to $to" is 0
    [ $to = folder ] || cp -r "$models/sd1.config" merged.config
    draw merged.png merged.safetensors
    check "weights in 8 bits: converted --to $to, it is a model" is 0
    check "weights in 8 bits: converted --to $to, no scale is left" \
        test -z "$(grep -rl -e scale_weight -e scaled_fp8 -e F8_ merged.safetensors)"
    rm -rf merged.safetensors merged.config
done
chmod u+w short.safetensors
poke short.safetensors model.diffusion_model.input_blocks.0.0.weight '\177'
with_model 'a NaN in 8 bits' '^short.safetensors: .*input_blocks.0.0.weight.*NaN' short.safetensors
cp "$models/sd1-fp8.safetensors" short.safetensors
chmod u+w short.safetensors
edit short.safetensors 's/F8_E4M3/F8_E8M0/g'
with_model 'other 8 bits' '^short.safetensors: .*F8_E8M0, .*F8_E5M2 is needed' short.safetensors
rm -rf short.* wide.*
end_tests
