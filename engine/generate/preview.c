/* Pictures of latents; see preview.h. Fitting is least squares by the normal equations: c + 1
 * unknowns for each of three colours, one equation a latent. */
#include "engine/generate/preview.h"

#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/base/noise.h"
#include "engine/base/output_name.h"
#include "engine/picture/picture_scale.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

#define FILE_MAX (1 << 16)
#define BLOCK    4 // latents a side that are alike when fitting

// of the autoencoder of Stable Diffusion 1.x and 2.x (ComfyUI's latent_formats.py)
static const double stable_diffusion[5][3] = {{.3512, .2297, .3227},
                                              {.3250, .4974, .2350},
                                              {-.2829, .1762, .2721},
                                              {-.2120, -.2616, -.7177},
                                              {0, 0, 0}};

static bool is_stable_diffusion(const struct vae_config *v)
{
    return v->n_levels == 4 && v->latent_channels == 4 && v->layers_per_block == 2 &&
           v->block_out_channels[0] == 128 && v->block_out_channels[3] == 512 &&
           fabs(v->scaling_factor - 0.18215) < 1e-4;
}

/* ---- svdiff.json ---- */

static bool take_row(JsonNode *node, double row[3])
{
    JsonArray *a = json_list_of(node);

    for (guint i = 0; a != NULL && i < 3; i++) {
        JsonNode *number = json_array_get_length(a) == 3 ? json_array_get_element(a, i) : NULL;
        if (number == NULL || !JSON_NODE_HOLDS_VALUE(number) ||
            json_node_get_value_type(number) == G_TYPE_STRING) {
            return false;
        }
        row[i] = json_node_get_double(number);
    }
    return a != NULL;
}

static bool take_matrix(struct preview *p, JsonObject *o)
{
    JsonArray *rows = json_list_of(json_object_get_member(o, "matrix"));
    // one row a channel, and one more for what is added
    bool good = rows != NULL && (int)json_array_get_length(rows) == p->c &&
                take_row(json_object_get_member(o, "bias"), p->matrix[p->c]);

    for (int i = 0; good && i < p->c; i++) {
        good = take_row(json_array_get_element(rows, (guint)i), p->matrix[i]);
    }
    return good;
}

static bool read_matrix(struct preview *p, const svdiff *s)
{
    g_autofree char *path = g_build_filename(s->options.model, "svdiff.json", NULL);
    JsonObject *o = NULL;

    // a model need not have this file
    g_autoptr(JsonNode) root = json_read_file(path, FILE_MAX, NULL);
    JsonObject *all = root != NULL ? json_root_object(root, path, NULL) : NULL;
    if (all == NULL || !json_get_object(all, path, "preview", JSON_OPTIONAL, &o, NULL) ||
        o == NULL) {
        return false;
    }
    if (!take_matrix(p, o)) {
        session_warn(s,
                     "%s: \"preview\" must have a \"matrix\" of %d rows [r, g, b] and a \"bias\" "
                     "of one.",
                     path, p->c);
        return false;
    }
    return true;
}

/* ---- fitting ---- */

// latents in blocks, as those of pictures are: neighbours are alike
static void random_latents(float *latents, int h, int w, int c)
{
    const int across = (w + BLOCK - 1) / BLOCK, blocks = across * ((h + BLOCK - 1) / BLOCK);
    g_autofree float *values = g_new(float, (size_t)blocks *c);

    // of seed 0 whatever the run's is: the same model has the same matrix
    noise_normal(0, NOISE_INITIAL_LATENTS, 0, values, (int64_t)blocks * c);
    for (int i = 0; i < h * w; i++) {
        const int block = i / w / BLOCK * across + i % w / BLOCK;
        memcpy(latents + (size_t)i * c, values + (size_t)block * c, c * sizeof *latents);
    }
}

// p->matrix from latents [h, w, c] and their picture, one pixel a latent
static void fit(struct preview *p, const float *latents, const picture *small)
{
    const int n = p->c + 1;
    double a[PREVIEW_CHANNELS + 1][PREVIEW_CHANNELS + 1] = {{0}};

    memset(p->matrix, 0, sizeof p->matrix);
    for (int t = 0; t < small->width * small->height; t++) {
        double x[PREVIEW_CHANNELS + 1];
        for (int i = 0; i < n; i++) {
            // a 1 behind the latents: its row becomes the bias
            x[i] = i < p->c ? latents[(size_t)t * p->c + i] : 1;
        }
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                // normal equations: X'X and X'Y, summed in double
                a[i][j] += x[i] * x[j];
            }
            for (int k = 0; k < 3; k++) {
                p->matrix[i][k] += x[i] * (2 * small->pixels[3 * t + k] - 1);
            }
        }
    }
    for (int i = 0; i < n; i++) {
        // a ridge: the matrix is positive definite, whatever the latents are
        a[i][i] += 1e-6;
    }
    LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', n, 3, a[0], PREVIEW_CHANNELS + 1, p->matrix[0], 3);
}

static bool fit_to_decoder(struct preview *p, struct decoder *d, int h, int w, GError **error)
{
    g_autofree float *latents = g_new(float, (size_t)h *w * p->c);

    random_latents(latents, h, w, p->c);
    // the decoder runs once, here; asked for every preview it would take longer than the steps
    g_autoptr(picture) drawn = decoder_run(d, latents, NULL, error);
    g_autoptr(picture) small = drawn != NULL ? picture_area_mean(drawn, w, h, error) : NULL;
    if (small == NULL) {
        return false;
    }
    fit(p, latents, small);
    return true;
}

/* ---- all of it ---- */

struct preview *preview_create(svdiff *s, struct decoder *d, int h, int w, const char *pattern,
                               GError **error)
{
    const struct vae_config *vae = checkpoint_vae_config(s->checkpoint);
    struct preview *p = g_new0(struct preview, 1);

    p->c = vae->latent_channels;
    p->pattern = g_strdup(pattern);
    p->writes = !s->dry;
    if (p->c > PREVIEW_CHANNELS) {
        error_failed(
            error, "There are no previews of a model with %d latent channels; leave out --preview.",
            p->c);
        g_clear_pointer(&p, preview_free);
    } else if (read_matrix(p, s)) {
        return p;
    } else if (is_stable_diffusion(vae)) {
        // fine-tunes keep this autoencoder, or one with the same latents
        memcpy(p->matrix, stable_diffusion, sizeof stable_diffusion);
    } else if (!fit_to_decoder(p, d, h, w, error)) {
        g_clear_pointer(&p, preview_free);
    }
    return p;
}

void preview_free(struct preview *p)
{
    if (p != NULL) {
        g_free(p->pattern);
        g_free(p);
    }
}

char *preview_write(const struct preview *p, const float *latents, int h, int w, int step,
                    GError **error)
{
    g_autofree float *pixels = g_new(float, 3 * (size_t)h * w);

    for (size_t i = 0; i < 3 * (size_t)h * w; i++) {
        const float *latent = latents + i / 3 * p->c;
        // the bias
        double value = p->matrix[p->c][i % 3];
        for (int c = 0; c < p->c; c++) {
            value += p->matrix[c][i % 3] * latent[c];
        }
        // a preview of nonsense is grey; the picture itself is refused later
        pixels[i] = isfinite(value) ? (float)CLAMP(value, -1.0, 1.0) : 0;
    }
    g_autoptr(picture) small = picture_from_signal(pixels, w, h, error);
    g_autofree char *path = output_name(p->pattern, step, 1);
    if (small == NULL || (p->writes && !picture_write(path, small, NULL, 0, error))) {
        return NULL;
    }
    return g_steal_pointer(&path);
}
