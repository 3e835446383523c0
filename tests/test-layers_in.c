/* Layers and masks as pictures, from buffers in the formats that GIMP uses. The host of this test
 * has one layer, which may have a mask, and one channel. */
#include "plugin/layers_in.h"

#include <math.h>

enum { LAYER = 1, MASK, CHANNEL };

/* The host: set by each test. Global because host.h has no context to hand in. */
static struct {
    GeglBuffer *layer, *mask, *channel;
    int x, y; // of the layer
} host;

static GeglBuffer *buffer_of(host_item item)
{
    return item == LAYER ? host.layer : item == MASK ? host.mask : host.channel;
}

struct host_area host_item_area(host_item item)
{
    const GeglRectangle *r = gegl_buffer_get_extent(buffer_of(item));
    const bool moved = item != CHANNEL;

    return (struct host_area){moved ? host.x : 0, moved ? host.y : 0, r->width, r->height};
}

char *host_item_name(host_item item)
{
    return g_strdup("test");
}

GeglBuffer *host_buffer(host_item item)
{
    return g_object_ref(buffer_of(item));
}

host_image host_image_of(host_item item)
{
    return 1;
}

// nothing is selected but by the quick mask, which is the channel
host_item host_quick_mask(host_image image)
{
    return host.channel != NULL ? CHANNEL : HOST_NONE;
}

bool host_selection_area(host_image image, struct host_area *area)
{
    return false;
}

// babl knows all spaces of this test
void host_to_srgb(host_image image, float *pixels, size_t n)
{
}

host_item host_layer_mask(host_item layer)
{
    return host.mask != NULL ? MASK : HOST_NONE;
}

// a buffer of this format filled with one colour, given as R'G'B'A
static GeglBuffer *make_buffer(const char *format, int width, int height, const float colour[4])
{
    GeglBuffer *buffer = gegl_buffer_new(GEGL_RECTANGLE(0, 0, width, height), babl_format(format));
    GeglColor *fill = gegl_color_new(NULL);

    gegl_color_set_pixel(fill, babl_format("R'G'B'A float"), colour);
    gegl_buffer_set_color(buffer, NULL, fill);
    g_object_unref(fill);
    return buffer;
}

static void set_layer(const char *format, int width, int height, const float colour[4])
{
    host.layer = make_buffer(format, width, height, colour);
}

static void clear_host(void)
{
    g_clear_object(&host.layer);
    g_clear_object(&host.mask);
    g_clear_object(&host.channel);
    host.x = host.y = 0;
}

static void check_colour(const picture *p, const float *expected, int channels)
{
    const float *middle =
        p->pixels + ((size_t)(p->height / 2) * p->width + p->width / 2) * p->channels;

    g_assert_cmpint(p->channels, ==, channels);
    for (int c = 0; c < channels; c++) {
        g_assert_cmpfloat_with_epsilon(middle[c], expected[c], 1.0 / 255);
    }
}

// the same colour whatever the mode, precision and linearity of the layer are
static void test_formats(void)
{
    const char *const formats[] = {"R'G'B' u8",    "R'G'B'A u8",   "R'G'B' u16",  "RGB u16",
                                   "RGBA u16",     "R'G'B'A half", "RGBA half",   "RGBA float",
                                   "R'G'B' float", "RGB float",    "RGBA double", "R'G'B'A u32"};
    const float colour[] = {0.8f, 0.4f, 0.2f, 1};

    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_autoptr(GError) error = NULL;
        set_layer(formats[i], 16, 12, colour);
        const struct host_area area = host_item_area(LAYER);
        g_autoptr(picture) p = layers_in_read(LAYER, &area, true, &error);
        g_assert_no_error(error);
        g_assert_cmpint(p->width, ==, 16);
        g_assert_cmpint(p->height, ==, 12);
        check_colour(p, colour, 3);
        clear_host();
    }
}

