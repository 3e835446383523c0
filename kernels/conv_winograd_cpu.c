/* conv_winograd_cpu.c: 3x3 convolutions of stride 1 by Winograd's way for 2 x 2 outputs (Lavin and
 * Gray 2016, "Fast Algorithms for Convolutional Neural Networks", section 4.1, F(2x2, 3x3)).
 *
 *   Y = At [sum over c of (G g Gt) (Bt d B)] A     the product is one of each of the 16 points
 *
 * d: 4 x 4 pixels of x, which overlap by two; g: 3 x 3 weights; Y: 2 x 2 outputs. So there are 16
 * matrix products [tiles, c] [c, out] where the definition has 36 for as many outputs. In float the result
 * is as close to the exact one as the definition's: sums have a ninth of the terms. Of bfloat16, both
 * factors are rounded once more.
 *
 * Weights of some panels of 64 outputs are made by all threads in the workspace. Then each thread takes
 * blocks of tiles: Bt d B of all channels, and for a panel after the other the products and At m A.
 * Neither leaves the second cache. Each output's sums run over the channels in their order, however
 * tiles and panels are divided. */
#include "kernels/conv_cpu.h"
#include "kernels/winograd_cpu.h"

#include <omp.h>
#include <string.h>

#if defined __x86_64__ && defined __GNUC__

#define POINTS WINOGRAD_POINTS
#define LANES  WINOGRAD_LANES
#define TILES  48 // of a block at most: what is read of the weights serves so many
#define FEW    12 // and at least

#define ALL_WEIGHTS  ((size_t)28 << 20) // bytes
#define SOME_WEIGHTS ((size_t)4 << 20)

// pixels per output, from which on making the weights pays; measured, see SPEED.md
#define PAYS 0.05

// the call as a forward convolution: backward, x is dy and y is dx
struct winograd {
    struct conv_shape s;
    struct kernels_weight w;
    bool turned; // w is [c, 3, 3, out], to be turned around; else [out, 3, 3, c]
    const void *x;
    const float *bias; // [out], or NULL
    void *y;           // added to where turned

    enum product_way way;
    const struct winograd_transforms *transforms;
    int rows, columns; // tiles of a picture
    int64_t tiles;     // of all pictures
    int block;         // tiles at a time
    int k;             // values of a product: channels, or pairs of them
    int panels, made;  // of outputs; of them, with weights at a time
    uint32_t *weights; // [made, POINTS, k, LANES]
    void *zeros;       // [c], what lies beyond a picture's edge
    char *parts;       // a thread's: input [POINTS, block, k], then products [POINTS, block, LANES]
    size_t part;
};

static size_t size_of(const struct winograd *g)
{
    return kernels_size(g->w.type);
}

static int64_t panel_values(const struct winograd *g)
{
    return (int64_t)POINTS * g->k * LANES;
}

static size_t input_bytes(const struct winograd *g)
{
    return (size_t)POINTS * (size_t)g->block * (size_t)g->k * sizeof(uint32_t);
}

static size_t products_bytes(const struct winograd *g)
{
    return (size_t)POINTS * (size_t)g->block * LANES * sizeof(float);
}

static int panel_lanes(const struct winograd *g, int panel)
{
    return MIN(LANES, g->s.out - panel * LANES);
}

/* ---- the weights ---- */

// channels c .. of a panel
static void make_weights(const struct winograd *g, int panel, int c)
{
    const int64_t channel = g->turned ? 9 * (int64_t)g->s.out : 1;
    const int64_t lane = g->turned ? 1 : 9 * (int64_t)g->s.c;
    const int64_t tap = g->turned ? g->s.out : g->s.c;
    const int pair = g->s.c / g->k;

    for (int i = 0; i < panel_lanes(g, panel); i += PRODUCT_LANES) {
        const int64_t at = (panel * LANES + i) * lane + c * channel + (g->turned ? 8 * tap : 0);
        const struct winograd_weights w = {.w = (const char *)g->w.data + at * (int64_t)size_of(g),
                                           .lane = lane,
                                           .channel = channel,
                                           .tap = g->turned ? -tap : tap,
                                           .depth = MIN(WINOGRAD_DEPTH, g->s.c - c),
                                           .to = g->weights + panel % g->made * panel_values(g) +
                                                 c / pair * LANES + i,
                                           .point = (int64_t)g->k * LANES};

        g->transforms->weights(&w);
    }
}

