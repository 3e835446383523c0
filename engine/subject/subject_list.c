/* Subjects opened for a model; see subject_list.h. */
#include "engine/subject/subject_list.h"

#include "engine/base/error.h"
#include "engine/subject/subject_lookup.h"

#include <string.h>

struct svdiff_scaled_subject subject_list_parse(const char *text)
{
    double scale;
    // the name first: what it is the name of may hold a colon
    g_autofree char *name = svdiff_subject_split(text, &scale);

    return (struct svdiff_scaled_subject){
        .file = subject_path(name), .scale = scale, .part = g_strdup(subject_part_of(name))};
}

// before what it says itself, which counts then
static void keep_of(struct svdiff_scaled_subject *s, int keep)
{
    const char *own = s->part != NULL ? s->part : "";
    char *part = g_strdup_printf(":keep=%d%s", keep, own);

    g_free((char *)s->part);
    s->part = part;
}

struct svdiff_scaled_subject *subject_list_parse_all(const char *first, const char *const *more,
                                                     int keep, int *n)
{
    // room for the first as well
    const guint of_more = more != NULL ? g_strv_length((char **)more) : 0;
    struct svdiff_scaled_subject *all = g_new0(struct svdiff_scaled_subject, of_more + 1);

    *n = 0;
    if (first != NULL) {
        all[(*n)++] = subject_list_parse(first);
    }
    for (guint i = 0; i < of_more; i++) {
        all[(*n)++] = subject_list_parse(more[i]);
    }
    for (int i = 0; keep > 0 && i < *n; i++) {
        keep_of(&all[i], keep);
    }
    return all;
}

void subject_list_free_parsed(struct svdiff_scaled_subject *all, int n)
{
    for (int i = 0; i < n; i++) {
        g_free((char *)all[i].file);
        g_free((char *)all[i].part);
    }
    g_free(all);
}

// by the hash of the weights that it was learned with
static bool check_base(svdiff *s, const struct subject *subject, const char *file, bool force,
                       GError **error)
{
    const char *hash = subject_metadata(subject, "base_hash");

    // svdiff-pytorch's files say nothing: their shifts still have to fit by name and length
    if (hash == NULL) {
        session_warn(s, "%s does not say which model it was learned with.", file);
        return true;
    }
    // of all weights that are shifted; equal for f32 and f16 copies
    const struct model_hashes *own = session_hashes(s, MODEL_HASH_BASE, NULL, NULL, error);
    if (own == NULL || strcmp(hash, own->base) == 0 || force) {
        return own != NULL;
    }
    return error_failed(
        error,
        "%s was learned with another model (%.12s, this one is %.12s); use that model, or --force.",
        file, hash, own->base);
}

static bool open_one(struct subject_list *l, int i, svdiff *s,
                     const struct svdiff_scaled_subject *wanted, bool force, GError **error)
{
    struct subject *subject = subject_open(wanted->file, error);

    // in the list at once, so that it is freed with it
    l->items[i] = (struct bake_subject){
        .subject = subject, .scale = wanted->scale, .file = g_strdup(wanted->file)};
    if (subject == NULL) {
        return false;
    }
    for (const char *const *notice = subject_notices(subject); *notice != NULL; notice++) {
        session_warn(s, "%s", *notice);
    }
    g_autofree const char **names = subject_names(subject);
    return subject_part_parse(wanted->part, &l->items[i].part, error) &&
           subject_part_check(&l->items[i].part, names, wanted->file, error) &&
           check_base(s, subject, wanted->file, force, error);
}

bool subject_list_open(struct subject_list *l, svdiff *s,
                       const struct svdiff_scaled_subject *wanted, int n, bool force,
                       GError **error)
{
    // at least one, so that NULL means closed
    *l = (struct subject_list){.items = g_new0(struct bake_subject, MAX(n, 1)), .n = n};
    for (int i = 0; i < n; i++) {
        if (!open_one(l, i, s, &wanted[i], force, error)) {
            return false;
        }
    }
    return bake_check(l->items, l->n, s->checkpoint, error);
}

void subject_list_close(struct subject_list *l)
{
    for (int i = 0; l->items != NULL && i < l->n; i++) {
        subject_free(l->items[i].subject);
        g_free((char *)l->items[i].file);
        subject_part_clear(&l->items[i].part);
    }
    g_free(l->items);
    *l = (struct subject_list){0};
}
