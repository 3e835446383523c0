/* roofline: what each kernel of a step does, counted, and how long it takes a device at least.
 *
 *   roofline unet|learn|decode [--width N] [--height N] [--batch N] [--texts N]     of Stable Diffusion 1.5, in bfloat16
 *
 * The true step runs on the counting table, each call of which is noted: floating-point operations, and the bytes that
 * have to be read and written once, whatever a kernel does inside. A call takes at least
 *
 *   max(operations / peak, bytes / bandwidth)
 *
 * whose sum is told for devices whose makers say what their peaks are. Prints a table in Markdown. */
#include "engine/bench/bench.h"
#include "engine/model/compvis_config.h"
#include "kernels/memory.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    double products, bandwidth; // operations a second of products in bfloat16; bytes a second
} devices[] = {
    {"H100 SXM", 989e12, 3.35e12},
    {"H200", 989e12, 4.8e12},
    {"RTX 3060 laptop, 6 GB", 26e12, 336e9},
};

enum entry {
#define ENTRY(name, ...) ENTRY_##name,
#include "kernels/entries.h"
#undef ENTRY
    ENTRIES
};

static const char *const names[ENTRIES] = {
#define ENTRY(name, ...) #name,
#include "kernels/entries.h"
#undef ENTRY
};

struct noted {
    int64_t calls;
    double operations, bytes;
    double seconds[G_N_ELEMENTS(devices)];
};

struct noting {
    struct kernels_memory memory; // first: see memory.h
    kernels *inner;               // counts
    double gathered;              // bytes more where convolutions are products of gathered rows
    struct noted entries[ENTRIES];
};

static struct noting *noting(const kernels *k)
{
    return k->device;
}

static void note(const kernels *k, enum entry entry, double operations, double bytes)
{
    struct noted *n = &noting(k)->entries[entry];

    n->calls++;
    n->operations += operations;
    n->bytes += bytes;
    for (size_t i = 0; i < G_N_ELEMENTS(devices); i++) {
        n->seconds[i] += MAX(operations / devices[i].products, bytes / devices[i].bandwidth);
    }
}

/* ---- bytes ---- */

#define CELL   ((double)kernels_size(k->activation))
#define WEIGHT ((double)kernels_size(w.type))

// of what multiplies: each factor read once, the result written once, and read as well where it is added to
static double bytes_gemm(const kernels *k, struct gemm_shape s, const real *a, const real *b,
                         const real *c)
{
    const double result = (double)s.m * (double)s.n * (s.accumulate ? 2 : 1);

    return sizeof(real) * ((double)s.m * (double)s.k + (double)s.k * (double)s.n + result);
}

static double bytes_linear_forward(const kernels *k, struct linear_shape s, const cell *x,
                                   struct kernels_weight w, const real *bias, cell *y)
{
    return (double)s.t * (s.in + s.out) * CELL + (double)s.in * s.out * WEIGHT;
}

static double bytes_linear_backward_input(const kernels *k, struct linear_shape s, const cell *dy,
                                          struct kernels_weight w, cell *dx)
{
    return (double)s.t * (2 * s.in + s.out) * CELL + (double)s.in * s.out * WEIGHT;
}

static double bytes_linear_backward_weight(const kernels *k, struct linear_shape s, const cell *dy,
                                           const cell *x, real *dw)
{
    return (double)s.t * (s.in + s.out) * CELL + 2.0 * s.in * s.out * sizeof(real);
}

static double conv_input(struct conv_shape s)
{
    return (double)s.n * s.h * s.w * s.c;
}

static double conv_output(struct conv_shape s)
{
    return (double)s.n * s.out_h * s.out_w * s.out;
}

// rows of so many channels, written and read, before they are multiplied
static void note_gathered(const kernels *k, struct conv_shape s, int64_t rows, int channels)
{
    const int taps = s.kh * s.kw;

    noting(k)->gathered += taps > 1 ? 2.0 * (double)rows * taps * channels * CELL : 0;
}

