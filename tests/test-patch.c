/* The part of a picture that is painted anew: masks against numbers by hand, and what must hold for
 * whatever was painted. */
#include "engine/picture/patch.h"

#include "engine/base/error.h"

#include <math.h>
#include <string.h>

#define FACTOR 8 // pixels a latent
#define UNIT   8
#define SIDE   64

struct box {
    int x0, y0, x1, y1; // from, and up to but not with
};

static picture *mask_of(int width, int height, struct box b)
{
    picture *p = picture_create(width, height, 1, NULL);

    for (int i = 0; i < width * height; i++) {
        const int x = i % width, y = i / width;
        p->pixels[i] = x >= b.x0 && x < b.x1 && y >= b.y0 && y < b.y1;
    }
    return p;
}

// no two neighbours are alike
static picture *busy(int width, int height, int channels, uint32_t seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    picture *p = picture_create(width, height, channels, NULL);

    for (int i = 0; i < width * height * channels; i++) {
        p->pixels[i] = (float)g_rand_double_range(rand, 0.2, 0.8);
    }
    return p;
}

static picture *plain(int width, int height, const float colour[3])
{
    picture *p = picture_create(width, height, 3, NULL);

    for (int i = 0; i < width * height * 3; i++) {
        p->pixels[i] = colour[i % 3];
    }
    return p;
}

static struct svdiff_generate_options options_of(const picture *init, const picture *mask)
{
    struct svdiff_generate_options o = svdiff_generate_defaults(NULL);

    o.init = init;
    o.mask = mask;
    o.strength = 1;
    o.width = o.height = SIDE;
    return o;
}

static struct patch *create(const struct svdiff_generate_options *o)
{
    g_autoptr(GError) error = NULL;
    struct patch *p = patch_create(o, FACTOR, UNIT, &error);

    g_assert_no_error(error);
    return p;
}

static picture *put_back(const struct patch *p, const struct svdiff_generate_options *o,
                         const picture *painting)
{
    g_autoptr(GError) error = NULL;
    picture *out = patch_put_back(p, o, painting, &error);

    g_assert_no_error(error);
    g_assert_cmpint(out->width, ==, o->init->width);
    g_assert_cmpint(out->height, ==, o->init->height);
    return out;
}

static bool same_bits(const picture *a, const picture *b, int pixel)
{
    const size_t size = a->channels * sizeof(float);

    g_assert_cmpint(a->channels, ==, b->channels);
    return memcmp(a->pixels + (size_t)pixel * a->channels, b->pixels + (size_t)pixel * b->channels,
                  size) == 0;
}

/* ---- by hand: the right part of a square that is as large as what the model draws ---- */

/* Without a feather the sampler's mask is grown by 4: 16 and beyond. Put back is what is left of
 * that after erosion by 2, with a slope of 4, times 3 t^2 - 2 t^3 of t = depth / 5. Nothing ends at
 * the picture's edges. */
static void test_masks(void)
{
    static const float slope[] = {0, 0.104f, 0.352f, 0.648f, 0.896f, 1};
    g_autoptr(picture) init = busy(SIDE, SIDE, 3, 1);
    g_autoptr(picture) mask = mask_of(SIDE, SIDE, (struct box){20, 0, SIDE, SIDE});
    struct svdiff_generate_options o = options_of(init, mask);

    o.feather = 0;
    struct patch *p = create(&o);
    g_assert_cmpint(p->area.width, ==, SIDE);
    for (int i = 0; i < SIDE * SIDE; i++) {
        const int x = i % SIDE;
        const float want = slope[CLAMP(x - 19, 0, 5)];
        g_assert_cmpfloat(fabsf(p->composite->pixels[i] - want), <, 1e-6);
        g_assert_cmpfloat(p->known->pixels[i], ==, x < 16 ? 1 : 0);
    }
    for (int i = 0; i < SIDE / FACTOR * (SIDE / FACTOR); i++) {
        const float want = i % (SIDE / FACTOR) < 2 ? 0 : 1;
        g_assert_cmpfloat(p->mask[i], ==, want);
        g_assert_cmpfloat(p->hard[i], ==, want);
    }
    patch_free(p);
}

