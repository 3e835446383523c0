#!/bin/sh
# Files that cannot be used: exit 1, one sentence that names the file or the tensor, nothing written.
. "$(dirname "$0")/lib.sh"

mkfifo fifo
mkdir folder
head -c 100 "$pictures/rgb8.png" >cut.png
mkdir taken.png taken.safetensors
echo text >text.png

# ---- models ----

with_model 'no such model' '^missing: ' missing
with_model 'a FIFO as model' '^fifo: .*FIFO' fifo
with_model 'a device as model' '^/dev/zero: .*device' /dev/zero
with_model 'a folder without a model' '^folder: .*model_index.json' folder
with_model 'a picture as model' 'rgb8.png: .*no safetensors' "$pictures/rgb8.png"

fresh_model
truncate -s -100 model/$unet
with_both 'a truncated file' "model/$unet: .*truncated"
truncate -s 4 model/$unet
with_both 'a file of 4 bytes' "model/$unet: .*4 bytes"
fresh_model
printf '\377\377\377\377\377\377\377\177' | dd of=model/$unet conv=notrunc status=none
with_both 'a header of 8 EB' "model/$unet: .*header"
fresh_model
printf '\000\000\000\000\002\000\000\000' | dd of=model/$unet conv=notrunc status=none
with_both 'a header of 8 GB' "model/$unet: .*header"
fresh_model
edit model/$unet 's/"data_offsets":\[48,1776\]/"data_offsets":[44,1772]/'
with_both 'overlapping tensors' "model/$unet: .*overlap"
fresh_model
edit model/$unet 's/"data_offsets":\[48,1776\]/"data_offsets":[52,1780]/'
with_both 'a hole between tensors' "model/$unet: .*hole"
fresh_model
edit model/$unet 's/"conv_norm_out.bias"/"conv_in.weight"    /'
with_both 'a key twice' "model/$unet: .*conv_in.weight"
fresh_model
edit model/$unet 's/"conv_in.weight"/"conv_in.weigxx"/'
with_both 'a tensor missing' "model/$unet: .*conv_in.weight.*missing"
fresh_model
edit model/$unet 's/"conv_in.weight":{"dtype":"F32","shape":\[12,4,3,3\]/"conv_in.weight":{"dtype":"F32","shape":[4,12,3,3]/'
with_both 'a tensor of another shape' "model/$unet: .*conv_in.weight.*shape"
fresh_model
edit model/$unet 's/"conv_in.weight":{"dtype":"F32"/"conv_in.weight":{"dtype":"I32"/'
with_both 'a tensor of another type' "model/$unet: .*conv_in.weight.*I32"
fresh_model
poke model/$unet conv_in.weight '\000\000\300\177'
with_both 'a weight that is no number' "model/$unet: .*conv_in.weight.*NaN"
fresh_model
poke model/text_encoder/model.safetensors text_model.final_layer_norm.weight '\000\000\200\177'
with_both 'an infinite weight' 'text_encoder/model.safetensors: .*final_layer_norm.weight'
fresh_model
rm model/$unet
with_both 'no weights' 'model/unet: '
mkfifo model/$unet
with_both 'a FIFO as weights' "model/$unet: .*FIFO"
rm model/$unet
ln -s /dev/zero model/$unet
with_both 'a device as weights' "model/$unet: .*device"
fresh_model
echo '{' >model/unet/config.json
with_both 'a config that is cut off' 'model/unet/config.json: '
fresh_model
rm -r model/tokenizer
with_both 'no tokenizer' 'model: .*tokenizer'
printf 'PK\003\004' >model.ckpt
with_model 'a pickled checkpoint that is cut off' 'model.ckpt: .*cut off.*safetensors' model.ckpt

# ---- pictures ----

/bin/echo -n >empty.png
printf '\211PNG\r\n\032\n' >signature.png
base64 -d >pixel.png <<'EOF'
iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC
EOF
while read -r file pattern; do
    [ "${file#rgb}" = "$file" ] || file=$pictures/$file
    refuses "learn: $file as picture" 1 "$file: .*$pattern" learn --model "$sd1" --prompt '[V]' \
        --image "$pictures/rgb16.png" --image "$file" --size 64 --steps 1 --quiet \
        --output s.safetensors
    refuses "generate: $file as first picture" 1 "$file: .*$pattern" generate --model "$sd1" \
        --prompt x --init-image "$file" --width 64 --height 64 --steps 2 --quiet --output o.png
