/* kernels.h: memory and compute on a device. The one header of kernels/ that the engine includes.
 *
 *   g_autoptr(kernels) k = kernels_cpu(0, KERNELS_F32, &error);
 *   cell *y = k->alloc(k, rows * 64 * kernels_size(k->activation));
 *   k->linear_forward(k, (struct linear_shape){.t = 64, .in = 320, .out = 320}, x, w, bias, y);
 *
 * A device is one table of function pointers; what they compute is listed in entries.h. The CPU's
 * table is filled with the reference C first, and what is faster overwrites an entry. Nothing above
 * this header knows which it is.
 *
 * Layout, for everybody: activations are [n, h, w, c], rows of c channels (channels last), so a
 * picture is [n, t, c] with t = h * w tokens. Weights of a linear layer are [out, in]. Weights of a
 * convolution are [out, kh, kw, c]. All arrays are dense and row-major.
 *
 * Rules of all compute entries:
 *  - they return nothing, never fail and never allocate; shapes were checked by the caller;
 *  - pointers are device pointers, aligned to KERNELS_ALIGNMENT unless they lie inside an array;
 *  - outputs do not overlap inputs, except where an entry says that they may be the same array;
 *  - forward entries overwrite their output; backward entries ADD into every array named d...;
 *  - activations and their gradients are cells, of the table's own type; what learns, statistics,
 *    losses and all sums are float, and a sum is rounded once;
 *  - sums run in an order that depends on the shape and the number of threads only, so that the
 *    same call gives the same bits again;
 *  - zero rows, tokens or counts are allowed and do nothing.
 *
 * Letters: n batch, c channels, h w, t tokens (rows), d head width, r rank. */
#pragma once

#include "kernels/float_bits.h"
#include "kernels/isa.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KERNELS_ALIGNMENT 64

/* The type of weights' gradients, gains, biases, shifts, moments, statistics and losses: float. The
 * tests of derivatives compile the reference and the engine's tape once more with double. */
#ifdef SVDIFF_DOUBLE
typedef double real;
#else
typedef float real;
#endif

/* How values are stored. Sums are always float (double in the tests). */
enum kernels_type {
    KERNELS_F32, // real
    KERNELS_BF16,
    KERNELS_F16,
    KERNELS_TYPES
};

// bytes of a value
static inline size_t kernels_size(enum kernels_type type)
{
    return type == KERNELS_F32 ? sizeof(real) : sizeof(uint16_t);
}

/* What a table computes in: the type of its weights and activations. TF32: floats, of which products
 * take the upper 19 bits, that is ten of mantissa. */
enum kernels_precision {
    KERNELS_IN_F32,
    KERNELS_IN_BF16,
    KERNELS_IN_F16,
    KERNELS_IN_TF32,
    KERNELS_PRECISIONS
};

// how its values are stored; "f32", "bf16", ...; and back, KERNELS_PRECISIONS where there is none
enum kernels_type kernels_precision_type(enum kernels_precision precision);
const char *kernels_precision_word(enum kernels_precision precision);
enum kernels_precision kernels_precision_of(const char *word);

/* An activation, or its gradient, in the table's type of them: only entries know how it is stored,
 * so that it has no size here. */
typedef struct cell cell;

/* A weight of a linear layer or a convolution, as an argument, in the layout named above. Fast where
 * it is of the table's type of weights. */
struct kernels_weight {
    const void *data;
    enum kernels_type type;
};

// x [t, in], w [out, in], y [t, out]
struct linear_shape {
    int64_t t;
    int in, out;
};

/* x [n, h, w, c], weight [out, kh, kw, c], y [n, out_h, out_w, out]. Padding below and right
 * follows from the sizes: rows and columns outside x read as zero. */
struct conv_shape {
    int n, h, w, c;
    int out_h, out_w, out;
    int kh, kw, stride;
    int pad_top, pad_left;
};

/* C [m, n] = A [m, k] B [k, n]; A is stored [k, m] where transpose_a, B [n, k] where transpose_b.
 * accumulate: adds to C. */
struct gemm_shape {
    int64_t m, n, k;
    bool transpose_a, transpose_b, accumulate;
};

/* Normalisation of x [n, t, c]: group normalisation over t and c / groups channels. silu: the
 * result goes through SiLU. */
