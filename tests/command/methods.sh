#!/bin/sh
# `svdiff learn --method`: the file of each opens again; stopped and resumed equals uninterrupted; what
# a method has no use for is refused. What is learned, and that other programs draw the same with these
# files, are the traces' tests.
. "$(dirname "$0")/lib.sh"

dog="--prompt [V]-dog --image $pictures/rgb8.png --image $pictures/rgb16.png"

draws() { # NAME OPTIONS...: another picture than the model alone, NAME.tif
    what=$1
    shift
    generate --prompt 'a photo of a wet dog' --steps 2 --seed 1 --output "$what.tif" "$@"
    check "$what: generate opens it" is 0
    take_pixels "$what"
    check "$what: and draws something else" differ "$what.pixels" plain.pixels
}

resumes() { # NAME OPTIONS...: 3 steps, then 2 more, equal 5
    what=$1
    shift
    learn $dog --steps 5 --output "$what.safetensors" "$@"
    check "$what: learned" is 0
    check "$what: without a word" test ! -s "$work/err"
    learn $dog --steps 3 --output part.safetensors "$@"
    learn $dog --steps 5 --output part.safetensors --resume "$@"
    check "$what: a run that went on is that of an uninterrupted one" same part.safetensors "$what.safetensors"
    check "$what: its checkpoint says the method" test "$(metadata part.safetensors.resume method)" = "${what%-all}"
    rm -f part.safetensors*
}

generate --prompt 'a photo of a wet dog' --steps 2 --seed 1 --output plain.tif
take_pixels plain

# ---- the largest singular values alone ----

learn $dog --steps 5 --top 3 --output top.safetensors
learn $dog --steps 3 --top 3 --output part.safetensors
learn $dog --steps 5 --top 3 --output part.safetensors --resume
check 'top: a run that went on is that of an uninterrupted one' same part.safetensors top.safetensors
learn $dog --steps 5 --output all.safetensors
check 'top: another subject than with all' differ top.safetensors all.safetensors
check 'top: it says so itself' test "$(metadata top.safetensors top)" = 3 -a -z "$(metadata all.safetensors top)"

# ---- LoRA ----

resumes lora --method lora --learning-rate 0.02
check 'lora: it says which words call it' test "$(metadata lora.safetensors modelspec.trigger_phrase)" = wet-dog
check 'lora: and how it was learned' test "$(metadata lora.safetensors svdiff.prompt)" = '[V]-dog'
draws lora --lora lora.safetensors
resumes lora-all --method lora --modules all --rank 2 --alpha 4 --learning-rate 0.02 --keys diffusers
draws lora-all --lora lora-all.safetensors
learn $dog --method lora --learning-rate 0.02 --steps 5 --alpha 8 --output stronger.safetensors
check 'lora: alpha counts' differ stronger.safetensors lora.safetensors
learn $dog --method lora --learning-rate 0.02 --steps 5 --no-text-encoder --output unet.safetensors
check 'lora: without the text encoder there is nothing of it' \
    test "$(grep -ac lora_te unet.safetensors)" -eq 0 -a "$(grep -ac lora_te lora.safetensors)" -gt 0
learn $dog --prompt '[V2]-cat' --image "$pictures/rgba8.png" --method lora --steps 3 --cut-mix 1 --apart-pictures 0 \
    --output two.safetensors
check 'lora: of two subjects, cut and mixed' is 0
run learn --model "$sd1" --size 64 $dog --method lora --output e.safetensors --estimate --json
check 'lora: it is estimated' grep -q '"bytes":[1-9]' "$work/out"
check 'lora: and leaves nothing' test ! -e e.safetensors

# ---- textual inversion ----

finds() { # NAME OPTIONS...: another picture than the model alone, with the file's word
    what=$1
    shift
    generate --prompt "a photo of a $what-dog" --steps 2 --seed 1 --output word.tif
    take_pixels word
    generate --prompt "a photo of a $what-dog" --steps 2 --seed 1 --output "$what.tif" "$@"
    check "$what: generate opens it" is 0
    take_pixels "$what"
    check "$what: and draws something else" differ "$what.pixels" word.pixels
}
resumes textual-inversion --method textual-inversion --learning-rate 0.1
finds textual-inversion --embedding textual-inversion.safetensors
learn $dog --steps 3 --method textual-inversion --start-word cat --output cat.safetensors
learn $dog --steps 3 --method textual-inversion --output thing.safetensors
check 'textual-inversion: what it begins as counts' differ cat.safetensors thing.safetensors
refuses 'textual-inversion: and makes another run' 1 'belongs to a run with other pictures, prompts or options' \
    learn --model "$sd1" --size 64 --seed 3 --quiet $dog --steps 4 --method textual-inversion --output cat.safetensors --resume
learn $dog --steps 3 --method textual-inversion --vectors 3 --keys diffusers --output three.safetensors
check 'textual-inversion: diffusers names it, which calls it' \
    test "$(metadata three.safetensors modelspec.trigger_phrase)" = '<three>-dog'
