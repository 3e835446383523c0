/* Alignments; see alignment.h.
 *
 * Student's t by its distribution in closed form (Abramowitz and Stegun 26.7.3 and 26.7.4): with x =
 * atan(t / sqrt(f)) of |T| < t it is
 *   f even  sin x (1 + 1/2 cos^2 x + 1 3 / (2 4) cos^4 x + .. up to cos^(f - 2) x)
 *   f odd   2 / pi (x + sin x cos x (1 + 2/3 cos^2 x + 2 4 / (3 5) cos^4 x + .. up to cos^(f - 3) x)) */
#include "engine/evaluate/alignment.h"

#include "engine/base/csv.h"

#include <math.h>

/* ---- numbers ---- */

static double within(int f, double x)
{
    const double square = cos(x) * cos(x);
    double term = 1, sum = 0;

    for (int k = f % 2 == 0 ? 2 : 3; k <= f; k += 2) {
        sum += term;
        term *= (k - 1) * square / k;
    }
    return f % 2 == 0 ? sin(x) * sum : 2 / G_PI * (x + sin(x) * cos(x) * sum);
}

double interval_student(int freedom)
{
    double low = 0, high = G_PI / 2;

    // halved until no double lies between
    for (int i = 0; i < 60; i++) {
        const double middle = (low + high) / 2;
        *(within(freedom, middle) < 0.95 ? &low : &high) = middle;
    }
    return sqrt(freedom) * tan(low);
}

struct interval interval_of(const double *values, int n)
{
    double sum = 0, squares = 0;

    for (int i = 0; i < n; i++) {
        sum += values[i];
    }
    const double mean = n > 0 ? sum / n : NAN;
    for (int i = 0; i < n; i++) {
        squares += (values[i] - mean) * (values[i] - mean);
    }
    const double half = n > 1 ? interval_student(n - 1) * sqrt(squares / (n - 1) / n) : (double)NAN;
    return (struct interval){mean, mean - half, mean + half};
}

/* ---- the list ---- */

static void clear_point(void *point)
{
    g_free(((struct alignment_point *)point)->name);
}

static void clear_row(void *row)
{
    g_free(((struct alignment_row *)row)->text);
    g_free(((struct alignment_row *)row)->picture);
}

void alignment_init(struct alignment *a)
{
    *a = (struct alignment){.points = g_array_new(FALSE, TRUE, sizeof(struct alignment_point)),
                            .rows = g_array_new(FALSE, TRUE, sizeof(struct alignment_row))};
    g_array_set_clear_func(a->points, clear_point);
    g_array_set_clear_func(a->rows, clear_row);
}

void alignment_clear(struct alignment *a)
{
    g_clear_pointer(&a->points, g_array_unref);
    g_clear_pointer(&a->rows, g_array_unref);
}

static const struct alignment_point *point_at(const struct alignment *a, guint i)
{
    return &g_array_index(a->points, struct alignment_point, i);
}

/* ---- as texts ---- */

// "0.812 [0.790, 0.834]"; owned by the caller
static char *show_interval(struct interval i)
{
    GString *s = g_string_new(isfinite(i.mean) ? NULL : "-");

    csv_append_number(s, "%.3f", i.mean);
    if (isfinite(i.low)) {
        g_string_append(s, " [");
        csv_append_number(s, "%.3f", i.low);
        g_string_append(s, ", ");
        csv_append_number(s, "%.3f", i.high);
        g_string_append_c(s, ']');
    }
    return g_string_free(s, FALSE);
}

// by characters, at least `width` of them: texts may be in any script
static void append_filled(GString *s, const char *text, glong width)
{
    g_string_append_printf(s, "%s%*s", text, (int)MAX(0, width - g_utf8_strlen(text, -1)), "");
}

// ends with a gap
static void append_place(GString *s, const struct alignment *a, const struct alignment_point *p)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    if (a->along != NULL) {
        g_ascii_formatd(number, sizeof number, "%.6g", p->place);
        append_filled(s, number, MAX(6, g_utf8_strlen(a->along, -1)));
        g_string_append(s, "  ");
    }
}

