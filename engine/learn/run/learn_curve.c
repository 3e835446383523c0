/* The losses of a run as a figure: those of the steps, which jump from one timestep to the next, faint; their
 * mean over a twentieth of the run around each step; the validation losses, which can be compared. */
#include "engine/learn/run/learn_run.h"

#include "engine/plot/plot.h"

#define MARKED 60 // validation losses: more have no marks, which would hide each other

struct curve {
    int steps, around;  // steps on each side of one that its mean is over
    double *raw, *mean; // [steps]
    int n;              // validation losses
    double *step, *validation;
};

// means over 2 around + 1 steps, at the ends over those that are there
static void take_means(struct curve *c)
{
    g_autofree double *sum = g_new0(double, c->steps + 1);

    for (int i = 0; i < c->steps; i++) {
        sum[i + 1] = sum[i] + c->raw[i];
    }
    for (int i = 0; i < c->steps; i++) {
        const int from = MAX(0, i - c->around), to = MIN(c->steps, i + c->around + 1);
        c->mean[i] = (sum[to] - sum[from]) / (to - from);
    }
}

static void take(struct curve *c, const struct learn_run *r)
{
    c->steps = (int)r->losses->len;
    c->around = c->steps / 40;
    c->raw = g_new(double, c->steps);
    c->mean = g_new(double, c->steps);
    c->step = g_new(double, c->steps + 1);
    c->validation = g_new(double, c->steps + 1);
    for (int i = 0; i < c->steps; i++) {
        c->raw[i] = g_array_index(r->losses, float, i);
    }
    take_means(c);
    // that of step 0 is the model's before it learned
    for (int i = 0; i <= c->steps; i++) {
        const double loss = learn_validation(r, i);
        if (loss >= 0) {
            c->step[c->n] = i;
            c->validation[c->n++] = loss;
        }
    }
}

static void finish(struct curve *c)
{
    g_free(c->raw);
    g_free(c->mean);
    g_free(c->step);
    g_free(c->validation);
}

static bool draw(const struct curve *c, const char *output, const char *path, GError **error)
{
    // of few steps the losses themselves are all there is to see
    const bool smooth = c->around > 0;
    g_autofree char *title = g_path_get_basename(output);
    g_autofree char *mean = g_strdup_printf("mean of %d steps", 2 * c->around + 1);
    const struct plot_series series[] = {
        {.name = "loss of a step",
         .kind = smooth ? PLOT_FAINT : PLOT_LINE,
         .n = c->steps,
         .y = c->raw},
        {.name = smooth ? mean : NULL, .kind = PLOT_LINE, .n = smooth ? c->steps : 0, .y = c->mean},
        {.name = c->n > 0 ? "validation loss" : NULL,
         .kind = PLOT_LINE,
         .colour = 1,
         .n = c->n,
         .x = c->step,
         .y = c->validation},
        {.kind = PLOT_POINTS,
         .colour = 1,
         .n = c->n <= MARKED ? c->n : 0,
         .x = c->step,
         .y = c->validation}};
    const struct plot p = {.title = title,
                           .x_label = "step",
                           .y_label = "loss",
                           .series = series,
                           .n_series = G_N_ELEMENTS(series)};

    return plot_write(&p, path, error);
}

bool learn_plot(const struct learn_run *r, GError **error)
{
    const struct svdiff_learn_options *o = r->lesson->options;
    struct curve c = {0};

    if (o->plot == NULL) {
        return true;
    }
    take(&c, r);
    const bool drawn = draw(&c, o->output, o->plot, error);
    finish(&c);
    return drawn;
}
