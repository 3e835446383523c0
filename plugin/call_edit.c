/* plug-in-svdiff-edit: a layer, learned with its description and drawn from another, as new layers
 * where the layer is; a selection masks them. What was learned of a picture is kept in the user's
 * cache folder, so that the next edit of it begins at once. */
#include "plugin/call.h"
#include "plugin/layers_in.h"
#include "plugin/paths.h"
#include "plugin/task.h"
#include "plugin/words.h"

#include "engine/svdiff.h"

struct edit {
    const struct call *call;
    const values *v;
    char **targets; // one a line
    struct host_area area;
    int seed;
};

static bool fail_usage(GError **error, const char *sentence)
{
    g_set_error_literal(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE, sentence);
    return false;
}

// the lines that say something
static char **split_targets(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GPtrArray *all = g_ptr_array_new();

    for (char **line = lines; *line != NULL; line++) {
        if (g_strstrip(*line)[0] != '\0') {
            g_ptr_array_add(all, g_strdup(*line));
        }
    }
    g_ptr_array_add(all, NULL);
    return (char **)g_ptr_array_free(all, FALSE);
}

static bool check(const struct edit *e, GError **error)
{
    if (values_text(e->v, "prompt")[0] == '\0') {
        return fail_usage(error, _("prompt is empty; say what the layer shows."));
    }
    if (e->targets[0] == NULL) {
        return fail_usage(error, _("target is empty; say what the layer should show."));
    }
    return call_check_shown(e->call, error) && call_check_palette(e->call, error);
}

static GPtrArray *make_arguments(const struct edit *e, const char *image, const char *kept,
                                 const char *output, const scratch *folder)
{
    GPtrArray *a = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *seed = g_strdup_printf("%d", e->seed);

    call_add_text(a, "--image", image);
    call_add_text(a, "--prompt", values_text(e->v, "prompt"));
    for (int i = 0; e->targets[i] != NULL; i++) {
        call_add_text(a, "--target", e->targets[i]);
    }
    call_add_text(a, "--model", values_text(e->v, "model"));
    call_add_number(a, "--structure", values_number(e->v, "structure"));
    call_add_int(a, "--learn-steps", values_int(e->v, "learn-steps"));
    call_add_int(a, "--steps", values_int(e->v, "steps"));
    call_add_number(a, "--guidance", values_number(e->v, "guidance"));
    call_add_text(a, "--seed", seed);
    call_add_int(a, "--count", values_int(e->v, "count"));
    call_add_text(a, "--shift", kept);
    call_add_text(a, "--output", output);
    call_add_preview(a, e->call, folder);
    return a;
}

// writes the picture that the worker reads; what it is asked for, or NULL with a sentence
static GPtrArray *read_layer(const struct edit *e, const scratch *folder, GError **error)
{
    g_autofree char *image = scratch_file(folder, "layer.tif");
    g_autofree char *output = scratch_pattern(folder, "picture-%04d.tif");
    g_autoptr(picture) p = layers_in_read(e->call->layers[0], &e->area, true, error);

    if (p == NULL || !picture_exchange_write(image, p, error)) {
        return NULL;
    }
    g_autofree char *kept = paths_edits(error);
    return kept != NULL ? make_arguments(e, image, kept, output, folder) : NULL;
}

// where what is made goes
static bool place(const struct edit *e, struct results *r, GError **error)
{
    results_init(r, e->call, (const char *const *)e->targets, e->seed);
    r->placed = true;
    r->area = e->area;
    return results_take_selection(r, error);
}

bool call_edit(const struct call *c, task *t, GError **error)
{
    g_auto(GStrv) targets = split_targets(values_text(c->values, "target"));
    struct edit e = {.call = c, .v = c->values, .targets = targets, .seed = call_seed(c->values)};

    const bool good = check(&e, error);
    if (!good || c->estimate != NULL) { // the command has no estimate of an edit
        return good;
    }
    e.area = host_item_area(c->layers[0]);
    t->folder = scratch_create(error);
    GPtrArray *arguments = t->folder != NULL ? read_layer(&e, t->folder, error) : NULL;
    if (arguments != NULL) {
        task_add(t, "edit", arguments, NULL);
    }
    return arguments != NULL && place(&e, &t->results, error);
}
