/* Adapter files; see adapter_file.h. All of a file is looked at before any of it is used: tensors
 * are sorted by the module that they change, then each change is checked by itself. */
#include "engine/adapter/adapter_file.h"

#include "engine/adapter/adapter_alpha.h"
#include "engine/adapter/adapter_family.h"
#include "engine/adapter/adapter_shape.h"
#include "engine/adapter/embedding_file.h"
#include "engine/base/error.h"

#include <math.h>
#include <nettle/sha2.h>
#include <string.h>

// values that are looked at a time
#define PART 16384

struct adapter {
    struct safetensors *file;
    const struct checkpoint *model;
    struct adapter_modules *modules;
    GHashTable *changes; // weight of the model -> struct adapter_change
    GPtrArray *order;    // the same, as the file has them
    GPtrArray *notices;  // NULL-terminated
    char *digest;        // NULL until it is asked for
};

void adapter_close(struct adapter *a)
{
    if (a == NULL) {
        return;
    }
    g_hash_table_unref(a->changes);
    g_ptr_array_unref(a->order);
    g_ptr_array_unref(a->notices);
    adapter_modules_free(a->modules);
    safetensors_close(a->file);
    g_free(a->digest);
    g_free(a);
}

const char *adapter_path(const struct adapter *a)
{
    return safetensors_path(a->file);
}

const struct safetensors *adapter_tensors(const struct adapter *a)
{
    return a->file;
}

const char *const *adapter_notices(const struct adapter *a)
{
    return (const char *const *)a->notices->pdata;
}

guint adapter_changes(const struct adapter *a)
{
    return a->order->len;
}

const struct adapter_change *adapter_change_of(const struct adapter *a,
                                               const struct model_tensor *t)
{
    const struct adapter_change *c = g_hash_table_lookup(a->changes, t);

    return c;
}

float *adapter_read(const struct adapter *a, const struct safetensors_tensor *part, GError **error)
{
    // a list of none is no NULL, which says that it failed
    g_autofree float *values = g_try_new(float, MAX(part->values, 1));

    if (values == NULL) {
        error_failed(error, "%s: there is no memory for %s; close other programs.", adapter_path(a),
                     part->name);
        return NULL;
    }
    return safetensors_read_f32(a->file, part, values, error) ? g_steal_pointer(&values) : NULL;
}

/* ---- reading ---- */

// tensors that are left out, for a notice: how many, and the first
struct rest {
    int count;
    const char *first;
};

static void add_rest(struct rest *r, const char *name)
{
    r->first = r->count == 0 ? name : r->first;
    r->count++;
}

// takes the sentence; a NULL ends the list
static void add_notice(struct adapter *a, char *sentence)
{
    g_ptr_array_insert(a->notices, (int)a->notices->len - 1, sentence);
}

static void note_rest(struct adapter *a, const struct rest *r, const char *what)
{
    if (r->count > 0) {
        add_notice(a,
                   g_strdup_printf("%s: %d of its %d tensors %s and %s left out, the first is %s.",
                                   adapter_path(a), r->count, (int)safetensors_count(a->file), what,
                                   r->count == 1 ? "is" : "are", r->first));
    }
}

// the change of a module, which is found by either of its tensors
static struct adapter_change *change_for(struct adapter *a, const struct adapter_module *module)
{
    struct adapter_change *c = g_hash_table_lookup(a->changes, module->weight);

    if (c == NULL) {
        c = g_new0(struct adapter_change, 1);
        c->module = module;
        c->scale = 1; // until an alpha says something else
        // the list owns it; the table has it once or twice
        g_ptr_array_add(a->order, c);
        g_hash_table_insert(a->changes, (void *)module->weight, c);
        if (module->bias != NULL) {
            g_hash_table_insert(a->changes, (void *)module->bias, c);
        }
    }
    return c;
}

static bool take_tensor(struct adapter *a, const struct safetensors_tensor *t,
                        const struct adapter_alphas *alphas, struct rest *unknown,
                        struct rest *foreign, GError **error)
{
    enum adapter_part part = ADAPTER_PARTS;
    g_autofree char *name = NULL;