done <<'EOF'
missing.png opened
fifo FIFO
folder folder
/dev/zero device
text.png picture
cut.png PNG
empty.png
signature.png PNG
pixel.png 1 x 1
EOF

# ---- subjects ----

learn --prompt '[V]' --image "$pictures/rgb8.png" --steps 1 --output dog.safetensors
check 'a subject is learned' is 0
with_subject() { # NAME PATTERN SUBJECT [OPTIONS]
    what=$1
    pattern=$2
    shift 2
    refuses "$what" 1 "$pattern" generate --model "$sd1" --prompt x --width 64 --height 64 \
        --steps 1 --quiet --output o.png --subject "$@"
}
# a file with one tensor of these bytes
one_tensor() { # FILE NAME SHAPE BYTES
    text=$(printf '{"%s":{"dtype":"F32","shape":[%s],"data_offsets":[0,%d]}}' "$2" "$3" "$4")
    printf "\\$(printf '%03o' ${#text})\\0\\0\\0\\0\\0\\0\\0%s" "$text" >"$1"
    head -c "$4" /dev/zero >>"$1"
}
one_tensor lora.safetensors lora_unet_conv_in.lora_down.weight 4,12 192
one_tensor matrix.safetensors conv_in.delta 3,4 48
one_tensor misfit.safetensors conv_in.delta 7 28
one_tensor nan.safetensors conv_in.delta 12 48
poke nan.safetensors conv_in.delta '\000\000\300\177'
with_subject 'no such subject' 'nobody.safetensors: ' nobody
with_subject 'a LoRA as subject' 'lora.safetensors: .*LoRA' lora.safetensors
with_subject 'a model as subject' 'sd1.safetensors: .*model' "$models/sd1.safetensors"
with_subject 'a shift that is a matrix' 'matrix.safetensors: conv_in.delta' matrix.safetensors
with_subject 'a shift of another length' 'conv_in.delta' misfit.safetensors
with_subject 'a shift that is no number' 'nan.safetensors: conv_in.delta' nan.safetensors
with_subject 'a FIFO as subject' 'fifo: .*FIFO' ./fifo
with_subject 'a device as subject' '/dev/zero: .*device' /dev/zero
with_subject 'a folder as subject' 'folder: .*spectral_shifts' ./folder
with_subject 'a picture as subject' 'rgb8.png: .*no safetensors' "$pictures/rgb8.png"
# a file with this header and so many bytes behind it
write() { # FILE HEADER BYTES
    python3 -c '
import struct, sys
text = eval(sys.argv[2]).encode()
open(sys.argv[1], "wb").write(struct.pack("<Q", len(text)) + text + bytes(int(sys.argv[3])))
' "$@"
}
while read -r file bytes pattern header; do
    write $file.safetensors "$header" "$bytes"
    with_subject "a subject: $file" "^$file.safetensors: .*$pattern" $file.safetensors
done <<'EOF'
nested 0 nested '{"__metadata__":' + '{"a":' * 100000 + '1' + '}' * 100001
overlapping 8 overlap '{"a.delta":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b.delta":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'
holey 12 hole '{"a.delta":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b.delta":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}'
twice 8 twice '{"a.delta":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a.delta":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'
overflowing 4 does.not.fit '{"a.delta":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}'
whole 4 I32 '{"a.delta":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}'
nothing 0 something.else '{}'
EOF
head -c 5000 dog.safetensors >half.safetensors
with_subject 'a subject that is cut off' 'half.safetensors: .*truncated' half.safetensors

fresh_model
poke model/$unet conv_in.weight '\000\000\200\077'
run generate --model model --prompt x --width 64 --height 64 --steps 1 --quiet --output o.png \
    --subject dog.safetensors
own=$(metadata dog.safetensors base_hash | cut -c1-12)
check 'a subject of another model: exit 1' is 1
check 'both models are named' one_sentence "dog.safetensors .*$own.*[0-9a-f]{12}.*--force"
check 'and nothing is written' test ! -e o.png
run generate --model model --prompt x --width 64 --height 64 --steps 1 --quiet --output o.png \
    --subject dog.safetensors --force
