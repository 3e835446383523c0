/* Times as bars; see bench_plot.h. */
#include "engine/bench/bench_plot.h"

#include "engine/plot/plot.h"

#include <stdlib.h>

enum { ROWS = MAX((int)KERNELS_KINDS + 1, (int)BENCH_STAGES) };

struct bar {
    const char *name;
    double value;
    char label[64]; // beside it
};

static int by_length(const void *a, const void *b)
{
    const double x = ((const struct bar *)a)->value, y = ((const struct bar *)b)->value;

    return x < y ? 1 : x > y ? -1 : 0;
}

// "%.*f" with a point
static const char *number(char text[G_ASCII_DTOSTR_BUF_SIZE], const char *format, double value)
{
    return g_ascii_formatd(text, G_ASCII_DTOSTR_BUF_SIZE, format, value);
}

static bool plot(const struct bar *bars, int n, const char *title, const char *what,
                 const char *path, GError **error)
{
    const char *names[ROWS], *labels[ROWS];
    double values[ROWS];

    for (int i = 0; i < n; i++) {
        names[i] = bars[i].name;
        labels[i] = bars[i].label;
        values[i] = bars[i].value;
    }
    const struct plot_series series = {.kind = PLOT_BARS, .n = n, .x = values, .labels = labels};
    const struct plot p = {.title = title,
                           .x_label = what,
                           .rows = names,
                           .n_rows = n,
                           .series = &series,
                           .n_series = 1};
    return plot_write(&p, path, error);
}

// its share of the whole, in percent, and how fast it went
static struct bar kind_bar(enum kernels_kind kind, const struct kernels_measure *m, double whole)
{
    struct bar b = {.name = kernels_kind_name(kind), .value = 100 * m->seconds / whole};
    char share[G_ASCII_DTOSTR_BUF_SIZE], rate[G_ASCII_DTOSTR_BUF_SIZE];

    g_snprintf(b.label, sizeof b.label, "%s %%, %s %s", number(share, "%.1f", b.value),
               number(rate, "%.3g", m->work / m->seconds / 1e9),
               kernels_kind_multiplies(kind) ? "GFLOP/s" : "GB/s");
    return b;
}

bool bench_plot_kinds(const struct bench_result *r, const char *title, const char *path,
                      GError **error)
{
    struct bar bars[ROWS];
    double between = r->seconds;
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    int n = 0;

    for (int kind = 0; kind < KERNELS_KINDS; kind++) {
        between -= r->kinds[kind].seconds;
        if (r->kinds[kind].seconds > 0) {
            bars[n++] = kind_bar((enum kernels_kind)kind, &r->kinds[kind], r->seconds);
        }
    }
    qsort(bars, (size_t)n, sizeof *bars, by_length);
    bars[n] = (struct bar){.name = "between them", .value = 100 * MAX(between, 0) / r->seconds};
    g_snprintf(bars[n].label, sizeof bars[n].label, "%s %%", number(text, "%.1f", bars[n].value));
    g_autofree char *what = g_strdup_printf("%% of %s s", number(text, "%.3g", r->seconds));
    return plot(bars, n + 1, title, what, path, error);
}

bool bench_plot_stages(const struct bench_stages *s, const char *title, const char *path,
                       GError **error)
{
    struct bar bars[BENCH_STAGES];

    for (int i = 0; i < BENCH_STAGES; i++) {
        char text[G_ASCII_DTOSTR_BUF_SIZE];
        bars[i] = (struct bar){.name = bench_stage_name((enum bench_stage)i),
                               .value = s->stage[i].seconds};
        g_snprintf(bars[i].label, sizeof bars[i].label, "%s s",
                   number(text, "%.3g", bars[i].value));
    }
    return plot(bars, BENCH_STAGES, title, "seconds", path, error);
}
