#!/bin/sh
# `svdiff spectrum` and the cache behind it: computed once, proved, bounded, cleared; a damaged file
# or that of another model is noticed, and learning is the same whatever was kept.
. "$(dirname "$0")/lib.sh"

kept() { # how many spectra are in the cache
    find "$XDG_CACHE_HOME" -name '*.safetensors' 2>/dev/null | wc -l
}
told() { # MEMBER: of the result
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$work/out" "$1"
}
teach="--prompt [V]-dog --image $pictures/rgb8.png --steps 2"

run spectrum --model "$sd1" --clear --quiet
check 'to clear what is not there' is 0
check 'computes nothing' test "$(kept)" -eq 0
# what the model is, is found out once, told meanwhile, and for both of its names
rm -rf "$XDG_CACHE_HOME/svdiff/models"
run spectrum --model "$sd1" --json
check 'computed' is 0
check 'reading the model is told' grep -q '"phase":"base"' "$work/out"
check 'and remembered in one file' test "$(ls "$XDG_CACHE_HOME/svdiff/models" | wc -l)" -eq 1
run generate --model "$sd1" --prompt 'a dog' --steps 1 --width 64 --height 64 --json --output one.png
check 'painting does not read it again' is 0
check 'for its hash' test -z "$(grep '"phase":"base"' "$work/out")"
run spectrum --model "$sd1" --quiet
file=$(told file)
check 'its file is told' test -s "$file"
check 'and is the only one' test "$(kept)" -eq 1
stamp=$(stat -c %i:%Y "$file")
learn $teach --output first.safetensors
run spectrum --model "$sd1" --check --quiet
check 'proved' is 0
check 'U diag(s) Vt is the weight' python3 -c 'import sys; sys.exit(not float(sys.argv[1]) < 1e-6)' \
    "$(told reconstruction)"
check 'U and V are orthonormal' python3 -c 'import sys; sys.exit(not float(sys.argv[1]) < 1e-5)' \
    "$(told orthonormality)"
check 'nothing was computed again' test "$(stat -c %i:%Y "$file")" = "$stamp"

run spectrum --model "$sd2" --quiet
check 'another model has another file' test "$(told file)" != "$file" -a "$(kept)" -eq 2
cp "$(told file)" "$file"
learn $teach --output foreign.safetensors
check "another model's spectra in this one's place: noticed and made anew" \
    same foreign.safetensors first.safetensors
for part in 'head -c 2000' 'head -c 100000' 'head -c 0'; do
    cp "$file" whole
    $part whole >"$file"
    learn $teach --output cut.safetensors
    check "a file cut by $part: noticed and made anew" same cut.safetensors first.safetensors
done
size=$(stat -c %s "$file")
for at in 9 200 $((size / 2)) $((size - 3)); do
    printf '\125\252\125' | dd of="$file" bs=1 seek="$at" conv=notrunc status=none
    learn $teach --output damaged.safetensors
    check "a byte changed at $at: noticed and made anew" same damaged.safetensors first.safetensors
done
run spectrum --model "$sd1" --clear --quiet
check 'cleared' is 0
check 'its file is gone, the other stays' test ! -e "$file" -a "$(kept)" -eq 1
refuses 'to prove and to clear' 2 '--check.*--clear' spectrum --model "$sd1" --check --clear

run spectrum --model "$sd1" --quiet --cache elsewhere
check 'kept elsewhere' test "$(dirname "$(told file)")" = elsewhere
rm -rf elsewhere
run spectrum --model "$sd1" --cache none --cache-limit 0
check 'no room at all' is 0
check 'is told' grep -q '^warning: The spectra are not kept' "$work/err"
check 'and nothing is kept' test "$(told file)" = None -a -z "$(ls none | grep safetensors)"
run spectrum --model "$sd2" --quiet
larger=$(stat -c %s "$(told file)")
run spectrum --model "$sd2" --clear --quiet
run spectrum --model "$sd1" --quiet
size=$(stat -c %s "$(told file)")
[ "$size" -lt "$larger" ] || larger=$size
run spectrum --model "$sd2" --quiet --cache-limit "$(python3 -c "print(($larger + 1000) / 1e9)")"
check 'bounded: the oldest goes' test "$(kept)" -eq 1
check 'bounded: the newest stays' test -s "$(told file)"

"$svdiff" spectrum --model "$sd1" --quiet >"$work/out" 2>"$work/err" &
process=$!
sleep 0.2
kill -KILL $process 2>/dev/null
wait $process 2>/dev/null
learn $teach --output killed.safetensors
check 'killed while computing: the next run finds nothing amiss' \
    same killed.safetensors first.safetensors
end_tests
