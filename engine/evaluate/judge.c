/* Vectors of pictures and texts; see judge.h. */
#include "engine/evaluate/judge.h"

#include "engine/base/error.h"
#include "engine/evaluate/clip.h"
#include "engine/generate/decode.h"
#include "engine/picture/picture_scale.h"

#include <math.h>

struct judge {
    struct svdiff_options options;
    kernels *k;
    struct clip *clip;       // or
    struct autoencoder *own; // of a session
    int size;                // at which its pictures are looked at
};

struct judge *judge_create(const struct svdiff_options *o, const char *clip, svdiff *s,
                           GError **error)
{
    struct judge *j = g_new0(struct judge, 1);

    j->options = *o;
    // differences of alignments are small, and rounding of 16 bits is not
    j->options.precision = SVDIFF_PRECISION_F32;
    j->k = session_device(&j->options, error);
    if (j->k != NULL && clip != NULL) {
        j->clip = clip_open(clip, j->k, error);
    } else if (j->k != NULL) {
        j->size = svdiff_generate_defaults(s).width;
        j->own = autoencoder_create(j->k, checkpoint_vae_config(s->checkpoint), AUTOENCODER_ENCODER,
                                    session_source(s, MODEL_VAE), error);
    }
    if (j->clip == NULL && j->own == NULL) {
        judge_free(j);
        return NULL;
    }
    return j;
}

void judge_free(struct judge *j)
{
    if (j != NULL) {
        clip_close(j->clip);
        autoencoder_free(j->own);
        kernels_destroy(j->k);
        g_free(j);
    }
}

int judge_width(const struct judge *j)
{
    return j->clip != NULL ? clip_width(j->clip) : 2 * autoencoder_config(j->own)->latent_channels;
}

bool judge_reads(const struct judge *j)
{
    return j->clip != NULL;
}

/* ---- latents ---- */

// the mean and the deviation of channel c over the middle of latents [side, side, channels]
static void middle(const float *latents, int side, int channels, int c, float *mean,
                   float *deviation)
{
    const int first = side / 4, end = side - first, n = (end - first) * (end - first);
    double sum = 0, squares = 0;

    for (int y = first; y < end; y++) {
        for (int x = first; x < end; x++) {
            const double value = latents[((size_t)y * side + x) * channels + c];
            sum += value;
            squares += value * value;
        }
    }
    *mean = (float)(sum / n);
    *deviation = (float)sqrt(MAX(squares / n - sum / n * (sum / n), 0.0));
}

static bool look(const struct judge *j, const picture *p, float *out, GError **error)
{
    const struct vae_config *config = autoencoder_config(j->own);
    const int side = j->size / autoencoder_factor(config), channels = config->latent_channels;
    const struct picture_frame frame = picture_frame_centre(p->width, p->height, j->size);
    g_autoptr(picture) square = picture_cut(p, &frame, error);
    g_autofree float *latents =
        square != NULL ? encode_picture(j->k, j->own, square, j->size, j->size, false, NULL, error)
                       : NULL;

    for (int c = 0; latents != NULL && c < channels; c++) {
        middle(latents, side, channels, c, &out[c], &out[channels + c]);
    }
    return latents != NULL;
}

/* ---- vectors ---- */

// what the model makes of a picture or a text may overflow, whatever its weights
static bool check_finite(const float *values, int n, GError **error)
{
    for (int i = 0; i < n; i++) {
        if (!isfinite(values[i])) {
            return error_failed(error, "The model that compares pictures gave values that are no "
                                       "numbers; check its files.");
        }
    }
    return true;
}

bool judge_picture(const struct judge *j, const picture *p, float *out, GError **error)
{
    return (j->clip != NULL ? clip_picture(j->clip, p, out, error) : look(j, p, out, error)) &&
           check_finite(out, judge_width(j), error);
}

bool judge_text(const struct judge *j, const char *text, float *out, GError **error)
{
    g_autofree char *left_out = NULL;

    if (!clip_text(j->clip, text, out, &left_out, error)) {
        return false;
    }
    if (left_out != NULL && j->options.warn != NULL) {
        g_autofree char *said = g_strdup_printf(
            "A prompt is too long for the model that compares it; left out: \"%s\".", left_out);
        j->options.warn(j->options.user, said);
    }
    return check_finite(out, judge_width(j), error);
}
