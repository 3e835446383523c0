/* The trained tensors and AdamW over them; see parameters.h. */
#include "engine/tape/parameters.h"

#include "engine/base/channels.h"
#include "engine/base/error.h"
#include "engine/tape/transfer.h"

#include <math.h>
#include <string.h>

#define STEPS_BYTES (PARAMETERS_RATES * sizeof(struct adamw_step))

// of each array
static size_t bytes_of(const struct parameters *p)
{
    return (size_t)p->count * sizeof(real);
}

static size_t spans_bytes(const struct parameters *p)
{
    return (size_t)p->n_spans * sizeof *p->spans;
}

struct parameters *parameters_create(const kernels *k)
{
    struct parameters *p = g_new0(struct parameters, 1);

    p->k = k;
    p->list = g_array_new(FALSE, FALSE, sizeof(struct parameter));
    return p;
}

void parameters_free(struct parameters *p)
{
    if (p == NULL) {
        return;
    }
    const size_t bytes = bytes_of(p);
    real *const arrays[] = {p->value, p->gradient, p->m, p->v, p->total};
    for (size_t i = 0; i < G_N_ELEMENTS(arrays); i++) {
        if (arrays[i] != NULL) {
            p->k->release(p->k, arrays[i], bytes);
        }
    }
    p->k->release(p->k, p->sum, sizeof *p->sum);
    p->k->release(p->k, p->steps, STEPS_BYTES);
    p->k->release(p->k, p->spans, spans_bytes(p));
    for (guint i = 0; i < p->list->len; i++) {
        g_free(g_array_index(p->list, struct parameter, i).name);
    }
    g_array_unref(p->list);
    g_free(p);
}

void parameters_add(struct parameters *p, const char *name, int64_t count, int rate, real **value,
                    real **gradient)
{
    g_assert(p->value == NULL);
    const struct parameter one = {.name = g_strdup(name),
                                  .count = count,
                                  .offset = p->count,
                                  .rate = rate,
                                  .value = value,
                                  .gradient = gradient};
    g_array_append_val(p->list, one);
    p->count += count;
}

void parameters_add_kernel(struct parameters *p, int area, int channels)
{
    struct parameter *last = &g_array_index(p->list, struct parameter, p->list->len - 1);

    last->area = area;
    last->channels = channels;
}

void parameter_in_planes(const struct parameter *p, const float *values, float *out)
{
    const int64_t row = (int64_t)p->area * p->channels;

    if (p->area <= 1) {
        memcpy(out, values, (size_t)p->count * sizeof *out);
        return;
    }
    for (int64_t i = 0; i < p->count; i += row) {
        channels_to_planes(values + i, 1, p->area, p->channels, out + i);
    }
}

static bool no_memory(const struct parameters *p, GError **error)
{
    return error_failed(error,
                        "There is no memory for the %" G_GINT64_FORMAT
                        " values that learn; close other programs, or let fewer learn.",
                        p->count);
}

// the device is told once where each rate's values lie
static bool allocate_spans(struct parameters *p)
{
    g_autofree struct adamw_span *spans = g_new0(struct adamw_span, p->list->len);

    for (guint i = 0; i < p->list->len; i++) {
        const struct parameter *one = &g_array_index(p->list, struct parameter, i);
        if (p->n_spans == 0 || spans[p->n_spans - 1].step != one->rate) {
            spans[p->n_spans++].step = one->rate;
        }
        spans[p->n_spans - 1].end = one->offset + one->count;
    }
    p->spans = p->k->alloc(p->k, spans_bytes(p));
    if (p->spans != NULL) {
        p->k->upload(p->k, p->spans, spans, spans_bytes(p));
    }
    return p->spans != NULL;
}

bool parameters_allocate(struct parameters *p, GError **error)
{
    const kernels *k = p->k;
    const size_t bytes = bytes_of(p);

    p->value = k->alloc(k, bytes);
    p->gradient = k->alloc(k, bytes);
    p->m = k->alloc(k, bytes);
    p->v = k->alloc(k, bytes);
    p->sum = k->alloc(k, sizeof *p->sum);
    p->steps = k->alloc(k, STEPS_BYTES);
    if (!p->value || !p->gradient || !p->m || !p->v || !p->sum || !p->steps || !allocate_spans(p)) {
        return no_memory(p, error);
    }
    for (guint i = 0; i < p->list->len; i++) {
        const struct parameter *one = &g_array_index(p->list, struct parameter, i);
        if (one->value != NULL) {
            *one->value = p->value + one->offset;
            *one->gradient = p->gradient + one->offset;
        }
    }
    return true;
}

void parameters_zero_gradient(struct parameters *p)
{
    p->k->zero(p->k, p->gradient, bytes_of(p));
}

bool parameters_keep_total(struct parameters *p, GError **error)
{
    p->total = p->k->alloc(p->k, bytes_of(p));
    return p->total != NULL || no_memory(p, error);
}

void parameters_zero_total(struct parameters *p)
{
    p->k->zero(p->k, p->total, bytes_of(p));
}

void parameters_add_gradient(struct parameters *p)
{
    p->k->accumulate(p->k, KERNELS_F32, p->count, 1, p->gradient, p->total);
}

void parameters_take_total(struct parameters *p)
{
    p->k->copy(p->k, p->gradient, p->total, bytes_of(p));
}

void parameters_square(struct parameters *p)
{
    p->k->sum_squares(p->k, p->count, p->gradient, p->sum);
}

// the step of each rate to the device
static void prepare_steps(struct parameters *p, const struct adamw_options *o, int64_t step)
{
    struct adamw_step steps[PARAMETERS_RATES];

    g_assert(o->n_rates <= PARAMETERS_RATES);
    for (int i = 0; i < o->n_rates; i++) {
        steps[i] = (struct adamw_step){.rate = o->rates[i],
                                       .decay = o->decay,
                                       .beta1 = o->beta1,
                                       .beta2 = o->beta2,
                                       .epsilon = o->epsilon,
                                       .correction1 = 1 - pow(o->beta1, (double)step),
                                       .correction2 = 1 - pow(o->beta2, (double)step),
                                       .limit = o->clip,
                                       .divisor = o->divisor};
    }
    p->k->upload(p->k, p->steps, steps, (size_t)o->n_rates * sizeof *steps);
}

void parameters_step(struct parameters *p, const struct adamw_options *o, int64_t step)
{
    prepare_steps(p, o, step);
    p->k->adamw(p->k, p->count, p->n_spans, p->spans, p->steps, p->sum, p->gradient, p->value, p->m,
                p->v);
}

void parameters_download(const struct parameters *p, const real *array, float *out)
{
    transfer_download(p->k, out, array, p->count);
}

void parameters_upload(struct parameters *p, real *array, const float *values)
{
    parameters_upload_part(p, array, values, p->count);
}

void parameters_upload_part(struct parameters *p, real *to, const float *values, int64_t count)
{
    transfer_upload(p->k, to, values, count);
}
