/* plug-in-svdiff-learn: layers, or what of them is marked, to a subject file. */
#include "plugin/brought.h"
#include "plugin/call.h"
#include "plugin/learned.h"
#include "plugin/marks.h"
#include "plugin/task.h"
#include "plugin/words.h"

#include "engine/base/error.h"

#include <string.h>

#define CHECKPOINT_STEPS 20 // what is lost at most when the worker itself is killed

static bool check_region(const struct call *c, GError **error)
{
    return values_int(c->values, "region-channel") <= 0 ||
           error_usage(error, _("region-channel is for several subjects learned at once; one "
                                "subject has none (-1)."));
}

// an estimate writes nothing: it needs no name yet
static char *find_output(const struct call *c, GError **error)
{
    const char *name;
    g_autoptr(values) named = values_copy(c->values);

    learned_method(named, &name);
    if (name[0] == '\0' && c->estimate != NULL) {
        values_put(named, "name", "subject");
    }
    return learned_file(named, error);
}

static bool add_layers(const struct call *c, const scratch *folder, GPtrArray *arguments,
                       GError **error)
{
    const int given = values_int(c->values, "mask-channel");
    const host_item mask = given > 0 ? given : HOST_NONE; // 0 is what scripts give for none, too
    const bool named = strcmp(values_text(c->values, "captions"), "captions") == 0;
    bool added = true;

    for (int i = 0; i < c->n_layers && added; i++) {
        added = marks_add(c, c->layers[i], mask, i, folder, arguments, error);
        // behind its image
        if (named) {
            g_autofree char *name = host_item_name(c->layers[i]);
            call_add_text(arguments, "--caption", name);
        }
    }
    return added;
}

/* By which method, where it is another: an embedding gets a word that no text has by chance, <fox>, and stands
 * beside the kind of thing as [V] did. */
static void add_method(const values *v, GPtrArray *arguments)
{
    const char *name, *folder, *method = learned_method(v, &name);

    if (brought_of_method(method, &folder) != NULL) {
        call_add_text(arguments, "--method", method);
    }
    if (strcmp(method, "textual-inversion") == 0) {
        call_add_text(arguments, "--keys", "diffusers");
    }
}

/* A run that was cut short goes on where the same is learned again: with its random numbers, if no
 * others are asked for. */
static void add_going_on(const values *v, GPtrArray *arguments)
{
    call_add_int(arguments, "--checkpoint-every", CHECKPOINT_STEPS);
    // another checkpoint than its own is begun over, not refused
    g_ptr_array_add(arguments, g_strdup("--continue"));
    if (values_int(v, "seed") >= 0) {
        call_add_seed(arguments, values_int(v, "seed"));
    }
}

// what a dialog asks for, or a script with its steps
static const char *effort_of(const values *v)
{
    switch (values_int(v, "steps")) {
    case LEARN_STEPS_QUICK:
        return "quick";
    case LEARN_STEPS_THOROUGH:
        return "thorough";
    default:
        return values_text(v, "effort");
    }
}

bool call_learn(const struct call *c, task *t, GError **error)
{
    if (!call_check_shown(c, error) || !check_region(c, error)) {
        return false;
    }
    t->file = find_output(c, error);
    GPtrArray *a = t->file != NULL ? task_add(t, "learn", t->file, error) : NULL;
    if (a == NULL) {
        return false;
    }
    call_add_values(a, c->values, "prompt", "class-prompt", "model", "steps", "learning-rate",
                    "size", "device", NULL);
    // also the normal one: without, a run that goes on would have that of what it goes on from
    call_add_text(a, "--effort", effort_of(c->values));
    call_add_text(a, "--output", t->file);
    add_method(c->values, a);
    if (strcmp(values_text(c->values, "shape"), "own") == 0) {
        g_ptr_array_add(a, g_strdup("--buckets"));
    }
    add_going_on(c->values, a);
    return add_layers(c, t->folder, a, error);
}