// an inpainting model sees grey below whole latents; what is encoded is the picture itself
static void test_pictures(void)
{
    g_autoptr(picture) init = busy(SIDE, SIDE, 3, 2);
    g_autoptr(picture) mask = mask_of(SIDE, SIDE, (struct box){20, 20, 30, 30});
    struct svdiff_generate_options o = options_of(init, mask);

    o.feather = 0;
    struct patch *p = create(&o);
    for (int i = 0; i < SIDE * SIDE; i++) {
        const int x = i % SIDE, y = i / SIDE;
        const bool painted = x >= 16 && x < 40 && y >= 16 && y < 40; // 16 to 33, in cells of 8
        g_assert_true(same_bits(p->working, init, i));
        for (int c = 0; c < 3; c++) {
            const float want = painted ? 0.5f : init->pixels[3 * i + c];
            g_assert_cmpfloat(p->masked->pixels[3 * i + c], ==, want);
        }
    }
    patch_free(p);
}

// a soft mask stays soft for the sampler, and its half is where inpainting models begin
static void test_soft(void)
{
    g_autoptr(picture) init = busy(SIDE, SIDE, 3, 3);
    g_autoptr(picture) mask = mask_of(SIDE, SIDE, (struct box){0, 0, SIDE, SIDE});
    struct svdiff_generate_options o = options_of(init, mask);

    for (int i = 0; i < SIDE * SIDE; i++) {
        mask->pixels[i] = (float)(i % SIDE / FACTOR) / 7; // one value a latent
    }
    o.feather = 0;
    struct patch *p = create(&o);
    for (int i = 0; i < SIDE / FACTOR * (SIDE / FACTOR); i++) {
        const int column = i % (SIDE / FACTOR);
        const float grown = MIN(column + 1, 7) / 7.0f; // by 4 pixels, into the latent before
        g_assert_cmpfloat(fabsf(p->mask[i] - grown), <, 1e-6);
        g_assert_cmpfloat(p->hard[i], ==, column >= 3 ? 1 : 0);
    }
    patch_free(p);
}

static void test_blurred(void)
{
    static const float around[3] = {0.9f, 0.2f, 0.1f};
    g_autoptr(picture) init = plain(SIDE, SIDE, around);
    g_autoptr(picture) mask = mask_of(SIDE, SIDE, (struct box){24, 24, 40, 44});
    struct svdiff_generate_options o = options_of(init, mask);

    for (int i = 0; i < SIDE * SIDE; i++) {
        if (mask->pixels[i] > 0) {
            memset(init->pixels + 3 * i, 0, 3 * sizeof(float));
        }
    }
    o.fill = SVDIFF_FILL_BLURRED;
    struct patch *p = create(&o);
    for (int i = 0; i < 3 * SIDE * SIDE; i++) {
        g_assert_cmpfloat(fabsf(p->working->pixels[i] - around[i % 3]), <, 1e-5);
    }
    patch_free(p);
}

/* ---- putting back ---- */

static const struct box boxes[] = {{0, 0, 1, 1},       {50, 30, 53, 33}, {0, 0, 150, 90},
                                   {100, 60, 150, 90}, {20, 10, 90, 70}, {0, 40, 150, 41}};

// whatever was painted: outside of the mask every bit stays, in the middle of a large one none does
static void check_outside(int channels, struct box b, double strength, int feather)
{
    g_autoptr(picture) init = busy(150, 90, channels, 4), mask = mask_of(150, 90, b);
    struct svdiff_generate_options o = options_of(init, mask);

    for (int i = 3; channels == 4 && i < 150 * 90 * 4; i += 4 * 5) {
        init->pixels[i] = 0; // clear, its colours hidden
    }
    o.strength = strength;
    o.feather = feather;
    o.fill = (enum svdiff_fill)(b.x1 % 3);
    struct patch *p = create(&o);
    g_autoptr(picture) painting = busy(p->area.width, p->area.height, 3, 5);
    g_autoptr(picture) out = put_back(p, &o, painting);
    for (int i = 0; i < 150 * 90; i++) {
        g_assert_true(mask->pixels[i] > 0 || same_bits(out, init, i));
    }
    const int middle = (b.y0 + b.y1) / 2 * 150 + (b.x0 + b.x1) / 2;
    g_assert_true(b.x1 - b.x0 < 3 || b.y1 - b.y0 < 3 || !same_bits(out, init, middle));
    patch_free(p);
}

