/* UNet, text encoder and autoencoder against diffusers and transformers: the tiny SD 1 and SD 2
 * models of tests/fixtures/models, in every layout that they are kept in, on inputs whose outputs
 * PyTorch computed (tests/fixtures/make_networks.py). The weights are scaled so that a wrong GELU
 * or epsilon shows. Also: a replayed segment gives the bits of a kept one, and a run can be
 * cancelled at every segment. */
#include "engine/network/autoencoder.h"
#include "engine/base/channels.h"
#include "engine/model/checkpoint.h"
#include "engine/base/safetensors.h"
#include "engine/network/text_encoder.h"
#include "engine/network/unet.h"

#include <math.h>
#include <string.h>

#define BOUND      2e-5
#define TEXT_BOUND 5e-6

struct model {
    const char *name;  // fixture: "sd1"
    const char *path;  // of the model
    double unet_bound; // f16 and bf16 copies differ by their rounding
    bool cpu;          // on the CPU's fast table, else on the reference
};

struct fixture {
    kernels *k;
    struct checkpoint *checkpoint;
    struct safetensors *expected;
    struct tape *tape;
};

struct component {
    struct checkpoint *checkpoint;
    enum model_component component;
};

static bool read_tensor(void *user, const char *name, const int64_t *shape, int n_dims, float *out,
                        GError **error)
{
    const struct component *c = user;

    return checkpoint_read(c->checkpoint, c->component, name, shape, n_dims, out, error);
}

static void set_up(struct fixture *f, const void *data)
{
    const struct model *m = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "fixtures", "models", m->path, NULL);
    g_autofree char *name = g_strconcat(m->name, "-networks.safetensors", NULL);
    g_autofree char *expected =
        g_test_build_filename(G_TEST_DIST, "fixtures", "traces", name, NULL);
    const struct tape_options o = {.outer_bytes = 1 << 26, .inner_bytes = 1 << 26};

    f->k = m->cpu ? kernels_cpu(2, KERNELS_IN_F32, &error) : kernels_reference(KERNELS_F32);
    g_assert_no_error(error);
    f->checkpoint = checkpoint_open(path, &error);
    g_assert_no_error(error);
    f->expected = safetensors_open(expected, &error);
    g_assert_no_error(error);
    f->tape = tape_create(f->k, o, &error);
    g_assert_no_error(error);
}

static void tear_down(struct fixture *f, const void *data)
{
    tape_free(f->tape);
    safetensors_close(f->expected);
    checkpoint_close(f->checkpoint);
    kernels_destroy(f->k);
}

struct values {
    const struct safetensors_tensor *t;
    float *v;
};

static struct values get(const struct fixture *f, const char *format, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *key = g_strdup_printf("%s.%s", format, name);
    struct values r = {.t = safetensors_find(f->expected, key)};

    g_assert_nonnull(r.t);
    r.v = g_new(float, r.t->values);
    safetensors_read_f32(f->expected, r.t, r.v, &error);
    g_assert_no_error(error);
    return r;
}

// planes [n, c, h, w] as a tensor
static struct tensor *image_input(struct tape *t, const struct values *x)
{
    const int64_t *s = x->t->shape;
    g_autofree float *last = g_new(float, x->t->values);

    channels_from_planes(x->v, (int)s[0], s[2] * s[3], (int)s[1], last);
    return tape_input(t, last, (int)s[0], (int)s[2], (int)s[3], (int)s[1], false);
}

static double relative(const float *a, const float *b, int64_t n)
{
    double difference = 0, norm = 0;

    for (int64_t i = 0; i < n; i++) {
        difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        norm += (double)b[i] * b[i];
    }
    return sqrt(difference / norm);
}