char *alignment_text(const struct alignment *a)
{
    GString *s = g_string_new(NULL);
    glong width = 0;

    for (guint i = 0; i < a->points->len; i++) {
        width = MAX(width, g_utf8_strlen(point_at(a, i)->name, -1));
    }
    append_filled(s, "", width + 2);
    if (a->along != NULL) {
        append_filled(s, a->along, 6);
        g_string_append(s, "  ");
    }
    g_string_append_printf(s, "pictures  %-22s  image alignment", "text alignment");
    for (guint i = 0; i < a->points->len; i++) {
        const struct alignment_point *p = point_at(a, i);
        g_autofree char *text = show_interval(p->text), *image = show_interval(p->image);
        g_string_append_c(s, '\n');
        append_filled(s, p->name, width);
        g_string_append(s, "  ");
        append_place(s, a, p);
        g_string_append_printf(s, "%8d  %-22s  %s", p->pictures, text, image);
    }
    return g_string_free(s, FALSE);
}

char *alignment_csv(const struct alignment *a)
{
    GString *s = g_string_new("name,");

    if (a->along != NULL) {
        csv_append(s, a->along);
        g_string_append_c(s, ',');
    }
    g_string_append(s, "pictures,text,text_low,text_high,image,image_low,image_high\n");
    for (guint i = 0; i < a->points->len; i++) {
        const struct alignment_point *p = point_at(a, i);
        const double values[] = {p->text.mean,  p->text.low,  p->text.high,
                                 p->image.mean, p->image.low, p->image.high};
        csv_append(s, p->name);
        if (a->along != NULL) {
            g_string_append_c(s, ',');
            csv_append_number(s, "%.8g", p->place);
        }
        g_string_append_printf(s, ",%d", p->pictures);
        for (size_t k = 0; k < G_N_ELEMENTS(values); k++) {
            g_string_append_c(s, ',');
            csv_append_number(s, "%.6f", values[k]);
        }
        g_string_append_c(s, '\n');
    }
    return g_string_free(s, FALSE);
}

/* ---- as JSON ---- */

// null for what is no number
static void set_number(JsonObject *o, const char *key, double value)
{
    if (isfinite(value)) {
        json_object_set_double_member(o, key, value);
    } else {
        json_object_set_null_member(o, key);
    }
}

static void set_interval(JsonObject *o, const char *key, struct interval i)
{
    JsonObject *own = json_object_new();

    set_number(own, "mean", i.mean);
    set_number(own, "low", i.low);
    set_number(own, "high", i.high);
    json_object_set_object_member(o, key, own);
}

static JsonArray *list_points(const struct alignment *a)
{
    JsonArray *all = json_array_new();

    for (guint i = 0; i < a->points->len; i++) {
        const struct alignment_point *p = point_at(a, i);
        JsonObject *o = json_object_new();
        json_object_set_string_member(o, "name", p->name);
        if (a->along != NULL) {
            set_number(o, "place", p->place);
        }
        json_object_set_int_member(o, "pictures", p->pictures);
        set_interval(o, "text", p->text);
        set_interval(o, "image", p->image);
        json_array_add_object_element(all, o);
    }
    return all;
}

static JsonArray *list_rows(const struct alignment *a)
{
    JsonArray *all = json_array_new();

    for (guint i = 0; i < a->rows->len; i++) {
        const struct alignment_row *row = &g_array_index(a->rows, struct alignment_row, i);
        JsonObject *o = json_object_new();
        json_object_set_string_member(o, "name", point_at(a, (guint)row->point)->name);
        json_object_set_string_member(o, "picture", row->picture);
        json_object_set_string_member(o, "text", row->text);
        set_number(o, "text_alignment", row->text_alignment);
        set_number(o, "image_alignment", row->image_alignment);
        json_array_add_object_element(all, o);
    }
    return all;
}

JsonObject *alignment_json(const struct alignment *a)
{
    JsonObject *all = json_object_new();

    if (a->along != NULL) {
        json_object_set_string_member(all, "along", a->along);
    }
    json_object_set_array_member(all, "points", list_points(a));
    json_object_set_array_member(all, "pictures", list_rows(a));
    return all;
}
