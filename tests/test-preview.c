/* Pictures of latents: whose matrix is taken, that a fitted one is the best there is, and what is
 * written of a step. */
#include "engine/generate/preview.h"

#include "engine/base/noise.h"
#include "engine/picture/picture_scale.h"
#include "tests/edited_model.h"

#include <math.h>

#define SIDE  16 // latents of a picture
#define C     4  // channels of the fixture
#define BLOCK 4

struct fixture {
    char *folder, *model;
    svdiff *session;
    GPtrArray *warnings;
    struct autoencoder *autoencoder;
    struct decoder *decoder;
};

static void warn(void *user, const char *sentence)
{
    g_ptr_array_add(user, g_strdup(sentence));
}

static void set_up(struct fixture *f, const void *data)
{
    f->folder = temporary_folder_create();
    f->model = copy_fixture(f->folder, "sd1");
    f->warnings = g_ptr_array_new_with_free_func(g_free);
}

static void tear_down(struct fixture *f, const void *data)
{
    decoder_free(f->decoder);
    autoencoder_free(f->autoencoder);
    svdiff_close(f->session);
    g_ptr_array_unref(f->warnings);
    g_free(f->model);
    temporary_folder_remove(f->folder);
}

static void open_model(struct fixture *f)
{
    const struct svdiff_options options = {.model = f->model,
                                           .device = SVDIFF_DEVICE_CPU,
                                           .threads = 1,
                                           .warn = warn,
                                           .user = f->warnings};
    g_autoptr(GError) error = NULL;

    f->session = svdiff_open(&options, &error);
    g_assert_no_error(error);
}

static void open_decoder(struct fixture *f)
{
    g_autoptr(GError) error = NULL;

    f->autoencoder =
        autoencoder_create(f->session->k, checkpoint_vae_config(f->session->checkpoint),
                           AUTOENCODER_DECODER, session_source(f->session, MODEL_VAE), &error);
    g_assert_no_error(error);
    f->decoder = decoder_create(f->session->k, f->autoencoder, SIDE, SIDE, false, 0, &error);
    g_assert_no_error(error);
}

static struct preview *create(struct fixture *f, const char *pattern)
{
    g_autoptr(GError) error = NULL;
    struct preview *p = preview_create(f->session, f->decoder, SIDE, SIDE, pattern, &error);

    g_assert_no_error(error);
    return p;
}

static const char own[] =
    "{\"preview\": {\"matrix\": [[0.5, 0, 0], [0, 0.25, 0], [0, 0, -1], [0.125, 0.125, 0.125]],"
    " \"bias\": [0.1, -0.2, 0.3]}}";

/* ---- whose matrix ---- */

// the model's own, for which the decoder is not needed
static void test_own(struct fixture *f, const void *data)
{
    static const double want[C + 1][3] = {
        {0.5, 0, 0}, {0, 0.25, 0}, {0, 0, -1}, {0.125, 0.125, 0.125}, {0.1, -0.2, 0.3}};

    write_text(f->model, "svdiff.json", own);
    open_model(f);
    struct preview *p = create(f, "p.png");
    for (int i = 0; i < 3 * (C + 1); i++) {
        g_assert_cmpfloat(p->matrix[i / 3][i % 3], ==, want[i / 3][i % 3]);
    }
    g_assert_cmpint(f->warnings->len, ==, 0);
    preview_free(p);
}

/* An autoencoder of Stable Diffusion's size has 330 MB of weights: that size is written into what
 * was read of the small one, since only the config decides. */
static void test_stable_diffusion(struct fixture *f, const void *data)
{
    open_model(f);
    struct vae_config *vae = (struct vae_config *)checkpoint_vae_config(f->session->checkpoint);
    vae->block_out_channels[0] = 128;
    vae->block_out_channels[3] = 512;
    vae->layers_per_block = 2;
    struct preview *p = create(f, "p.png");
    g_assert_cmpfloat(p->matrix[0][0], ==, 0.3512);
    g_assert_cmpfloat(p->matrix[3][2], ==, -0.7177);
    g_assert_cmpfloat(p->matrix[C][0], ==, 0);
    preview_free(p);
}

// one that does not fit is said, and another is made
static void test_bad(struct fixture *f, const void *data)
{
    static const char *const texts[] = {
        "{\"preview\": {}}", "{\"preview\": {\"matrix\": [[1, 1, 1]], \"bias\": [0, 0, 0]}}",
        "{\"preview\": {\"matrix\": [[1, 1], [1, 1], [1, 1], [1, 1]], \"bias\": [0, 0, 0]}}",
        "{\"preview\": {\"matrix\": [[1, 1, \"1\"], [1, 1, 1], [1, 1, 1], [1, 1, 1]],"
        " \"bias\": [0, 0, 0]}}",
        "{\"preview\": {\"matrix\": [[1, 1, 1], [1, 1, 1], [1, 1, 1], [1, 1, 1]]}}"};

    write_text(f->model, "svdiff.json", "{}");
    open_model(f);
    open_decoder(f);
    struct preview *fitted = create(f, "p.png");
    g_assert_cmpint(f->warnings->len, ==, 0);
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        write_text(f->model, "svdiff.json", texts[i]);
        struct preview *p = create(f, "p.png");
        g_assert_cmpint(f->warnings->len, ==, i + 1);
        g_assert_nonnull(strstr(f->warnings->pdata[i], "\"matrix\" of 4 rows"));
        g_assert_cmpmem(p->matrix, 3 * (C + 1) * sizeof(double), fitted->matrix,
                        3 * (C + 1) * sizeof(double));
        preview_free(p);
    }
    preview_free(fitted);
}