// y [n, h, w, c], its channels from `first` on, against planes
static void compare(const struct tape *t, const struct tensor *y, int first,
                    const struct values *wanted, double bound)
{
    const int64_t tokens = tensor_tokens(y);
    const int c = (int)wanted->t->shape[1];
    g_autofree float *values = g_new(float, tensor_count(y));
    g_autofree float *part = g_new(float, wanted->t->values);
    g_autofree float *planes = g_new(float, wanted->t->values);

    tape_download(t, y, values);
    for (int64_t i = 0; i < tensor_rows(y); i++) {
        memcpy(part + i * c, values + i * y->c + first, (size_t)c * sizeof *part);
    }
    channels_to_planes(part, y->n, tokens, c, planes);
    const double error = relative(planes, wanted->v, wanted->t->values);
    g_test_message("relative error %.3g", error);
    g_assert_cmpfloat(error, <, bound);
}

/* ---- UNet ---- */

static struct unet *open_unet(struct fixture *f)
{
    g_autoptr(GError) error = NULL;
    struct component c = {f->checkpoint, MODEL_UNET};
    struct unet *u = unet_create(f->k, checkpoint_unet_config(f->checkpoint),
                                 (struct weight_source){.read = read_tensor, .user = &c}, &error);

    g_assert_no_error(error);
    return u;
}

static void check_unet(struct fixture *f, const struct unet *u, const char *name, double bound)
{
    g_autofree char *at = g_strconcat("unet.", name, NULL);
    struct values latents = get(f, at, "latents"), text = get(f, at, "embeddings");
    struct values steps = get(f, at, "timestep"), wanted = get(f, at, "prediction");
    const int n = (int)latents.t->shape[0];
    double timesteps[4];

    for (int i = 0; i < n; i++) {
        timesteps[i] = steps.v[i];
    }
    tape_reset(f->tape);
    struct tensor *x = image_input(f->tape, &latents);
    const struct conditioning texts = {
        .n = n, .tokens = (int)text.t->shape[1], .width = (int)text.t->shape[2], .context = text.v};
    struct tensor *y =
        unet_forward(f->tape, u, x, timesteps, conditioning_input(f->tape, &texts, 0, n));
    compare(f->tape, y, 0, &wanted, bound);
    g_free(latents.v);
    g_free(text.v);
    g_free(steps.v);
    g_free(wanted.v);
}

static void test_unet(struct fixture *f, const void *data)
{
    static const char *const names[] = {"square", "odd", "wide", "long"};
    const struct model *m = data;
    struct unet *u = open_unet(f);

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        check_unet(f, u, names[i], m->unet_bound);
    }
    unet_free(u);
}

// the prediction for n times the same latents under two texts
static float *predict_two(struct fixture *f, const struct unet *u, int n)
{
    struct values latents = get(f, "unet.odd", "latents"), text = get(f, "unet.odd", "embeddings");
    const int tokens = (int)text.t->shape[1], width = (int)text.t->shape[2];
    const double timesteps[] = {321, 321};
    float *both = g_new(float, 2 * text.t->values);

    for (int64_t i = 0; i < text.t->values; i++) {
        both[i] = text.v[i];
        both[text.t->values + i] = -text.v[i];
    }
    tape_reset(f->tape);
    struct tensor *x = image_input(f->tape, &latents);
    x = n > 1 ? repeat(f->tape, x, n) : x;
    const struct conditioning texts = {.n = 2, .tokens = tokens, .width = width, .context = both};
    struct tensor *y =
        unet_forward(f->tape, u, x, timesteps, conditioning_input(f->tape, &texts, 0, 2));
    g_assert_cmpint(y->n, ==, 2);
    float *prediction = g_new(float, tensor_count(y));
    tape_download(f->tape, y, prediction);
    g_free(both);
    g_free(latents.v);
    g_free(text.v);
    return prediction;
}

// what comes before the first text is looked at is computed once for both
static void test_two_texts(struct fixture *f, const void *data)
{
    struct unet *u = open_unet(f);
    g_autofree float *shared = predict_two(f, u, 1), *apart = predict_two(f, u, 2);
    const struct safetensors_tensor *one = safetensors_find(f->expected, "unet.odd.prediction");
    double difference = 0, size = 0, between = 0;

    for (int64_t i = 0; i < 2 * one->values; i++) {
        difference += pow(shared[i] - apart[i], 2);
        between += pow(shared[i] - shared[(i + one->values) % (2 * one->values)], 2);
        size += pow(apart[i], 2);
    }
    g_assert_cmpfloat(sqrt(difference / size), <=, 1e-5);
    g_assert_cmpfloat(sqrt(between / size), >, 1e-3);
    unet_free(u);
}

