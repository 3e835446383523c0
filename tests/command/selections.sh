#!/bin/sh
# Painting into selections of a layer of 1000 x 700 pixels with the model that ships: what lies
# outside keeps every bit, and no border shows, because across it the picture changes no faster than
# inside. With a second argument the pictures are left in that folder, to be looked at.
. "$(dirname "$0")/lib.sh"

scale() { # FILE WIDTH HEIGHT OUTPUT
    python3 "$SVDIFF_TESTS_DIR/command/png.py" scale "$@"
}
no_step() { # FILE MASK: at most 1.1 times the steps inside
    step=$(python3 "$SVDIFF_TESTS_DIR/command/png.py" border "$@") || return 1
    echo "# $1: the step across the border is $step of those inside"
    awk "BEGIN { exit !($step <= 1.1) }"
}
paint() { # NAME MASK ARGUMENTS...
    name=$1
    mask=$2
    shift 2
    run generate --prompt 'a castle on the grass' --seed 1 --quiet --init-image layer.png \
        --mask "$mask.png" --output "$name.png" "$@"
    check "$name" is 0
    check "$name: outside nothing changed" unchanged layer.png "$name.png" "$mask.png"
    check "$name: no border shows" no_step "$name.png" "$mask.png"
}

scale "$SVDIFF_TESTS_DIR/../resources/subjects/castle/2.png" 1000 700 layer.png
picture disc.png 1000 700 1 '255 * ((x - 420) ** 2 + (y - 380) ** 2 < 150 ** 2)'
picture soft.png 1000 700 1 \
    'min(255, max(0, 255 * (180 - ((x - 620) ** 2 + (y - 300) ** 2) ** 0.5) / 60))'
picture spot.png 1000 700 1 '255 * (300 <= x < 303 and 200 <= y < 203)'
picture past.png 1000 700 1 '255 * ((x - 980) ** 2 + (y - 650) ** 2 < 200 ** 2)'
picture all.png 1000 700 1 255

for strength in 0.5 0.75 1; do
    paint "disc-$strength" disc --strength $strength
done
paint disc-blurred disc --strength 1 --fill blurred
paint feathered soft --strength 1
paint spot spot --strength 1
paint past past --strength 1
paint all all --strength 0.75
[ -z "${2-}" ] || cp ./*.png "$2"
end_tests
