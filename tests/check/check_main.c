/* check_main.c: the checker's command line.
 *
 *   check --device=cpu --precision=bf16 --test=conv_forward --seed=7
 *   check --device=cuda --module=build/kernels/svdiff-cuda.so
 *   check --bench
 *   check --list
 *
 * Prints TAP: a line a test; a failure says what differed and the command that repeats it. */
#include "tests/check/check.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const struct test *test;
} tests[] = {
#define ENTRY(name, ...) {#name, &test_##name},
#include "kernels/entries.h"
#undef ENTRY
    {"memory", &test_memory},
};

struct options {
    char *test, *device, *module, *precision;
    int seed, threads;
    double most;
    gboolean list, bench;
};

struct totals {
    int number, passed, failed, skipped;
};

static bool wanted(const struct options *options, size_t i)
{
    return !options->test || g_pattern_match_simple(options->test, tests[i].name);
}

static int count_wanted(const struct options *options)
{
    int count = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
        count += wanted(options, i);
    }
    return count;
}

static void run_bench(struct check *c, const struct test *test)
{
    if (test->bench) {
        test->bench(c);
    }
}

static void run_check(struct check *c, const struct options *options, const struct test *test,
                      struct totals *totals)
{
    c->failures = c->cases = 0;
    test->check(c);
    totals->number++;
    if (c->failures > 0) {
        totals->failed++;
        printf("not ok %d - %s\n# repeat: %s --device=%s --precision=%s --test=%s --seed=%u\n",
               totals->number, c->test, g_get_prgname(), options->device, options->precision,
               c->test, c->seed);
    } else if (c->cases == 0) {
        totals->skipped++;
        printf("ok %d - %s # SKIP not on this device\n", totals->number, c->test);
    } else {
        totals->passed++;
        printf("ok %d - %s, %d cases\n", totals->number, c->test, c->cases);
    }
    fflush(stdout);
}

static int run_all(struct check *c, const struct options *options)
{
    struct totals totals = {0};

    if (!options->bench) {
        printf("1..%d\n", count_wanted(options));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
        if (!wanted(options, i)) {
            continue;
        }
        c->test = tests[i].name;
        if (options->list) {
            printf("# %s\n", c->test);
        } else if (options->bench) {
            run_bench(c, tests[i].test);
        } else {
            run_check(c, options, tests[i].test, &totals);
        }
    }
    if (!options->list && !options->bench) {
        printf("# %d passed, %d failed, %d skipped\n", totals.passed, totals.failed,
               totals.skipped);
    }
    return totals.failed > 0;
}

// what it is asked of is the CPU
static bool is_of_cpu(const struct options *options)
{
    return strcmp(options->device, "cpu") == 0 || strcmp(options->device, "count") == 0;
}

// the table that --device names; fast: the table that the counting one stands for
static kernels *open_device(const struct options *options, enum kernels_precision precision,
                            kernels **fast, GError **error)
{
    *fast = NULL;
    if (strcmp(options->device, "reference") == 0) {
        return kernels_reference(kernels_precision_type(precision));
    }
    if (strcmp(options->device, "cuda") == 0) {
        return kernels_cuda(options->module, 0, precision, error);
    }
    *fast = kernels_cpu(options->threads, precision, error);
    if (strcmp(options->device, "cpu") == 0) {
        return g_steal_pointer(fast);
    }
    if (strcmp(options->device, "count") == 0) {
        return *fast ? kernels_count(*fast) : NULL;
    }
    g_clear_pointer(fast, kernels_destroy);
    g_clear_error(error);
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "there is no device %s: reference, cpu, count or cuda", options->device);
    return NULL;
}

static bool parse(struct options *options, int *argc, char ***argv, GError **error)
{
    const GOptionEntry entries[] = {
        {"test", 0, 0, G_OPTION_ARG_STRING, &options->test,
         "only these entries, as conv_* or *norm*", "PATTERN"},
        {"device", 0, 0, G_OPTION_ARG_STRING, &options->device, "reference, cpu, count, cuda",
         "NAME"},
        {"module", 0, 0, G_OPTION_ARG_FILENAME, &options->module, "of the device cuda", "FILE"},
        {"precision", 0, 0, G_OPTION_ARG_STRING, &options->precision, "f32, bf16, f16 or tf32",
         "NAME"},
        {"seed", 0, 0, G_OPTION_ARG_INT, &options->seed, "of the inputs", "N"},
        {"threads", 0, 0, G_OPTION_ARG_INT, &options->threads, "0: all", "N"},
        {"most", 0, 0, G_OPTION_ARG_DOUBLE, &options->most,
         "operations of a case of attention or convolution", "N"},
        {"list", 0, 0, G_OPTION_ARG_NONE, &options->list, "names the tests", NULL},
        {"bench", 0, 0, G_OPTION_ARG_NONE, &options->bench, "times instead of checking", NULL},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- checks a device's kernels");

    g_option_context_add_main_entries(context, entries, NULL);
    return g_option_context_parse(context, argc, argv, error);
}

int main(int argc, char **argv)
{
    struct options options = {.seed = 1};
    g_autoptr(GError) error = NULL;

    if (!parse(&options, &argc, &argv, &error)) {
        printf("Bail out! %s\n", error->message);
        return 2;
    }

    options.device = options.device ? options.device : g_strdup("cpu");
    options.precision = options.precision ? options.precision : g_strdup("f32");

    const enum kernels_precision precision = kernels_precision_of(options.precision);
    if (precision == KERNELS_PRECISIONS) {
        printf("Bail out! there is no precision %s\n", options.precision);
        return 2;
    }
    if (precision == KERNELS_IN_BF16 && is_of_cpu(&options) && !kernels_cpu_has_bf16()) {
        printf("1..0 # SKIP this CPU has no bfloat16 instructions\n");
        return 0;
    }

    g_autoptr(kernels) reference = kernels_reference(kernels_precision_type(precision));
    g_autoptr(kernels) fast = NULL;
    g_autoptr(kernels) device = open_device(&options, precision, &fast, &error);
    if (!device) {
        printf("Bail out! %s\n", error->message);
        return 1;
    }

    struct check c = {
        .reference = reference,
        .device = device,
        .precision = precision,
        .seed = (guint32)options.seed,
        .most = options.most,
        .counts = strcmp(options.device, "count") == 0,
        .mode = options.bench ? MODE_BENCH_DEVICE : MODE_CHECK,
    };
    printf("# device %s, precision %s, %d threads, seed %u\n", device->name, options.precision,
           device->threads, c.seed);
    const int status = run_all(&c, &options);
    g_free(c.shape);
    g_free(options.device);
    g_free(options.module);
    g_free(options.precision);
    g_free(options.test);
    return status;
}