    if (!adapter_part_of(t->name, &part, &name)) {
        // a bundle's words are read by who opens the prompt
        if (!g_str_has_prefix(t->name, EMBEDDING_BUNDLE)) {
            add_rest(unknown, t->name);
        }
        return true;
    }
    const struct adapter_module *module = adapter_modules_find(a->modules, name);
    if (module == NULL) {
        add_rest(foreign, t->name);
        return true;
    }
    struct adapter_change *c = change_for(a, module);
    if (c->parts[part] != NULL) {
        return error_failed(error, "%s: %s and %s are the same part of one change; remove one.",
                            adapter_path(a), c->parts[part]->name, t->name);
    }
    c->parts[part] = t;
    // by the name in the file, which patterns are of
    if (part == ADAPTER_DOWN || part == ADAPTER_HADA_W1_B) {
        c->scale = adapter_alphas_scale(alphas, name, adapter_shape_rows(t));
    } else if (part >= ADAPTER_LOKR_W1 && part <= ADAPTER_LOKR_W2_B && alphas != NULL) {
        // any part will do: the rank, which no shape says where both factors are whole, is the settings'
        c->scale = adapter_alphas_scale(alphas, name, adapter_alphas_rank(alphas, name, 0));
    }
    return part != ADAPTER_OFT_PEFT ||
           adapter_alphas_rotation(alphas, name, adapter_path(a), &c->terms, &c->scale, error);
}

static bool take_tensors(struct adapter *a, GError **error)
{
    struct rest unknown = {0}, foreign = {0};
    g_autoptr(GError) problem = NULL;
    g_autoptr(adapter_alphas) alphas = adapter_alphas_read(a->file, &problem);

    if (problem != NULL) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    for (size_t i = 0; i < safetensors_count(a->file); i++) {
        if (!take_tensor(a, safetensors_at(a->file, i), alphas, &unknown, &foreign, error)) {
            return false;
        }
    }
    // a file that changes nothing is a mistake of whoever gave it, and no notice
    if (a->order->len == 0) {
        return adapter_family_refuse_all(a->file, error);
    }
    note_rest(a, &foreign, "are for weights that this model does not have");
    note_rest(a, &unknown, "say nothing that is known here");
    return true;
}

/* ---- checking ---- */

static bool check_finite(const struct adapter *a, const struct safetensors_tensor *t,
                         GError **error)
{
    g_autofree float *part = g_new(float, PART);

    for (int64_t done = 0; done < t->values; done += PART) {
        const int64_t n = MIN(PART, t->values - done);
        if (!safetensors_read_f32_part(a->file, t, done, n, part, error)) {
            return false;
        }
        if (!dtype_finite(part, (size_t)n)) {
            return error_failed(error,
                                "%s: %s has values that are infinite or no numbers (NaN); the "
                                "adapter is damaged or its learning went wrong.",
                                adapter_path(a), t->name);
        }
    }
    return true;
}

// a single value, of which diffusers' conversion to kohya's names makes a whole number
static bool read_alpha(const struct adapter *a, const struct safetensors_tensor *t, double *alpha,
                       GError **error)
{
    float value;
    int64_t whole;

    if (strcmp(t->dtype_name, "I64") == 0) {
        // safetensors_read_f32 has no whole numbers; one value of 8 bytes, as its shape was checked
        if (!regular_file_read(safetensors_file(a->file), &whole, sizeof whole, t->offset, error)) {
            return false;
        }
        *alpha = (double)whole;
        return true;
    }
    if (!check_finite(a, t, error) || !safetensors_read_f32(a->file, t, &value, error)) {
        return false;
    }
    *alpha = value;
    return true;
}

// alpha in the file counts before what settings said
static bool take_alpha(const struct adapter *a, struct adapter_change *c, GError **error)
{
    const struct safetensors_tensor *t = c->parts[ADAPTER_ALPHA];
    const int64_t rank = adapter_shape_rank(c);
    double alpha = 0;

    if (c->parts[ADAPTER_OFT] != NULL) {
        c->scale = 0; // no bound
    }
    if (t == NULL) {
        return true;
    }
    if (!read_alpha(a, t, &alpha, error)) {
        return false;
    }
    if (c->kind == ADAPTER_ROTATION) {
        // LyCORIS' constraint: the norm of Q is at most alpha times the rows of the weight
        c->scale = alpha * (double)c->module->weight->shape[0];
    } else {
        c->scale = rank > 0 ? alpha / (double)rank : 1;
    }
    return true;
}

