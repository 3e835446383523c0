#!/bin/sh
# svdiff generate --tile with the model that ships: the steps from one pixel to the next are over the edges as they
# are inside. What PyTorch draws with circular padding is among the traces.
. "$(dirname "$0")/lib.sh"

edges() { # ARGUMENTS...: the steps over both pairs of edges, over those inside; the middle ones of five pictures, since
    # what is painted may end where the picture does
    run generate --quiet --seed 1 --count 5 --prompt 'a photo of a lion on the grass' --output "$work/edges-%d.png" "$@"
    for edge_picture in "$work"/edges-?.png; do
        python3 "$SVDIFF_TESTS_DIR/command/png.py" edges "$edge_picture"
    done >"$work/steps"
    echo "$(cut -d ' ' -f 1 "$work/steps" | sort -g | sed -n 3p)" "$(cut -d ' ' -f 2 "$work/steps" | sort -g | sed -n 3p)"
}
seamless() { # X Y
    awk -v x="$1" -v y="$2" 'BEGIN { exit !(x < 2 && y < 2) }'
}

check 'without it sky and grass meet' sh -c "! awk -v y='$(edges | cut -d ' ' -f 2)' 'BEGIN { exit !(y < 2) }'"
check 'a tile has no edges' seamless $(edges --tile)
check 'and says so' grep -aq 'Tiling: true' "$work/edges-1.png"
refuses 'a part of a picture' 2 'whole pictures' generate --quiet --prompt x --tile --init-image "$pictures/rgb8.png" \
    --mask "$pictures/grey8.png" --output no.png
end_tests
