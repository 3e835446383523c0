/* Shapes of an adapter's parts; see adapter_shape.h. */
#include "engine/adapter/adapter_shape.h"

#include "engine/base/error.h"
#include "engine/model/model_kind.h"

#include <string.h>

// beyond every side of a weight: nobody trains such a rank, and memory follows it
#define RANK_MAX 16384

int64_t adapter_shape_rows(const struct safetensors_tensor *t)
{
    return t->n_dims == 0 ? 1 : t->shape[0];
}

int64_t adapter_shape_columns(const struct safetensors_tensor *t)
{
    // of kernels [rows, in, kh, kw] all of [in, kh, kw]; of a tensor without values nothing is divided by zero
    return t->values / MAX(adapter_shape_rows(t), 1);
}

/* ---- which parts there are ---- */

static bool has(const struct adapter_change *c, enum adapter_part part)
{
    return c->parts[part] != NULL;
}

static bool miss(const struct adapter_change *c, const char *what, const char *path, GError **error)
{
    return error_failed(error,
                        "%s: what changes %s has no %s; the file is damaged, get another copy.",
                        path, c->module->weight->module, what);
}

static bool settle_lokr(const struct adapter_change *c, const char *path, GError **error)
{
    if (!has(c, ADAPTER_LOKR_W1) && !(has(c, ADAPTER_LOKR_W1_A) && has(c, ADAPTER_LOKR_W1_B))) {
        return miss(c, "lokr_w1", path, error);
    }
    return has(c, ADAPTER_LOKR_W2) || (has(c, ADAPTER_LOKR_W2_A) && has(c, ADAPTER_LOKR_W2_B)) ||
           miss(c, "lokr_w2", path, error);
}

static bool settle_loha(const struct adapter_change *c, const char *path, GError **error)
{
    for (int part = ADAPTER_HADA_W1_A; part <= ADAPTER_HADA_W2_B; part++) {
        if (!has(c, (enum adapter_part)part)) {
            return miss(c, "hada_w1 or hada_w2", path, error);
        }
    }
    // both products are of the same shape, so both are Tucker forms or none is
    return has(c, ADAPTER_HADA_T1) == has(c, ADAPTER_HADA_T2) || miss(c, "hada_t", path, error);
}

// any of the parts from first to last
static bool has_one(const struct adapter_change *c, enum adapter_part first, enum adapter_part last)
{
    for (int part = (int)first; part <= (int)last; part++) {
        if (has(c, (enum adapter_part)part)) {
            return true;
        }
    }
    return false;
}

// one of several kinds would be drawn, and the others left out
static bool check_one_kind(const struct adapter_change *c, const char *path, GError **error)
{
    const int kinds =
        has_one(c, ADAPTER_DOWN, ADAPTER_BIAS) + has_one(c, ADAPTER_HADA_W1_A, ADAPTER_HADA_T2) +
        has_one(c, ADAPTER_LOKR_W1, ADAPTER_LOKR_T2) + has_one(c, ADAPTER_OFT, ADAPTER_RESCALE);

    return kinds <= 1 ||
           error_failed(error,
                        "%s: what changes %s has factors of several kinds; the file is "
                        "damaged, get another copy.",
                        path, c->module->weight->module);
}

// parts that exclude each other: one of two would be drawn, and the other left out
static bool check_one_way(const struct adapter_change *c, const char *path, GError **error)
{
    static const enum adapter_part pairs[][2] = {
        {ADAPTER_LOKR_W1, ADAPTER_LOKR_W1_A}, {ADAPTER_LOKR_W1, ADAPTER_LOKR_W1_B},
        {ADAPTER_LOKR_W2, ADAPTER_LOKR_W2_A}, {ADAPTER_LOKR_W2, ADAPTER_LOKR_W2_B},
        {ADAPTER_LOKR_W2, ADAPTER_LOKR_T2},   {ADAPTER_OFT, ADAPTER_OFT_PEFT},
        {ADAPTER_OFT_PEFT, ADAPTER_RESCALE},  {ADAPTER_OFT_PEFT, ADAPTER_ALPHA},
        {ADAPTER_MAGNITUDE, ADAPTER_DORA}};

    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        if (has(c, pairs[i][0]) && has(c, pairs[i][1])) {
            return error_failed(error,
                                "%s: %s and %s cannot be in one file; it is damaged, get another "
                                "copy.",
                                path, c->parts[pairs[i][0]]->name, c->parts[pairs[i][1]]->name);
        }
    }
    return true;
}