/* ---- a block of tiles ---- */

// where a tile's first output lies
struct tile {
    int n, y, x;
};

static struct tile tile_at(const struct winograd *g, int64_t i)
{
    return (struct tile){.n = (int)(i / ((int64_t)g->rows * g->columns)),
                         .y = (int)(i / g->columns % g->rows) * 2,
                         .x = (int)(i % g->columns) * 2};
}

static void tile_input(const struct winograd *g, int64_t i, void *to)
{
    const struct conv_shape s = g->s;
    const struct tile t = tile_at(g, i);
    const void *from[POINTS];

    for (int p = 0; p < POINTS; p++) {
        const int y = t.y - s.pad_top + p / 4, x = t.x - s.pad_left + p % 4;
        const bool inside = y >= 0 && y < s.h && x >= 0 && x < s.w;
        const int64_t at = (((int64_t)t.n * s.h + y) * s.w + x) * s.c;

        from[p] = inside ? (const char *)g->x + at * (int64_t)size_of(g) : g->zeros;
    }
    g->transforms->input(from, s.c, to, (int64_t)g->block * s.c);
}

// an output beyond the edge goes nowhere
static void tile_output(const struct winograd *g, int64_t i, int panel, const float *from)
{
    const struct conv_shape s = g->s;
    const struct tile t = tile_at(g, i);
    const int first = panel * LANES;
    float nowhere[LANES] = {0};
    void *to[4];

    for (int p = 0; p < 4; p++) {
        const int y = t.y + p / 2, x = t.x + p % 2;
        const int64_t at = (((int64_t)t.n * s.out_h + y) * s.out_w + x) * s.out + first;
        const bool inside = y < s.out_h && x < s.out_w;

        to[p] = inside ? (char *)g->y + at * (int64_t)size_of(g) : (char *)nowhere;
    }
    g->transforms->output(from, (int64_t)g->block * LANES, panel_lanes(g, panel),
                          g->bias ? g->bias + first : NULL, g->turned, to);
}

static void panel_products(const struct winograd *g, int tiles, int panel, const uint32_t *input,
                           float *products)
{
    const uint32_t *weights = g->weights + panel % g->made * panel_values(g);

    for (int p = 0; p < POINTS; p++) {
        const struct product product = {.way = g->way,
                                        .rows = tiles,
                                        .k = g->k,
                                        .lanes = panel_lanes(g, panel),
                                        .a = input + (int64_t)p * g->block * g->k,
                                        .a_row = g->k,
                                        .b = weights + (int64_t)p * g->k * LANES,
                                        .b_row = LANES,
                                        .c = products + (int64_t)p * g->block * LANES,
                                        .c_row = LANES};

        product_run(&product, NULL);
    }
}

// tiles first .. of the panels panel .. last
static void run_block(const struct winograd *g, int64_t first, int panel, int last, char *part)
{
    const int tiles = (int)MIN(g->block, g->tiles - first);
    float *products = (float *)(part + input_bytes(g));

    for (int i = 0; i < tiles; i++) {
        tile_input(g, first + i, part + (size_t)i * (size_t)g->s.c * size_of(g));
    }
    for (; panel < last; panel++) {
        panel_products(g, tiles, panel, (const uint32_t *)part, products);
        for (int i = 0; i < tiles; i++) {
            tile_output(g, first + i, panel, products + (int64_t)i * LANES);
        }
    }
}

static void run_panels(const struct winograd *g, int threads, int first, int last)
{
#pragma omp parallel num_threads(threads)
    {
#pragma omp for collapse(2) schedule(static)
        for (int panel = first; panel < last; panel++) {
            for (int c = 0; c < g->s.c; c += WINOGRAD_DEPTH) {
                make_weights(g, panel, c);
            }
        }
        product_begin(g->way);
#pragma omp for schedule(static)
        for (int64_t tile = 0; tile < g->tiles; tile += g->block) {
            run_block(g, tile, first, last, g->parts + g->part * (size_t)omp_get_thread_num());
        }
        product_end(g->way);
    }
}

/* ---- the whole ---- */