static void test_outside(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(boxes); i++) {
        check_outside(3, boxes[i], 0.5, -1);
        check_outside(3, boxes[i], 1, -1);
        check_outside(4, boxes[i], 1, 0);
    }
}

static void fill_mask(picture *mask, float value)
{
    for (int i = 0; i < mask->width * mask->height; i++) {
        mask->pixels[i] = mask->pixels[i] > 0 ? value : 0;
    }
}

// a grey mask puts back its share of what a white one does, down to 2 of 255
static void test_proportional(void)
{
    static const float values[] = {0.5f, 0.1f, 2 / 255.0f};
    g_autoptr(picture) init = busy(150, 90, 3, 21);
    g_autoptr(picture) white = mask_of(150, 90, (struct box){40, 30, 110, 80});
    g_autoptr(picture) grey = mask_of(150, 90, (struct box){40, 30, 110, 80});
    const struct svdiff_generate_options all = options_of(init, white),
                                         some = options_of(init, grey);
    struct patch *p = create(&all);
    const int pixels = p->area.context.width * p->area.context.height;

    for (size_t k = 0; k < G_N_ELEMENTS(values); k++) {
        fill_mask(grey, values[k]);
        struct patch *q = create(&some);
        for (int i = 0; i < pixels; i++) {
            const float want = values[k] * p->composite->pixels[i];
            g_assert_cmpfloat(fabsf(q->composite->pixels[i] - want), <=, 0.01f * values[k]);
        }
        patch_free(q);
    }
    patch_free(p);
}

// a veil of 1 of 255 over all of a mask is as if it were not there, and alone an empty mask
static void test_veil(void)
{
    g_autoptr(picture) init = busy(150, 90, 3, 22);
    g_autoptr(picture) clean = mask_of(150, 90, (struct box){40, 30, 80, 60});
    g_autoptr(picture) veiled = mask_of(150, 90, (struct box){40, 30, 80, 60});
    const struct svdiff_generate_options a = options_of(init, clean), b = options_of(init, veiled);

    for (int i = 0; i < 150 * 90; i++) {
        veiled->pixels[i] = MAX(veiled->pixels[i], 1 / 255.0f);
    }
    struct patch *p = create(&a), *q = create(&b);
    g_autoptr(picture) painting = busy(p->area.width, p->area.height, 3, 23);
    g_assert_cmpmem(&p->area, sizeof p->area, &q->area, sizeof q->area);
    g_autoptr(picture) one = put_back(p, &a, painting), two = put_back(q, &b, painting);
    for (int i = 0; i < 150 * 90; i++) {
        g_assert_true(same_bits(one, two, i));
        g_assert_true(clean->pixels[i] > 0 || same_bits(two, init, i));
    }
    patch_free(p);
    patch_free(q);
}

static void test_grow(void)
{
    g_autoptr(picture) init = busy(150, 90, 3, 6);
    g_autoptr(picture) mask = mask_of(150, 90, (struct box){40, 30, 80, 60});
    g_autoptr(picture) grown = mask_of(150, 90, (struct box){33, 23, 87, 67});
    struct svdiff_generate_options o = options_of(init, mask);
    int changed = 0;

    o.grow = 7;
    struct patch *p = create(&o);
    g_autoptr(picture) painting = busy(p->area.width, p->area.height, 3, 7);
    g_autoptr(picture) out = put_back(p, &o, painting);
    for (int i = 0; i < 150 * 90; i++) {
        g_assert_true(grown->pixels[i] > 0 || same_bits(out, init, i));
        changed += mask->pixels[i] == 0 && !same_bits(out, init, i);
    }
    g_assert_cmpint(changed, >, 500); // of 1176 around the mask
    patch_free(p);
}