bool adapter_shape_settle(struct adapter_change *c, const char *path, GError **error)
{
    if (!check_one_kind(c, path, error) || !check_one_way(c, path, error)) {
        return false;
    }
    if (has_one(c, ADAPTER_DOWN, ADAPTER_BIAS)) {
        c->kind = ADAPTER_LORA;
        return has(c, ADAPTER_DOWN) ? has(c, ADAPTER_UP) || miss(c, "lora_up", path, error)
                                    : miss(c, "lora_down", path, error);
    }
    if (has_one(c, ADAPTER_HADA_W1_A, ADAPTER_HADA_T2)) {
        c->kind = ADAPTER_LOHA;
        return settle_loha(c, path, error);
    }
    if (has_one(c, ADAPTER_LOKR_W1, ADAPTER_LOKR_T2)) {
        c->kind = ADAPTER_LOKR;
        return settle_lokr(c, path, error);
    }
    if (has_one(c, ADAPTER_OFT, ADAPTER_RESCALE)) {
        c->kind = ADAPTER_ROTATION;
        return has_one(c, ADAPTER_OFT, ADAPTER_OFT_PEFT) || miss(c, "oft_blocks", path, error);
    }
    // an alpha or DoRA's lengths alone say nothing about a weight
    c->kind = ADAPTER_FULL;
    return has_one(c, ADAPTER_DIFF, ADAPTER_WHOLE) ||
           miss(c, "factors, only an alpha or a scale", path, error);
}

/* ---- whether they fit ---- */

// of parts that are there, from the side that both factors share
int64_t adapter_shape_rank(const struct adapter_change *c)
{
    const struct safetensors_tensor *const *p = c->parts;

    switch (c->kind) {
    case ADAPTER_LORA:
        return adapter_shape_rows(p[ADAPTER_DOWN]);
    case ADAPTER_LOHA:
        return adapter_shape_rows(p[ADAPTER_HADA_W1_B]);
    case ADAPTER_LOKR:
        // LyCORIS divides by the rank where a factor is a product, and by nothing where both are whole
        return p[ADAPTER_LOKR_W1_B] != NULL   ? adapter_shape_rows(p[ADAPTER_LOKR_W1_B])
               : p[ADAPTER_LOKR_W2_B] != NULL ? adapter_shape_rows(p[ADAPTER_LOKR_W2_B])
                                              : 0;
    default:
        return 0;
    }
}

// a matrix as large as the weight is to be
struct size {
    int64_t rows, columns;
    bool good; // whether its parts fit each other
};

static bool is_rank(int64_t rank)
{
    return rank >= 1 && rank <= RANK_MAX;
}

/* a b, with t in the middle [i, j, kh, kw]: then a is [i, out] or, of LoRA, [out, i], b [j, in]. */
static struct size product(const struct safetensors_tensor *a, const struct safetensors_tensor *t,
                           const struct safetensors_tensor *b, bool upright)
{
    const int64_t a_rows = adapter_shape_rows(a), a_columns = adapter_shape_columns(a);
    const int64_t b_rows = adapter_shape_rows(b), b_columns = adapter_shape_columns(b);

    // a [rows, r], b [r, columns]: what is between them has to be one number
    if (t == NULL) {
        return (struct size){a_rows, b_columns, a_columns == b_rows && is_rank(b_rows)};
    }
    const int64_t rank = upright ? a_columns : a_rows, rows = upright ? a_rows : a_columns;
    const bool cube = t->n_dims >= 2 && t->shape[0] == rank && t->shape[1] == b_rows;
    const bool good = cube && is_rank(rank) && is_rank(b_rows);
    // of ranks that are none the product may be beyond all numbers
    const int64_t area = good ? t->values / (rank * b_rows) : 0;
    return (struct size){rows, b_columns * area, good};
}

