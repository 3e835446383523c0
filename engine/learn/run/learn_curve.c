/* The losses of a run as a figure: those of the steps, which jump from one timestep to the next, faint; their
 * mean over those within a fortieth of the run on each side; the same of the prior's, which only some steps
 * have; the validation losses, which can be compared. */
#include "engine/learn/run/learn_run.h"

#include "engine/plot/plot.h"

#define MARKED 60 // validation losses: more have no marks, which would hide each other

// losses by step, [n] each
struct losses {
    int n;
    double *step, *loss;
    double *mean; // over the steps around each; NULL: not asked for
};

struct curve {
    int around; // steps on each side of one that its mean is over
    struct losses instance, prior, validation;
};

static void append(struct losses *l, int step, double loss)
{
    // negative where there is none
    if (loss >= 0) {
        l->step[l->n] = step;
        l->loss[l->n++] = loss;
    }
}

static struct losses create(int most)
{
    return (struct losses){.step = g_new(double, most), .loss = g_new(double, most)};
}

static void finish(struct losses *l)
{
    g_free(l->step);
    g_free(l->loss);
    g_free(l->mean);
}

// means over the losses at most so many steps away, at the ends over those that are there
static void take_means(struct losses *l, int around)
{
    g_autofree double *sum = g_new0(double, l->n + 1);
    int from = 0, to = 0;

    l->mean = g_new(double, l->n);
    for (int i = 0; i < l->n; i++) {
        sum[i + 1] = sum[i] + l->loss[i];
    }
    for (int i = 0; i < l->n; i++) {
        while (l->step[from] < l->step[i] - around) {
            from++;
        }
        while (to < l->n && l->step[to] <= l->step[i] + around) {
            to++;
        }
        l->mean[i] = (sum[to] - sum[from]) / (to - from);
    }
}

static void take(struct curve *c, const struct learn_run *r)
{
    const int steps = (int)r->losses->len;

    c->around = steps / 40;
    c->instance = create(steps);
    c->prior = create(steps);
    c->validation = create(steps + 1);
    // a validation loss of step 0 is the model's before it learned
    append(&c->validation, 0, learn_validation(r, 0));
    for (int i = 1; i <= steps; i++) {
        append(&c->instance, i, g_array_index(r->losses, float, i - 1));
        append(&c->prior, i, g_array_index(r->prior_losses, float, i - 1));
        append(&c->validation, i, learn_validation(r, i));
    }
    take_means(&c->instance, c->around);
    take_means(&c->prior, c->around);
}

// the line of losses, or of their means; what there is none of is not in the legend
static struct plot_series line(const struct losses *l, bool mean, const char *name,
                               enum plot_kind kind, int colour)
{
    return (struct plot_series){.name = l->n > 0 ? name : NULL,
                                .kind = kind,
                                .colour = colour,
                                .n = l->n,
                                .x = l->step,
                                .y = mean ? l->mean : l->loss};
}

static bool draw(const struct curve *c, const char *output, const char *path, GError **error)
{
    // of few steps the losses themselves are all there is to see
    const bool smooth = c->around > 0;
    const enum plot_kind raw = smooth ? PLOT_FAINT : PLOT_LINE;
    g_autofree char *title = g_path_get_basename(output);
    g_autofree char *mean = g_strdup_printf("mean of %d steps", 2 * c->around + 1);
    const struct losses none = {0};
    const struct losses *const marked = c->validation.n <= MARKED ? &c->validation : &none;
    const struct plot_series series[] = {
        line(&c->instance, false, "loss of a step", raw, 0),
        line(smooth ? &c->instance : &none, true, mean, PLOT_LINE, 0),
        line(&c->prior, false, "prior loss of a step", raw, 2),
        line(smooth ? &c->prior : &none, true, mean, PLOT_LINE, 2),
        line(&c->validation, false, "validation loss", PLOT_LINE, 1),
        line(marked, false, NULL, PLOT_POINTS, 1)};
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
    finish(&c.instance);
    finish(&c.prior);
    finish(&c.validation);
    return drawn;
}