// tiles of a block: as many for all threads, and whole tiles of the products' registers
static int block_tiles(const kernels *k, int64_t tiles)
{
    const int64_t each = (tiles + k->threads - 1) / k->threads;
    const int64_t blocks = MAX(1, (each + TILES - 1) / TILES);
    const int64_t block = (each + blocks - 1) / blocks;

    return (int)MAX(FEW, (block + 5) / 6 * 6);
}

/* All panels of weights where a cache holds them: then the tiles are brought in once. Else as many as
 * stay in a smaller one from where they are made to where they are read. */
static int panels_at_a_time(const struct winograd *g, size_t panel, size_t room)
{
    const size_t all = panel * (size_t)g->panels;
    const size_t most = all <= MIN(room, ALL_WEIGHTS) ? all : MIN(room, MAX(panel, SOME_WEIGHTS));

    return (int)(most / panel);
}

// false where the workspace is too small
static bool take_room(const kernels *k, struct winograd *g)
{
    struct onednn_room room = cpu_workspace(k);
    const size_t zeros = (size_t)g->s.c * size_of(g);
    const size_t panel = (size_t)panel_values(g) * sizeof *g->weights;

    g->part = (input_bytes(g) + products_bytes(g) + KERNELS_ALIGNMENT - 1) / KERNELS_ALIGNMENT *
              KERNELS_ALIGNMENT;
    g->zeros = cpu_take(&room, zeros);
    g->parts = cpu_take(&room, g->part * (size_t)k->threads);
    g->made = panels_at_a_time(g, panel, room.bytes);
    g->weights = cpu_take(&room, panel * (size_t)g->made);
    if (!g->zeros || !g->parts || g->made == 0) {
        return false;
    }
    memset(g->zeros, 0, zeros);
    return true;
}

static bool prepare(const kernels *k, struct winograd *g)
{
    const struct conv_shape s = g->s;

    g->transforms = g->w.type == KERNELS_BF16 ? &winograd_bf16 : &winograd_f32;
    g->rows = (s.out_h + 1) / 2;
    g->columns = (s.out_w + 1) / 2;
    g->tiles = (int64_t)s.n * g->rows * g->columns;
    g->block = block_tiles(k, g->tiles);
    g->k = g->w.type == KERNELS_BF16 ? s.c / 2 : s.c;
    g->panels = (s.out + LANES - 1) / LANES;
    return take_room(k, g);
}

static bool pays(struct conv_shape s)
{
    const double pixels = (double)s.n * s.out_h * s.out_w;

    return s.kh == 3 && s.kw == 3 && s.stride == 1 && s.pad_top >= 0 && s.pad_left >= 0 &&
           s.c % WINOGRAD_DEPTH == 0 && s.out % PRODUCT_LANES == 0 && pixels >= PAYS * s.out &&
           pixels * s.c * s.out * 9 >= CPU_PRODUCT;
}

static bool run(const kernels *k, struct winograd g)
{
    g.way = product_way(g.w.type);
    if (!pays(g.s) || g.w.type != k->activation || g.way == PRODUCT_NONE || g.way == PRODUCT_AMX ||
        !prepare(k, &g)) {
        return false;
    }
    for (int first = 0; first < g.panels; first += g.made) {
        run_panels(&g, k->threads, first, MIN(g.panels, first + g.made));
    }
    return true;
}

bool conv_winograd_forward(const kernels *k, struct conv_shape s, const cell *x,
                           struct kernels_weight w, const float *bias, cell *y)
{
    return run(k, (struct winograd){.s = s, .w = w, .x = x, .bias = bias, .y = y});
}

bool conv_winograd_backward(const kernels *k, struct conv_shape s, const cell *dy,
                            struct kernels_weight w, cell *dx)
{
    return run(k, (struct winograd){.s = conv_turned(s), .w = w, .turned = true, .x = dy, .y = dx});
}

#else

bool conv_winograd_forward(const kernels *k, struct conv_shape s, const cell *x,
                           struct kernels_weight w, const float *bias, cell *y)
{
    return false;
}

bool conv_winograd_backward(const kernels *k, struct conv_shape s, const cell *dy,
                            struct kernels_weight w, cell *dx)
{
    return false;
}
#endif