// each step of 8 and of 16 bits is exactly what a file with it is read as, whatever way babl takes
static void test_steps(void)
{
    const struct {
        const char *format;
        int steps;
    } cases[] = {{"R'G'B' u8", 255}, {"R'G'B'A u8", 255}, {"Y' u8", 255}, {"R'G'B'A u16", 65535}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const GeglRectangle all = {0, 0, 256, cases[i].steps / 255};
        const struct host_area area = {0, 0, all.width, all.height};
        const int step = cases[i].steps, n = all.width * all.height;
        g_autofree float *given = g_new(float, 4 * n);
        for (int j = 0; j < 4 * n; j++) {
            given[j] = j % 4 == 3 ? 1 : MIN(j / 4, step) / (float)step;
        }
        host.layer = gegl_buffer_new(&all, babl_format(cases[i].format));
        gegl_buffer_set(host.layer, &all, 0, babl_format("R'G'B'A float"), given, 0);
        g_autofree float *read = g_new(float, 4 * n);
        layers_in_pixels(LAYER, &area, &area, all.width, all.height, babl_format("R'G'B'A float"),
                         read);
        g_assert_cmpmem(read, sizeof(float) * 4 * n, given, sizeof(float) * 4 * n);
        clear_host();
    }
}

static void test_grey(void)
{
    const char *const formats[] = {"Y' u8", "Y'A u8",   "Y'A u32", "Y~ u8",
                                   "Y u16", "YA float", "Y' float"};
    const float colour[] = {0.4f, 0.4f, 0.4f, 1};

    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_autoptr(GError) error = NULL;
        set_layer(formats[i], 16, 12, colour);
        const struct host_area area = host_item_area(LAYER);
        g_autoptr(picture) p = layers_in_read(LAYER, &area, true, &error);
        g_assert_no_error(error);
        check_colour(p, colour, 3);
        clear_host();
    }
}

static void test_indexed(void)
{
    const Babl *indexed, *with_alpha;
    const unsigned char palette[] = {0, 0, 0, 204, 102, 51};
    const float colour[] = {0.8f, 0.4f, 0.2f, 1};
    unsigned char index[16 * 12];
    g_autoptr(GError) error = NULL;

    babl_new_palette("test-palette", &indexed, &with_alpha);
    babl_palette_set_palette(indexed, babl_format("R'G'B' u8"), (void *)palette, 2);
    host.layer = gegl_buffer_new(GEGL_RECTANGLE(0, 0, 16, 12), indexed);
    memset(index, 1, sizeof index);
    gegl_buffer_set(host.layer, NULL, 0, indexed, index, GEGL_AUTO_ROWSTRIDE);
    const struct host_area area = host_item_area(LAYER);
    g_autoptr(picture) p = layers_in_read(LAYER, &area, true, &error);
    g_assert_no_error(error);
    check_colour(p, colour, 3);
    clear_host();
}

// the alpha of the layer times its mask, and the part outside the layer transparent
static void test_alpha_and_offset(void)
{
    const float colour[] = {0.8f, 0.4f, 0.2f, 0.5f}, half[] = {0.5f, 0.5f, 0.5f, 1};
    const float expected[] = {0.8f, 0.4f, 0.2f, 0.25f};
    const struct host_area area = {-10, 4, 16, 12};
    g_autoptr(GError) error = NULL;

    set_layer("R'G'B'A float", 20, 20, colour);
    host.mask = make_buffer("Y' float", 20, 20, half);
    host.x = -6;
    host.y = 2;
    g_autoptr(picture) p = layers_in_read(LAYER, &area, true, &error);
    g_assert_no_error(error);
    check_colour(p, expected, 4);
    g_assert_cmpfloat(p->pixels[3], ==, 0);         // 4 pixels left of the layer
    g_assert_cmpfloat(p->pixels[4 * 3 + 3], ==, 0); // 1 pixel
    g_assert_cmpfloat_with_epsilon(p->pixels[4 * 4 + 3], 0.25, 1e-3);
    clear_host();
}

static double mean_of_channel(const char *format, const float *values, int n)
{
    const struct host_area area = {0, 0, n, 1};
    double sum = 0;

    host.channel = gegl_buffer_new(GEGL_RECTANGLE(0, 0, n, 1), babl_format(format));
    gegl_buffer_set(host.channel, NULL, 0,
                    babl_format(strchr(format, '\'')  ? "Y' float"
                                : strchr(format, '~') ? "Y~ float"
                                                      : "Y float"),
                    values, GEGL_AUTO_ROWSTRIDE);
    g_autofree float *mask = layers_in_mask(CHANNEL, &area, &area);
    for (int i = 0; i < n; i++) {
        sum += mask[i] / n;
    }
    clear_host();
    return sum;
}

