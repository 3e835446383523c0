/* Pictures whose edges fit together: networks that get their input moved over the edges give their output
 * moved, and so does a decoder in tiles, so that no edge shows. */
#include "engine/generate/decode.h"

#include "engine/base/noise.h"
#include "engine/session/session.h"
#include "tests/picture_fixture.h"
#include "tests/small_session.h"

#include <math.h>
#include <string.h>

enum {
    C = 4, // channels of the fixture's latents
    SIDE = 16,
    ROLL = 8, // of these, a whole number of what the UNet makes one latent of
    H = 48,
    W = 144,
    STEP = 48, // from one tile of the decoder to the next
};

struct fixture {
    svdiff *session;
    struct unet *unet;
    struct autoencoder *autoencoder;
};

static void set_up(struct fixture *f, const void *data)
{
    g_autoptr(GError) error = NULL;

    f->session = small_session();
    f->unet = unet_create(f->session->k, checkpoint_unet_config(f->session->checkpoint),
                          session_source(f->session, MODEL_UNET), &error);
    g_assert_no_error(error);
    f->autoencoder = session_autoencoder(f->session, AUTOENCODER_DECODER, &error);
    g_assert_no_error(error);
}

static void tear_down(struct fixture *f, const void *data)
{
    autoencoder_free(f->autoencoder);
    unet_free(f->unet);
    svdiff_close(f->session);
}

// x [h, w, c], moved over the edges; owned by the caller
static float *moved(const float *x, int h, int w, int c, int down, int right)
{
    float *y = g_new(float, (size_t)h *w *c);

    for (int i = 0; i < h; i++) {
        for (int j = 0; j < w; j++) {
            memcpy(y + ((size_t)((i + down) % h) * w + (j + right) % w) * c,
                   x + ((size_t)i * w + j) * c, (size_t)c * sizeof *y);
        }
    }
    return y;
}

/* ---- networks ---- */

static struct tensor *run_unet(const struct fixture *f, struct tape *t, struct tensor *x)
{
    enum { TOKENS = 5 };
    const int width = checkpoint_unet_config(f->session->checkpoint)->cross_attention_dim;
    g_autofree float *context = g_new(float, TOKENS *width);
    const struct conditioning texts = {
        .n = 1, .tokens = TOKENS, .width = width, .context = context};
    const double timestep = 321;

    noise_normal(5, NOISE_INITIAL_LATENTS, 0, context, TOKENS * width);
    return unet_forward(t, f->unet, x, &timestep, conditioning_input(t, &texts, 0, 1));
}

static struct tensor *run_decoder(const struct fixture *f, struct tape *t, struct tensor *x)
{
    return autoencoder_decode(t, f->autoencoder, x);
}

/* What of moved input is not the moved output, relative: nothing, where there are no edges. */
static double edge(const struct fixture *f,
                   struct tensor *(*run)(const struct fixture *, struct tape *, struct tensor *),
                   bool wraps)
{
    const struct tape_options o = {.outer_bytes = 1 << 26, .inner_bytes = 1 << 26, .wraps = wraps};
    struct tape *t = tape_create(f->session->k, o, NULL);
    g_autofree float *here = g_new(float, SIDE *SIDE *C);
    float *out[2];
    struct tensor *y = NULL;
    double difference = 0, size = 0;

    noise_normal(3, NOISE_INITIAL_LATENTS, 0, here, SIDE * SIDE * C);
    g_autofree float *there = moved(here, SIDE, SIDE, C, ROLL, ROLL);
    for (int i = 0; i < 2; i++) {
        tape_reset(t);
        y = run(f, t, tape_input(t, i == 0 ? here : there, 1, SIDE, SIDE, C, false));
        out[i] = g_new(float, tensor_count(y));
        tape_download(t, y, out[i]);
    }
    const int by = y->h / SIDE * ROLL;
    g_autofree float *want = moved(out[0], y->h, y->w, y->c, by, by);
    for (int64_t i = 0; i < tensor_count(y); i++) {
        difference += pow((double)out[1][i] - want[i], 2);
        size += pow(want[i], 2);
    }
    g_free(out[0]);
    g_free(out[1]);
    tape_free(t);
    return sqrt(difference / size);
}

static void test_networks(struct fixture *f, const void *data)
{
    g_assert_cmpfloat(edge(f, run_unet, true), <, 2e-5);
    g_assert_cmpfloat(edge(f, run_decoder, true), <, 2e-5);
    // which is no wonder of these networks
    g_assert_cmpfloat(edge(f, run_unet, false), >, 1e-3);
    g_assert_cmpfloat(edge(f, run_decoder, false), >, 1e-3);
}

/* ---- tiles of the decoder ---- */

static picture *decoded(const struct fixture *f, unsigned ways, int right)
{
    g_autoptr(GError) error = NULL;
    g_autofree float *latents = g_new(float, H *W *C);
    struct decoder *d = decoder_create(f->session->k, f->autoencoder, H, W, ways, 0, &error);

    g_assert_no_error(error);
    noise_normal(3, NOISE_INITIAL_LATENTS, 0, latents, H * W * C);
    g_autofree float *there = moved(latents, H, W, C, 0, right);
    picture *p = decoder_run(d, there, NULL, &error);
    g_assert_no_error(error);
    decoder_free(d);
    return p;
}

static float difference(const struct fixture *f, unsigned ways)
{
    g_autoptr(picture) here = decoded(f, ways, 0), there = decoded(f, ways, STEP);
    const int by = here->width / W * STEP;
    float *want = moved(here->pixels, here->height, here->width, 3, 0, by);

    g_free(here->pixels);
    here->pixels = want;
    return picture_largest_difference(here, there);
}

static void test_decoder(struct fixture *f, const void *data)
{
    g_assert_cmpfloat(difference(f, DECODER_WRAPS | DECODER_TILED), <, 1e-5f);
    g_assert_cmpfloat(difference(f, DECODER_TILED), >, 1e-2f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/seamless/networks", struct fixture, NULL, set_up, test_networks, tear_down);
    g_test_add("/seamless/decoder", struct fixture, NULL, set_up, test_decoder, tear_down);
    return g_test_run();
}
