#!/bin/sh
# Settings that pictures say: written as A1111's program reads them, and read back, its own too.
. "$(dirname "$0")/lib.sh"

say() { # FROM TO KIND TEXT
    python3 "$SVDIFF_TESTS_DIR/command/png.py" say "$@"
}
png_comment() { # ORDER CODE TEXT: theirs.jpg
    python3 "$SVDIFF_TESTS_DIR/command/png.py" comment "$pictures/baseline.jpg" theirs.jpg "$@"
}
back() { # PICTURE OPTIONS...: drawn again, into back.png
    run generate --model "$sd1" --output back.png --quiet --settings "$@"
}
told() { # PATTERN
    grep -Eaq "^warning: .*$1" "$work/err"
}

# ---- what this program says ----

style=$SVDIFF_TESTS_DIR/fixtures/adapters/diffusers.safetensors
mkdir -p "$work/data/svdiff/loras" "$work/data/svdiff/subjects" "$work/data/svdiff/embeddings"
cp "$style" "$work/data/svdiff/loras/style.safetensors"
cp "$models/sd1-subject-scalar.safetensors" "$work/data/svdiff/subjects/fox.safetensors"
cp "$models/sd1-subject-elementwise.safetensors" "$work/data/svdiff/subjects/owl.safetensors"
cp "$SVDIFF_TESTS_DIR/fixtures/pickles/embedding.pt" "$work/data/svdiff/embeddings/glow.pt"
all='--steps 3 --seed 5 --guidance 6.5 --sampler euler-a --spacing karras --clip-skip 2 --guidance-rescale 0.5
    --noise torch --zero-snr --timesteps trailing --lora style:0.5 --embedding glow'
generate --prompt 'a "big" (dog:1.2), glow, größe' --negative 'cat: bad, worse' $all --subject fox:0.5 \
    --subject owl:keep=3 --output all.png --force
check 'a picture of many settings' is 0
for part in 'Sampler: Euler a' 'Schedule type: Karras' 'Subjects: "fox.safetensors:0.5, owl.safetensors:keep=3:1"'; do
    check "it says $part" grep -aq "$part" all.png
done
back all.png --force
check 'drawn again: the same bytes' same all.png back.png
check 'and nothing to tell' test "$(grep -ac 'it says\|not here\|left out' "$work/err")" -eq 0
for kind in jpg webp; do
    generate --prompt 'a "big" (dog:1.2), glow, größe' --negative 'cat: bad, worse' $all --subject fox:0.5 \
        --subject owl:keep=3 --output "all.$kind" --force
    back "all.$kind" --force
    check "the same from a .$kind" same all.png back.png
done
generate --prompt 'a "big" (dog:1.2), glow, größe' --negative 'cat: bad, worse' $all --subject fox:0.5 \
    --subject owl:keep=3 --output other.png --force --seed 6 --steps 1
back all.png --force --seed 6 --steps 1
check 'options count before it' same other.png back.png
# names with what divides values: of several, and of one
for name in 'my glow' 'a,b'; do
    cp "$SVDIFF_TESTS_DIR/fixtures/pickles/embedding.pt" "$work/data/svdiff/embeddings/$name.pt"
    [ "$name" = 'my glow' ] || rm "$work/data/svdiff/embeddings/my glow.pt"
    set -- --embedding "$name=shine"
    [ "$name" = 'a,b' ] || set -- "$@" --embedding glow
    generate --prompt 'glow, shine' --steps 1 --seed 1 "$@" --output named.png --force
    back named.png --force
    check "an embedding that is called $name" same named.png back.png