static double conv_weight(struct conv_shape s)
{
    return (double)s.out * s.kh * s.kw * s.c;
}

static double bytes_conv_forward(const kernels *k, struct conv_shape s, const cell *x,
                                 struct kernels_weight w, const real *bias, cell *y)
{
    note_gathered(k, s, (int64_t)s.n * s.out_h * s.out_w, s.c);
    return (conv_input(s) + conv_output(s)) * CELL + conv_weight(s) * WEIGHT;
}

static double bytes_conv_backward_input(const kernels *k, struct conv_shape s, const cell *dy,
                                        struct kernels_weight w, cell *dx)
{
    note_gathered(k, s, (int64_t)s.n * s.h * s.w, s.out);
    return (2 * conv_input(s) + conv_output(s)) * CELL + conv_weight(s) * WEIGHT;
}

static double bytes_conv_backward_weight(const kernels *k, struct conv_shape s, const cell *dy,
                                         const cell *x, real *dw)
{
    return (conv_input(s) + conv_output(s)) * CELL + 2 * conv_weight(s) * sizeof(real);
}

static double attention_cells(struct attention_shape s, double of_queries, double of_keys)
{
    return (double)s.n * s.heads * s.d * (of_queries * s.tq + of_keys * s.tk);
}

static double bytes_attention_forward(const kernels *k, struct attention_shape s, const cell *q,
                                      const cell *key, const cell *v, cell *y, real *lse)
{
    return attention_cells(s, 2, 2) * CELL;
}

// q, y, dy and k, v are read; dq, dk, dv read and written
static double bytes_attention_backward(const kernels *k, struct attention_shape s, const cell *q,
                                       const cell *key, const cell *v, const cell *y,
                                       const real *lse, const cell *dy, cell *dq, cell *dkey,
                                       cell *dv)
{
    return attention_cells(s, 5, 6) * CELL;
}

/* ---- the table ---- */

#define UNPACK(...)                            __VA_ARGS__
#define BYTES_LINEAR(name, work, arguments)    bytes_##name(k, UNPACK arguments)
#define BYTES_CONV(name, work, arguments)      bytes_##name(k, UNPACK arguments)
#define BYTES_ATTENTION(name, work, arguments) bytes_##name(k, UNPACK arguments)
#define BYTES_NORM(name, work, arguments)      ((work)*CELL) // values
#define BYTES_COPY                             BYTES_NORM
#define BYTES_REST                             BYTES_NORM

