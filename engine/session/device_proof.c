/* The proof of a device; see device_proof.h.
 *
 * The UNet is as small as one can be that asks for what Stable Diffusion's do: heads of 40, 64, 80 and 160 channels, 77
 * tokens, convolutions of both strides, and learning: y = UNet(x, text), L = |y - target|^2 and the way back to x, text and
 * all shifts d, d -= rate dL/dd clipped (AdamW whose epsilon is so large that its step is the gradient's: one that is the
 * gradient's sign would turn over where that is lost in rounding). Held against the CPU's in f32 are y, the gradients of x
 * and text, the gradient of d, and d:
 *
 *   |device - CPU| <= bound |CPU|   in the Euclidean norm, each array whole, and the gradient of d each weight's apart
 *
 * A kernel that is wrong has the gradient of what lies before it wrong, small as its part of the whole may be. The bounds
 * are about four times what the CPU's own bfloat16 and CUDA's kernels on the CPU (tests/rig) are off by rounding; what is
 * wrong by less is seen by tests/device alone. */
#include "engine/session/device_proof.h"

#include "engine/base/error.h"
#include "engine/network/random_weights.h"
#include "engine/network/spectral.h"
#include "engine/network/unet.h"
#include "engine/tape/transfer.h"

#include <math.h>

#define ROWS   2
#define SIDE   16
#define TOKENS 77
#define WIDTH  64 // of a token

static const struct unet_config small = {.in_channels = 4,
                                         .out_channels = 4,
                                         .sample_size = SIDE,
                                         .n_levels = 4,
                                         .layers_per_block = 1,
                                         .block_out_channels = {40, 64, 80, 160},
                                         .down_cross = {true, true, true, true},
                                         .up_cross = {true, true, true, true},
                                         .has_mid = true,
                                         .transformer_layers = {1, 1, 1, 1},
                                         .heads = {1, 1, 1, 1},
                                         .cross_attention_dim = WIDTH,
                                         .norm_num_groups = 8,
                                         .norm_eps = 1e-5,
                                         .flip_sin_to_cos = true};

// of whole arrays, and of one weight's part
static const struct {
    double whole, part;
} bounds[KERNELS_PRECISIONS] = {[KERNELS_IN_F32] = {1e-4, 1e-3},
                                [KERNELS_IN_TF32] = {5e-2, 0.15},
                                [KERNELS_IN_F16] = {1.5e-2, 4e-2},
                                [KERNELS_IN_BF16] = {0.1, 0.25}};

enum compared { PREDICTION, INPUTS, GRADIENT, SHIFTS, COMPARED };

static const char *const names[COMPARED] = {"a prediction", "the gradient of what a UNet sees",
                                            "the gradient of shifts", "a step of learning"};

/* One table's run. */
struct proof {
    const kernels *k; // borrowed
    struct unet *unet;
    struct parameters *parameters;
    float *latents, *context, *target; // [ROWS, SIDE, SIDE, 4], [ROWS, TOKENS, WIDTH], as latents
    struct tensor *x, *text, *y;       // of the last run, in the tape
    float *values[COMPARED];           // what is compared
    int64_t counts[COMPARED];
};

// gains and biases of their own: a bias of 0 would not be missed
static bool read_varied(void *user, const char *name, const int64_t *shape, int n_dims, float *out,
                        GError **error)
{
    const struct weight_source plain = random_weights();

    if (n_dims != 1) {
        return plain.read(plain.user, name, shape, n_dims, out, error);
    }
    random_fill(out, shape[0], 0.2, g_str_hash(name));
    for (int64_t i = 0; i < shape[0]; i++) {
        out[i] += g_str_has_suffix(name, ".weight") ? 1 : 0;
    }
    return true;
}

static float *random_values(int64_t count, uint64_t seed)
{
    float *values = g_new(float, count);

    random_fill(values, count, 1, seed);
    return values;
}

