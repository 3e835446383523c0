/* check.c: arrays with guard zones on every side, comparison, and the timing of --bench. */
#include "tests/check/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define GUARD          256 // bytes before and after the values; keeps the alignment
#define GUARD_BYTE     0xa5
#define BENCH_SECONDS  0.5
#define BENCH_RUNS     3
#define SIDE_REFERENCE 0
#define SIDE_DEVICE    1

static const kernels *table_of(const struct check *c, int side)
{
    return side == SIDE_REFERENCE ? c->reference : c->device;
}

static size_t total_bytes(const struct array *a)
{
    return a->bytes + 2 * GUARD;
}

double check_uniform(struct check *c)
{
    return g_rand_double(c->random);
}

bool check_wants(const struct check *c, double flops)
{
    return c->most == 0 || flops <= c->most;
}

size_t check_bytes(const struct check *c)
{
    kernels_reset_peak((kernels *)c->device);
    return kernels_peak_bytes(c->device);
}

void check_begin(struct check *c, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_free(c->shape);
    c->shape = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    c->operations = c->counts ? kernels_counted_operations(c->device) : 0;
    c->bytes = check_bytes(c);
    c->random = g_rand_new_with_seed(c->seed);
    c->arrays = g_ptr_array_new();
    c->side = -1;
    c->runs = 0;
    c->best = INFINITY;
    c->spent = 0;
}

/* ---- arrays ---- */

static void send(struct check *c, struct array *a)
{
    for (int side = 0; side < CHECK_SIDES; side++) {
        const kernels *k = table_of(c, side);

        a->start[side] = k->alloc(k, total_bytes(a));
        if (!a->start[side]) {
            g_error("no memory for a case");
        }
        k->upload(k, a->start[side], a->initial, total_bytes(a));
    }
}

static struct array *new_array(struct check *c, enum role role, size_t bytes)
{
    struct array *a = g_new0(struct array, 1);

    a->role = role;
    a->bytes = bytes;
    a->initial = g_malloc(total_bytes(a));
    memset(a->initial, GUARD_BYTE, total_bytes(a));
    g_ptr_array_add(c->arrays, a);
    return a;
}

static void *initial_values(const struct array *a)
{
    return (char *)a->initial + GUARD;
}

static struct array *new_values(struct check *c, enum role role, enum kernels_type type,
                                int64_t count, struct bound bound)
{
    struct array *a = new_array(c, role, (size_t)count * kernels_size(type));

    a->type = type;
    a->count = count;
    a->bound = check_bound(bound, type, count);
    return a;
}

static void set_initial(struct array *a, int64_t i, double value)
{
    cell_set(a->type, initial_values(a), i, (real)value);
}

struct array *check_input_of(struct check *c, enum kernels_type type, int64_t count, enum fill fill)
{
    struct array *a = new_values(c, ROLE_INPUT, type, count, (struct bound){0});

    for (int64_t i = 0; i < count; i++) {
        const double u = check_uniform(c);
        const double values[] = {2 * u - 1, floor(7 * u) - 3, u + 0.5};

        set_initial(a, i, values[fill]);
    }
    send(c, a);
    return a;
}

struct array *check_output_of(struct check *c, enum kernels_type type, int64_t count,
                              struct bound bound)
{
    struct array *a = new_values(c, ROLE_OUTPUT, type, count, bound);

    for (int64_t i = 0; i < count; i++) {
        set_initial(a, i, NAN);
    }
    send(c, a);
    return a;
}

struct array *check_sum_of(struct check *c, enum kernels_type type, int64_t count,
                           struct bound bound)
{
    struct array *a = new_values(c, ROLE_SUM, type, count, bound);

    // integers, so that sums stay exact where they are
    for (int64_t i = 0; i < count; i++) {
        set_initial(a, i, floor(15 * check_uniform(c)) - 7);
    }
    send(c, a);
    return a;
}

struct array *check_input(struct check *c, int64_t count, enum fill fill)
{
    return check_input_of(c, KERNELS_F32, count, fill);
}

struct array *check_output(struct check *c, int64_t count, struct bound bound)
{
    return check_output_of(c, KERNELS_F32, count, bound);
}

struct array *check_sum(struct check *c, int64_t count, struct bound bound)
{
    return check_sum_of(c, KERNELS_F32, count, bound);
}

struct array *check_cells(struct check *c, int64_t count, enum fill fill)
{
    return check_input_of(c, c->device->activation, count, fill);
}

struct array *check_output_cells(struct check *c, int64_t count, struct bound bound)
{
    return check_output_of(c, c->device->activation, count, bound);
}