#define ENTRY(name, kind, work, arguments, ...)                                                    \
    static void note_##name(const kernels *k, __VA_ARGS__)                                         \
    {                                                                                              \
        note(k, ENTRY_##name, kernels_kind_multiplies(KERNELS_##kind) ? (work) : 0,                \
             BYTES_##kind(name, work, arguments));                                                 \
    }
#include "kernels/entries.h"
#undef ENTRY

static void *note_alloc(const kernels *k, size_t bytes)
{
    return noting(k)->inner->alloc(noting(k)->inner, bytes);
}

static void note_release(const kernels *k, void *memory, size_t bytes)
{
    noting(k)->inner->release(noting(k)->inner, memory, bytes);
}

static void note_destroy(kernels *k)
{
    kernels_destroy(noting(k)->inner);
    g_free(k->device);
    g_free(k);
}

// transfers are those of the counting table, which look at no memory
static kernels *create(void)
{
    g_autoptr(kernels) like = kernels_reference(KERNELS_BF16);
    struct noting *device = g_new0(struct noting, 1);
    kernels *k = g_new0(kernels, 1);

    device->inner = kernels_count(like);
    *k = *device->inner;
    k->device = device;
    k->alloc = note_alloc;
    k->release = note_release;
    k->destroy = note_destroy;
#define ENTRY(name, ...) k->name = note_##name;
#include "kernels/entries.h"
#undef ENTRY
    return k;
}

/* ---- a step ---- */

// what preparing took is not the step's
static bool begin_step(void *user, const struct progress *p)
{
    memset(noting(user)->entries, 0, sizeof noting(user)->entries);
    noting(user)->gathered = 0;
    return true;
}

// what the command line says of the step: pixels, pictures at once, texts for each
struct asked {
    int width, height, batch, texts;
};

static bool take_step(kernels *k, enum bench_part part, const struct asked *asked, GError **error)
{
    struct unet_config unet;
    struct vae_config vae;
    struct schedule_config schedule;
    struct bench_result result;

    compvis_config_sd15(&unet, &vae, &schedule);
    const struct bench_options o = {.part = part,
                                    .width = asked->width,
                                    .height = asked->height,
                                    .batch = asked->batch,
                                    .texts = asked->texts,
                                    .repeats = 1,
                                    .unet = &unet,
                                    .vae = &vae,
                                    .schedule = &schedule,
                                    .tokens = 77};
    return bench_run(k, &o, &result, begin_step, k, error);
}

static void print_row(const char *name, const struct noted *n)
{
    printf("| %s | %" G_GINT64_FORMAT " | %.1f | %.2f |", name, n->calls, n->operations / 1e9,
           n->bytes / 1e9);
    for (size_t i = 0; i < G_N_ELEMENTS(devices); i++) {
        printf(" %.3f |", 1e3 * n->seconds[i]);
    }
    printf("\n");
}

static void add_to(struct noted *all, const struct noted *n)
{
    all->calls += n->calls;
    all->operations += n->operations;
    all->bytes += n->bytes;
    for (size_t i = 0; i < G_N_ELEMENTS(devices); i++) {
        all->seconds[i] += n->seconds[i];
    }
}

static void print_table(const kernels *k)
{
    struct noted all = {0};

    printf("| entry | calls | GFLOP | GB |");
    for (size_t i = 0; i < G_N_ELEMENTS(devices); i++) {
        printf(" %s, ms |", devices[i].name);
    }
    printf("\n| --- | ---: | ---: | ---: |%s\n", " ---: | ---: | ---: |");
    for (int i = 0; i < ENTRIES; i++) {
        const struct noted *n = &noting(k)->entries[i];
        if (n->calls > 0) {
            print_row(names[i], n);
            add_to(&all, n);
        }
    }
    print_row("all", &all);
    printf("\nConvolutions as products of gathered rows: %.1f GB more.\n",
           noting(k)->gathered / 1e9);
}

int main(int argc, char **argv)
{
    static const char *const parts[] = {"unet", "learn", "decode", NULL};
    struct asked asked = {512, 512, 1, 1};
    const GOptionEntry entries[] = {
        {"width", 0, 0, G_OPTION_ARG_INT, &asked.width, "pixels", "N"},
        {"height", 0, 0, G_OPTION_ARG_INT, &asked.height, "pixels", "N"},
        {"batch", 0, 0, G_OPTION_ARG_INT, &asked.batch, "pictures at once", "N"},
        {"texts", 0, 0, G_OPTION_ARG_INT, &asked.texts, "for each picture: 2 of a guided step",
         "N"},
        {NULL}};
    g_autoptr(GOptionContext) context = g_option_context_new("unet|learn|decode");
    g_autoptr(GError) error = NULL;
    int part = 0;

    g_option_context_add_main_entries(context, entries, NULL);
    const bool parsed = g_option_context_parse(context, &argc, &argv, &error);
    while (parsed && argc == 2 && parts[part] != NULL && strcmp(parts[part], argv[1]) != 0) {
        part++;
    }
    if (!parsed || argc != 2 || parts[part] == NULL) {
        fprintf(stderr, "%s\n",
                error != NULL ? error->message : "say which step: unet, learn or decode");
        return 2;
    }
    g_autoptr(kernels) k = create();
    if (!take_step(k, (enum bench_part)part, &asked, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    print_table(k);
    return 0;
}