// everything learns, each shift by a name that nobody reads
static bool attach(struct proof *p, GError **error)
{
    struct network *net = unet_network(p->unet);

    p->parameters = parameters_create(p->k);
    for (guint i = 0; i < net->weights->len; i++) {
        struct weight *w = net->weights->pdata[i];
        if (!spectral_attach(net, w, false, random_spectra(), error)) {
            return false;
        }
        parameters_add(p->parameters, w->name, weight_shift_count(w, false), 0, &w->shift,
                       &w->dshift);
    }
    if (!parameters_allocate(p->parameters, error)) {
        return false;
    }
    network_refresh(net, 1);
    return true;
}

static bool prepare(struct proof *p, GError **error)
{
    const int64_t count = (int64_t)ROWS * SIDE * SIDE * small.in_channels;

    p->latents = random_values(count, 1);
    p->context = random_values((int64_t)ROWS * TOKENS * WIDTH, 2);
    p->target = random_values(count, 3);
    p->unet = unet_create(p->k, &small, (struct weight_source){.read = read_varied}, error);
    return p->unet != NULL && attach(p, error);
}

// forward and back; also what the tape is measured with
static void run(void *user, struct tape *t)
{
    static const double timesteps[ROWS] = {10, 700};
    struct proof *p = user;

    p->x = tape_input(t, p->latents, ROWS, SIDE, SIDE, small.in_channels, true);
    p->text = tape_input(t, p->context, ROWS, 1, TOKENS, WIDTH, true);
    p->y = unet_forward(t, p->unet, p->x, timesteps,
                        (struct text_tensors){.context = p->text, .n = ROWS, .tokens = TOKENS});
    // as large as in a loss of sums, which no type of cells loses
    const float weight = (float)(tensor_count(p->y) / ROWS) / 2;
    mse_loss(t, p->y, tape_reals(t, p->target, tensor_count(p->y)),
             (const float[ROWS]){weight, weight}, NULL);
    tape_backward(t, p->y, NULL);
}

static float *room(struct proof *p, enum compared what, int64_t count)
{
    p->counts[what] = count;
    p->values[what] = g_new(float, count);
    return p->values[what];
}

static void read_results(struct proof *p, const struct tape *t)
{
    const int64_t latents = tensor_count(p->x), text = tensor_count(p->text);
    float *inputs = room(p, INPUTS, latents + text);

    tape_download(t, p->y, room(p, PREDICTION, tensor_count(p->y)));
    transfer_download_cells(p->k, inputs, p->x->gradient, latents);
    transfer_download_cells(p->k, inputs + latents, p->text->gradient, text);
    parameters_download(p->parameters, p->parameters->gradient,
                        room(p, GRADIENT, p->parameters->count));
}

static void learn(struct proof *p)
{
    const double rate = 1;
    const struct adamw_options o = {.rates = &rate,
                                    .n_rates = 1,
                                    .beta1 = 0.9,
                                    .beta2 = 0.999,
                                    .epsilon = 1,
                                    .clip = 1e-3,
                                    .divisor = 1};

    parameters_square(p->parameters);
    parameters_step(p->parameters, &o, 1);
    parameters_download(p->parameters, p->parameters->value, room(p, SHIFTS, p->parameters->count));
}

// values and parameters are the caller's to free
static bool compute(struct proof *p, GError **error)
{
    bool good = prepare(p, error);
    struct tape *t =
        good ? tape_create_measured(p->k, (struct tape_options){.training = true}, run, p, error)
             : NULL;

    good = t != NULL;
    if (good) {
        tape_reset(t);
        parameters_zero_gradient(p->parameters);
        run(p, t);
        read_results(p, t);
        learn(p);
        good = tape_sync(t, error);
    }
    tape_free(t);
    unet_free(p->unet);
    g_free(p->latents);
    g_free(p->context);
    g_free(p->target);
    return good;
}

static void clear(struct proof *p)
{
    parameters_free(p->parameters);
    for (int i = 0; i < COMPARED; i++) {
        g_free(p->values[i]);
    }
}