struct groupnorm_shape {
    int n;
    int64_t t;
    int c, groups;
    real epsilon;
    bool silu;
};

// layer normalisation of each of the t rows of x [t, c]
struct layernorm_shape {
    int64_t t;
    int c;
    real epsilon;
};

/* q, y [n, tq, heads * d]; k, v [n, tk, heads * d]. causal: token i sees keys 0 .. i.
 * scale multiplies the products before softmax, usually 1 / sqrt(d). */
struct attention_shape {
    int n, heads, tq, tk, d;
    bool causal;
    real scale;
};

enum activation { ACTIVATION_SILU, ACTIVATION_GELU, ACTIVATION_QUICK_GELU };

// nearest-neighbour scaling of [n, h, w, c] to [n, out_h, out_w, c]; source row = y * h / out_h
struct upsample_shape {
    int n, h, w, c, out_h, out_w;
};

// rows of a table that are looked at: t numbers among which n are chosen, c values each
struct chosen_shape {
    int64_t t;
    int c, n;
    real factor;
};

// what a map is divided by: 1, its mean, its largest value
enum map_scale { MAP_PLAIN, MAP_MEAN, MAP_MAX };

// maps of count subjects, the first of which is `first` of the slots that a row has
struct unmix_shape {
    int n, places, heads, d;
    int slots, first, count;
    enum map_scale scale;
};

/* One AdamW step (Loshchilov & Hutter, in PyTorch's form), of a gradient whose squares add up to sum:
 *   scale = min(1, limit / (sqrt(sum) / divisor + 1e-6)) / divisor      limit 0: 1 / divisor, whatever the sum
 *   g' = scale * g;  p -= rate * decay * p;
 *   m = beta1 m + (1 - beta1) g';  v = beta2 v + (1 - beta2) g'^2
 *   p -= rate / correction1 * m / (sqrt(v) / sqrt(correction2) + epsilon)
 * correction1 = 1 - beta1^step, correction2 = 1 - beta2^step. It lies on the device, so that what
 * differs from step to step is no argument. */
struct adamw_step {
    double rate, decay, beta1, beta2, epsilon;
    double correction1, correction2;
    double limit, divisor;
};

/* Which of several steps values take: those below `end` that are of no span before it. */
struct adamw_span {
    int64_t end;
    int step;
};

/* Latents [t, c] of a picture. A network sees them n times, each with more_c further channels behind them; of n = 2 the
 * first prediction is the one without a prompt. */
struct latents_shape {
    int n;
    int64_t t;
    int c, more_c;
};

/* Which random numbers: those of the engine's base/noise.h, of which the stream is one there. It lies on the
 * device, so that what differs from step to step is no argument. */
struct normals_key {
    uint64_t seed, step;
    uint32_t stream, unused;
};

/* A row that a network learns from, latents [t, c] of a picture with noise:
 *   latents = mean + deviation * unit normals          mean and deviation are of the moments, from these values on
 *   noise   = unit normals + offset * those of each channel
 *   noisy   = noisy_latents latents + noisy_noise noise
 *   target  = target_latents latents + target_noise noise
 * It lies on the device, so that what differs from step to step is no argument. */
struct latents_row {
    int64_t mean, deviation; // deviation negative: the latents are the mean
    struct normals_key of_latents, of_noise, of_channels;
    double offset; // 0: channels have no numbers
    double noisy_latents, noisy_noise, target_latents, target_noise;
};

#define SAMPLER_KEPT 4 // arrays of earlier steps at most

// what a step of a sampler adds up
enum sampler_term {
    TERM_LATENTS,
    TERM_PREDICTION,
    TERM_ORIGINAL,
    TERM_KEPT, // the first of them
    TERM_NOISE = TERM_KEPT + SAMPLER_KEPT,
    TERMS,
};

/* One step of a sampler:
 *   input    = input_scale latents                                            what the network sees
 *   original = original_latents latents + original_prediction prediction      cut at +-clip
 *   latents' = next . terms / divisor         terms: as enum sampler_term has them
 *   kept'[j] = kept[j] . terms
 * and what is not free yet, where mask * steps <= left:
 *   latents' = keep * init + add * noise
 * It lies on the device, so that what differs from step to step is no argument. */
