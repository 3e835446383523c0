#!/bin/sh
# What in a prompt looks like more than words and is drawn as its characters is said, once for each
# text, and nothing else is.
. "$(dirname "$0")/lib.sh"

warned() { # COUNT PATTERN: so many warnings of prompts, all of which match
    grep '^warning: ' "$work/err" | grep -v 'which model it was learned with' >"$work/warnings"
    [ "$(wc -l <"$work/warnings")" -eq "$1" ] &&
        [ "$(grep -Ec "^warning: $2" "$work/warnings")" -eq "$1" ] &&
        [ "$(grep -c 'is drawn as these characters' "$work/warnings")" -eq "$1" ]
}
sks=$models/sd1-word-sks.safetensors
zwx=$models/sd1-word-zwx.safetensors
draw="--steps 1 --seed 1"

# ---- [V] ----

generate $draw --prompt 'a photo of a [V] fox' --output no-subject.png
check 'it is drawn' is 0
check '[V] without a subject' warned 1 '\[V\] in the prompt .* --subject'
generate $draw --prompt 'a photo of a [V] fox' --subject "$sks" --output subject.png
check '[V] with a subject' warned 0 .
check 'its word is put in' grep -aq 'a photo of a sks fox' subject.png
generate $draw --prompt '[V] and [V2]' --subject "$sks" --output second.png
check '[V2] with one subject' warned 1 '\[V2\] in the prompt .*no subject that was given'
generate $draw --prompt '[V] and [V2]' --subject "$sks" --subject "$zwx" --output both.png
check '[V2] with two subjects' warned 0 .
generate $draw --prompt '[V]' --subject "$models/sd1-subject-scalar.safetensors" --output word.png
check 'a subject without a word' warned 1 '\[V\] in the prompt .*no subject that was given'
generate $draw --prompt dog --negative 'a [V] cat' --output negative.png
check 'in the negative prompt' warned 1 '\[V\] in the negative prompt '
generate $draw --prompt dog --negative 'a [V] cat' --subject "$sks" --output negative.png
check 'in the negative prompt, with a subject' warned 0 .
check 'its word is put in there, too' grep -aq 'Negative prompt: a sks cat' negative.png
generate $draw --prompt dog --region "$pictures/mask-left.png=a [V] cat" --output region.png
check 'in the text of a region' warned 1 '\[V\] in the text of a region '
run edit --model "$sd1" --image "$pictures/rgb8.png" --prompt 'a (dog:1.1)' --target 'a [V] cat' \
    --learn-steps 1 --steps 1 --seed 1 --quiet --shift edited.safetensors --output edited.png
check 'an edit has neither' warned 2 '(\[V\] in the target|\(dog:1.1\) in the prompt) '
learn --prompt 'a [V] dog' --image "$pictures/rgb8.png" --steps 1 --output s.safetensors \
    --sample-every 1 --sample-prompt 'a [V1] dog at sea'
check 'learning takes it' warned 0 .
learn --prompt 'a sks dog' --class-prompt 'a [V] dog' --image "$pictures/rgb8.png" --steps 1 \
    --output s.safetensors --sample-every 1 --sample-prompt 'a [V] dog'
check 'not in class and sample prompts without one' warned 2 '\[V\] in the (class|sample) prompt '

# ---- what other programs read ----

generate $draw --prompt 'a (red fox:1.5) at sea' --output weight.png
check 'a weight is one' warned 0 .
generate $draw --prompt 'a red fox at sea' --output without.png
check 'it makes a difference' differ weight.png without.png
generate $draw --prompt 'a \(red fox\) at sea' --output escaped.png
check 'escaped brackets are characters' differ escaped.png without.png
generate $draw --prompt 'a ([V] fox:1.5) at sea' --subject "$sks" --output marked.png
check 'a mark may have a weight' warned 0 .
check 'and is no weight' grep -aq 'a (sks fox:1.5) at sea' marked.png
generate $draw --prompt 'a red fox at sea BREAK' --output break.png
check 'a chunk more' differ break.png without.png
generate $draw --prompt 'a red fox at sea' --clip-skip 2 --output skip.png
check '--clip-skip' differ skip.png without.png
check '--clip-skip is noted' grep -aq 'Clip skip: 2' skip.png
long=$(python3 -c 'print("a fox, " * 60)')
generate $draw --prompt "$long" --output long.png
check 'a long prompt is whole' warned 0 .
generate $draw --prompt "$long in snow" --output longer.png
check 'to its last word' differ long.png longer.png
refuses 'a change while drawing' 2 '\[cat:dog:0.5\].*\[from:to:when\]' generate $draw --prompt 'a [cat:dog:0.5]'
refuses 'words that take turns' 2 '\[cat\|dog\]' generate $draw --prompt x --negative 'a [cat|dog]'
refuses 'several prompts at once' 2 'AND' generate $draw --prompt 'a cat AND a dog'
refuses 'a weight beyond all' 2 'weight' generate $draw --prompt '(cat:1e3)(dog:1000)'
refuses 'more layers than there are' 2 '--clip-skip is 50' generate --model "$sd1" --quiet $draw --prompt x --clip-skip 50
generate $draw --prompt 'a fox <lora:fox_v2:0.8>' --output lora.png
check 'a LoRA that is nowhere is told' grep -q '^warning: <lora:fox_v2:0.8> names no file' "$work/err"
generate $draw --prompt 'a fox' --negative '<lora:fox_v2:0.8>' --output lora.png
check 'one in the negative prompt' warned 1 '<lora:fox_v2:0.8> in the negative prompt loads'
generate $draw --prompt 'a fox (at 10:30), 16:9 [red] <b>' --output plain.png
check 'other brackets' warned 0 .
bracket() { # PATTERN: one is told, and no more
    grep -aE "^warning: .* has a bracket" "$work/err" >"$work/warnings"
    [ "$(wc -l <"$work/warnings")" -eq 1 ] && grep -Fq "$1" "$work/warnings"
}
generate $draw --prompt 'a [dog] (in (deep) snow' --output plain.png
check 'a bracket that is not closed is told' bracket "'(in (deep) snow' in the prompt has a bracket that is not closed"
generate $draw --prompt dog --negative 'ugly], [worse' --output plain.png
check 'one that was not opened' bracket "'ugly]' in the negative prompt has a bracket that was not opened"
generate $draw --prompt '(a [b) c] \( [V] :)' --output plain.png
check 'with a way to say the character' bracket 'write \) for the character'
learn --prompt 'a ([V] dog' --image "$pictures/rgb8.png" --steps 1 --output s.safetensors
check 'learning has no brackets' test "$(grep -c 'has a bracket' "$work/err")" -eq 0
learn --prompt 'a ([V] dog:1.2)' --image "$pictures/rgb8.png" --steps 1 --output s.safetensors
check 'learning has no weights' warned 1 '\(\[V\] dog:1.2\) in the prompt is no weight'
end_tests