static struct size either(const struct safetensors_tensor *whole,
                          const struct safetensors_tensor *a, const struct safetensors_tensor *t,
                          const struct safetensors_tensor *b)
{
    if (whole != NULL) {
        return (struct size){adapter_shape_rows(whole), adapter_shape_columns(whole), true};
    }
    return product(a, t, b, false);
}

static struct size loha_size(const struct safetensors_tensor *const *p)
{
    struct size a = product(p[ADAPTER_HADA_W1_A], p[ADAPTER_HADA_T1], p[ADAPTER_HADA_W1_B], false);
    const struct size b =
        product(p[ADAPTER_HADA_W2_A], p[ADAPTER_HADA_T2], p[ADAPTER_HADA_W2_B], false);

    a.good = a.good && b.good && a.rows == b.rows && a.columns == b.columns;
    return a;
}

static struct size lokr_size(const struct safetensors_tensor *const *p)
{
    const struct size a =
        either(p[ADAPTER_LOKR_W1], p[ADAPTER_LOKR_W1_A], NULL, p[ADAPTER_LOKR_W1_B]);
    const struct size b =
        either(p[ADAPTER_LOKR_W2], p[ADAPTER_LOKR_W2_A], p[ADAPTER_LOKR_T2], p[ADAPTER_LOKR_W2_B]);
    // sides multiply, and a file may say any: what is beyond a weight's is not multiplied
    const bool small = a.rows < G_MAXINT32 && b.rows < G_MAXINT32 && a.columns < G_MAXINT32 &&
                       b.columns < G_MAXINT32;

    return (struct size){small ? a.rows * b.rows : 0, small ? a.columns * b.columns : 0,
                         small && a.good && b.good};
}

// n of the blocks [k, n, n], or [k, n (n - 1) / 2]; 0: they are none
static int64_t block_side(const struct safetensors_tensor *t, bool packed)
{
    if (!packed) {
        return t->n_dims == 3 && t->shape[1] == t->shape[2] ? t->shape[1] : 0;
    }
    // the n of n (n - 1) / 2 values; a number that is no such triangle ends between two
    int64_t n = 1;
    while (t->n_dims == 2 && n < RANK_MAX && n * (n - 1) / 2 < t->shape[1]) {
        n++;
    }
    return t->n_dims == 2 && n * (n - 1) / 2 == t->shape[1] ? n : 0;
}

// rotations turn a side of what the weight is: PEFT's share one block where there is but one
static struct size rotation_size(struct adapter_change *c, const struct weight *w)
{
    const struct safetensors_tensor *rows = c->parts[ADAPTER_OFT];
    const struct safetensors_tensor *t = rows != NULL ? rows : c->parts[ADAPTER_OFT_PEFT];
    const int64_t n = block_side(t, rows == NULL), side = n * adapter_shape_rows(t);
    const int64_t columns = weight_columns(w);
    const bool shared = rows == NULL && n > 0 && t->shape[0] == 1 && columns % n == 0;

    // kept for adapter_rotation.c, which gets no shapes; cut to what an int holds, and refused below
    c->block = (int)MIN(n, RANK_MAX);
    // PEFT unfolds what a larger kernel reads in a way that is no change of its weight
    return (struct size){.rows = rows != NULL ? side : w->out,
                         .columns = rows != NULL || shared ? columns : side,
                         .good = n > 0 && n <= RANK_MAX && (rows != NULL || w->kh * w->kw == 1)};
}

static struct size size_of(struct adapter_change *c, const struct weight *w)
{
    const struct safetensors_tensor *const *p = c->parts;

