/* An opened CLIP model; see clip.h. */
#include "engine/evaluate/clip.h"

#include "engine/base/error.h"
#include "engine/model/clip_files.h"
#include "engine/network/text_encoder.h"
#include "engine/network/vision_encoder.h"

struct clip {
    struct clip_files files;
    const kernels *k; // borrowed
    struct text_encoder *text;
    struct vision_encoder *vision;
};

struct clip *clip_open(const char *folder, const kernels *k, GError **error)
{
    struct clip *c = g_new0(struct clip, 1);

    c->k = k;
    if (clip_files_open(&c->files, folder, error)) {
        const struct weight_source source = clip_files_source(&c->files);
        c->vision = vision_encoder_create(k, &c->files.vision, source, error);
        c->text = c->vision != NULL ? text_encoder_create(k, &c->files.text, source, error) : NULL;
    }
    if (c->text == NULL) {
        clip_close(c);
        return NULL;
    }
    return c;
}

void clip_close(struct clip *c)
{
    if (c != NULL) {
        text_encoder_free(c->text);
        vision_encoder_free(c->vision);
        clip_files_close(&c->files);
        g_free(c);
    }
}

int clip_width(const struct clip *c)
{
    return c->files.vision.projection;
}

/* ---- running ---- */

struct run {
    const struct clip *c;
    const float *pixels; // of a picture, or NULL
    const int32_t *ids;  // of a text
    int end;             // the place of the token that ends it
    float *out;          // NULL while measuring
};

static void forward(void *user, struct tape *t)
{
    const struct run *r = user;
    const struct clip *c = r->c;
    const int size = c->files.vision.size;
    struct tensor *y;

    if (r->pixels != NULL) {
        y = vision_encoder_forward(t, c->vision, tape_input(t, r->pixels, 1, size, size, 3, false));
    } else {
        const struct text_config *config = &c->files.text;
        y = text_encoder_forward(t, c->text, r->ids, 1, config->positions, config->layers);
        y = text_encoder_pool(t, c->text, y, r->end);
    }
    if (r->out != NULL) {
        tape_download(t, y, r->out);
    }
}

static bool run(struct run *r, float *out, GError **error)
{
    struct tape *t = tape_create_measured(r->c->k, (struct tape_options){0}, forward, r, error);

    if (t == NULL) {
        return false;
    }
    r->out = out;
    forward(r, t);
    const bool done = tape_sync(t, error);
    tape_free(t);
    return done;
}

bool clip_picture(const struct clip *c, const picture *p, float *out, GError **error)
{
    g_autofree float *pixels = clip_pictures_prepare(&c->files.pictures, p, error);
    struct run r = {.c = c, .pixels = pixels};

    return pixels != NULL && run(&r, out, error);
}

// where the text ends: the first of such tokens, as further ones may fill it up
static int find_end(const struct clip *c, const int32_t *ids)
{
    int at = 0;

    while (at < c->files.text.positions - 1 && ids[at] != tokenizer_eos(c->files.tokenizer)) {
        at++;
    }
    return at;
}

static bool check_ids(const struct clip *c, const int32_t *ids, GError **error)
{
    for (int i = 0; i < c->files.text.positions; i++) {
        if (ids[i] < 0 || ids[i] >= c->files.text.vocabulary) {
            return error_failed(error,
                                "%s: the tokenizer gives the token %d, but the text tower has only "
                                "%d; they are of different models.",
                                c->files.folder, ids[i], c->files.text.vocabulary);
        }
    }
    return true;
}

bool clip_text(const struct clip *c, const char *text, float *out, char **left_out, GError **error)
{
    const int length = c->files.text.positions;
    g_autofree int32_t *ids = g_new(int32_t, length);

    *left_out = NULL;
    if (!tokenizer_encode(c->files.tokenizer, text, length, ids, left_out, error) ||
        !check_ids(c, ids, error)) {
        return false;
    }
    struct run r = {.c = c, .ids = ids, .end = find_end(c, ids)};
    return run(&r, out, error);
}
