/* What a comparison shows; see comparison.h. */
#include "engine/subject/comparison.h"

#include "engine/base/csv.h"
#include "engine/plot/plot.h"

#include <math.h>

static const double *matrix_of(const struct comparison *c, int group)
{
    return c->cosine + (size_t)group * c->n * c->n;
}

// whether a group is shown: all layers always, others where there is a number
static bool is_shown(const struct comparison *c, int group)
{
    bool any = group == LAYERS_ALL;

    for (int i = 0; i < c->n * c->n && c->groups; i++) {
        any = any || !isnan(matrix_of(c, group)[i]);
    }
    return any;
}

/* ---- text ---- */

// a text on the right of `width` columns
static void append_right(GString *s, const char *text, glong width)
{
    // characters, not bytes; names may be in any script
    for (glong i = g_utf8_strlen(text, -1); i < width; i++) {
        g_string_append_c(s, ' ');
    }
    g_string_append(s, text);
}

static void append_table(GString *s, const struct comparison *c, const double *cosine)
{
    glong width = 0;

    for (int i = 0; i < c->n; i++) {
        width = MAX(width, g_utf8_strlen(c->names[i], -1));
    }
    // the corner above the names
    append_right(s, "", width);
    for (int j = 0; j < c->n; j++) {
        g_string_append(s, "  ");
        append_right(s, c->names[j], 6);
    }
    for (int i = 0; i < c->n; i++) {
        g_string_append_c(s, '\n');
        append_right(s, c->names[i], width);
        for (int j = 0; j < c->n; j++) {
            char number[G_ASCII_DTOSTR_BUF_SIZE] = "-";
            if (!isnan(cosine[i * c->n + j])) {
                g_ascii_formatd(number, sizeof number, "%.3f", cosine[i * c->n + j]);
            }
            g_string_append(s, "  ");
            append_right(s, number, MAX(6, g_utf8_strlen(c->names[j], -1)));
        }
    }
}

char *comparison_text(const struct comparison *c)
{
    GString *s = g_string_new(NULL);

    for (int g = 0; g < LAYER_GROUPS; g++) {
        if (is_shown(c, g)) {
            if (c->groups) {
                g_string_append_printf(s, "%s%s\n", g > 0 ? "\n\n" : "", layer_group_name(g));
            }
            append_table(s, c, matrix_of(c, g));
        }
    }
    return g_string_free(s, FALSE);
}

/* ---- CSV ---- */

static void append_pair(GString *s, const struct comparison *c, int group, int i, int j)
{
    const double cosine = matrix_of(c, group)[i * c->n + j];

    csv_append(s, layer_group_name(group));
    g_string_append_c(s, ',');
    csv_append(s, c->names[i]);
    g_string_append_c(s, ',');
    csv_append(s, c->names[j]);
    g_string_append_printf(s, ",%d,", c->pairs[i * c->n + j]);
    csv_append_number(s, "%.8g", cosine);
    g_string_append_c(s, '\n');
}

char *comparison_csv(const struct comparison *c)
{
    GString *s = g_string_new("group,first,second,pairs,cosine\n");

    for (int g = 0; g < LAYER_GROUPS; g++) {
        for (int i = 0; i < c->n; i++) {
            for (int j = i; j < c->n; j++) {
                append_pair(s, c, g, i, j);
            }
        }
    }
    return g_string_free(s, FALSE);
}

/* ---- the figure ---- */

bool comparison_plot(const struct comparison *c, const char *path, GError **error)
{
    struct plot_matrix matrices[LAYER_GROUPS];
    struct plot_matrices m = {.matrices = matrices,
                              .rows = c->names,
                              .columns = c->names,
                              .n_rows = c->n,
                              .n_columns = c->n,
                              .low = -1,
                              .high = 1,
                              .label = "cosine, mean over layers"};

    for (int g = 0; g < LAYER_GROUPS; g++) {
        if (is_shown(c, g)) {
            matrices[m.n++] = (struct plot_matrix){.title = c->groups ? layer_group_name(g) : NULL,
                                                   .values = matrix_of(c, g)};
        }
    }
    return plot_write_matrices(&m, path, error);
}