static bool check_change(const struct adapter *a, struct adapter_change *c, GError **error)
{
    if (!adapter_shape_settle(c, adapter_path(a), error) ||
        !adapter_shape_check(c, adapter_path(a), error)) {
        return false;
    }
    // before any of it is used: a NaN in one layer would make the whole picture one
    for (int part = 0; part < ADAPTER_ALPHA; part++) {
        if (c->parts[part] != NULL && !check_finite(a, c->parts[part], error)) {
            return false;
        }
    }
    return take_alpha(a, c, error);
}

static bool reads_text(const struct adapter_change *c)
{
    return g_str_has_suffix(c->module->weight->module, "attn2.to_k");
}

static bool check_changes(const struct adapter *a, GError **error)
{
    // first what tells the family best: other weights differ with it
    for (int others = 0; others < 2; others++) {
        for (guint i = 0; i < a->order->len; i++) {
            struct adapter_change *c = a->order->pdata[i];
            if (reads_text(c) != others && !check_change(a, c, error)) {
                return false;
            }
        }
    }
    return true;
}

struct adapter *adapter_open(const char *path, const struct checkpoint *model, GError **error)
{
    g_autoptr(adapter) a = g_new0(struct adapter, 1);

    a->model = model;
    a->changes = g_hash_table_new(NULL, NULL);
    a->order = g_ptr_array_new_with_free_func(g_free);
    a->notices = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(a->notices, NULL);
    a->file = safetensors_open(path, error);
    // before modules are looked up: of another family some would be found, and the rest left out
    if (a->file == NULL || !adapter_family_check(a->file, error)) {
        return NULL;
    }
    a->modules = adapter_modules_create(model);
    return take_tensors(a, error) && check_changes(a, error) ? g_steal_pointer(&a) : NULL;
}

/* ---- which one it is ---- */

static int by_module(const void *a, const void *b)
{
    const struct adapter_change *const *x = a, *const *y = b;

    return strcmp((*x)->module->weight->name, (*y)->module->weight->name);
}

static void add_text(struct sha256_ctx *sum, const char *text)
{
    sha256_update(sum, strlen(text) + 1, (const uint8_t *)text);
}

static bool add_part(const struct adapter *a, const struct safetensors_tensor *t,
                     struct sha256_ctx *sum, GError **error)
{
    // as floats: the same adapter in half precision is another, whose values differ
    g_autofree float *values = g_new(float, PART);
    g_autofree char *shape = safetensors_shape_text(t->shape, t->n_dims);

    add_text(sum, shape);
    for (int64_t done = 0; done < t->values; done += PART) {
        const int64_t n = MIN(PART, t->values - done);
        if (!safetensors_read_f32_part(a->file, t, done, n, values, error)) {
            return false;
        }
        sha256_update(sum, (size_t)n * sizeof *values, (const uint8_t *)values);
    }
    return true;
}

static bool add_change(const struct adapter *a, const struct adapter_change *c,
                       struct sha256_ctx *sum, GError **error)
{
    char scale[G_ASCII_DTOSTR_BUF_SIZE];

    // the model's name of the weight, so that all spellings of a file are one adapter
    add_text(sum, c->module->weight->name);
    add_text(sum, g_ascii_dtostr(scale, sizeof scale, c->scale));
    if (c->parts[ADAPTER_OFT_PEFT] != NULL) {
        add_text(sum, g_ascii_dtostr(scale, sizeof scale, c->terms));
    }
    for (int part = 0; part < ADAPTER_ALPHA; part++) {
        const struct safetensors_tensor *t = c->parts[part];
        // which parts there are, so that values cannot move from one to the next unseen
        sha256_update(sum, 1, (const uint8_t[]){t != NULL});
        if (t != NULL && !add_part(a, t, sum, error)) {
            return false;
        }
    }
    return true;
}

const char *adapter_digest(struct adapter *a, GError **error)
{
    struct sha256_ctx sum;
    uint8_t bytes[SHA256_DIGEST_SIZE];

    if (a->digest != NULL) {
        return a->digest;
    }
    g_autofree struct adapter_change **sorted =
        g_memdup2(a->order->pdata, a->order->len * sizeof(void *));
    // files have their tensors in any order
    sha256_init(&sum);
    qsort(sorted, a->order->len, sizeof *sorted, by_module);
    for (guint i = 0; i < a->order->len; i++) {
        if (!add_change(a, sorted[i], &sum, error)) {
            return NULL;
        }
    }
    sha256_digest(&sum, sizeof bytes, bytes);
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < sizeof bytes; i++) {
        g_string_append_printf(text, "%02x", bytes[i]);
    }
    a->digest = g_string_free(text, FALSE);
    return a->digest;
}
