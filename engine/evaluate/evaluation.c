/* Judging pictures; see evaluation.h. */
#include "engine/evaluate/evaluation.h"

#include "engine/base/cosine.h"

#include <math.h>
#include <string.h>

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

static struct alignment_point *point_at(const struct evaluation *e, guint i)
{
    return &g_array_index(e->found.points, struct alignment_point, i);
}

static bool is_same(const struct alignment_point *p, const char *name, double place)
{
    return p->named && strcmp(p->name, name) == 0 &&
           (p->place == place || (isnan(p->place) && isnan(place)));
}

void evaluation_begin(struct evaluation *e, const char *name, bool named, double place)
{
    const guint n = e->found.points->len;

    for (e->point = 0; e->point < n && named; e->point++) {
        if (is_same(point_at(e, e->point), name, place)) {
            return;
        }
    }
    const struct alignment_point point = {.name = g_strdup(name), .named = named, .place = place};

    e->point = n;
    g_array_append_val(e->found.points, point);
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
        .point = (int)e->point,
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
    const guint all = e->found.rows->len;
    const struct alignment_row *rows = (const struct alignment_row *)(void *)e->found.rows->data;
    struct alignment_point *p = point_at(e, e->point);
    g_autofree double *text = g_new(double, all), *image = g_new(double, all);
    int n = 0;

    for (guint i = 0; i < all; i++) {
        if (rows[i].point == (int)e->point) {
            text[n] = rows[i].text_alignment;
            image[n++] = rows[i].image_alignment;
        }
    }
    p->pictures = n;
    p->text = interval_of(text, n);
    p->image = interval_of(image, n);
}
