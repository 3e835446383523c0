/* plug-in-svdiff-generate, plug-in-svdiff-create: a prompt to pictures, as new layers.
 *
 * Where the result lies: from noise, in the rectangle of the selection, scaled to it, else at the
 * layer's corner (without a layer the image's) in the size in which it was made; from the layer,
 * where the layer is; from the selection, in the selection's rectangle. A selection masks the
 * result in every case.
 *
 * From the selection the worker gets the layer around it, and the selection as a mask: it paints
 * into what it sees there, and what it gives back is cut to the selection's rectangle. */
#include "plugin/call.h"
#include "plugin/layers_in.h"
#include "plugin/prompt_file.h"
#include "plugin/regions.h"
#include "plugin/task.h"
#include "plugin/words.h"

#include "engine/base/error.h"
#include "engine/options/strip.h"

#include <string.h>

#define CONTEXT  512 // pixels around a selection, at least
#define NO_IMAGE 512 // pixels a side of a mask without an image: a whole number of any latents

struct generate {
    const struct call *call;
    const values *v;
    char **prompts; // what is painted, each with all its pictures; owned
    bool from_picture, masked;
    bool into;             // the selection, with what is around it
    bool placed;           // area has a size
    struct host_area area; // where the result goes
    struct host_area seen; // what of the layer the worker gets
    int width, height;     // at which it is made, 0: the model's own
    int seed;
};

/* ---- what is asked for ---- */

static bool check_values(const struct generate *g, GError **error)
{
    if (g->prompts[0][0] == '\0') {
        return error_usage(error, _("prompt is empty; say what the picture shows."));
    }
    return call_check_size(g->v, error);
}

// NULL with a sentence
static char **take_prompts(const values *v, GError **error)
{
    const char *file = values_text(v, "prompts");
    const char *const alone[] = {values_text(v, "prompt"), NULL};

    return file[0] != '\0' ? prompt_file_read(file, error) : g_strdupv((char **)alone);
}

/* What of the layer is around the area: as much again on each side, for the worker to choose its
 * context from, and no more, because layers can be large. */
static void look_around(struct generate *g, const struct host_area *layer)
{
    const int margin = MAX(CONTEXT, MAX(g->area.width, g->area.height));
    const struct host_area wide = {g->area.x - margin, g->area.y - margin,
                                   g->area.width + 2 * margin, g->area.height + 2 * margin};

    layers_in_intersect(layer, &wide, &g->seen);
}

// noise needs no layer, and the layer above which it goes may be hidden
static bool check_layer(const struct generate *g, GError **error)
{
    return g->from_picture ? call_check_shown(g->call, error)
                           : g->call->n_layers == 0 || call_check_layers(g->call, error);
}

// from what the picture starts and where it goes; false with a sentence
static bool find_area(struct generate *g, GError **error)
{
    const char *init = values_has(g->v, "init") ? values_text(g->v, "init") : "none";
    const bool image = host_image_exists(g->call->image);
    struct host_area selection, layer = {0};

    g->from_picture = strcmp(init, "none") != 0;
    if (g->from_picture && values_number(g->v, "hires") > 1) {
        return error_usage(error, _("A picture that starts from another cannot be enlarged; choose "
                                    "none for init, or do not enlarge it."));
    }
    if (!image && !g->from_picture) {
        return true;
    }
    if (!check_layer(g, error) || !call_check_palette(g->call, error)) {
        return false;
    }
    layer =
        host_item_area(g->call->n_layers > 0 ? g->call->layers[0] : host_selection(g->call->image));
    g->masked = layers_in_selection(g->call->image, &selection);
    if (strcmp(init, "selection") == 0 && !g->masked) {
        return error_usage(error, _("Nothing is selected; select what the picture starts from, or "
                                    "choose none or layer for init."));
    }
    g->placed = g->from_picture || g->masked;
    g->area = g->seen = layer;
    if (!g->masked || strcmp(init, "layer") == 0) {
        return true;
    }
    g->area = selection;
    if (g->from_picture && !layers_in_intersect(&layer, &selection, &g->area)) {
        return error_usage(error, _("The selection lies beside the layer; select something on the "
                                    "layer."));
    }
    g->into = g->from_picture;
    look_around(g, &layer);
    return true;
}

/* ---- the worker ---- */