done
generate --prompt x --steps 1 --seed 1 --output x.png
back x.png y
generate --prompt y --steps 1 --seed 1 --output y.png
check 'a prompt in a word, too' same y.png back.png
picture begin.png 64 64 3 '4 * x'
generate --prompt x --steps 2 --seed 1 --init-image begin.png --strength 0.5 --output begun.png
back begun.png
check 'a picture that it began with is told' told "Denoising strength: 0.5'; give the picture .* --init-image"
back begun.png --init-image begin.png
check 'with it: the same' same begun.png back.png
run generate --model "$sd1" --quiet --prompt x --steps 2 --seed 1 --init-image begin.png --output begun.png
check 'in another size than its own' grep -aq 'Size: 64x64.*Drawn at: 128x128' begun.png
back begun.png --init-image begin.png
check 'drawn in that again' same begun.png back.png
generate --prompt x --steps 1 --seed 1 --region "$pictures/mask-left.png=dog" --output region.png
back region.png
check 'its regions are told' told '1 of its regions is left out'
rm "$work/data/svdiff/subjects/owl.safetensors" "$work/data/svdiff/loras/style.safetensors" \
    "$work/data/svdiff/embeddings/glow.pt"
back all.png --force
check 'a subject that is not here is told' told "owl.safetensors:keep=3:1', which is not here; give it with --subject"
check 'and an embedding' told "glow.pt', which is not here; give it with --embedding"
check 'and a LoRA' told '<lora:style:0.5> names no file'
check 'the rest is drawn' is 0

# ---- what A1111's program says ----

text='a cat, (red:1.2)\nin rain\nNegative prompt: bad,\nworse\nSteps: 2, Sampler: DPM++ 2M, Schedule type: Karras, '
text="$text"'CFG scale: 6.5, Seed: 5, Size: 64x48, Model hash: 1234567890, Model: dream, Clip skip: 2, RNG: CPU, '
text="$text"'Lora hashes: "a: b, c: d", Hires upscaler: Latent, Version: v1.9.0'
drawn='--steps 2 --sampler dpmpp-2m --spacing karras --guidance 6.5 --seed 5 --clip-skip 2 --noise torch --height 48'
newline='
'
generate --prompt "a cat, (red:1.2)${newline}in rain" --negative "bad,${newline}worse" $drawn --output drawn.png
for kind in tEXt iTXt; do
    say x.png theirs.png $kind "$text"
    back theirs.png
    check "$kind: draws what its options draw" near drawn.png back.png
    check 'another model is told' told 'drawn with the model dream, this one is sd1; give that with --model'
    check 'and what there is not' told "'Hires upscaler: Latent'; nothing here"
    check 'and no more' test "$(grep -ac '^warning: ' "$work/err")" -eq 2
done
for code in 'MM UNICODE' 'II UNICODE' 'II LITTLE' 'MM ASCII' 'II '; do
    png_comment "${code% *}" "${code#* }" 'x\nSteps: 1, Seed: 1, Size: 64x64'
    back theirs.jpg
    check "a comment of EXIF, $code" near x.png back.png
done
say x.png theirs.png tEXt 'x\nSteps: 2, Sampler: DDIM, CFG scale: 7.5, Seed: 1, Size: 64x64, Denoising strength: 0.5, Hires upscale: 1.5'
back theirs.png
generate --prompt x --steps 2 --sampler ddim --guidance 7.5 --seed 1 --hires 1.5 --hires-strength 0.5 --output drawn.png
check 'one that was enlarged, and how far it went from there' near drawn.png back.png
check 'without a word of a picture that it began with' test "$(grep -ac 'init-image' "$work/err")" -eq 0
say x.png theirs.png tEXt 'x\nSteps: 1, Sampler: DPM++ 2M Karras, Seed: 1, Size: 64x64'
back theirs.png
generate --prompt x --steps 1 --sampler dpmpp-2m --spacing karras --seed 1 --output older.png
check 'older ones say both in one word' near older.png back.png
say x.png theirs.png tEXt 'a {cat|dog}\nNegative prompt: {\nSteps: 1, Seed: 1, Size: 64x64'
back theirs.png
generate --prompt 'a \{cat|dog}' --negative '\{' --steps 1 --seed 1 --output braces.png
check 'braces are characters, and no choice' same braces.png back.png
say x.png theirs.png tEXt 'x\nSteps: 1, Sampler: Restart, Schedule type: Automatic, Seed: 1, Size: 64x64'
back theirs.png
check 'a sampler that is not to be had is told' told "'Sampler: Restart', which is not to be had here, and what is usual is taken"
check 'the usual one is taken' near x.png back.png