    switch (c->kind) {
    case ADAPTER_LORA:
        return product(p[ADAPTER_UP], p[ADAPTER_MID], p[ADAPTER_DOWN], true);
    case ADAPTER_LOHA:
        return loha_size(p);
    case ADAPTER_LOKR:
        return lokr_size(p);
    case ADAPTER_ROTATION:
        return rotation_size(c, w);
    case ADAPTER_FULL:
        break;
    }
    const struct safetensors_tensor *whole =
        p[ADAPTER_DIFF] != NULL ? p[ADAPTER_DIFF] : p[ADAPTER_WHOLE];
    return whole != NULL ? either(whole, NULL, NULL, NULL)
                         : (struct size){w->out, weight_columns(w), true};
}

/* The family of the text that the weight reads: cross attention and the text encoder's own. NULL:
 * its columns say nothing about it. */
static const char *family_of(const struct model_tensor *t, int64_t columns)
{
    const bool reads_text = g_str_has_suffix(t->module, "attn2.to_k") ||
                            g_str_has_suffix(t->module, "attn2.to_v") ||
                            strstr(t->module, "self_attn.") != NULL;
    const char *family = reads_text ? model_family_of_width(columns) : NULL;

    return family != NULL && strcmp(family, "other") != 0 ? model_family_name(family) : NULL;
}

static bool fail_size(const struct adapter_change *c, struct size is, const struct weight *w,
                      const char *path, GError **error)
{
    const struct model_tensor *t = c->module->weight;
    const char *family = is.good ? family_of(t, is.columns) : NULL;

    if (family != NULL && is.columns != weight_columns(w)) {
        return error_failed(error,
                            "%s: this adapter is for %s (it changes %s as a weight of %d columns, "
                            "this model's has %d); use it with a model of that family.",
                            path, family, t->module, (int)is.columns, (int)weight_columns(w));
    }
    if (!is.good) {
        return error_failed(error,
                            "%s: the parts of what changes %s do not fit each other; the file is "
                            "damaged, get another copy.",
                            path, t->module);
    }
    return error_failed(error,
                        "%s: it changes %s as a weight of %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT
                        ", this model's is %d x %d; use it with the family of models that it was "
                        "made for.",
                        path, t->module, is.rows, is.columns, w->out, (int)weight_columns(w));
}

// a list of as many values as the weight has rows (or DoRA's columns)
static bool check_list(const struct adapter_change *c, enum adapter_part part, int64_t a, int64_t b,
                       const char *path, GError **error)
{
    const struct safetensors_tensor *t = c->parts[part];

    if (t == NULL || t->values == a || t->values == b) {
        return true;
    }
    return error_failed(error,
                        "%s: %s has %" G_GINT64_FORMAT " values, %" G_GINT64_FORMAT
                        " are needed; the file is damaged or for another model.",
                        path, t->name, t->values, a);
}

bool adapter_shape_check(struct adapter_change *c, const char *path, GError **error)
{
    const struct weight w = model_tensor_weight(c->module->weight);
    const struct size is = size_of(c, &w);

    if (!is.good || is.rows != w.out || is.columns != weight_columns(&w)) {
        return fail_size(c, is, &w, path, error);
    }
    if ((c->parts[ADAPTER_DIFF_BIAS] != NULL || c->parts[ADAPTER_BIAS] != NULL) &&
        c->module->bias == NULL) {
        return error_failed(error, "%s: it changes the bias of %s, which has none in this model.",
                            path, c->module->weight->module);
    }
    return check_list(c, ADAPTER_DIFF_BIAS, w.out, w.out, path, error) &&
           check_list(c, ADAPTER_BIAS, w.out, w.out, path, error) &&
           check_list(c, ADAPTER_RESCALE, w.out, w.out, path, error) &&
           check_list(c, ADAPTER_MAGNITUDE, w.out, w.out, path, error) &&
           check_list(c, ADAPTER_DORA, w.out, w.in, path, error) &&
           check_list(c, ADAPTER_ALPHA, 1, 1, path, error) &&
           check_list(c, ADAPTER_DIFF, weight_count(&w), weight_count(&w), path, error) &&
           check_list(c, ADAPTER_WHOLE, weight_count(&w), weight_count(&w), path, error);
}