check '--force opens it' is 0
rm -f o.png

refuses 'convert: no subject' 1 'rgb8.png: ' convert "$pictures/rgb8.png" --to subject --output x
refuses 'info: no such file' 1 '^missing: ' info missing
refuses 'info: a FIFO' 1 '^fifo: ' info fifo

# ---- outputs ----

draw="generate --model $sd1 --prompt x --width 64 --height 64 --steps 1 --quiet"
teach="learn --model $sd1 --size 64 --steps 1 --quiet --prompt [V] --image $pictures/rgb8.png"
refuses 'generate: no folder for the output' 1 'none/o.png: ' $draw --output none/o.png
refuses 'generate: a folder as output' 1 'taken.png: .*folder' $draw --output taken.png
refuses 'generate: no folder for the trace' 1 'none/t: ' $draw --output o.png --trace none/t
refuses 'learn: no folder for the output' 1 'none/s: ' $teach --output none/s
refuses 'learn: a folder as output' 1 'taken.safetensors: ' $teach --output taken.safetensors
refuses 'learn: a FIFO as output' 1 'fifo: ' $teach --output fifo
refuses 'learn: no folder for the trace' 1 'none/t: ' $teach --output s --trace none/t
refuses 'convert: no folder for the output' 1 'none/s: ' \
    convert dog.safetensors --to subject --output none/s

mkdir closed
chmod 555 closed
program=$svdiff
if [ "$(id -u)" -eq 0 ]; then # who writes everywhere, unless without that capability
    printf '#!/bin/sh\nexec setpriv --bounding-set=-dac_override,-dac_read_search "%s" "$@"\n' \
        "$program" >"$work/bounded"
    chmod +x "$work/bounded"
    svdiff=$work/bounded
fi
refuses 'generate: a folder that cannot be written' 1 'closed/o.png' $draw --output closed/o.png
refuses 'learn: a folder that cannot be written' 1 'closed/s' $teach --output closed/s
svdiff=$program

# files cannot grow beyond 1 KiB: what happens when the disk is full
full() {
    (
        trap '' XFSZ
        ulimit -f 2
        "$svdiff" "$@" >"$work/files/out" 2>"$work/files/err"
    )
    status=$?
    cp out err "$work"
    rm -f out err
}
cp dog.safetensors before.safetensors
full $draw --output o.png
check 'generate: a full disk' is 1
check 'generate: the file is named' one_sentence '^o.png: '
check 'generate: no half file' test ! -e o.png
full $teach --output dog.safetensors
check 'learn: a full disk' is 1
check 'learn: the file is named' one_sentence '^dog.safetensors: '
check 'learn: the old subject stays' cmp dog.safetensors before.safetensors
full convert dog.safetensors --to svdiff-pytorch --output pair
check 'convert: a full disk' is 1
check 'convert: nothing is left' test ! -e pair

# ---- memory: said before starting, with what is needed ----

# 1 GiB of address space; a program under a sanitizer does not even start with that
small() { # NAME ARGUMENTS...
    what=$1
    shift
    if ! (ulimit -v 1048576 && "$svdiff" --version >/dev/null 2>&1); then
        skip "$what" 'the program does not start with so little memory'
        return
    fi
    (
        ulimit -v 1048576
        "$svdiff" "$@" >"$work/out" 2>"$work/err"
    )
    status=$?
    check "$what: exit 1" is 1
    check "$what: what is needed is said" one_sentence 'GiB of memory are needed'
}
small 'generate: no memory' generate --model "$sd1" --prompt x --width 4096 --height 4096 \
    --steps 1 --threads 1 --quiet --output o.png
check 'and nothing is written' test ! -e o.png
small 'learn: no memory' learn --model "$sd1" --prompt '[V] dog' --image "$pictures/rgb8.png" \
    --size 1024 --batch 16 --steps 1 --threads 1 --quiet --output o.safetensors
check 'learn: nothing is written' test ! -e o.safetensors
check 'no hidden files are left' test -z "$(find . -name '.?*')"
end_tests
