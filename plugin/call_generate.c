/* plug-in-svdiff-generate, plug-in-svdiff-create: a prompt to pictures, as new layers.
 *
 * Where the result lies: from noise, in the rectangle of the selection, scaled to it, else at the
 * layer's corner in the size in which it was made; from the layer, where the layer is; from the
 * selection, in the selection's rectangle. A selection masks the result in every case.
 *
 * From the selection the worker gets the layer around it, and the selection as a mask: it paints
 * into what it sees there, and what it gives back is cut to the selection's rectangle. */
#include "plugin/call.h"
#include "plugin/job.h"
#include "plugin/layers_in.h"
#include "plugin/layers_out.h"
#include "plugin/paths.h"
#include "plugin/settings.h"

#include "engine/svdiff.h"

#include <math.h>
#include <string.h>

#define NAME_CHARACTERS 48  // of the prompt in a layer's name
#define CONTEXT         512 // pixels around a selection, at least

struct generate {
    const struct call *call;
    const values *v;
    bool from_picture, masked;
    bool into;             // the selection, with what is around it
    bool placed;           // area has a size
    struct host_area area; // where the result goes
    struct host_area seen; // what of the layer the worker gets
    int width, height;     // at which it is made, 0: the model's own
    int seed, count;
};

/* ---- what is asked for ---- */

static bool fail_usage(GError **error, const char *sentence)
{
    g_set_error_literal(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE, sentence);
    return false;
}

static bool check_size(const values *v, const char *name, GError **error)
{
    const int size = values_int(v, name);

    if (size <= 0 || size % 8 == 0) {
        return true;
    }
    g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                "%s is %d; it must be divisible by 8, such as %d or %d.", name, size,
                MAX(8, size / 8 * 8), size / 8 * 8 + 8);
    return false;
}

static bool check_values(const struct generate *g, GError **error)
{
    if (values_text(g->v, "prompt")[0] == '\0') {
        return fail_usage(error, "prompt is empty; say what the picture shows.");
    }
    if (values_has(g->v, "regions") && values_text(g->v, "regions")[0] != '\0') {
        return fail_usage(error, "regions are not possible with this version of svdiff; leave them "
                                 "empty, and select where to paint.");
    }
    return check_size(g->v, "width", error) && check_size(g->v, "height", error);
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

// from what the picture starts and where it goes; false with a sentence
static bool find_area(struct generate *g, GError **error)
{
    const char *init = values_has(g->v, "init") ? values_text(g->v, "init") : "none";
    const bool image = host_image_exists(g->call->image);
    struct host_area selection, layer = {0};

    g->from_picture = strcmp(init, "none") != 0;
    if (!image && !g->from_picture) {
        return true;
    }
    if (!call_check_layers(g->call, error)) {
        return false;
    }
    layer = host_item_area(g->call->layers[0]);
    g->masked = host_selection_area(g->call->image, &selection);
    if (strcmp(init, "selection") == 0 && !g->masked) {
        return fail_usage(error, "Nothing is selected; select what the picture starts from, or "
                                 "choose none or layer for init.");
    }
    g->placed = g->from_picture || g->masked;
    g->area = g->seen = layer;
    if (!g->masked || strcmp(init, "layer") == 0) {
        return true;
    }
    g->area = selection;
    if (g->from_picture && !layers_in_intersect(&layer, &selection, &g->area)) {
        return fail_usage(error, "The selection lies beside the layer; select something on the "
                                 "layer.");
    }
    g->into = g->from_picture;
    look_around(g, &layer);
    return true;
}

static int round_to_8(double size)
{
    return MAX(8, (int)lround(size / 8) * 8);
}

/* The size at which the picture is made: as many pixels as the model's own square, in the shape of
 * the area; into a selection as the worker sees fit. */
static void find_size(struct generate *g)
{
    const int side = paths_model_side(values_text(g->v, "model"));
    const double shape = g->placed ? sqrt((double)g->area.width / g->area.height) : 1;

    g->width = MAX(0, values_int(g->v, "width"));
    g->height = MAX(0, values_int(g->v, "height"));
    if (g->placed && !g->into && side > 0 && g->width == 0 && g->height == 0) {
        g->width = round_to_8(side * shape);
        g->height = round_to_8(side / shape);
    }
}

/* ---- the worker ---- */

static GPtrArray *make_arguments(const struct generate *g, const char *init, const char *mask,
                                 const char *output)
{
    GPtrArray *a = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *seed = g_strdup_printf("%d", g->seed);

    call_add_text(a, "--prompt", values_text(g->v, "prompt"));
    call_add_text(a, "--negative", values_text(g->v, "negative"));
    call_add_subjects(a, values_text(g->v, "subjects"));
    call_add_text(a, "--model", values_text(g->v, "model"));
    if (g->from_picture) {
        call_add_text(a, "--init-image", init);
        call_add_number(a, "--strength", values_number(g->v, "strength"));
    }
    if (g->into) {
        call_add_text(a, "--mask", mask);
    }
    call_add_int(a, "--width", g->width);
    call_add_int(a, "--height", g->height);
    call_add_int(a, "--steps", values_int(g->v, "steps"));
    call_add_number(a, "--guidance", values_number(g->v, "guidance"));
    if (strcmp(values_text(g->v, "sampler"), "auto") != 0) {
        call_add_text(a, "--sampler", values_text(g->v, "sampler"));
    }
    call_add_text(a, "--seed", seed);
    call_add_int(a, "--count", g->count);
    call_add_text(a, "--output", output);
    return a;
}

static bool write_init(const struct generate *g, const char *path, GError **error)
{
    g_autoptr(picture) p =
        g->from_picture ? layers_in_read(g->call->layers[0], &g->seen, true, error) : NULL;

    return !g->from_picture || (p != NULL && picture_write(path, p, NULL, 0, error));
}

static bool write_mask(const struct generate *g, const char *path, GError **error)
{
    if (!g->into) {
        return true;
    }
    const host_item selection = host_selection(g->call->image);
    const struct host_area whole = host_item_area(selection);
    g_autoptr(picture) p = layers_in_mask_picture(selection, &whole, &g->seen, error);

    return p != NULL && picture_write(path, p, NULL, 0, error);
}

// runs the worker; the files of the pictures (g_strfreev), or NULL with a sentence
static char **make_pictures(const struct generate *g, const scratch *folder, GError **error)
{
    g_autofree char *init = scratch_file(folder, "init.tif");
    g_autofree char *mask = scratch_file(folder, "mask.tif");
    g_autofree char *output = scratch_file(folder, "picture-%04d.tif");
    g_autoptr(GPtrArray) arguments = make_arguments(g, init, mask, output);
    char **files = NULL;

    if (!write_init(g, init, error) || !write_mask(g, mask, error) ||
        !job_run("generate", arguments, folder, g->call, &files, error)) {
        return NULL;
    }
    if ((int)g_strv_length(files) != g->count) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    "The worker made %d pictures instead of %d; it may be another version than "
                    "the plug-in.",
                    (int)g_strv_length(files), g->count);
        g_clear_pointer(&files, g_strfreev);
    }
    return files;
}