// what was painted is what was there: nothing changes, not even by rounding
static void test_same(void)
{
    g_autoptr(picture) init = busy(SIDE, SIDE, 3, 8);
    g_autoptr(picture) mask = mask_of(SIDE, SIDE, (struct box){20, 20, 50, 50});
    const struct svdiff_generate_options o = options_of(init, mask);
    struct patch *p = create(&o);
    g_autoptr(picture) out = put_back(p, &o, p->working);

    g_assert_cmpmem(out->pixels, sizeof(float) * 3 * SIDE * SIDE, init->pixels,
                    sizeof(float) * 3 * SIDE * SIDE);
    patch_free(p);
}

// a painting whose colours are all shifted is put right by what is known around it
static void test_colours(void)
{
    static const float shift[3] = {0.1f, -0.05f, 0.02f};
    g_autoptr(picture) init = busy(SIDE, SIDE, 3, 9);
    g_autoptr(picture) mask = mask_of(SIDE, SIDE, (struct box){40, 40, SIDE, SIDE});
    struct svdiff_generate_options o = options_of(init, mask);

    o.feather = 4;
    struct patch *p = create(&o);
    g_autoptr(picture) painting = busy(SIDE, SIDE, 3, 9);
    for (int i = 0; i < 3 * SIDE * SIDE; i++) {
        painting->pixels[i] += shift[i % 3];
    }
    g_autoptr(picture) out = put_back(p, &o, painting);
    for (int i = 0; i < 3 * SIDE * SIDE; i++) {
        g_assert_cmpfloat(fabsf(out->pixels[i] - init->pixels[i]), <, 1e-4);
    }
    patch_free(p);
}

/* A spot of 3x3 pixels has no place for a slope of `blend`; its depth is 2 of a slope of 3. The
 * painting's stripes are narrower than 16 pixels: they are no shift of colours to be put right. */
static void test_spot(void)
{
    static const float grey[3] = {0.5f, 0.5f, 0.5f};
    g_autoptr(picture) init = plain(SIDE, SIDE, grey), painting = plain(SIDE, SIDE, grey);
    g_autoptr(picture) mask = mask_of(SIDE, SIDE, (struct box){30, 30, 33, 33});
    const struct svdiff_generate_options o = options_of(init, mask);
    const int middle = 31 * SIDE + 31;
    const float share = 3 * 4.0f / 9 - 2 * 8.0f / 27;

    for (int i = 0; i < 3 * SIDE * SIDE; i++) {
        painting->pixels[i] += (i / 3 % SIDE + 4) / 8 % 2 == 0 ? 0.3f : -0.3f; // 28 to 35: brighter
    }
    struct patch *p = create(&o);
    g_autoptr(picture) out = put_back(p, &o, painting);
    g_assert_cmpfloat(fabsf(p->composite->pixels[middle] - share), <, 1e-6);
    g_assert_cmpfloat(fabsf(out->pixels[3 * middle] - (0.5f + share * 0.3f)), <, 0.05f);
    patch_free(p);
}

/* A plain painting on a plain picture of another colour, where nothing of the context is known: the
 * step between the two is spread over `blend`, from nothing at the border to all of it. */
static void test_border(void)
{
    static const float black[3] = {0, 0, 0}, white[3] = {1, 1, 1};
    g_autoptr(picture) init = plain(SIDE, SIDE, black), painting = plain(SIDE, SIDE, white);
    g_autoptr(picture) mask = mask_of(SIDE, SIDE, (struct box){12, 0, SIDE, SIDE});
    const struct svdiff_generate_options o = options_of(init, mask);
    struct patch *p = create(&o);
    g_autoptr(picture) out = put_back(p, &o, painting);
    float border = 0, most = 0;

    for (int i = 0; i < SIDE * (SIDE - 1); i++) {
        const int at = i / (SIDE - 1) * SIDE + i % (SIDE - 1);
        const float jump = out->pixels[3 * (at + 1)] - out->pixels[3 * at];
        const bool across = mask->pixels[at] != mask->pixels[at + 1];
        g_assert_cmpfloat(jump, >=, -1e-6);
        border = across ? MAX(border, jump) : border;
        most = MAX(most, jump);
    }
    g_assert_cmpfloat(out->pixels[3 * (SIDE * SIDE - 1)], ==, 1);
    g_assert_cmpfloat(border, <, 0.01f);
    g_assert_cmpfloat(most, <, 2.0f / (float)p->area.blend);
    patch_free(p);
}