check 'textual-inversion: three vectors, as diffusers has them' \
    test "$(grep -ac '"<three>":{"dtype":"F32","shape":\[3,32\]' three.safetensors)" -eq 1
finds '<three>' --embedding three.safetensors
run info thing.safetensors --json
check 'textual-inversion: info knows it' grep -q '"kind":"embedding","format":"kohya"' "$work/out"

# ---- all of the weights ----

resumes full --method full --learning-rate 1e-3
draws full --lora full.safetensors
resumes full-all --method full --text-encoder --subset mid --learning-rate 1e-3
draws full-all --lora full-all.safetensors
check 'full: of the text encoder where it is asked for' \
    test "$(grep -ac lora_te full.safetensors)" -eq 0 -a "$(grep -ac lora_te full-all.safetensors)" -gt 0

# ---- Custom Diffusion ----

resumes custom-diffusion --method custom-diffusion --learning-rate 0.02
check 'custom-diffusion: the word is beside it' test -s custom-diffusion.word.safetensors
finds '<custom-diffusion>' --lora custom-diffusion.safetensors --embedding custom-diffusion.word.safetensors
learn $dog --prompt '[V2]-cat' --image "$pictures/rgba8.png" --method custom-diffusion --steps 3 --cut-mix 1 --apart-pictures 0 \
    --output both.safetensors
check 'custom-diffusion: of two subjects two words' test -s both.word-1.safetensors -a -s both.word-2.safetensors
cp "$pictures/rgb8.png" over.word.safetensors
refuses 'custom-diffusion: a word in the place of a picture' 1 'over.word.safetensors' learn --model "$sd1" --size 64 \
    --prompt '[V]-dog' --image over.word.safetensors --method custom-diffusion --steps 1 --quiet --output over.safetensors

# ---- what is refused ----

wrong() { # NAME PATTERN OPTIONS...
    wrong_name=$1
    wrong_pattern=$2
    shift 2
    refuses "$wrong_name" 2 "$wrong_pattern" learn --model "$sd1" --size 64 $dog --steps 1 --output o.safetensors "$@"
}
wrong 'no such method' '^--method is .dreambooth.; it can be svdiff.*\.$' --method dreambooth
wrong 'a rank for shifts' '^--rank is for --method lora; leave it out' --rank 4
wrong 'a rank for all of the weights' '^--rank is for --method lora' --method full --rank 4
wrong 'the largest values of a LoRA' '^--top is for --method svdiff; leave it out' --method lora --top 3
wrong 'a top below nothing' '^--top is -1; it can be from 0' --top -1
wrong 'a subset for a LoRA' '^--subset is for --method svdiff.*; leave it out' --method lora --subset up
wrong 'norms for a LoRA' '^--norms is for --method svdiff' --method lora --norms scalar
wrong 'a rank of nothing' '^--rank is 0; it can be from 1 to 1024' --method lora --rank 0
wrong 'a rank that is none' '^--rank is .x.; it must be a whole number' --method lora --rank x
wrong 'an alpha below nothing' '^--alpha is -1; it can be from 0' --method lora --alpha -1

wrong 'a text encoder for a word' '^--no-text-encoder|^--text-encoder is for --method' --method textual-inversion --no-text-encoder
wrong 'a prior for a word' '^--prior-weight is for --method svdiff' --method textual-inversion --prior-weight 1
wrong 'vectors for a LoRA' '^--vectors is for --method textual-inversion' --method lora --vectors 2
wrong 'no vectors' '^--vectors is 0; it can be from 1' --method textual-inversion --vectors 0
wrong 'a text encoder for keys and values' '^--text-encoder is for --method svdiff' --method custom-diffusion --text-encoder
wrong 'two words at once' 'learns one word; give one --prompt' --method textual-inversion --prompt '[V2]-cat' \
    --image "$pictures/rgba8.png"
refuses 'a word without [V]' 2 'learns a word for .V., which the --prompt .a dog. does not have' learn --model "$sd1" \
    --size 64 --prompt 'a dog' --image "$pictures/rgb8.png" --method textual-inversion --output o.safetensors
refuses 'nothing to begin with' 2 'has no word of its class to begin with; say one with --start-word' learn \
    --model "$sd1" --size 64 --prompt '[V]' --image "$pictures/rgb8.png" --method textual-inversion --quiet --output o.safetensors

cp lora.safetensors.resume other.safetensors.resume
cp lora.safetensors other.safetensors
refuses 'the checkpoint of another method' 1 \
    '^The checkpoint other.safetensors.resume is of --method lora, not svdiff; repeat the same command' \
    learn --model "$sd1" --size 64 --seed 3 --quiet $dog --steps 7 --output other.safetensors --resume
refuses 'a checkpoint of another rank' 1 'belongs to a run with other pictures, prompts or options' \
    learn --model "$sd1" --size 64 --seed 3 --quiet $dog --steps 7 --method lora --learning-rate 0.02 --rank 3 \
    --output other.safetensors --resume
refuses 'a LoRA as a subject' 1 'other.safetensors' \
    generate --model "$sd1" --prompt x --width 64 --height 64 --quiet --subject other.safetensors --output o.png

end_tests
