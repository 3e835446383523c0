/* How a picture was made; see made_text.h. */
#include "engine/command/made_text.h"

#include "engine/adapter/adapter_lookup.h"
#include "engine/command/adapter_option.h"
#include "engine/command/picture_settings.h"
#include "engine/command/settings_text.h"
#include "engine/sampler/sampler.h"
#include "engine/session/session.h"

// ", Subjects: fox.safetensors:0.5", without folders
static char *list_subjects(const struct svdiff_generate_options *o)
{
    char scale[G_ASCII_DTOSTR_BUF_SIZE];
    GString *list = g_string_new(NULL);

    for (int i = 0; i < o->n_subjects; i++) {
        g_autofree char *name = g_path_get_basename(o->subjects[i].file);
        g_ascii_formatd(scale, sizeof scale, "%.6g", o->subjects[i].scale);
        g_string_append_printf(list, "%s%s%s:%s", i > 0 ? ", " : "", name,
                               o->subjects[i].part != NULL ? o->subjects[i].part : "", scale);
    }
    g_autofree char *quoted = settings_text_quote(g_string_free(list, FALSE));
    return g_strconcat(o->n_subjects > 0 ? ", Subjects: " : "", quoted, NULL);
}

// those of a region alone, as bits
static uint64_t own_adapters(const struct svdiff_generate_options *o, int region)
{
    return o->n_subjects < 64 ? o->regions[region].subjects >> o->n_subjects : 0;
}

// a line for each, without folders
static char *list_regions(const struct svdiff_generate_options *o)
{
    GString *list = g_string_new(NULL);

    for (int i = 0; i < o->n_regions; i++) {
        g_autofree char *name = g_path_get_basename(o->regions[i].file);
        g_autofree char *own = adapter_options_text(o->adapters, o->n_adapters, own_adapters(o, i));
        g_string_append_printf(list, "\nRegion %s: %s%s", name, o->regions[i].text, own);
    }
    return g_string_free(list, FALSE);
}

// those that act everywhere, behind the prompt
static char *list_adapters(const struct svdiff_generate_options *o)
{
    uint64_t confined = 0;

    for (int i = 0; i < o->n_regions; i++) {
        confined |= own_adapters(o, i);
    }
    return adapter_options_text(o->adapters, o->n_adapters, ~confined);
}

// of a picture that began with another, which was drawn in a size of its own
static char *list_start(const struct svdiff_generate_options *o, const picture *p)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    GString *list = g_string_new(NULL);

    if (o->init != NULL) {
        g_ascii_formatd(number, sizeof number, "%.6g", o->strength);
        g_string_append_printf(list, ", Denoising strength: %s", number);
    }
    if (o->init != NULL && (o->width != p->width || o->height != p->height)) {
        g_string_append_printf(list, ", Drawn at: %dx%d", o->width, o->height);
    }
    return g_string_free(list, FALSE);
}

char *made_text(const struct svdiff_generate_options *o, const svdiff *s, uint64_t seed,
                const picture *p)
{
    char guidance[G_ASCII_DTOSTR_BUF_SIZE];
    g_autofree char *subjects = list_subjects(o), *regions = list_regions(o);
    g_autofree char *settings = picture_settings_list(o), *adapters = list_adapters(o);
    g_autofree char *files = adapter_options_files(s->options.vae, o->embeddings, o->n_embeddings);
    g_autofree char *start = list_start(o, p);
    g_autofree char *model =
        settings_text_quote(adapter_lookup_name(checkpoint_path(s->checkpoint)));

    return g_strdup_printf(
        "%s%s%s\nNegative prompt: %s\nSteps: %d, Sampler: %s, CFG scale: %s, Seed: "
        "%" G_GUINT64_FORMAT "%s, Size: %dx%d, Model hash: %.12s, Model: %s%s%s%s, Precision: %s, "
        "Device: %s, Version: svdiff %s",
        o->prompt, adapters, regions, o->negative, o->steps,
        picture_settings_sampler(sampler_name(o->sampler)),
        g_ascii_formatd(guidance, sizeof guidance, "%.6g", o->guidance), seed, settings,
        // with --hires its own size follows from the first one
        o->hires > 1 ? o->width : p->width, o->hires > 1 ? o->height : p->height, s->hashes.base,
        model, start, subjects, files, session_precision(s), s->device, SVDIFF_VERSION);
}