// a feathered edge keeps its values, in a saved channel (Y', in GIMP 3 Y~, too) and in the
// selection (Y)
static void test_feathered_mask(void)
{
    float ramp[64];

    for (int i = 0; i < 64; i++) {
        ramp[i] = 0.467f * 2 * (float)i / 63;
    }
    g_assert_cmpfloat_with_epsilon(mean_of_channel("Y' u8", ramp, 64), 0.467, 1.0 / 255);
    g_assert_cmpfloat_with_epsilon(mean_of_channel("Y~ u8", ramp, 64), 0.467, 1.0 / 255);
    g_assert_cmpfloat_with_epsilon(mean_of_channel("Y u8", ramp, 64), 0.467, 1.0 / 255);
    g_assert_cmpfloat_with_epsilon(mean_of_channel("Y float", ramp, 64), 0.467, 1e-5);
    g_assert_cmpfloat_with_epsilon(mean_of_channel("Y' u16", ramp, 64), 0.467, 1e-4);
}

static void test_bounds(void)
{
    const unsigned char one = 1;
    struct host_area bounds;

    host.channel = gegl_buffer_new(GEGL_RECTANGLE(0, 0, 30, 20), babl_format("Y' u8"));
    const struct host_area all = host_item_area(CHANNEL);
    g_assert_false(layers_in_bounds(CHANNEL, &all, &bounds));
    gegl_buffer_set(host.channel, GEGL_RECTANGLE(7, 3, 1, 1), 0, NULL, &one, GEGL_AUTO_ROWSTRIDE);
    gegl_buffer_set(host.channel, GEGL_RECTANGLE(20, 18, 1, 1), 0, NULL, &one, GEGL_AUTO_ROWSTRIDE);
    g_assert_true(layers_in_bounds(CHANNEL, &all, &bounds));
    g_assert_cmpint(bounds.x, ==, 7);
    g_assert_cmpint(bounds.y, ==, 3);
    g_assert_cmpint(bounds.width, ==, 14);
    g_assert_cmpint(bounds.height, ==, 16);
    g_assert_true(layers_in_selection(1, &bounds));
    g_assert_cmpint(bounds.width, ==, 14);
    clear_host();
    g_assert_false(layers_in_selection(1, &bounds));
}

static void check_refused(const struct host_area *area, const char *words)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(layers_in_read(LAYER, area, true, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, words));
}

static void test_refused(void)
{
    const float clear[] = {1, 1, 1, 0};

    set_layer("R'G'B'A u8", 16, 16, clear);
    check_refused(&(struct host_area){0, 0, 16, 16}, "is empty");
    check_refused(&(struct host_area){0, 0, 1, 1}, "1x1 pixels");
    clear_host();
}

// float layers hold values beyond 0..1, and what is no number
static void test_wild_values(void)
{
    float pixels[8 * 8 * 4];
    const struct host_area area = {0, 0, 8, 8};
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < 8 * 8 * 4; i++) {
        pixels[i] = i % 4 == 0 ? 7 : i % 4 == 1 ? -3 : i % 4 == 2 ? NAN : 2;
    }
    host.layer = gegl_buffer_new(GEGL_RECTANGLE(0, 0, 8, 8), babl_format("R'G'B'A float"));
    gegl_buffer_set(host.layer, NULL, 0, NULL, pixels, GEGL_AUTO_ROWSTRIDE);
    g_autoptr(picture) p = layers_in_read(LAYER, &area, true, &error);
    g_assert_no_error(error);
    check_colour(p, (const float[]){1, 0, 0}, 3);
    clear_host();
}

int main(int argc, char **argv)
{
    g_setenv("GEGL_PATH", "/nonexistent", TRUE); // no operation is needed, loading them takes long
    g_test_init(&argc, &argv, NULL);
    gegl_init(NULL, NULL);
    g_test_add_func("/layers_in/formats", test_formats);
    g_test_add_func("/layers_in/steps", test_steps);
    g_test_add_func("/layers_in/grey", test_grey);
    g_test_add_func("/layers_in/indexed", test_indexed);
    g_test_add_func("/layers_in/alpha-and-offset", test_alpha_and_offset);
    g_test_add_func("/layers_in/feathered-mask", test_feathered_mask);
    g_test_add_func("/layers_in/bounds", test_bounds);
    g_test_add_func("/layers_in/refused", test_refused);
    g_test_add_func("/layers_in/wild-values", test_wild_values);
    return g_test_run();
}
