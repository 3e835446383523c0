#!/bin/sh
# svdiff generate --prompts FILE, and choices in prompts: {a|b}.
. "$(dirname "$0")/lib.sh"

paint() { # OUTPUT ARGUMENTS...
    paint_output=$1
    shift
    generate --steps 2 --seed 1 --output "$paint_output" "$@"
}
shows() { # FILE TEXT: the prompt in the picture
    [ "$(python3 - "$1" <<'END'
import sys
data = open(sys.argv[1], "rb").read()
text = data[data.index(b"parameters") :]
print(text[text.index(b"\0") + 1 :].lstrip(b"\0").split(b"\nNegative prompt: ")[0].decode())
END
)" = "$2" ]
}
negative_of() { grep -ao 'Negative prompt: [^ ]*' "$1"; }

# ---- lines ----

printf '\357\273\277a fox\r\n\n# none of it\n  a cat -- or two --steps 3 --seed=7 --negative "a dog"  \n' >list
printf 'an owl --count 2 --sampler euler --zero-snr' >>list
paint 'p%d.png' --prompts list
check 'a prompt a line' test "$(ls p*.png | tr '\n' ' ')" = 'p0.png p1.png p2.png p3.png '
check 'the first' shows p0.png 'a fox'
paint fox.png --prompt 'a fox'
check 'is the same alone' same p0.png fox.png
check 'the second' shows p1.png 'a cat -- or two'
paint cat.png --prompt 'a cat -- or two' --steps 3 --seed 7 --negative 'a dog'
check 'with options of its own is the same alone' same p1.png cat.png
paint owl.png --prompt 'an owl' --seed 2 --sampler euler --zero-snr
check 'two of the third' same p3.png owl.png
rm p*.png
run generate --model "$sd1" --width 64 --height 64 --prompts list --estimate
check 'an estimate of all' is 0

refused_line() { # NAME PATTERN TEXT
    printf 'a fox\n%s\n' "$3" >bad
    refuses "$1" 2 "^bad, line 2: .*$2" generate --model "$sd1" --quiet --prompts bad --output no.png
}
refused_line 'no prompt' 'no prompt before' '--steps 3'
refused_line 'an unknown option' "'--stepps' is no option of a line" 'a --stepps 3'
refused_line 'an option of the whole run' "'--output' is no option of a line" 'a --output b.png'
refused_line 'a word behind an option' "'more' is no option" 'a --steps 3 more'
refused_line 'no value' '--steps has no value' 'a --steps'
refused_line 'a switch with a value' '--zero-snr has no value' 'a --zero-snr=1'
refused_line 'a value that is none' "--steps is 'x'" 'a --steps x'
refused_line 'one that is out of range' '--guidance is 2000' 'a --guidance 2000'
refused_line 'a seed that is none' "--seed is '-1'" 'a --seed -1'
refused_line 'a quote that is open' 'cannot be read' 'a --negative "b'
refused_line 'a prompt that is refused' 'a\\|b' '[a|b]'
refused_line 'a choice that is open' 'not closed' 'a {b|c'
refused_line 'a size that is none' '--width is 65' 'a --width 65'
printf '\n# nothing\n' >bad
refuses 'no line' 2 'bad has 0 prompts' generate --model "$sd1" --prompts bad --output no.png --quiet
printf 'a\0b' >bad
refuses 'no text' 2 'bad is no text' generate --model "$sd1" --prompts bad --output no.png --quiet
refuses 'no file' 1 'gone' generate --model "$sd1" --prompts gone --output no.png --quiet
refuses 'a folder' 1 'files' generate --model "$sd1" --prompts "$work/files" --output no.png --quiet
refuses 'another prompt' 2 'leave the other prompt out' generate --model "$sd1" --prompts list --prompt a \
    --output no.png --quiet
printf 'a --count 9999\nb --count 2' >bad
refuses 'too many' 2 'asks for 10001 pictures' generate --model "$sd1" --prompts bad --output no.png --quiet
refuses 'a strip of several' 2 '--strip is of one prompt' generate --model "$sd1" --prompts list \
    --strip guidance=1,2 --output no.png --quiet
refuses 'a trace of several' 2 '--trace is of one picture' generate --model "$sd1" --prompts list \
    --trace t.safetensors --output no.png --quiet

# ---- choices ----

paint 'c%d.png' --count 6 --prompt 'a {red|green|blue} fox' --negative '{x|y}'
for i in 0 1 2 3 4 5; do
    check "picture $i has one of three" sh -c "grep -aEq 'a (red|green|blue) fox' c$i.png"
done
check 'not all the same' test "$(grep -aoh 'a [a-z]* fox' c?.png | sort -u | wc -l)" -gt 1
check 'nor of the negative prompt' test "$(cat c?.png | negative_of - | sort -u | wc -l)" = 2
paint again.png --prompt 'a {red|green|blue} fox' --negative '{x|y}' --seed 5
check 'a seed chooses the same again' same again.png c4.png
paint plain.png --prompt "$(grep -ao 'a [a-z]* fox' c4.png)" --negative "$(negative_of c4.png | sed 's/.*: //')" --seed 5
check 'and it is the picture of that prompt' same plain.png c4.png
paint braces.png --prompt 'a {red} \{b|c\} d|e } f'
check 'what is no choice is written' shows braces.png 'a {red} \{b|c\} d|e } f'
paint nested.png --prompt '([{a|a}]:1.2) {{b|b}|{b|b}}'
check 'weights and choices within each other' shows nested.png '([a]:1.2) b'
refuses 'changes while drawing are still refused' 2 '\[a\|b\]' generate --model "$sd1" --prompt '[a|b] {c|d}' \
    --output no.png --quiet
refuses 'a choice that is not closed' 2 "'[{]a[|]b' in --prompt is not closed" generate --model "$sd1" \
    --prompt '{a|b' --output no.png --quiet
refuses '10,000 of them' 2 'more than 50 {' generate --model "$sd1" \
    --prompt "$(python3 -c 'print("{" * 10000 + "a" + "|b}" * 10000)')" --output no.png --quiet
end_tests
