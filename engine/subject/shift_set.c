/* Subsets and spectral weights; see shift_set.h. */
#include "engine/subject/shift_set.h"

#include "engine/network/spectral.h"

#include <string.h>

/* ---- subsets ---- */

/* A weight belongs to a subset when its name begins with `block`, holds `part`, and its kind is in
 * `kinds` (bit per kind). */
// a set of kinds is a word of bits
#define KIND(kind) (1u << (kind))
#define ANY        (KIND(WEIGHT_LINEAR) | KIND(WEIGHT_CONV) | KIND(WEIGHT_EMBEDDING) | KIND(WEIGHT_NORM))

static const struct {
    const char *block, *part;
    unsigned kinds;
} subsets[] = {
    [SUBSET_UNET] = {"", "", ANY},
    [SUBSET_UNET_CA] = {"", ".attn2.", ANY},
    [SUBSET_UNET_CA_KV] = {"", ".attn2.to_", ANY},
    [SUBSET_UNET_1D] = {"", "", KIND(WEIGHT_NORM)},
    [SUBSET_UNET_2D] = {"", "", KIND(WEIGHT_LINEAR) | KIND(WEIGHT_EMBEDDING)},
    [SUBSET_UNET_4D] = {"", "", KIND(WEIGHT_CONV)},
    [SUBSET_UP] = {"up_blocks.", "", ANY},
    [SUBSET_DOWN] = {"down_blocks.", "", ANY},
    [SUBSET_MID] = {"mid_block.", "", ANY},
    [SUBSET_UP_CA] = {"up_blocks.", ".attn2.", ANY},
    [SUBSET_DOWN_CA] = {"down_blocks.", ".attn2.", ANY},
    [SUBSET_MID_CA] = {"mid_block.", ".attn2.", ANY},
};

bool shift_subset_has(enum shift_subset s, const struct weight *w)
{
    // keys and values, but not queries
    if (s == SUBSET_UNET_CA_KV &&
        !(g_str_has_suffix(w->name, ".to_k") || g_str_has_suffix(w->name, ".to_v"))) {
        return false;
    }
    return (subsets[s].kinds & KIND(w->kind)) != 0 && g_str_has_prefix(w->name, subsets[s].block) &&
           strstr(w->name, subsets[s].part) != NULL;
}

char *shift_name(const struct weight *w)
{
    return g_strconcat(w->name, ".delta", NULL);
}

char *shift_row_name(const struct weight *w, int32_t id)
{
    return g_strdup_printf("%s.row.%d.delta", w->name, id);
}

int32_t shift_row_parse(const struct weight *w, const char *name)
{
    guint64 id;

    if (w->kind != WEIGHT_EMBEDDING) {
        return -1;
    }
    g_autofree char *begin = g_strconcat(w->name, ".row.", NULL);
    if (!g_str_has_prefix(name, begin)) {
        return -1;
    }
    // what stands between ".row." and ".delta" is the id, and nothing else
    g_autofree char *number = g_strdup(name + strlen(begin));
    char *dot = strchr(number, '.');
    if (dot == NULL || strcmp(dot, ".delta") != 0) {
        return -1;
    }
    *dot = '\0';
    return g_ascii_string_to_unsigned(number, 10, 0, w->out - 1, &id, NULL) ? (int32_t)id : -1;
}

/* ---- turning weights spectral ---- */

bool shift_attach(struct network *net, struct weight *w, bool scalar,
                  struct spectrum_provider provider, struct parameters *p, GError **error)
{
    g_autofree char *name = shift_name(w);
    const bool norm = w->kind == WEIGHT_NORM;

    if (!spectral_attach(net, w, scalar, provider, error)) {
        return false;
    }
    parameters_add(p, name, weight_shift_count(w, scalar), norm ? SHIFT_RATE_1D : SHIFT_RATE,
                   &w->shift, &w->dshift);
    return true;
}

/* ---- rows of an embedding ---- */

bool shift_attach_rows(struct network *net, struct weight *w, const int32_t *ids, int n,
                       char *const *names, int rate, struct parameters *p, GError **error)
{
    // the ids are on the device, where rows are gathered and added
    const size_t bytes = (size_t)n * sizeof *ids;

    w->row_ids = network_alloc(net, bytes, error);
    if (w->row_ids == NULL) {
        return false;
    }
    net->k->upload(net->k, w->row_ids, ids, bytes);
    w->rows = n;
    for (int i = 0; i < n; i++) {
        g_autofree char *name = names != NULL ? g_strdup(names[i]) : shift_row_name(w, ids[i]);
        // each a tensor of the file; side by side in memory, so that the first is where all begin
        parameters_add(p, name, w->in, rate, i == 0 ? &w->row : NULL, i == 0 ? &w->drow : NULL);
    }
    return true;
}