struct array *check_sum_cells(struct check *c, int64_t count, struct bound bound)
{
    return check_sum_of(c, c->device->activation, count, bound);
}

struct array *check_cells_with(struct check *c, int64_t count, const real *values)
{
    struct array *a = new_values(c, ROLE_INPUT, c->device->activation, count, (struct bound){0});

    for (int64_t i = 0; i < count; i++) {
        set_initial(a, i, values[i]);
    }
    send(c, a);
    return a;
}

struct array *check_doubles(struct check *c, int64_t count, struct bound bound)
{
    struct array *a = new_array(c, ROLE_OUTPUT, (size_t)count * sizeof(double));

    a->values = VALUES_DOUBLE;
    a->count = count;
    a->bound = bound;
    send(c, a);
    return a;
}

struct array *check_raw(struct check *c, enum role role, size_t bytes, const void *from)
{
    struct array *a = new_array(c, role, bytes);

    a->values = VALUES_RAW;
    if (from && bytes > 0) {
        memcpy((char *)a->initial + GUARD, from, bytes);
    }
    send(c, a);
    return a;
}

void *at(const struct check *c, const struct array *a)
{
    return a ? a->start[c->side] + GUARD : NULL;
}

struct array *check_rounded(struct check *c, const struct array *plain)
{
    const size_t bytes = (size_t)plain->count * sizeof(uint16_t);
    g_autofree uint16_t *values = g_malloc(bytes + 1);

    c->reference->convert(c->reference, plain->count, plain->type, initial_values(plain),
                          check_rounded_type(c), values);
    return check_raw(c, ROLE_INPUT, bytes, values);
}

struct kernels_weight check_weight(const struct check *c, const struct weight_input *w)
{
    const enum kernels_type type = w->rounded ? check_rounded_type(c) : KERNELS_F32;

    return (struct kernels_weight){at(c, w->rounded ? w->rounded : w->plain), type};
}

/* ---- comparison ---- */

#define FAILURES_SHOWN 8

