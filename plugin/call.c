/* What the procedures share; see call.h. */
#include "plugin/call.h"
#include "plugin/info.h"
#include "plugin/task.h"
#include "plugin/words.h"

#include "engine/svdiff.h"

#include <math.h>

static bool fill(const struct call *c, task *t, GError **error)
{
    switch (c->values->procedure->id) {
    case PROCEDURE_LEARN:
        return call_learn(c, t, error);
    case PROCEDURE_GENERATE:
    case PROCEDURE_CREATE:
        return call_generate(c, t, error);
    case PROCEDURE_COMPOSE:
        return call_compose(c, t, error);
    case PROCEDURE_EDIT:
        return call_edit(c, t, error);
    case PROCEDURE_CONVERT:
        return call_convert(c, t, error);
    }
    g_assert_not_reached();
}

task *call_prepare(const struct call *c, GError **error)
{
    g_autoptr(task) t = task_create(c->values);

    return fill(c, t, error) ? g_steal_pointer(&t) : NULL;
}

bool call_run(const struct call *c, struct call_result *result, GError **error)
{
    g_autoptr(task) t = call_prepare(c, error);

    *result = (struct call_result){0};
    return t != NULL && task_work(t, c, error) &&
           (c->estimate != NULL || task_insert(t, result, error));
}

void call_result_clear(struct call_result *result)
{
    g_free(result->file);
    g_free(result->layers);
    *result = (struct call_result){0};
}

void call_estimate_clear(struct call_estimate *e)
{
    g_clear_pointer(&e->marked, g_array_unref);
    g_clear_object(&e->squares);
}

void call_result_drop_gone(struct call_result *result)
{
    int n = 0;

    for (int i = 0; i < result->n_layers; i++) {
        if (host_layer_exists(result->layers[i])) {
            result->layers[n++] = result->layers[i];
        }
    }
    result->n_layers = n;
}

bool call_check_layers(const struct call *c, GError **error)
{
    if (!host_image_exists(c->image)) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    _("There is no image; open one and choose a layer of it."));
        return false;
    }
    if (c->n_layers == 0) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    _("No layer is chosen; click one in GIMP's list of layers."));
        return false;
    }
    bool good = true;
    for (int i = 0; i < c->n_layers; i++) {
        good = good && host_is_layer_of(c->layers[i], c->image);
    }
    if (!good) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    _("What is chosen is not a layer of the image; choose a layer, no channel."));
    }
    return good;
}

// by a person, with a dialog; scripts name what they mean
static bool is_looked_at(const struct call *c)
{
    return c->shows || c->estimate != NULL;
}

bool call_check_palette(const struct call *c, GError **error)
{
    const int n = is_looked_at(c) && host_image_exists(c->image) ? host_palette_size(c->image) : 0;

    if (n > 0) {
        g_set_error(
            error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
            _("The image is indexed: what is painted could have only its %d colours. A copy "
              "of it in RGB is offered for them."),
            n);
    }
    return n == 0;
}

bool call_check_shown(const struct call *c, GError **error)
{
    if (!call_check_layers(c, error)) {
        return false;
    }
    for (int i = 0; i < c->n_layers && is_looked_at(c); i++) {
        if (!host_is_shown(c->layers[i])) {
            g_autofree char *name = host_item_name(c->layers[i]);
            g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                        _("The layer “%s” is hidden; show it, or choose the one that is meant."),
                        name);
            return false;
        }
    }
    return true;
}

static void push(GPtrArray *arguments, const char *option, char *value)
{
    g_ptr_array_add(arguments, g_strdup(option));
    g_ptr_array_add(arguments, value);
}

void call_add_int(GPtrArray *arguments, const char *option, int number)
{
    if (number > 0) {
        push(arguments, option, g_strdup_printf("%d", number));
    }
}

void call_add_number(GPtrArray *arguments, const char *option, double number)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    if (number > 0) {
        push(arguments, option, g_strdup(g_ascii_dtostr(text, sizeof text, number)));
    }
}

void call_add_text(GPtrArray *arguments, const char *option, const char *text)
{
    if (text[0] != '\0') {
        push(arguments, option, g_strdup(text));
    }
}

void call_add_preview(GPtrArray *arguments, const struct call *c, const scratch *folder)
{
    if (c->shows) { // one file, written again and again
        push(arguments, "--preview", scratch_pattern(folder, "preview.png"));
    }
}

void call_add_subjects(GPtrArray *arguments, const char *subjects)
{
    g_auto(GStrv) list = svdiff_subject_list(subjects);

    for (char **subject = list; *subject != NULL; subject++) {
        call_add_text(arguments, "--subject", *subject);
    }
}

int call_seed(const values *v)
{
    const int seed = values_int(v, "seed");

    return seed >= 0 ? seed : (int)(g_random_int() & G_MAXINT32);
}

bool call_check_size(const values *v, const char *name, GError **error)
{
    const int size = values_int(v, name);

    if (size <= 0 || size % 8 == 0) {
        return true;
    }
    g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                _("%s is %d; it must be divisible by 8, such as %d or %d."), name, size,
                MAX(8, size / 8 * 8), size / 8 * 8 + 8);
    return false;
}

static int round_to_8(double size)
{
    return MAX(8, (int)lround(size / 8) * 8);
}

void call_size(const values *v, const struct host_area *area, int *width, int *height)
{
    const double shape = area != NULL ? sqrt((double)area->width / area->height) : 1;

    *width = MAX(0, values_int(v, "width"));
    *height = MAX(0, values_int(v, "height"));
    const int side = area != NULL && *width == 0 && *height == 0
                         ? info_side(info_of(values_text(v, "model")))
                         : 0;
    if (side > 0) {
        *width = round_to_8(side * shape);
        *height = round_to_8(side / shape);
    }
}
