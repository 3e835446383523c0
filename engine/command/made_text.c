/* How a picture was made; see made_text.h. */
#include "engine/command/made_text.h"

#include "engine/command/adapter_option.h"
#include "engine/options/option.h"
#include "engine/sampler/sampler.h"
#include "engine/session/session.h"

// "fox.safetensors:0.5, cat.safetensors:1", without folders
static char *list_subjects(const struct svdiff_generate_options *o)
{
    char scale[G_ASCII_DTOSTR_BUF_SIZE];
    GString *list = g_string_new(NULL);

    for (int i = 0; i < o->n_subjects; i++) {
        g_autofree char *name = g_path_get_basename(o->subjects[i].file);
        g_ascii_formatd(scale, sizeof scale, "%.6g", o->subjects[i].scale);
        g_string_append_printf(list, "%s%s%s:%s", i > 0 ? ", " : ", Subjects: ", name,
                               o->subjects[i].part != NULL ? o->subjects[i].part : "", scale);
    }
    return g_string_free(list, FALSE);
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

// what differs from the defaults, by the names that other programs have for it
static char *list_settings(const struct svdiff_generate_options *o)
{
    static const struct {
        const char *option, *called;
    } settings[] = {{"clip-skip", "Clip skip"},
                    {"spacing", "Schedule type"},
                    {"timesteps", "Timesteps"},
                    {"zero-snr", "Zero SNR"},
                    {"eta", "Eta"},
                    {"guidance-rescale", "CFG rescale"},
                    {"noise", "RNG"},
                    {"tile", "Tiling"}};
    const struct option_table *t = &options_of_generate;
    GString *list = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        const struct option *row = option_find(t, settings[i].option);
        if (option_get(row, o) != row->standard) {
            g_autofree char *text = option_text(row, o);
            g_string_append_printf(list, ", %s: %s", settings[i].called, text);
        }
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

char *made_text(const struct svdiff_generate_options *o, const svdiff *s, uint64_t seed,
                const picture *p)
{
    char guidance[G_ASCII_DTOSTR_BUF_SIZE];
    g_autofree char *subjects = list_subjects(o), *regions = list_regions(o);
    g_autofree char *settings = list_settings(o), *adapters = list_adapters(o);
    g_autofree char *files = adapter_options_files(s->options.vae, o->embeddings, o->n_embeddings);

    return g_strdup_printf(
        "%s%s%s\nNegative prompt: %s\nSteps: %d, Sampler: %s, CFG scale: %s, Seed: "
        "%" G_GUINT64_FORMAT
        "%s, Size: %dx%d, Model hash: %.12s%s%s, Precision: %s, Device: %s, Version: svdiff %s",
        o->prompt, adapters, regions, o->negative, o->steps, sampler_name(o->sampler),
        g_ascii_formatd(guidance, sizeof guidance, "%.6g", o->guidance), seed, settings, p->width,
        p->height, s->hashes.base, subjects, files, session_precision(s), s->device,
        SVDIFF_VERSION);
}