/* ---- fitting ---- */

// unit normals, the same for all latents of a block
static float *block_latents(void)
{
    const int blocks = SIDE / BLOCK * (SIDE / BLOCK);
    g_autofree float *values = g_new(float, blocks *C);
    float *latents = g_new(float, SIDE *SIDE *C);

    noise_normal(0, NOISE_INITIAL_LATENTS, 0, values, blocks * C);
    for (int i = 0; i < SIDE * SIDE * C; i++) {
        const int y = i / C / SIDE / BLOCK, x = i / C % SIDE / BLOCK;
        latents[i] = values[(y * (SIDE / BLOCK) + x) * C + i % C];
    }
    return latents;
}

/* What is left of the decoder's picture has nothing in common with any channel, nor a mean: no
 * other matrix leaves less. */
static void test_fitted(struct fixture *f, const void *data)
{
    g_autofree float *latents = block_latents();

    open_model(f);
    open_decoder(f);
    struct preview *p = create(f, "p.png");
    const double *m = p->matrix[0];
    g_autoptr(picture) drawn = decoder_run(f->decoder, latents, NULL, NULL);
    g_autoptr(picture) small = picture_area_mean(drawn, SIDE, SIDE, NULL);
    double common[C + 1][3] = {{0}}, all[3] = {0}, left[3] = {0};

    for (int i = 0; i < 3 * SIDE * SIDE; i++) {
        const float *x = latents + (size_t)(i / 3) * C;
        const double value = 2 * small->pixels[i] - 1;
        double rest = value - m[3 * C + i % 3];
        for (int c = 0; c < C; c++) {
            rest -= m[3 * c + i % 3] * x[c];
        }
        for (int c = 0; c <= C; c++) {
            common[c][i % 3] += rest * (c < C ? x[c] : 1) / (SIDE * SIDE);
        }
        all[i % 3] += value * value;
        left[i % 3] += rest * rest;
    }
    for (int k = 0; k < 3; k++) {
        g_assert_cmpfloat(left[k], <, all[k]);
        for (int c = 0; c <= C; c++) {
            g_assert_cmpfloat(fabs(common[c][k]), <, 1e-6);
        }
    }
    preview_free(p);
}

/* ---- writing ---- */

static void test_written(struct fixture *f, const void *data)
{
    // 2 x 3 latents: plain ones, beyond both ends, no numbers
    static const float latents[6][C] = {{0, 0, 0, 0},  {1, 2, 0.25f, 0}, {-0.5f, -1, 0.5f, 1},
                                        {9, 9, -9, 9}, {-9, -9, 9, -9},  {NAN, INFINITY, 0, 0}};
    static const double want[6][3] = {{0.1, -0.2, 0.3}, {0.6, 0.3, 0.05}, {-0.025, -0.325, -0.075},
                                      {1, 1, 1},        {-1, -1, -1},     {0, 0, 0}};
    g_autofree char *pattern = g_build_filename(f->folder, "step%d.png", NULL);
    g_autofree char *name = g_build_filename(f->folder, "step7.png", NULL);
    g_autoptr(GError) error = NULL;

    write_text(f->model, "svdiff.json", own);
    open_model(f);
    struct preview *p = create(f, pattern);
    g_autofree char *path = preview_write(p, latents[0], 3, 2, 7, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(path, ==, name);
    g_autoptr(picture) written = picture_read(path, 1, &error);
    g_assert_no_error(error);
    g_assert_cmpint(written->width, ==, 2);
    g_assert_cmpint(written->height, ==, 3);
    for (int i = 0; i < 18; i++) {
        g_assert_cmpfloat(fabs(written->pixels[i] - (want[i / 3][i % 3] + 1) / 2), <, 0.5001 / 255);
    }
    preview_free(p);
}

static void test_not_writable(struct fixture *f, const void *data)
{
    static const float latent[C] = {0};
    g_autofree char *pattern = g_build_filename(f->folder, "none", "p.png", NULL);
    g_autoptr(GError) error = NULL;

    write_text(f->model, "svdiff.json", own);
    open_model(f);
    struct preview *p = create(f, pattern);
    g_assert_null(preview_write(p, latent, 1, 1, 1, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, pattern));
    preview_free(p);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(struct fixture *f, const void *data);
    } tests[] = {
        {"/preview/own", test_own},         {"/preview/stable-diffusion", test_stable_diffusion},
        {"/preview/bad", test_bad},         {"/preview/fitted", test_fitted},
        {"/preview/written", test_written}, {"/preview/not-writable", test_not_writable}};

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_test_add(tests[i].name, struct fixture, NULL, set_up, tests[i].test, tear_down);
    }
    return g_test_run();
}