/* ---- text encoder ---- */

// whole numbers of 32 bits, which the engine never reads from a file
static void read_ids(const struct safetensors *file, const struct safetensors_tensor *ids,
                     int32_t *values)
{
    g_autofree char *all = NULL;
    gsize length;

    g_assert_true(g_file_get_contents(safetensors_path(file), &all, &length, NULL));
    g_assert_cmpint(ids->bytes, ==, ids->values * 4);
    g_assert_cmpint(ids->offset + ids->bytes, <=, length);
    memcpy(values, all + ids->offset, (size_t)ids->bytes);
}

static void test_text(struct fixture *f, const void *data)
{
    g_autoptr(GError) error = NULL;
    const struct model *m = data;
    struct component c = {f->checkpoint, MODEL_TEXT_ENCODER};
    struct text_encoder *e =
        text_encoder_create(f->k, checkpoint_text_config(f->checkpoint),
                            (struct weight_source){.read = read_tensor, .user = &c}, &error);
    g_autoptr(GBytes) unused = NULL;
    const struct safetensors_tensor *ids = safetensors_find(f->expected, "text.prompts.ids");
    struct values wanted = get(f, "text.prompts", "hidden");
    const int n = (int)ids->shape[0], tokens = (int)ids->shape[1];
    g_autofree int32_t *values = g_new(int32_t, ids->values);
    g_autofree float *hidden = g_new(float, wanted.t->values);

    g_assert_no_error(error);
    read_ids(f->expected, ids, values);
    tape_download(f->tape,
                  text_encoder_forward(f->tape, e, values, n, tokens,
                                       checkpoint_text_config(f->checkpoint)->layers),
                  hidden);
    const double difference = relative(hidden, wanted.v, wanted.t->values);
    g_test_message("relative error %.3g", difference);
    g_assert_cmpfloat(difference, <, m->unet_bound> BOUND ? m->unet_bound : TEXT_BOUND);
    text_encoder_free(e);
    g_free(wanted.v);
}

/* ---- autoencoder ---- */

static void check_autoencoder(struct fixture *f, const struct autoencoder *a, const char *size,
                              double bound)
{
    g_autofree char *encode = g_strconcat("encode.", size, NULL);
    g_autofree char *decode = g_strconcat("decode.", size, NULL);
    struct values image = get(f, encode, "image"), mean = get(f, encode, "mean");
    struct values logvar = get(f, encode, "logvar");
    struct values latents = get(f, decode, "latents"), picture = get(f, decode, "image");

    tape_reset(f->tape);
    struct tensor *moments = autoencoder_encode(f->tape, a, image_input(f->tape, &image));
    compare(f->tape, moments, 0, &mean, bound);
    compare(f->tape, moments, moments->c / 2, &logvar, bound);
    tape_reset(f->tape);
    compare(f->tape, autoencoder_decode(f->tape, a, image_input(f->tape, &latents)), 0, &picture,
            bound);
    g_free(image.v);
    g_free(mean.v);
    g_free(logvar.v);
    g_free(latents.v);
    g_free(picture.v);
}

static void test_autoencoder(struct fixture *f, const void *data)
{
    const struct model *m = data;
    g_autoptr(GError) error = NULL;
    struct component c = {f->checkpoint, MODEL_VAE};
    struct autoencoder *a = autoencoder_create(
        f->k, checkpoint_vae_config(f->checkpoint), AUTOENCODER_ENCODER | AUTOENCODER_DECODER,
        (struct weight_source){.read = read_tensor, .user = &c}, &error);

    g_assert_no_error(error);
    check_autoencoder(f, a, "pair", m->unet_bound);
    check_autoencoder(f, a, "tall", m->unet_bound);
    autoencoder_free(a);
}

/* ---- replay and cancel ---- */

struct ticks {
    int left;
};

static bool count_down(void *user)
{
    struct ticks *ticks = user;

    return --ticks->left != 0;
}

