#!/bin/sh
# Painting into selections of a layer of 1000 x 700 pixels with the model that ships: what lies
# outside keeps every bit, and no border shows, because across it the picture changes no faster than
# inside. With a second argument there are more of them, and they are left in that
# folder, to be looked at.
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
    painted=$1
    painted_mask=$2
    shift 2
    run generate --prompt 'a lion on the grass' --seed 1 --quiet --init-image layer.png \
        --mask "$painted_mask.png" --output "$painted.png" "$@"
    check "$painted" is 0
    check "$painted: outside nothing changed" unchanged layer.png "$painted.png" "$painted_mask.png"
    # nine pixels have too little inside to compare their border with
    [ "$painted_mask" = spot ] ||
        check "$painted: no border shows" no_step "$painted.png" "$painted_mask.png"
}

scale "$SVDIFF_TESTS_DIR/../resources/subjects/castle/2.png" 1000 700 layer.png
picture disc.png 1000 700 1 '255 * ((x - 420) ** 2 + (y - 380) ** 2 < 150 ** 2)'
picture soft.png 1000 700 1 \
    'min(255, max(0, 255 * (180 - ((x - 620) ** 2 + (y - 300) ** 2) ** 0.5) / 60))'
picture spot.png 1000 700 1 '255 * (300 <= x < 303 and 200 <= y < 203)'
picture past.png 1000 700 1 '255 * ((x - 980) ** 2 + (y - 650) ** 2 < 200 ** 2)'
picture all.png 1000 700 1 255

paint in-disc disc --strength 1
if [ -n "${2-}" ]; then # more to look at
    paint in-disc-half disc --strength 0.5
    paint in-disc-most disc --strength 0.75
    paint in-disc-blurred disc --strength 1 --fill blurred
fi
paint in-feathered soft --strength 1
paint in-spot spot --strength 1
paint in-past past --strength 1
paint in-all all --strength 0.75
[ -z "${2-}" ] || cp ./*.png "$2"
end_tests