static void add_values(const struct generate *g, const scratch *folder, GPtrArray *a)
{
    const bool listed = values_text(g->v, "prompts")[0] != '\0';

    call_add_values(a, g->v, listed ? "prompts" : "prompt", "negative", "model", "steps",
                    "guidance", "sampler", "count", "device", "spacing", "timesteps", "clip-skip",
                    "guidance-rescale", "noise", "strip", "hires", NULL);
    if (strcmp(values_text(g->v, "seamless"), "yes") == 0) {
        g_ptr_array_add(a, g_strdup("--tile"));
    }
    call_add_subjects(a, values_text(g->v, "subjects"));
    g_ptr_array_add(a, g_strdup("--names"));
    call_add_int(a, "--width", g->width);
    call_add_int(a, "--height", g->height);
    call_add_seed(a, g->seed);
    call_add_pictures(a, g->call, folder);
}

// what it starts from, if that is a picture
static bool add_init(const struct generate *g, const scratch *folder, GPtrArray *a, GError **error)
{
    if (!g->from_picture) {
        return true;
    }
    call_add_values(a, g->v, "strength", NULL);
    picture *seen = layers_in_read(g->call->layers[0], &g->seen, true, error);
    return call_add_picture(a, "--init-image", folder, "init.tif", seen, error);
}

// what of it may change, if not all
static bool add_mask(const struct generate *g, const scratch *folder, GPtrArray *a, GError **error)
{
    if (!g->into) {
        return true;
    }
    const host_item selection = host_selection(g->call->image);
    const struct host_area whole = host_item_area(selection);
    picture *mask = layers_in_mask_picture(selection, &whole, &g->seen, error);
    return call_add_picture(a, "--mask", folder, "mask.tif", mask, error);
}

// what the picture shows of the image: where it goes, or all; without an image only shares count
static struct host_area find_view(const struct generate *g)
{
    return g->into                             ? g->seen
           : g->placed                         ? g->area
           : host_image_exists(g->call->image) ? host_item_area(host_selection(g->call->image))
                                               : (struct host_area){0, 0, NO_IMAGE, NO_IMAGE};
}

static bool add_regions(const struct generate *g, const scratch *folder, GPtrArray *arguments,
                        GError **error)
{
    const struct host_area view = find_view(g);

    return regions_add_list(g->call, g->placed ? &g->area : &view, &view, folder, arguments, error);
}

// what the pictures of a strip are called, if there is one
static bool name_strip(const struct generate *g, struct results *r, GError **error)
{
    const char *text = values_text(g->v, "strip");
    struct strip strip = {0};
    const bool good = text[0] == '\0' || strip_parse(text, &strip, error);

    r->labels = strip.n > 0 && good ? g_new0(char *, strip.n + 1) : NULL;
    for (int i = 0; r->labels != NULL && i < strip.n; i++) {
        r->labels[i] = strip_label(&strip, i);
    }
    strip_clear(&strip);
    return good;
}

// where what is made goes
static bool place(const struct generate *g, struct results *r, GError **error)
{
    results_init(r, g->call, (const char *const *)g->prompts, g->seed);
    if (!name_strip(g, r, error)) {
        return false;
    }
    r->placed = g->placed;
    r->area = g->area;
    r->seen = g->into ? g->seen : (struct host_area){0};
    return !g->masked || results_take_selection(r, error);
}

static bool fill(struct generate *g, task *t, GError **error)
{
    if (!check_values(g, error) || !find_area(g, error)) {
        return false;
    }
    call_size(g->v, g->placed && !g->into ? &g->area : NULL, &g->width, &g->height);
    GPtrArray *a = task_add(t, "generate", NULL, error);
    if (a == NULL) {
        return false;
    }
    add_values(g, t->folder, a);
    return add_init(g, t->folder, a, error) && add_mask(g, t->folder, a, error) &&
           add_regions(g, t->folder, a, error) && place(g, &t->results, error);
}

bool call_generate(const struct call *c, task *t, GError **error)
{
    struct generate g = {.call = c, .v = c->values, .seed = call_seed(c->values)};

    g.prompts = take_prompts(g.v, error);
    const bool filled = g.prompts != NULL && fill(&g, t, error);
    g_strfreev(g.prompts);
    return filled;
}
