/* plug-in-svdiff-edit: a layer, learned with its description and drawn from another, as new layers
 * where the layer is; a selection masks them. What was learned of a picture is kept in the user's
 * cache folder, so that the next edit of it begins at once. */
#include "plugin/call.h"
#include "plugin/layers_in.h"
#include "plugin/paths.h"
#include "plugin/task.h"
#include "plugin/words.h"

#include "engine/base/error.h"

struct edit {
    const struct call *call;
    const values *v;
    char **targets; // one a line
    struct host_area area;
    int seed;
};

// the lines that say something
static char **split_targets(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GStrvBuilder) all = g_strv_builder_new();

    for (char **line = lines; *line != NULL; line++) {
        if (g_strstrip(*line)[0] != '\0') {
            g_strv_builder_add(all, *line);
        }
    }
    return g_strv_builder_end(all);
}

static bool check(const struct edit *e, GError **error)
{
    if (values_text(e->v, "prompt")[0] == '\0') {
        return error_usage(error, _("prompt is empty; say what the layer shows."));
    }
    if (e->targets[0] == NULL) {
        return error_usage(error, _("target is empty; say what the layer should show."));
    }
    return call_check_shown(e->call, error) && call_check_palette(e->call, error);
}

// writes the picture that the worker reads, and what it is asked for; false with a sentence
static bool add_arguments(const struct edit *e, const scratch *folder, GPtrArray *a, GError **error)
{
    picture *layer = layers_in_read(e->call->layers[0], &e->area, true, error);
    const bool read = call_add_picture(a, "--image", folder, "layer.tif", layer, error);
    g_autofree char *kept = read ? paths_edits(error) : NULL;

    if (kept == NULL) {
        return false;
    }
    for (int i = 0; e->targets[i] != NULL; i++) {
        call_add_text(a, "--target", e->targets[i]);
    }
    call_add_values(a, e->v, "prompt", "model", "structure", "learn-steps", "steps", "guidance",
                    "count", "device", NULL);
    call_add_adapters(a, values_text(e->v, "adapters"));
    call_add_seed(a, e->seed);
    // a folder: the worker finds the file of this very picture and prompt
    call_add_text(a, "--shift", kept);
    call_add_pictures(a, e->call, folder);
    return true;
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
    GPtrArray *a = task_add(t, "edit", NULL, error);
    return a != NULL && add_arguments(&e, t->folder, a, error) && place(&e, &t->results, error);
}