say x.png theirs.png tEXt "x\\nSteps: 1, Seed: 1, Size: 64x64$(printf ', K%s: \\x1b[1m' $(seq 1 30))"
back theirs.png
check 'no more than can be read is told' test "$(grep -ac '^warning: ' "$work/err")" -eq 21
check 'how much more there is' told 'it says 10 more'
check 'without characters that a screen obeys' test "$(grep -ac "$(printf '\033')" "$work/err")" -eq 0

# ---- what cannot be taken ----

bad() { # NAME PATTERN KIND TEXT
    say x.png bad.png "$3" "$4"
    refuses "$1" 1 "^bad.png: $2" generate --model "$sd1" --quiet --output o.png --settings bad.png
}
bad 'no text' 'it does not say how it was drawn' none ''
bad 'other words' 'what is written in it are no settings' tEXt 'a picture of mine'
bad 'a seed that is none' "it says 'Seed: -1', which is no number" tEXt 'x\nSteps: 1, Seed: -1'
bad 'steps beyond all numbers' "it says 'Steps: 1e99999'" tEXt 'x\nSteps: 1e99999'
bad 'a size that is none' "it says 'Size: 64x', which is no size" tEXt 'x\nSteps: 1, Size: 64x'
bad 'a packed text' 'the text in it is compressed' zTXt 'x\nSteps: 1'
bad 'bytes that are no UTF-8' 'the text in it is damaged' iTXt 'x\xff\nSteps: 1'
bad 'a zero' 'the text in it is damaged' tEXt 'x\0\nSteps: 1'
bad 'a long text' 'the text in it is longer' 'tEXt*100000' 'Steps: 1, a\n'
bad 'cut off' 'the picture is cut off' 60 ''
bad 'cut off before all' 'it does not say how' 7 ''
bad_comment() { # NAME PATTERN ORDER CODE TEXT
    png_comment "$3" "$4" "$5"
    refuses "$1" 1 "^theirs.jpg: $2" generate --model "$sd1" --quiet --output o.png --settings theirs.jpg
}
bad_comment 'a comment that is elsewhere' 'it does not say how' MM:9999999 UNICODE 'x\nSteps: 1'
bad_comment 'one of which a part is beyond the end' 'it does not say how' II:1 UNICODE 'x\nSteps: 1'
bad_comment 'a comment that is empty' 'it does not say how' MM UNICODE ''
bad_comment 'a comment of other words' 'what is written in it are no settings' MM UNICODE 'a picture of mine'
bad_comment 'a comment in an encoding of its own' 'the text in it is damaged' MM JIS 'Steps: 1'
bad_comment 'a zero in a comment' 'the text in it is damaged' MM UNICODE 'x\0\nSteps: 1'
bad_comment 'half of a character' 'the text in it is damaged' MM UNICODE '\ud800Steps: 1'
head -c 60 theirs.jpg >short.jpg
refuses 'a .jpg that is cut off' 1 'short.jpg: the picture is cut off' generate --model "$sd1" --quiet --output o.png \
    --settings short.jpg
head -c 100 all.webp >short.webp
refuses 'a .webp that is cut off' 1 'short.webp: the picture is cut off' generate --model "$sd1" --quiet --output o.png \
    --settings short.webp
refuses 'a size that is too large' 2 '--width is 90000' generate --model "$sd1" --quiet --output o.png --settings \
    "$(say x.png bad.png tEXt 'x\nSteps: 1, Size: 90000x64'; echo bad.png)"
refuses 'a picture without a word' 1 'baseline.jpg: it does not say how' generate --model "$sd1" --quiet --output o.png \
    --settings "$pictures/baseline.jpg"
refuses 'over itself' 1 'x.png' generate --model "$sd1" --quiet --output x.png --settings x.png
end_tests
