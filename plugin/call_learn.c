/* plug-in-svdiff-learn: layers, or what of them is marked, to a subject file. */
#include "plugin/call.h"
#include "plugin/marks.h"
#include "plugin/paths.h"
#include "plugin/task.h"
#include "plugin/words.h"

#include "engine/svdiff.h"

#define CHECKPOINT_STEPS 20 // what is lost at most when the worker itself is killed

static bool check_region(const struct call *c, GError **error)
{
    if (values_int(c->values, "region-channel") <= 0) {
        return true;
    }
    g_set_error(
        error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
        _("region-channel is for several subjects learned at once; one subject has none (-1)."));
    return false;
}

// an estimate writes nothing: it needs no name yet
static char *find_output(const struct call *c, GError **error)
{
    const char *output = values_text(c->values, "output"), *name = values_text(c->values, "name");
    const bool unnamed = name[0] == '\0' && c->estimate != NULL;

    return output[0] != '\0' ? g_strdup(output) : paths_subject(unnamed ? "subject" : name, error);
}

static bool add_layers(const struct call *c, const scratch *folder, GPtrArray *arguments,
                       GError **error)
{
    const int given = values_int(c->values, "mask-channel");
    const host_item mask = given > 0 ? given : HOST_NONE; // 0 is what scripts give for none, too
    bool added = true;

    for (int i = 0; i < c->n_layers && added; i++) {
        added = marks_add(c, c->layers[i], mask, i, folder, arguments, error);
    }
    return added;
}

/* A run that was cut short goes on where the same is learned again: with its random numbers, if no
 * others are asked for. */
static void add_going_on(const values *v, GPtrArray *arguments)
{
    call_add_int(arguments, "--checkpoint-every", CHECKPOINT_STEPS);
    g_ptr_array_add(arguments, g_strdup("--continue"));
    if (values_int(v, "seed") >= 0) {
        g_autofree char *seed = g_strdup_printf("%d", values_int(v, "seed"));
        call_add_text(arguments, "--seed", seed);
    }
}

// NULL with a sentence
static GPtrArray *make_arguments(const struct call *c, const char *output, const scratch *folder,
                                 GError **error)
{
    const values *v = c->values;
    GPtrArray *a = g_ptr_array_new_with_free_func(g_free);

    call_add_text(a, "--prompt", values_text(v, "prompt"));
    call_add_text(a, "--class-prompt", values_text(v, "class-prompt"));
    call_add_text(a, "--output", output);
    call_add_text(a, "--model", values_text(v, "model"));
    call_add_int(a, "--steps", values_int(v, "steps"));
    call_add_number(a, "--learning-rate", values_number(v, "learning-rate"));
    call_add_int(a, "--size", values_int(v, "size"));
    add_going_on(v, a);
    if (!add_layers(c, folder, a, error)) {
        g_clear_pointer(&a, g_ptr_array_unref);
    }
    return a;
}

bool call_learn(const struct call *c, task *t, GError **error)
{
    if (!call_check_shown(c, error) || !check_region(c, error)) {
        return false;
    }
    t->file = find_output(c, error);
    t->folder = t->file != NULL ? scratch_create(error) : NULL;
    GPtrArray *arguments = t->folder != NULL ? make_arguments(c, t->file, t->folder, error) : NULL;
    if (arguments != NULL) {
        task_add(t, "learn", arguments, g_strdup(t->file));
    }
    return arguments != NULL;
}
