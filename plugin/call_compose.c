/* plug-in-svdiff-compose: each layer is a subject; all are learned together, mixed into one picture
 * again and again so that they stay apart, and painted together from one prompt.
 *
 * What of a layer is the subject says its mask or the selection; where it goes in mixed pictures
 * its place (spot.h). The result covers the image. The subjects stay in one file, for generating
 * again. */
#include "plugin/call.h"
#include "plugin/marks.h"
#include "plugin/paths.h"
#include "plugin/spot.h"
#include "plugin/regions.h"
#include "plugin/task.h"
#include "plugin/thing.h"
#include "plugin/words.h"

#include "engine/base/error.h"

#include <string.h>

struct compose {
    const struct call *call;
    const values *v;
    char **prompts, **class_prompts, **regions; // one a layer, or none at all
    char *output;                               // owned by the task, as its file
    struct host_area area;                      // the image
    int seed;
};

/* ---- what is asked for ---- */

// "a; b" to its parts; nothing to none
static char **split(const char *list)
{
    char **parts = g_strsplit_set(list, ";\n", -1);

    for (char **part = parts; *part != NULL; part++) {
        g_strstrip(*part);
    }
    return parts;
}

static bool check_list(const struct compose *c, const char *name, char **list, GError **error)
{
    const int n = (int)g_strv_length(list);

    // 0: none was given, which is allowed
    return n == 0 || n == c->call->n_layers ||
           error_usage(
               error,
               _("%s has %d parts for %d layers; give one for each, with ; between them, or none."),
               name, n, c->call->n_layers);
}

static bool check_layers(const struct compose *c, GError **error)
{
    if (!call_check_shown(c->call, error) || !call_check_palette(c->call, error)) {
        return false;
    }
    return c->call->n_layers >= 2 ||
           error_usage(
               error,
               _("One layer is chosen; composing needs a layer for each of two or more subjects."));
}

// the given one, else of what the layer's name says it is; NULL where it says nothing
static char *prompt_of(const struct compose *c, int i)
{
    if (c->prompts[0] != NULL && c->prompts[i][0] != '\0') {
        // a prompt in an otherwise given list may be empty: then its layer's name counts
        return g_strdup(c->prompts[i]);
    }
    g_autofree char *name = host_item_name(c->call->layers[i]);
    g_autofree char *thing = thing_of_name(name);
    return thing != NULL ? thing_prompt(thing) : NULL;
}

static bool check_prompts(const struct compose *c, GError **error)
{
    for (int i = 0; i < c->call->n_layers; i++) {
        g_autofree char *prompt = prompt_of(c, i);
        if (prompt == NULL) {
            g_autofree char *name = host_item_name(c->call->layers[i]);
            return error_usage(
                error,
                _("What does the layer “%s” show? Its name does not say: name it after its "
                  "subject, or write a prompt for each layer, with ; between them."),
                name);
        }
    }
    return true;
}

static bool check(const struct compose *c, GError **error)
{
    if (!check_layers(c, error) || !check_list(c, "prompts", c->prompts, error) ||
        !check_list(c, "class-prompts", c->class_prompts, error) ||
        !check_list(c, "region-channels", c->regions, error) || !check_prompts(c, error)) {
        return false;
    }
    if (values_text(c->v, "prompt")[0] == '\0') {
        return error_usage(
            error, _("prompt is empty; say what the picture shows, the subjects by what they "
                     "are."));
    }
    return call_check_size(c->v, error);
}

/* ---- learning ---- */

static bool add_region(const struct compose *c, int i, const scratch *folder, GPtrArray *arguments,
                       GError **error)
{
    const char *place = c->regions[0] != NULL ? c->regions[i] : "";
    g_autofree char *name = g_strdup_printf("region-%d.tif", i);

    if (place[0] == '\0') {
        return true;
    }
    // of the whole image: regions of learning are shares of the mixed picture
    picture *mask = regions_mask(c->call, "region-channels", place, &c->area, &c->area, error);
    return call_add_picture(arguments, "--region", folder, name, mask, error);
}

static bool add_subject(const struct compose *c, int i, const scratch *folder, GPtrArray *arguments,
                        GError **error)
{
    g_autofree char *prompt = prompt_of(c, i);

    call_add_text(arguments, "--prompt", prompt);
    if (c->class_prompts[0] != NULL) {
        call_add_text(arguments, "--class-prompt", c->class_prompts[i]);
    }
    // no channel is asked for here: each layer has its own mask, or the selection
    return marks_add(c->call, c->call->layers[i], HOST_NONE, i, folder, arguments, error) &&
           add_region(c, i, folder, arguments, error);
}

