/* The texts that pictures carry of how they were made. */
#include "engine/command/command.h"
#include "engine/generate/sampler.h"
#include "engine/session/session.h"

/* ---- generated ---- */

// "fox.safetensors:0.5, cat.safetensors:1", without folders
static char *list_subjects(const struct svdiff_generate_options *o)
{
    char scale[G_ASCII_DTOSTR_BUF_SIZE];
    GString *list = g_string_new(NULL);

    for (int i = 0; i < o->n_subjects; i++) {
        g_autofree char *name = g_path_get_basename(o->subjects[i].file);
        g_ascii_formatd(scale, sizeof scale, "%.6g", o->subjects[i].scale);
        g_string_append_printf(list, "%s%s:%s", i > 0 ? ", " : ", Subjects: ", name, scale);
    }
    return g_string_free(list, FALSE);
}

// a line for each, without folders
static char *list_regions(const struct svdiff_generate_options *o)
{
    GString *list = g_string_new(NULL);

    for (int i = 0; i < o->n_regions; i++) {
        g_autofree char *name = g_path_get_basename(o->regions[i].file);
        g_string_append_printf(list, "\nRegion %s: %s", name, o->regions[i].text);
    }
    return g_string_free(list, FALSE);
}

char *command_describe_generated(const struct svdiff_generate_options *o, const svdiff *s,
                                 uint64_t seed, const picture *p)
{
    char guidance[G_ASCII_DTOSTR_BUF_SIZE];
    g_autofree char *subjects = list_subjects(o);
    g_autofree char *regions = list_regions(o);
    g_autofree char *all = g_strdup_printf(
        "%s%s\nNegative prompt: %s\nSteps: %d, Sampler: %s, CFG scale: %s, Seed: %" G_GUINT64_FORMAT
        ", Size: %dx%d, Model hash: %.12s%s, Precision: %s, Version: svdiff %s",
        o->prompt, regions, o->negative, o->steps, sampler_name(o->sampler),
        g_ascii_formatd(guidance, sizeof guidance, "%.6g", o->guidance), seed, p->width, p->height,
        s->hashes.base, subjects, session_precision(s), SVDIFF_VERSION);

    // a name of a file can be any bytes, a text of a picture cannot
    return g_utf8_make_valid(all, -1);
}

/* ---- edited ---- */

char *command_describe_edited(const struct svdiff_edit_options *o, const svdiff *s, int index,
                              uint64_t seed, const picture *p)
{
    // as programs of Stable Diffusion write it, with what only an edit has behind
    char number[3][G_ASCII_DTOSTR_BUF_SIZE];
    g_autofree char *source = g_path_get_basename(o->image);
    g_autofree char *all = g_strdup_printf(
        "%s\nNegative prompt: %s\nSteps: %d, Sampler: ddim, CFG scale: %s, Seed: %" G_GUINT64_FORMAT
        ", Size: %dx%d, Model hash: %.12s, Edited: %s, Described as: %s, Inversion: %s, Eta: %s, "
        "Noise: %s, Refined: %d, Fitted: %d, Precision: %s, Version: svdiff %s",
        o->targets[index / o->count], o->negative, o->steps,
        g_ascii_formatd(number[0], sizeof number[0], "%.6g", o->guidance), seed, p->width,
        p->height, s->hashes.base, source, o->prompt, o->invert ? "yes" : "no",
        g_ascii_formatd(number[1], sizeof number[1], "%.6g", o->eta),
        g_ascii_formatd(number[2], sizeof number[2], "%.6g", o->noise), o->refine, o->fit,
        session_precision(s), SVDIFF_VERSION);

    // a name of a file can be any bytes, a text of a picture cannot
    return g_utf8_make_valid(all, -1);
}
