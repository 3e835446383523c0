/* The pictures that a worker made, as layers; see results.h. */
#include "plugin/results.h"

#include "plugin/history.h"
#include "plugin/layers_in.h"
#include "plugin/layers_out.h"
#include "plugin/settings.h"
#include "plugin/words.h"

#include "engine/base/error.h"

#include <string.h>

#define NAME_CHARACTERS 48 // of the prompt in a layer's name

// the end of a long prompt is cut, which GIMP's list of layers would not show either
static char *short_text(const char *prompt)
{
    if (g_utf8_strlen(prompt, -1) <= NAME_CHARACTERS) {
        return g_strdup(prompt);
    }
    g_autofree char *begin = g_utf8_substring(prompt, 0, NAME_CHARACTERS - 1);
    return g_strconcat(begin, "…", NULL);
}

char *results_name(const char *prompt, int64_t seed)
{
    g_autofree char *text = short_text(prompt);

    return g_strdup_printf("%s (seed %" G_GINT64_FORMAT ")", text, seed);
}

static void clear_picture(struct layers_out_picture *p)
{
    picture_free(p->pixels);
    g_free(p->name);
    g_free(p->settings);
    g_free(p->prompt);
    g_free(p->kept);
}

/* ---- what is known before ---- */

// where several layers are worked on, none of the new ones may be hidden by them
static host_item find_below(const struct call *c)
{
    return c->n_layers == 0                              ? HOST_NONE
           : c->values->procedure->input == INPUT_LAYERS ? host_highest(c->layers, c->n_layers)
                                                         : c->layers[0];
}

void results_init(struct results *r, const struct call *c, const char *const *prompts, int seed)
{
    const bool image = host_image_exists(c->image);

    *r = (struct results){.image = image ? c->image : HOST_NONE,
                          .below = image ? find_below(c) : HOST_NONE,
                          .prompts = g_strdupv((char **)prompts),
                          .count = MAX(1, values_int(c->values, "count")),
                          .seed = seed};
}

void results_clear(struct results *r)
{
    g_strfreev(r->prompts);
    g_strfreev(r->labels);
    g_free(r->mask);
    *r = (struct results){0};
}

/* The mask is read when a run is asked for: it is then done with what was selected in that moment,
 * whatever is selected when the pictures come. */
bool results_take_selection(struct results *r, GError **error)
{
    struct host_area bounds;

    if (!layers_in_selection(r->image, &bounds)) {
        return true;
    }
    const host_item selection = host_selection(r->image);
    const struct host_area whole = host_item_area(selection);
    r->mask = layers_in_mask(selection, &whole, &r->area);
    return r->mask != NULL ||
           error_failed(error, _("There is no memory for a mask of %dx%d pixels."), r->area.width,
                        r->area.height);
}

/* ---- reading ---- */

// what of the picture lies in the area; frees the picture
static picture *cut(const struct results *r, picture *p, GError **error)
{
    // from the picture's corner
    const int x = r->area.x - r->seen.x, y = r->area.y - r->seen.y;

    if (p == NULL || p->width != r->seen.width || p->height != r->seen.height) {
        return p;
    }
    picture *part = picture_create(r->area.width, r->area.height, p->channels, error);
    const size_t row = (size_t)r->area.width * p->channels;
    for (int i = 0; part != NULL && i < part->height; i++) {
        memcpy(part->pixels + i * row, p->pixels + ((size_t)(y + i) * p->width + x) * p->channels,
               row * sizeof(float));
    }
    picture_free(p);
    return part;
}

// file `index`: all pictures of the first prompt or label come first, each with the next seed
static bool read_picture(const struct results *r, const values *v, int index, const char *file,
                         GArray *to, GError **error)
{
    const int64_t seed = (int64_t)r->seed + index % r->count;
    const int of = index / r->count;
    const char *prompt = r->prompts[r->labels != NULL ? 0 : of];
    struct layers_out_picture p = {.pixels = cut(r, picture_exchange_read(file, error), error)};

    if (p.pixels == NULL) {
        return false;
    }
    p.name = results_name(r->labels != NULL ? r->labels[of] : prompt, seed);
    p.prompt = g_strdup(prompt);
    p.settings = settings_write(v, seed);
    g_array_append_val(to, p);
    return true;
}

static bool check_count(const struct results *r, char **files, GError **error)
{
    const int wanted = r->count * (int)g_strv_length(r->labels != NULL ? r->labels : r->prompts);
    const int made = (int)g_strv_length(files);

    return made == wanted ||
           error_failed(
               error,
               _("The worker made %d pictures instead of %d; it may be another version than "
                 "the plug-in."),
               made, wanted);
}

// all or none: half a run in the image would look like a whole one
GArray *results_read(const struct results *r, const values *v, char **files, GError **error)
{
    g_autoptr(GArray) pictures = g_array_new(FALSE, TRUE, sizeof(struct layers_out_picture));

    g_array_set_clear_func(pictures, (GDestroyNotify)clear_picture);
    if (!check_count(r, files, error)) {
        return NULL;
    }
    for (int i = 0; files[i] != NULL; i++) {
        if (!read_picture(r, v, i, files[i], pictures, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&pictures);
}

/* ---- inserting ---- */

// where a picture goes, in the size in which its layer is
static struct host_area area_of(const struct results *r, const struct layers_out_picture *p)
{
    struct host_area area = r->area;

    if (!r->placed) {
        area.width = p->pixels->width;
        area.height = p->pixels->height;
    }
    return area;
}

// the mask is that of all of them
bool results_keep(const struct results *r, GArray *pictures, GError **error)
{
    g_autofree char *folder = history_folder(error);
    g_autofree char *run = history_run();

    for (guint i = 0; folder != NULL && i < pictures->len; i++) {
        struct layers_out_picture *p = &g_array_index(pictures, struct layers_out_picture, i);
        const struct history_entry entry = {
            .settings = p->settings, .prompt = p->prompt, .area = area_of(r, p)};
        p->kept = history_add(folder, run, (int)i, p->pixels, r->mask, &entry, error);
        if (p->kept == NULL) {
            return false;
        }
    }
    if (folder != NULL) {
        history_tidy(folder);
    }
    return folder != NULL;
}

static bool check_image(const struct results *r, GError **error)
{
    return r->image == HOST_NONE || host_image_exists(r->image) ||
           error_failed(error, _("The image was closed before the picture was done."));
}

bool results_insert(const struct results *r, const GArray *pictures, struct call_result *result,
                    GError **error)
{
    // all have one size, which the worker chose
    const struct layers_out_picture *first = (const struct layers_out_picture *)pictures->data;
    g_autofree char *group = short_text(r->prompts[0]);

    if (!check_image(r, error)) {
        return false;
    }
    // a layer that was deleted meanwhile has nothing above it: they go on top
    const struct layers_out out = {.image = r->image,
                                   .below =
                                       host_is_layer_of(r->below, r->image) ? r->below : HOST_NONE,
                                   .area = area_of(r, first),
                                   .mask = r->mask,
                                   .group = group,
                                   .pictures = first,
                                   .n = (int)pictures->len};
    result->n_layers = out.n;
    // the caller's, with result
    result->layers = g_new(host_item, out.n);
    layers_out_insert(&out, result->layers);
    return true;
}
