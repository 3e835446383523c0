/* Layouts of mixed pictures; see layout.h. */
#include "engine/picture/layout.h"

enum layout layout_draw(enum layout_choice choice, int number)
{
    const enum layout diagonal = number % 2 ? LAYOUT_RISING : LAYOUT_FALLING;

    switch (choice) {
    case LAYOUTS_STACKED:
        return LAYOUT_STACKED;
    case LAYOUTS_CORNERS:
        return diagonal;
    case LAYOUTS_ALL:
        return number < 6 ? LAYOUT_HALVES : number < 10 ? LAYOUT_STACKED : diagonal;
    default:
        return LAYOUT_HALVES;
    }
}

int layout_places(enum layout_choice choice, enum place *first)
{
    static const enum place firsts[] = {
        [LAYOUTS_HALVES] = PLACE_LEFT,
        [LAYOUTS_STACKED] = PLACE_TOP,
        [LAYOUTS_CORNERS] = PLACE_TOP_LEFT,
        [LAYOUTS_ALL] = PLACE_LEFT,
    };
    static const int counts[] = {
        [LAYOUTS_HALVES] = 2, [LAYOUTS_STACKED] = 2, [LAYOUTS_CORNERS] = 4, [LAYOUTS_ALL] = PLACES};

    *first = firsts[choice];
    return counts[choice];
}

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
