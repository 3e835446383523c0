/* Layouts of mixed pictures; see learn_layout.h. */
#include "engine/learn/learn_layout.h"

bool layout_is_drawn(enum layout layout)
{
    return layout == LAYOUT_BESIDE || layout == LAYOUT_BELOW;
}

enum place layout_place(enum layout layout, int which)
{
    static const enum place places[][2] = {
        [LAYOUT_HALVES] = {PLACE_LEFT, PLACE_RIGHT},
        [LAYOUT_STACKED] = {PLACE_TOP, PLACE_BOTTOM},
        [LAYOUT_FALLING] = {PLACE_TOP_LEFT, PLACE_BOTTOM_RIGHT},
        [LAYOUT_RISING] = {PLACE_BOTTOM_LEFT, PLACE_TOP_RIGHT},
    };

    return places[layout][which];
}

struct layout_box layout_place_box(enum place place)
{
    static const struct layout_box boxes[] = {
        [PLACE_LEFT] = {0, 0, 0.5, 1},          [PLACE_RIGHT] = {0.5, 0, 1, 1},
        [PLACE_TOP] = {0, 0, 1, 0.5},           [PLACE_BOTTOM] = {0, 0.5, 1, 1},
        [PLACE_TOP_LEFT] = {0, 0, 0.5, 0.5},    [PLACE_BOTTOM_RIGHT] = {0.5, 0.5, 1, 1},
        [PLACE_BOTTOM_LEFT] = {0, 0.5, 0.5, 1}, [PLACE_TOP_RIGHT] = {0.5, 0, 1, 0.5},
    };

    return boxes[place];
}

// the part of a cell, one wide, that lies below the middle of n cells
static float before_middle(int cell, int n)
{
    return 2 * cell + 2 <= n ? 1 : 2 * cell >= n ? 0 : 0.5f;
}

// how much of the cell at x, y the first subject has
static float first_share(enum layout layout, int x, int y, int n)
{
    // the diagonals cut the cells on them in half
    switch (layout) {
    case LAYOUT_STACKED:
        return before_middle(y, n);
    case LAYOUT_FALLING:
        return x + y < n - 1 ? 1 : x + y > n - 1 ? 0 : 0.5f;
    case LAYOUT_RISING:
        return x < y ? 1 : x > y ? 0 : 0.5f;
    default:
        return before_middle(x, n);
    }
}

void layout_regions(enum layout layout, int n, float *regions)
{
    for (int y = 0; y < n; y++) {
        for (int x = 0; x < n; x++) {
            const float share = first_share(layout, x, y, n);
            regions[y * n + x] = share;
            regions[(n + y) * n + x] = 1 - share;
        }
    }
}