// the gradient of the text embeddings through the whole UNet
static float *text_gradient(struct fixture *f, const struct unet *u, bool replay, int cancel_at,
                            bool *cancelled)
{
    g_autoptr(GError) error = NULL;
    struct ticks ticks = {cancel_at};
    const struct tape_options o = {.training = true,
                                   .replay = replay,
                                   .outer_bytes = 1 << 26,
                                   .inner_bytes = 1 << 25,
                                   .tick = count_down,
                                   .user = &ticks};
    struct tape *t = tape_create(f->k, o, &error);
    struct values latents = get(f, "unet.odd", "latents"), text = get(f, "unet.odd", "embeddings");
    const double timestep = 321;
    const float one = 1;

    g_assert_no_error(error);
    struct tensor *x = image_input(t, &latents);
    struct tensor *context =
        tape_input(t, text.v, 1, 1, (int)text.t->shape[1], (int)text.t->shape[2], true);
    struct tensor *y = unet_forward(t, u, x, &timestep, (struct text_tensors){.context = context});
    mse_loss(t, y, tape_reals(t, latents.v, tensor_count(y)), &one, NULL);
    tape_backward(t, y, NULL);
    float *gradient = g_memdup2(context->gradient, (size_t)tensor_count(context) * sizeof(float));
    *cancelled = tape_cancelled(t);
    tape_free(t);
    g_free(latents.v);
    g_free(text.v);
    return gradient;
}

static void test_replay(struct fixture *f, const void *data)
{
    struct unet *u = open_unet(f);
    const struct safetensors_tensor *text = safetensors_find(f->expected, "unet.odd.embeddings");
    bool cancelled;
    g_autofree float *kept = text_gradient(f, u, false, 0, &cancelled);
    g_autofree float *replayed = text_gradient(f, u, true, 0, &cancelled);

    g_assert_false(cancelled);
    g_assert_cmpmem(kept, (size_t)text->values * sizeof *kept, replayed,
                    (size_t)text->values * sizeof *replayed);
    unet_free(u);
}

static void test_cancel(struct fixture *f, const void *data)
{
    struct unet *u = open_unet(f);
    bool cancelled = true;
    int at = 1;

    // at the first segment, in the middle, and on the way back
    for (; cancelled; at += 3) {
        g_free(text_gradient(f, u, true, at, &cancelled));
    }
    g_assert_cmpint(at, >, 2 * 22); // segments of this UNet
    unet_free(u);
}

#define ADD(path, m, function) g_test_add(path, struct fixture, m, set_up, function, tear_down)

int main(int argc, char **argv)
{
    static const struct model models[] = {
        {"sd1", "sd1", BOUND, false}, {"sd1", "sd1.safetensors", 5e-3, false},
        {"sd2", "sd2", BOUND, false}, {"sd2", "sd2.safetensors", 5e-2, false},
        {"sd1", "sd1", BOUND, true},  {"sd2", "sd2", BOUND, true}};

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
        const struct {
            const char *name;
            void (*run)(struct fixture *f, const void *data);
        } parts[] = {
            {"unet", test_unet}, {"text-encoder", test_text}, {"autoencoder", test_autoencoder}};
        for (size_t j = 0; j < G_N_ELEMENTS(parts); j++) {
            g_autofree char *path =
                g_strdup_printf("/networks/%s/%s/%s", models[i].cpu ? "cpu" : "reference",
                                models[i].path, parts[j].name);
            ADD(path, &models[i], parts[j].run);
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(models); i += 4) {
        const char *device = models[i].cpu ? "cpu" : "reference";
        g_autofree char *replay = g_strdup_printf("/networks/%s/replay-equals-keep", device);
        g_autofree char *cancel = g_strdup_printf("/networks/%s/cancel", device);
        g_autofree char *texts = g_strdup_printf("/networks/%s/two-texts", device);
        ADD(replay, &models[i], test_replay);
        ADD(cancel, &models[i], test_cancel);
        ADD(texts, &models[i], test_two_texts);
    }
    return g_test_run();
}
