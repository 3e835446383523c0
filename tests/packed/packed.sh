#!/bin/sh
# tests/device as far as it goes without a device: what is packed is small, holds nothing of others that may not be taken
# along, starts where nothing else is, and no run is called passed that did not happen. Prints TAP.
#   tests/packed/packed.sh BUILD                  here, and in an empty root (as root)
#   tests/packed/packed.sh BUILD bookworm|trixie  in a bare Debian (tests/in-bare)
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$folder"
cases=0 failures=0
check() { # NAME CONDITION...
    name=$1
    shift
    cases=$((cases + 1))
    if "$@"; then
        echo "ok $cases - $name"
    else
        failures=$((failures + 1))
        echo "not ok $cases - $name"
        tail -n 20 "$folder/log" 2>/dev/null | sed 's/^/# /'
    fi
}
end_tests() {
    echo "1..$cases"
    [ "$failures" -eq 0 ]
    exit
}
packs() { "$here/device" pack "$1" "$folder/pack.tar.gz" >"$folder/log" 2>&1; }
none_passed() { # LINES COMMAND...: so many runs, all of which were not run
    lines=$1
    shift
    "$@" >"$folder/log" 2>&1
    [ $? = 2 ] && [ "$(grep -c ': not run: no device: ' "$folder/log")" = "$lines" ] && ! grep -qE ': (passed|failed|done)' "$folder/log"
}
unpacked=$folder/svdiff-device

if [ $# = 2 ]; then # in a bare Debian
    if ! reason=$("$here/in-bare" "$2" . true 2>&1); then
        echo "1..0 # SKIP $reason"
        exit 0
    fi
    check 'it is packed' packs "$1"
    tar -xzf "$folder/pack.tar.gz" -C "$folder"
    check 'in a bare Debian it says that there is no device' none_passed 4 "$here/in-bare" "$2" "$folder" \
        sh /shared/svdiff-device/tests/device all /tmp/results
    check 'and why' grep -q 'no device: the CUDA module cannot be loaded (libcublasLt' "$folder/log"
    end_tests
fi

check 'it is packed' packs "$1"
check 'below 20 MiB' [ "$(stat -c %s "$folder/pack.tar.gz")" -lt 20971520 ]
tar -xzf "$folder/pack.tar.gz" -C "$folder"
find "$folder/svdiff-device" -name '*.so*' >"$folder/log"
check 'without libraries of NVIDIA, and without large ones' sh -c \
    "! grep -E 'lib(cu|nv)[A-Za-z]*\.so|dnnl|openblas' '$folder/log'"
check 'without what draws figures' sh -c "! grep -E 'lib(cairo|fontconfig|X11)\.so' '$folder/log'"

# Every file of fixtures/ that a packed trace speaks of is packed as it is. Told here by what the traces say, whatever
# option says it: names that begin with a folder of fixtures/, up to a weight, a word or a prompt.
named() {
    folders=$(cd "$here/fixtures" && echo */ | sed 's/\/ */|/g; s/|$//')
    find "$unpacked/tests/fixtures/traces" -name '*.safetensors' -exec grep -aohE "\"($folders)/[^\"\\\\:=]*" {} + | tr -d '"' | sort -u
}
all_packed() {
    named >"$folder/named"
    while read -r file; do
        diff -r "$here/fixtures/$file" "$unpacked/tests/fixtures/$file" || return 1
    done <"$folder/named" >"$folder/log" 2>&1
    [ "$(wc -l <"$folder/named")" -gt 50 ]
}
check 'with each file that a packed trace names' all_packed
for lost in adapters/comfy.safetensors models/sd1-word-zwx.safetensors pictures/mask-right.png pickles/embedding.pt; do
    mv "$unpacked/tests/fixtures/$lost" "$folder/lost"
    check "$lost would be missed" eval '! all_packed'
    mv "$folder/lost" "$unpacked/tests/fixtures/$lost"
done

export CUDA_VISIBLE_DEVICES= # also where there is one
check 'without a device nothing is passed' none_passed 4 "$unpacked/tests/device" all "$folder/results"
check 'which the summary says, too' sh -c "[ \$(grep -c 'not run' '$folder/results/summary.txt') = 4 ]"
check 'and of one part' none_passed 1 "$unpacked/tests/device" check "$folder/results"

# with nothing but what is packed: a model and an adapter that other files lie beside
draws() {
    traces=$unpacked/tests/fixtures/traces
    python3 "$unpacked/tests/compare_trace.py" "$unpacked/bin/svdiff" "$traces/generate/sd1-single.safetensors" \
        "$traces/adapters/peft-oft.safetensors" >"$folder/log" 2>&1
}
check 'what is packed computes what PyTorch does' draws

# with its own C library and loader, and nothing else
alone() { # COMMAND...
    root=$folder/empty
    mkdir -p "$root/tmp"
    [ -d "$root/svdiff-device" ] || cp -r "$unpacked" "$root/"
    program=/svdiff-device/engine/$1
    shift
    chroot "$root" /svdiff-device/engine/ld-linux-x86-64.so.2 --library-path /svdiff-device/glibc:/svdiff-device/lib \
        "$program" "$@" >"$folder/log" 2>&1 </dev/null
}
if [ "$(id -u)" = 0 ]; then
    check 'the command starts in an empty root' alone svdiff info /svdiff-device/tests/fixtures/models/sd1
    check 'the checker checks there' alone check --device=reference --test=gemm
    says_why() { ! alone check --device=cuda --module=/svdiff-device/kernels/svdiff-cuda.so && grep -q '^Bail out! .*libcublasLt' "$folder/log"; }
    check 'and says what it needs for a device' says_why
fi

# What a run is called: a checker that says these lines, and ends so
judged() { # WANTED STATUS LINE...
    wanted=$1 status=$2
    shift 2
    {
        echo '#!/bin/sh'
        echo 'for word; do [ "$word" != --list ] || exit 0; done'
        printf "echo '%s'\n" "$@"
        echo "exit $status"
    } >"$unpacked/bin/check"
    "$unpacked/tests/device" check "$folder/results" >"$folder/log" 2>&1
    status=$?
    ! grep -vq "^check [a-z0-9]*: $wanted" "$folder/log" && [ -s "$folder/log" ]
}
check 'all passed' judged 'passed: 2 of 2' 0 1..2 'ok 1 - a' 'ok 2 - b'
check 'ends with 0' [ "$status" = 0 ]
check 'one failed' judged 'failed: 1 of 2 passed' 1 1..2 'ok 1 - a' 'not ok 2 - b'
check 'ends with 1' [ "$status" = 1 ]
check 'cut off' judged 'failed: 1 of 2 passed' 0 1..2 'ok 1 - a'
check 'killed' judged 'failed: 2 of 2 passed, exit status 139' 139 1..2 'ok 1 - a' 'ok 2 - b'
check 'said nothing' judged 'failed: 0 of ? passed' 0 ''
check 'skipped all' judged 'failed: 0 of 2 passed' 0 1..2 'ok 1 - a # SKIP x' 'ok 2 - b # SKIP y'
check 'skipped one' judged 'passed: 1 of 2, 1 have nothing' 0 1..2 'ok 1 - a' 'ok 2 - b # SKIP y'
check 'refused by the device' judged 'not run: it is too old' 1 'Bail out! it is too old'
check 'ends with 2' [ "$status" = 2 ]
end_tests