// |a - b| / |b|; NaN where one of them holds one
static double distance(const float *a, const float *b, int64_t count)
{
    double off = 0, size = 0;

    for (int64_t i = 0; i < count; i++) {
        const double d = (double)a[i] - b[i];
        off += d * d;
        size += (double)b[i] * b[i];
    }
    return sqrt(off / size);
}

static bool check(const kernels *k, const char *what, double off, double bound, GError **error)
{
    g_debug("%s: %s is %.2e of %.2g off", kernels_precision_word(k->precision), what, off, bound);
    return off <= bound ||
           error_failed(error,
                        "the device does not compute what the CPU does: %s is %.2g of its size off "
                        "in %s, where %.2g may be rounding",
                        what, off, kernels_precision_word(k->precision), bound);
}

// the gradient of each weight's shift
static bool compare_parts(const struct proof *device, const struct proof *host, GError **error)
{
    const GArray *list = device->parameters->list;
    double worst = 0;
    const char *name = "";

    for (guint i = 0; i < list->len; i++) {
        const struct parameter *p = &g_array_index(list, struct parameter, i);
        const double off = distance(device->values[GRADIENT] + p->offset,
                                    host->values[GRADIENT] + p->offset, p->count);
        if (!(off <= worst)) {
            worst = off;
            name = p->name;
        }
    }
    g_autofree char *what = g_strdup_printf("the gradient of %s", name);
    return check(device->k, what, worst, bounds[device->k->precision].part, error);
}

static bool compare(const struct proof *device, const struct proof *host, GError **error)
{
    for (int i = 0; i < COMPARED; i++) {
        const double off = distance(device->values[i], host->values[i], host->counts[i]);
        if (!check(device->k, names[i], off, bounds[device->k->precision].whole, error)) {
            return false;
        }
    }
    return compare_parts(device, host, error);
}

bool device_proof(const kernels *k, int threads, GError **error)
{
    g_autoptr(kernels) cpu = kernels_cpu(threads, KERNELS_IN_F32, error);
    struct proof host = {.k = cpu}, device = {.k = k};

    const bool good = cpu != NULL && compute(&host, error) && compute(&device, error) &&
                      compare(&device, &host, error);
    clear(&host);
    clear(&device);
    return good;
}

/* ---- what is known ---- */

static char *known_file(const char *folder)
{
    return folder != NULL ? g_build_filename(folder, "devices", NULL)
                          : g_build_filename(g_get_user_cache_dir(), "svdiff", "devices", NULL);
}

// what must be the same for a proof to hold still, in one line without '['
static char *known_name(const kernels *k, const struct kernels_cuda_device *d)
{
    char *line =
        g_strdup_printf("%s, capability %d.%d, driver %d, svdiff %s, %s", d->name, d->major,
                        d->minor, d->driver, SVDIFF_VERSION, kernels_precision_word(k->precision));

    return g_strdelimit(line, "[]\n\r", '_');
}

static void keep(const char *path, GKeyFile *file, const char *name)
{
    gsize length;
    g_autofree char *folder = g_path_get_dirname(path), *text = NULL;

    g_key_file_set_boolean(file, name, "proven", TRUE);
    text = g_key_file_to_data(file, &length, NULL);
    // what cannot be kept is found out again
    if (g_mkdir_with_parents(folder, 0700) == 0) {
        g_file_set_contents(path, text, (gssize)length, NULL);
    }
}

bool device_proof_known(const kernels *k, const struct kernels_cuda_device *d, int threads,
                        const char *kept, GError **error)
{
    g_autofree char *path = known_file(kept), *name = known_name(k, d);
    g_autoptr(GKeyFile) file = g_key_file_new();

    g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL);
    if (g_key_file_get_boolean(file, name, "proven", NULL)) {
        return true;
    }
    if (!device_proof(k, threads, error)) {
        return false;
    }
    keep(path, file, name);
    return true;
}