/* ---- alpha ---- */

static void test_alpha(void)
{
    g_autoptr(picture) init = busy(SIDE, SIDE, 4, 10);
    g_autoptr(picture) mask = mask_of(SIDE, SIDE, (struct box){16, 16, 48, 48});
    struct svdiff_generate_options o = options_of(init, mask);
    struct patch *p = create(&o);
    g_autoptr(picture) painting = busy(SIDE, SIDE, 3, 11);
    g_autoptr(picture) same = put_back(p, &o, painting);

    o.outpaint = true;
    g_autoptr(picture) opaque = put_back(p, &o, painting);
    for (int i = 0; i < SIDE * SIDE; i++) {
        const float alpha = init->pixels[4 * i + 3];
        g_assert_cmpfloat(same->pixels[4 * i + 3], ==, alpha);
        g_assert_cmpfloat(opaque->pixels[4 * i + 3], ==, mask->pixels[i] > 0 ? 1 : alpha);
        g_assert_true(mask->pixels[i] > 0 || same_bits(opaque, init, i));
        init->pixels[4 * i + 3] = mask->pixels[i] > 0 ? 0 : 1;
    }
    // where no clear pixel is left, there is no alpha any more
    g_autoptr(picture) closed = put_back(p, &o, painting);
    g_assert_cmpint(closed->channels, ==, 3);
    patch_free(p);
}

// a grey mask over a clear place covers its share of it
static void test_cover(void)
{
    g_autoptr(picture) init = busy(SIDE, SIDE, 4, 13);
    g_autoptr(picture) mask = mask_of(SIDE, SIDE, (struct box){16, 16, 48, 48});
    struct svdiff_generate_options o = options_of(init, mask);

    fill_mask(mask, 0.25f);
    for (int i = 0; i < SIDE * SIDE; i++) {
        init->pixels[4 * i + 3] = 0.25f * (float)(i % 5);
    }
    o.outpaint = true;
    struct patch *p = create(&o);
    g_autoptr(picture) painting = busy(SIDE, SIDE, 3, 14);
    g_autoptr(picture) out = put_back(p, &o, painting);
    for (int i = 0; i < SIDE * SIDE; i++) {
        const float was = 0.25f * (float)(i % 5);
        const float want = mask->pixels[i] > 0 ? MIN(was + 0.25f, 1.0f) : was;
        g_assert_cmpfloat(out->pixels[4 * i + 3], ==, want);
    }
    patch_free(p);
}

/* ---- what is refused ---- */

static void expect_refusal(const picture *init, const picture *mask, const char *word)
{
    const struct svdiff_generate_options o = options_of(init, mask);
    g_autoptr(GError) error = NULL;

    g_assert_null(patch_create(&o, FACTOR, UNIT, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, word));
}

static void test_refused(void)
{
    g_autoptr(picture) init = busy(30, 20, 3, 12);
    g_autoptr(picture) empty = mask_of(30, 20, (struct box){0, 0, 0, 0});
    g_autoptr(picture) other = mask_of(20, 30, (struct box){0, 0, 9, 9});
    g_autoptr(picture) veil = mask_of(30, 20, (struct box){0, 0, 30, 20});

    expect_refusal(init, empty, "empty");
    expect_refusal(init, other, "20 x 30");
    fill_mask(veil, 1 / 255.0f);
    expect_refusal(init, veil, "empty");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/patch/masks", test_masks);
    g_test_add_func("/patch/pictures", test_pictures);
    g_test_add_func("/patch/soft", test_soft);
    g_test_add_func("/patch/blurred", test_blurred);
    g_test_add_func("/patch/outside", test_outside);
    g_test_add_func("/patch/proportional", test_proportional);
    g_test_add_func("/patch/veil", test_veil);
    g_test_add_func("/patch/grow", test_grow);
    g_test_add_func("/patch/same", test_same);
    g_test_add_func("/patch/colours", test_colours);
    g_test_add_func("/patch/spot", test_spot);
    g_test_add_func("/patch/border", test_border);
    g_test_add_func("/patch/alpha", test_alpha);
    g_test_add_func("/patch/cover", test_cover);
    g_test_add_func("/patch/refused", test_refused);
    return g_test_run();
}