static void fail(struct check *c, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void fail(struct check *c, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (c->failures++ < FAILURES_SHOWN) {
        printf("# %s %s: %s\n", c->test, c->shape, what);
        fflush(stdout); // who reads it may have seen enough
    }
}

static void check_guards(struct check *c, guint index, const struct array *a, const guint8 *bytes)
{
    for (size_t i = 0; i < GUARD; i++) {
        if (bytes[i] != GUARD_BYTE || bytes[GUARD + a->bytes + i] != GUARD_BYTE) {
            fail(c, "array %u was written outside its %zu bytes", index, a->bytes);
            return;
        }
    }
}

// true where value i is within the bound; collects the sums of the nmse
static bool close_enough(const struct array *a, double expected, double got, double *squares,
                         double *differences)
{
    // what is too large for the type is infinite on both sides
    const double difference = got == expected ? 0 : got - expected;

    *squares += expected * expected;
    *differences += difference * difference;
    if (a->bound.relative == 0 && a->bound.absolute == 0) {
        return a->bound.nmse > 0 ? isfinite(got) : got == expected;
    }
    return fabs(difference) <= a->bound.relative * fabs(expected) + a->bound.absolute;
}

static double value_at(const struct array *a, const char *bytes, int64_t i)
{
    const void *values = bytes + GUARD;

    return a->values == VALUES_DOUBLE ? ((const double *)values)[i] : cell_get(a->type, values, i);
}

static void compare(struct check *c, guint index, const struct array *a, const char *expected,
                    const char *got)
{
    double squares = 0, differences = 0;

    for (int64_t i = 0; i < a->count; i++) {
        const double right = value_at(a, expected, i), value = value_at(a, got, i);

        if (!close_enough(a, right, value, &squares, &differences)) {
            fail(c,
                 "array %u, value %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                 " is %.9g instead of %.9g",
                 index, i, a->count, value, right);
            return;
        }
    }
    if (a->bound.nmse > 0 && !(differences <= a->bound.nmse * squares)) {
        fail(c, "array %u is off by nmse %.3g, allowed %.3g", index, differences / squares,
             a->bound.nmse);
    }
}

static void compare_sides(struct check *c, guint index, const struct array *a)
{
    char *bytes[CHECK_SIDES];

    for (int side = 0; side < CHECK_SIDES; side++) {
        const kernels *k = table_of(c, side);

        bytes[side] = g_malloc(total_bytes(a));
        k->download(k, bytes[side], a->start[side], total_bytes(a));
        check_guards(c, index, a, (guint8 *)bytes[side]);
        if (a->role == ROLE_INPUT && memcmp(bytes[side], a->initial, total_bytes(a)) != 0) {
            fail(c, "input %u was changed", index);
        }
    }
    if (memcmp(bytes[SIDE_DEVICE], bytes[SIDE_DEVICE + 1], total_bytes(a)) != 0) {
        fail(c, "array %u differs from call to call", index);
    }
    if (a->values != VALUES_RAW) {
        compare(c, index, a, bytes[SIDE_REFERENCE], bytes[SIDE_DEVICE]);
    } else if (memcmp(bytes[SIDE_REFERENCE], bytes[SIDE_DEVICE], total_bytes(a)) != 0) {
        fail(c, "array %u differs from the reference", index);
    }
    for (int side = 0; side < CHECK_SIDES; side++) {
        g_free(bytes[side]);
    }
}

/* ---- the loop ---- */

/* With one thread the processor's time, which other programs disturb less; with several the
 * clock's. */
static double now(const struct check *c)
{
    struct timespec time;

    clock_gettime(c->device->threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static bool next_side(struct check *c)
{
    if (++c->side == CHECK_SIDES) {
        return false;
    }
    c->k = table_of(c, c->side);
    return true;
}

// one run to warm up, then runs until there are enough of them
static bool next_run(struct check *c)
{
    c->side = c->mode == MODE_BENCH_REFERENCE ? SIDE_REFERENCE : SIDE_DEVICE;
    c->k = table_of(c, c->side);
    c->k->sync(c->k, NULL);
    if (c->runs > 1) {
        const double seconds = now(c) - c->began;

        c->best = MIN(c->best, seconds);
        c->spent += seconds;
    }
    if (c->spent > BENCH_SECONDS && c->runs > BENCH_RUNS) {
        return false;
    }
    c->runs++;
    c->began = now(c);
    return true;
}

bool check_next(struct check *c)
{
    return c->mode == MODE_CHECK ? next_side(c) : next_run(c);
}

static void free_array(struct check *c, struct array *a)
{
    for (int side = 0; side < CHECK_SIDES; side++) {
        const kernels *k = table_of(c, side);

        k->release(k, a->start[side], total_bytes(a));
    }
    g_free(a->initial);
    g_free(a);
}

// the case's products on the device's two sides, and all of its arrays there, were counted
static void compare_counts(struct check *c, double flops)
{
    const double counted = kernels_counted_operations(c->device) - c->operations;
    const size_t given = check_bytes(c) - c->bytes;
    size_t bytes = 0;

    for (guint i = 0; i < c->arrays->len; i++) {
        bytes += (CHECK_SIDES - 1) * total_bytes(c->arrays->pdata[i]);
    }
    if (counted != (CHECK_SIDES - 1) * flops) {
        fail(c, "%.0f operations were counted instead of %.0f", counted, (CHECK_SIDES - 1) * flops);
    }
    if (given != bytes) {
        fail(c, "%zu bytes were counted instead of %zu", given, bytes);
    }
}

static void end_case(struct check *c, double flops)
{
    if (c->mode == MODE_CHECK && c->counts) {
        compare_counts(c, flops);
    }
    for (guint i = 0; i < c->arrays->len; i++) {
        struct array *a = c->arrays->pdata[i];

        if (c->mode == MODE_CHECK && !c->counts) {
            compare_sides(c, i, a);
        }
        free_array(c, a);
    }
    if (check_bytes(c) != c->bytes) {
        fail(c, "%zu bytes were not given back", check_bytes(c) - c->bytes);
    }
    g_ptr_array_unref(c->arrays);
    g_rand_free(c->random);
    c->cases++;
}

static void end_bench(struct check *c, double work, const char *unit)
{
    const double rate = work / c->best * 1e-9;

    if (c->mode == MODE_BENCH_REFERENCE) {
        c->reference_rate = rate;
    } else if (c->mode == MODE_BENCH_DEVICE) {
        printf("# %-24s %-44s %9.3f ms %8.1f %s %7.1fx\n", c->test, c->shape, c->best * 1e3, rate,
               unit, rate / c->reference_rate);
        fflush(stdout);
    }
}

void check_end_flops(struct check *c, double flops)
{
    end_bench(c, flops, "GFLOP/s");
    end_case(c, flops);
}

void check_end_bytes(struct check *c, double bytes)
{
    end_bench(c, bytes / sizeof(real) * (double)kernels_size(c->device->activation), "GB/s   ");
    end_case(c, 0);
}
