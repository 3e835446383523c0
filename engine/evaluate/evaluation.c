/* Judging pictures; see evaluation.h. */
#include "engine/evaluate/evaluation.h"

#include "engine/base/cosine.h"

#include <math.h>

void evaluation_init(struct evaluation *e, const struct judge *judge)
{
    *e =
        (struct evaluation){.judge = judge, .references = g_array_new(FALSE, FALSE, sizeof(float))};
    alignment_init(&e->found);
}

void evaluation_clear(struct evaluation *e)
{
    alignment_clear(&e->found);
    g_clear_pointer(&e->references, g_array_unref);
    g_clear_pointer(&e->text, g_free);
    g_clear_pointer(&e->text_vector, g_free);
}

bool evaluation_reference(struct evaluation *e, const picture *p, GError **error)
{
    const guint width = (guint)judge_width(e->judge), n = e->references->len;

    g_array_set_size(e->references, n + width);
    return judge_picture(e->judge, p, &g_array_index(e->references, float, n), error);
}

void evaluation_begin(struct evaluation *e, const char *name)
{
    const struct alignment_point point = {.name = g_strdup(name)};

    g_array_append_val(e->found.points, point);
    e->first = e->found.rows->len;
}

bool evaluation_text(struct evaluation *e, const char *text, GError **error)
{
    g_free(e->text);
    e->text = g_strdup(text);
    if (!judge_reads(e->judge)) {
        return true;
    }
    g_free(e->text_vector);
    e->text_vector = g_new0(float, judge_width(e->judge));
    return judge_text(e->judge, text, e->text_vector, error);
}

static double mean_of_references(const struct evaluation *e, const float *vector)
{
    const int width = judge_width(e->judge), n = (int)e->references->len / width;
    double sum = 0;

    for (int i = 0; i < n; i++) {
        sum += cosine_of(vector, &g_array_index(e->references, float, i *width), width);
    }
    return sum / n;
}

bool evaluation_picture(struct evaluation *e, const picture *p, const char *name, GError **error)
{
    const int width = judge_width(e->judge);
    g_autofree float *vector = g_new(float, width);

    if (!judge_picture(e->judge, p, vector, error)) {
        return false;
    }
    const struct alignment_row row = {
        .point = (int)e->found.points->len - 1,
        .text = g_strdup(e->text),
        .picture = g_strdup(name),
        .text_alignment =
            e->text_vector != NULL ? cosine_of(vector, e->text_vector, width) : (double)NAN,
        .image_alignment = mean_of_references(e, vector)};
    g_array_append_val(e->found.rows, row);
    return true;
}

void evaluation_end(struct evaluation *e)
{
    const guint n = e->found.rows->len - e->first;
    const struct alignment_row *rows = (const struct alignment_row *)(void *)e->found.rows->data;
    struct alignment_point *p =
        &g_array_index(e->found.points, struct alignment_point, e->found.points->len - 1);
    g_autofree double *text = g_new(double, n), *image = g_new(double, n);

    for (guint i = 0; i < n; i++) {
        text[i] = rows[e->first + i].text_alignment;
        image[i] = rows[e->first + i].image_alignment;
    }
    p->pictures = (int)n;
    p->text = interval_of(text, (int)n);
    p->image = interval_of(image, (int)n);
}