/* ---- the layers ---- */

static char *short_prompt(const values *v)
{
    const char *prompt = values_text(v, "prompt");

    if (g_utf8_strlen(prompt, -1) <= NAME_CHARACTERS) {
        return g_strdup(prompt);
    }
    g_autofree char *begin = g_utf8_substring(prompt, 0, NAME_CHARACTERS - 1);
    return g_strconcat(begin, "…", NULL);
}

static void clear_picture(void *data)
{
    struct layers_out_picture *p = data;

    picture_free(p->pixels);
    g_free(p->name);
    g_free(p->settings);
}

// what of the picture lies in the area; frees the picture
static picture *cut(const struct generate *g, picture *p, GError **error)
{
    const int x = g->area.x - g->seen.x, y = g->area.y - g->seen.y;

    if (!g->into || p == NULL || p->width != g->seen.width || p->height != g->seen.height) {
        return p;
    }
    picture *part = picture_create(g->area.width, g->area.height, p->channels, error);
    const size_t row = (size_t)g->area.width * p->channels;
    for (int i = 0; part != NULL && i < part->height; i++) {
        memcpy(part->pixels + i * row, p->pixels + ((size_t)(y + i) * p->width + x) * p->channels,
               row * sizeof(float));
    }
    picture_free(p);
    return part;
}

// all pictures in memory before the image is touched; NULL with a sentence
static GArray *read_pictures(const struct generate *g, char **files, GError **error)
{
    GArray *all = g_array_new(FALSE, TRUE, sizeof(struct layers_out_picture));
    g_autofree char *prompt = short_prompt(g->v);

    g_array_set_clear_func(all, clear_picture);
    for (int i = 0; files[i] != NULL; i++) {
        const int64_t seed = (int64_t)g->seed + i;
        struct layers_out_picture p = {.pixels = cut(g, picture_read(files[i], 1, error), error)};
        if (p.pixels == NULL) {
            g_array_unref(all);
            return NULL;
        }
        p.name = g_strdup_printf("%s (seed %" G_GINT64_FORMAT ")", prompt, seed);
        p.settings = settings_write(g->v, seed);
        g_array_append_val(all, p);
    }
    return all;
}

static void insert_pictures(struct generate *g, const GArray *pictures, struct call_result *result)
{
    const struct layers_out_picture *first = (const struct layers_out_picture *)pictures->data;
    g_autofree char *prompt = short_prompt(g->v);
    const bool fresh = !host_image_exists(g->call->image);

    if (!g->placed) {
        g->area.width = first->pixels->width;
        g->area.height = first->pixels->height;
    }
    const struct layers_out out = {.image = fresh ? host_image_new(g->area.width, g->area.height)
                                                  : g->call->image,
                                   .below = fresh ? HOST_NONE : g->call->layers[0],
                                   .area = g->area,
                                   .masked = g->masked,
                                   .group = prompt,
                                   .pictures = first,
                                   .n = (int)pictures->len};
    result->n_layers = out.n;
    result->layers = g_new(host_item, out.n);
    layers_out_insert(&out, result->layers);
    if (fresh) {
        host_image_show(out.image);
    }
}

bool call_generate(const struct call *c, struct call_result *result, GError **error)
{
    struct generate g = {.call = c, .v = c->values};

    g.count = MAX(1, values_int(g.v, "count"));
    g.seed = call_seed(g.v);
    if (!check_values(&g, error) || !find_area(&g, error)) {
        return false;
    }
    find_size(&g);
    g_autoptr(scratch) folder = scratch_create(error);
    g_auto(GStrv) files = folder != NULL ? make_pictures(&g, folder, error) : NULL;
    g_autoptr(GArray) pictures = files != NULL ? read_pictures(&g, files, error) : NULL;
    if (pictures == NULL) {
        return false;
    }
    insert_pictures(&g, pictures, result);
    return true;
}