struct sampler_factors {
    double input_scale;
    double original_latents, original_prediction, clip; // infinity: nothing is cut
    double next[TERMS], divisor;
    double kept[SAMPLER_KEPT][TERMS];
    double keep, add, steps, left;
};

// kinds of work; of the first three a table's speed is told in operations, of the others in bytes
enum kernels_kind {
    KERNELS_CONV,
    KERNELS_LINEAR,
    KERNELS_ATTENTION,
    KERNELS_NORM,
    KERNELS_COPY, // arrays moved, changed in type or cleared
    KERNELS_REST,
    KERNELS_KINDS
};

typedef struct kernels kernels;

/* A second, small table of devices that find eigenvectors: of the Gram matrix of the shorter side of W [m, n], r =
 * min(m, n), G = W Wt or Wt W, the vectors as the rows of T [r, r] and their values, in double. Each thread has a
 * worker, with a stream of its own beside the table's. What a worker cannot do, for lack of memory or since G did
 * not converge, is for the host. */
struct kernels_spectra {
    // whether the machine has what it needs; false with half a sentence that names what is missing
    bool (*usable)(const kernels *k, GError **error);
    // for the thread that calls, of a table that was found usable and outlives it. NULL: there is no room
    void *(*create)(const kernels *k);
    void (*destroy)(void *worker); // accepts NULL
    // of the device's memory, the most that a worker takes for matrices of these sizes [m, n]
    size_t (*bytes)(size_t count, const int (*sizes)[2]);
    // takes w [m, n] of the host; lambda [r] receives the values, ascending
    bool (*solve)(void *worker, int m, int n, const float *w, double *lambda);
    /* Of what was solved last, once: the vectors in descending order as the columns of u [m, r] (rows of vt [r, n]
     * where m > n), and as the other factor their product with W, each vector's times inverse [r]. */
    bool (*factors)(void *worker, const double *inverse, float *u, float *vt);
};

/* Work that is asked for again and again: a step of a job. run makes its calls and may be called more
 * than once for one time that they are done; goes_on is asked while a device works on them. Each says
 * false where nothing more of it is wanted. goes_on may be NULL; it wants to be asked about every
 * `seconds`. */
struct kernels_work {
    bool (*run)(void *user);
    bool (*goes_on)(void *user);
    double seconds;
    void *user;
};

// what a device keeps of such work
struct kernels_kept;

struct kernels {
    const char *name; // "reference", "cpu", "count"
    int threads;
    enum kernels_precision precision;
    enum kernels_type weight;     // what weights should be stored as on this device
    enum kernels_type activation; // what every cell of it is
    /* Whether its memory is the host's: then the host may follow its pointers, and what it gives is
     * taken from the machine's. Nothing but limits of memory and how weights are read may depend on
     * it. */
    bool host_memory;
    void *device;                          // the device's own state
    const struct kernels_spectra *spectra; // NULL: the host finds eigenvectors

    /* ---- memory ---- */
    /* bytes of device memory, zeroed, aligned; NULL when there is none or bytes is 0. Released with
     * its size. */
    void *(*alloc)(const kernels *k, size_t bytes);
    void (*release)(const kernels *k, void *memory, size_t bytes);
    // between host memory and device memory
    void (*upload)(const kernels *k, void *to, const void *from, size_t bytes);
    void (*download)(const kernels *k, void *to, const void *from, size_t bytes);
    // within device memory
    void (*zero)(const kernels *k, void *memory, size_t bytes);
    void (*copy)(const kernels *k, void *to, const void *from, size_t bytes);
    /* Waits for all work. False where the device failed since the last call: what was computed since
     * then is undefined. Asked before a result leaves the engine or something is learned of it. */
    bool (*sync)(const kernels *k, GError **error);
    /* Download later: `to` of the host holds what lies at `from` after the work asked for so far, once
     * `brought` was asked for it, which waits for no later work. False as by sync. */
    void (*bring)(const kernels *k, void *to, const void *from, size_t bytes);
    bool (*brought)(const kernels *k, void *to, GError **error);
    /* Does the work. A device that can keeps its calls in *kept (NULL at first) and does not ask for
     * them one by one when they come again with the same arguments; only what uploads bring may
     * differ then. Work that downloads, waits or allocates is done as if it came once. False where
     * `work` said so: then what was done of it is undefined. */
    bool (*repeat)(const kernels *k, struct kernels_kept **kept, const struct kernels_work *work);
    void (*forget)(const kernels *k, struct kernels_kept *kept); // accepts NULL
    /* Bytes of the device's own memory that nobody has now. NULL where the host's is used. */
    size_t (*available)(const kernels *k);
    // frees the table itself and all that it owns
    void (*destroy)(kernels *k);