// what the worker is asked for first; false with a sentence
static bool learn(const struct compose *c, task *t, GError **error)
{
    GPtrArray *a = task_add(t, "learn", c->output, error);
    bool added = a != NULL;

    for (int i = 0; i < c->call->n_layers && added; i++) {
        added = add_subject(c, i, t->folder, a, error);
    }
    if (added) {
        call_add_text(a, "--output", c->output);
        call_add_values(a, c->v, "model", "steps", "cut-mix", "device", NULL);
        call_add_number(a, "--unmix-weight", values_number(c->v, "unmix"));
        call_add_seed(a, c->seed);
        call_add_text(a, "--apart-pictures", "0"); // nobody would see what they say
    }
    return added;
}

/* ---- painting ---- */

// "a photo of a [V2] cat", where the second subject goes
static bool add_places(const struct compose *c, const scratch *folder, GPtrArray *arguments,
                       GError **error)
{
    bool added = true;

    for (int i = 0; c->regions[0] != NULL && i < c->call->n_layers && added; i++) {
        if (c->regions[i][0] != '\0') {
            g_autofree char *prompt = prompt_of(c, i);
            g_autofree char *word = g_strdup_printf("[V%d]", i + 1);
            g_auto(GStrv) parts = g_strsplit(prompt, "[V]", -1);
            g_autofree char *text = g_strjoinv(word, parts);
            const struct region region = {c->regions[i], text};
            added = regions_add(c->call, "region-channels", &region, i, &c->area, &c->area, folder,
                                arguments, error);
        }
    }
    return added;
}

// [classes] or [swapped] in the text is a word for --unseam, which knows the subjects
static void add_negative(GPtrArray *a, const char *negative)
{
    static const char *const words[] = {"classes", "swapped"};
    g_autoptr(GString) rest = g_string_new(negative);

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *mark = g_strdup_printf("[%s]", words[i]);
        if (g_string_replace(rest, mark, "", 0) > 0) {
            call_add_text(a, "--unseam", words[i]);
        }
    }
    call_add_text(a, "--negative", g_strstrip(rest->str));
}

// and then; false with a sentence
static bool paint(const struct compose *c, task *t, GError **error)
{
    GPtrArray *a = task_add(t, "generate", NULL, error);
    int width, height;

    if (a == NULL) {
        return false;
    }
    call_size(c->v, &c->area, &width, &height);
    call_add_values(a, c->v, "prompt", "model", "count", "device", NULL);
    add_negative(a, values_text(c->v, "negative"));
    call_add_text(a, "--subject", c->output);
    // what was learned is of the model alone, and a style is painted over it
    call_add_adapters(a, values_text(c->v, "adapters"));
    // what the prompt calls the subjects becomes their own words
    g_ptr_array_add(a, g_strdup("--names"));
    call_add_int(a, "--width", width);
    call_add_int(a, "--height", height);
    call_add_seed(a, c->seed);
    call_add_pictures(a, c->call, t->folder);
    return add_places(c, t->folder, a, error);
}

// what of a layer's name can be in that of a subject
static char *name_of(host_item layer)
{
    char *name = host_item_name(layer);

    for (char *at = name; *at != '\0'; at++) {
        // what lists, strengths and paths would take apart
        *at = strchr("/:.;", *at) != NULL || g_ascii_iscntrl(*at) ? '-' : *at;
    }
    return g_strstrip(name);
}

// all that is learned goes to one file: the given one, or one with the names of the layers
static char *find_output(const struct call *c, GError **error)
{
    const char *output = values_text(c->values, "output");
    GString *name = g_string_new(NULL);

    for (int i = 0; i < c->n_layers; i++) {
        g_autofree char *layer = name_of(c->layers[i]);
        g_string_append_printf(name, "%s%s", i > 0 ? "+" : "", layer);
    }
    g_autofree char *names = g_string_free(name, FALSE);
    return output[0] != '\0' ? g_strdup(output) : paths_subject(names, error);
}

static bool fill(struct compose *c, task *t, GError **error)
{
    const char *const prompts[] = {values_text(c->v, "prompt"), NULL};

    if (!check(c, error)) {
        return false;
    }
    c->area = host_item_area(host_selection(c->call->image)); // it covers the image
    t->file = c->output = find_output(c->call, error);
    if (c->output == NULL || !learn(c, t, error) || !paint(c, t, error)) {
        return false;
    }
    results_init(&t->results, c->call, prompts, c->seed);
    t->results.placed = true;
    t->results.area = c->area;
    return true;
}

bool call_compose(const struct call *c, task *t, GError **error)
{
    const values *v = c->values;
    g_auto(GStrv) names = spot_names(c->image);
    g_auto(GStrv) prompts = split(values_text(v, "prompts"));
    g_auto(GStrv) classes = split(values_text(v, "class-prompts"));
    g_auto(GStrv) regions = regions_places(values_text(v, "region-channels"), names);
    // borrows the lists, which this function frees; one seed for learning and painting
    struct compose compose = {c, v, prompts, classes, regions, .seed = call_seed(v)};

    return fill(&compose, t, error);
}
