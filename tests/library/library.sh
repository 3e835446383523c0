#!/bin/sh
# The library as another program meets it: installed into a folder and found by pkg-config, with a header
# that needs GLib alone; the example of resources/example is built so, learns and paints. Prints TAP.
#   tests/library/library.sh BUILD SOURCE COMPILER...
set -u
build=$(realpath "$1")
source=$(realpath "$2")
shift 2
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cases=0
failures=0
check() { # NAME CONDITION...
    name=$1
    shift
    cases=$((cases + 1))
    if "$@" >"$folder/log" 2>&1; then
        echo "ok $cases - $name"
    else
        failures=$((failures + 1))
        echo "not ok $cases - $name"
        tail -n 5 "$folder/log" | sed 's/^/# /'
    fi
}

check 'it is installed' meson install -C "$build" --no-rebuild --destdir "$folder/root" --tags runtime,devel
file=$(find "$folder/root" -name svdiff.pc)
export PKG_CONFIG_PATH="${file%/*}" PKG_CONFIG_SYSROOT_DIR="$folder/root"
libraries=${file%/pkgconfig/*}
# what GLib is found by has no root before it
flags="$(pkg-config --cflags --libs svdiff) $(PKG_CONFIG_SYSROOT_DIR= pkg-config --cflags --libs glib-2.0)"
version=$(sed -n "s/^  version: '\(.*\)',/\1/p" "$source/meson.build")
check 'pkg-config says its version' [ "$(pkg-config --modversion svdiff)" = "$version" ]
check 'programs remember libsvdiff.so.0' sh -c \
    'readelf -d "$1/libsvdiff.so" | grep -q "SONAME.*\[libsvdiff\.so\.0\]"' sh "$libraries"
nm -D --defined-only "$libraries/libsvdiff.so" | sed 's/.* //' | sort >"$folder/exports"
tr '\n' ' ' <"$source/engine/svdiff.h" | grep -oE 'SVDIFF_API [^;(]*\(' | grep -oE 'svdiff_[a-z_]+\($' | tr -d '(' |
    sort >"$folder/declares"
check 'it exports what its header declares, and nothing else' diff "$folder/declares" "$folder/exports"

example() { # OPTION...: with the strictest of a user's settings
    "$@" -Wall -Wextra -Wno-unused-parameter -Werror -o "$folder/fox" "$source/resources/example/fox.c" $flags
}
check 'the example is built with it' example "$@" -std=c17 -pedantic
export LD_LIBRARY_PATH="$libraries"
check 'and uses it' sh -c 'ldd "$1" | grep -q "libsvdiff.so.0 => $2"' sh "$folder/fox" "$libraries"

# a small model in place of the one that ships, which would learn for half a minute
mkdir "$folder/data" "$folder/work"
cp -r "$source/tests/fixtures/models/sd1" "$folder/data/model"
chmod -R u+w "$folder/data"
printf '{"learn": {"steps": 3}, "generate": {"steps": 2}}' >"$folder/data/model/svdiff.json"
export SVDIFF_DATA_DIR="$folder/data" XDG_CACHE_HOME="$folder/cache"
run() { (cd "$folder/work" && "$folder/fox" "$@"); }
check 'it learns and paints' run "$source/resources/subjects/fox/1.png" "$source/resources/subjects/fox/2.png"
check 'the subject is one' "$build/engine/svdiff" info "$folder/work/fox.safetensors"
check 'the picture is one' "$build/engine/svdiff" generate --quiet --steps 2 --init-image "$folder/work/fox.png" \
    --prompt 'a fox' --output "$folder/work/again.png"
refuses() { ! run "$folder/none.png" 2>"$folder/said" && grep -q "^$folder/none.png: " "$folder/said"; }
check 'what goes wrong is said in a sentence' refuses

echo "1..$cases"
exit $((failures > 0))