    // the compute entries: void (*NAME)(const kernels *k, ...)
#define ENTRY(name, kind, work, arguments, ...) void (*name)(const kernels *k, __VA_ARGS__);
#include "kernels/entries.h"
#undef ENTRY
};

// the cell that lies `count` cells behind x; const is taken away, as by memchr
static inline cell *kernels_at(const kernels *k, const cell *x, int64_t count)
{
    return (cell *)((char *)x + count * (int64_t)kernels_size(k->activation));
}

/* Plain C, single-threaded, the specification of every entry. Owned by the caller. */
kernels *kernels_reference(enum kernels_type activation);

/* The CPU's fast table. threads: 0 = all that this process may use. KERNELS_IN_BF16 is refused with a
 * sentence where the CPU has no bfloat16 instructions (asked at run time); auto-selection is
 * kernels_cpu_has_bf16. What is neither it nor f32 is refused. Owned by the caller. */
kernels *kernels_cpu(int threads, enum kernels_precision precision, GError **error);
bool kernels_cpu_has_bf16(void);

/* The table of an NVIDIA device by its number, which the module that is installed apart brings: `module`
 * is its file, opened once and kept. KERNELS_IN_BF16 and KERNELS_IN_TF32 are refused where the device
 * does not multiply them. NULL with a sentence that says what is missing: the module, a driver, a
 * device, memory. Owned by the caller. */
kernels *kernels_cuda(const char *module, int number, enum kernels_precision precision,
                      GError **error);

// a device of NVIDIA's, as its driver describes it
struct kernels_cuda_device {
    char name[256];   // "NVIDIA H200"
    int major, minor; // its compute capability
    int driver;       // the CUDA that its driver is made for, 13000 for 13.0
    uint64_t bytes;   // of its memory
};

/* Whether this machine has an NVIDIA driver: where it has none, the module and the libraries that it is linked to need not
 * be opened to know that there is no device. */
bool kernels_cuda_driver(void);

/* The devices of this machine by their numbers, and how many there are in *count. NULL with the sentence that
 * kernels_cuda would say: no module, no driver, an older one, no device. Owned by the caller (g_free). */
struct kernels_cuda_device *kernels_cuda_devices(const char *module, int *count, GError **error);

/* Computes nothing: memory is only counted, so that true code runs and tells what it would need.
 * like: the table whose threads, precision and own memory it has. Pointers that the counting table
 * gives must not be read. */
kernels *kernels_count(const kernels *like);

/* Floating-point operations of the products of one kind, and of all, that a counting table was asked
 * for since it was made. Only for tables of kernels_count. */
double kernels_counted(const kernels *k, enum kernels_kind kind);
double kernels_counted_operations(const kernels *k);

/* Another table (borrowed), each entry of which is timed, with the device's work waited for. Its
 * memory is that table's, and so is what it computes. Owned by the caller. */
kernels *kernels_measured(const kernels *inner);

// what the entries of one kind took; work: floating-point operations, or bytes read and written
struct kernels_measure {
    double seconds, work;
    int64_t calls;
};

/* What a table of kernels_measured did since it was made or last asked, a measure a kind; it begins
 * anew. */
void kernels_take_measures(const kernels *k, struct kernels_measure measures[KERNELS_KINDS]);

// "convolution", ..., "rest"; and whether its work is told in floating-point operations
const char *kernels_kind_name(enum kernels_kind kind);
bool kernels_kind_multiplies(enum kernels_kind kind);

/* The most bytes that were allocated at a time since the table was made or reset, which begins anew
 * with what is allocated then. Works for every table. */
size_t kernels_peak_bytes(const kernels *k);
void kernels_reset_peak(kernels *k);

void kernels_destroy(kernels *k); // accepts NULL
G_DEFINE_AUTOPTR_CLEANUP_FUNC(kernels, kernels_destroy)
