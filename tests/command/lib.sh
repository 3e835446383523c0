# What the tests of the command share; sourced with the program as $1. TAP: check NAME CONDITION...
# counts one case; end_tests says how many there were. Each script works in a folder of its own,
# which is removed, with private caches.
svdiff=$(realpath "$1")
models=$SVDIFF_TESTS_DIR/fixtures/models
pictures=$SVDIFF_TESTS_DIR/fixtures/pictures
sd1=$models/sd1
sd2=$models/sd2
unet=unet/diffusion_pytorch_model.safetensors
cases=0
failures=0

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
export XDG_CACHE_HOME="$work/cache" XDG_DATA_HOME="$work/data" LC_ALL=C.UTF-8
export OMP_NUM_THREADS=2
mkdir "$work/files" && cd "$work/files" || exit 1

check() { # NAME CONDITION...
    name=$1
    shift
    cases=$((cases + 1))
    if "$@"; then
        echo "ok $cases - $name"
    else
        failures=$((failures + 1))
        echo "not ok $cases - $name"
        sed 's/^/# stderr: /' "$work/err" 2>/dev/null | tail -5
    fi
}

skip() { # NAME REASON
    cases=$((cases + 1))
    echo "ok $cases - $1 # SKIP $2"
}

end_tests() {
    echo "1..$cases"
    [ "$failures" -eq 0 ]
}

run() { # ARGUMENTS...: status, $work/out, $work/err
    "$svdiff" "$@" >"$work/out" 2>"$work/err"
    status=$?
}

is() { # STATUS: of the last run
    [ "$status" -eq "$1" ]
}

# two files that are there, with the same bytes or not
same() {
    cmp -s "$1" "$2"
}
near() { # FILE OTHER [MOST]: two pictures with values that differ by no more, whatever they say of themselves
    python3 "$SVDIFF_TESTS_DIR/command/png.py" near "$@"
}
far() {
    test -e "$1" && test -e "$2" && ! near "$@" 2>"$work/err"
}
differ() {
    test -e "$1" && test -e "$2" && ! cmp -s "$1" "$2"
}

# the sentences on standard error that are no warnings
sentences() {
    grep -av '^warning: ' "$work/err"
}

# exactly one sentence that ends as one does and matches the extended regular expression
one_sentence() { # PATTERN
    [ "$(sentences | wc -l)" -eq 1 ] && sentences | grep -Eaq -e "$1"
}

listing() {
    find . -exec ls -dl --time-style=full-iso {} + | cksum
}

# the run ends with this exit code and one sentence that matches, and leaves all files as they were
refuses() { # NAME CODE PATTERN ARGUMENTS...
    refused_name=$1
    refused_code=$2
    refused_pattern=$3
    shift 3
    before=$(listing)
    run "$@"
    check "$refused_name" refused
}

refused() {
    is "$refused_code" && one_sentence "$refused_pattern" && [ "$(listing)" = "$before" ]
}

# FILE WIDTH HEIGHT CHANNELS EXPRESSION: a picture, values 0..255 of x, y, c
picture() {
    python3 "$SVDIFF_TESTS_DIR/command/png.py" make "$@"
}

# FILE OTHER MASK [CONDITION]: where the mask is black both are the same; see png.py
unchanged() {
    python3 "$SVDIFF_TESTS_DIR/command/png.py" unchanged "$@"
}

generate() { # ARGUMENTS...: one small picture
    run generate --model "$sd1" --width 64 --height 64 --quiet "$@"
}

learn() { # ARGUMENTS...: small pictures
    run learn --model "$sd1" --size 64 --seed 3 --quiet "$@"
}

# one small picture of a model
draw() { # OUTPUT MODEL
    run generate --model "$2" --prompt x --width 64 --height 64 --steps 2 --seed 1 --quiet \
        --output "$1"
}

# a model that cannot be used
with_model() { # NAME PATTERN MODEL
    refuses "generate: $1" 1 "$2" generate --model "$3" --prompt x --width 64 --height 64 \
        --steps 1 --quiet --output o.png
}

with_both() { # NAME PATTERN: the folder `model`
    with_model "$1" "$2" model
    refuses "learn: $1" 1 "$2" learn --model model --prompt '[V]' --image "$pictures/rgb8.png" \
        --size 64 --steps 1 --quiet --output s.safetensors
}

# a copy of the model sd1 in the folder `model`
fresh_model() {
    rm -rf model
    cp -r "$sd1" model
    chmod -R u+w model
}

# the first value of a tensor, as the bytes of printf's octal notation
poke() { # FILE TENSOR BYTES
    header=$(od -An -tu8 -N8 "$1" | tr -d ' ')
    begin=$(grep -ao "\"$2\":{[^}]*}" "$1" | sed 's/.*\[\([0-9]*\),[0-9]*\]}$/\1/')
    printf "$3" | dd of="$1" bs=1 seek=$((8 + header + begin)) conv=notrunc status=none
}

# bytes of the header, by a sed expression that keeps its length
edit() { # FILE EXPRESSION
    LC_ALL=C sed -i "$2" "$1"
}

# waits until a pattern stands in a file, as long as the process lives
await() { # PROCESS FILE PATTERN
    until grep -Eq -e "$3" "$2" 2>/dev/null; do
        kill -0 "$1" 2>/dev/null || return 1
        sleep 0.05
    done
}

# the text of a PNG, and members of the metadata of a safetensors file
metadata() { # FILE KEY
    grep -ao "\"$2\":\"[^\"]*\"" "$1" | head -1 | sed 's/^[^:]*:"//; s/"$//'
}

# the pixels of FILE.tif, 64x64 in float, to FILE.pixels: without the text in the file, which names
# subjects
take_pixels() { # FILE
    python3 -c '
import struct, sys
data = open(sys.argv[1] + ".tif", "rb").read()
(at,) = struct.unpack_from("<I", data, 4)
(n,) = struct.unpack_from("<H", data, at)
tags = {}
for i in range(n):
    tag, kind, count, value = struct.unpack_from("<HHII", data, at + 2 + 12 * i)
    form, size = {3: ("H", 2), 4: ("I", 4)}.get(kind, ("B", 1))
    place = value if size * count > 4 else at + 2 + 12 * i + 8
    if tag in (273, 279):
        tags[tag] = struct.unpack_from("<%d%s" % (count, form), data, place)
pixels = b"".join(data[o:o + c] for o, c in zip(tags[273], tags[279]))
assert len(pixels) == 64 * 64 * 3 * 4
open(sys.argv[1] + ".pixels", "wb").write(pixels)
' "$1"
}
