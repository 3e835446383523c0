/* Several adapters; see adapter_list.h. */
#include "engine/adapter/adapter_list.h"

#include "engine/adapter/adapter_delta.h"
#include "engine/base/error.h"

#include <math.h>
#include <string.h>

#define STRENGTH_MAX 100

bool adapter_check_strengths(const struct svdiff_adapter *wanted, int n, GError **error)
{
    for (int i = 0; i < n; i++) {
        if (!(fabs(wanted[i].strength) <= STRENGTH_MAX)) {
            return error_usage(error, "The strength of --lora %s is %g; it can be from -%d to %d.",
                               wanted[i].file, wanted[i].strength, STRENGTH_MAX, STRENGTH_MAX);
        }
    }
    return true;
}

bool adapter_list_open(struct adapter_list *l, const struct checkpoint *model,
                       const struct svdiff_adapter *wanted, int n,
                       void (*tell)(void *user, const char *sentence), void *user, GError **error)
{
    *l = (struct adapter_list){.items = g_new0(struct adapter_item, MAX(n, 1)), .n = n};
    for (int i = 0; i < n; i++) {
        struct adapter *a = adapter_open(wanted[i].file, model, error);
        // in the list at once, so that it is closed with it
        l->items[i] = (struct adapter_item){.adapter = a, .strength = wanted[i].strength};
        if (a == NULL) {
            return false;
        }
        const char *const *notices = adapter_notices(a);
        for (; tell != NULL && *notices != NULL; notices++) {
            tell(user, *notices);
        }
    }
    return true;
}

void adapter_list_close(struct adapter_list *l)
{
    for (int i = 0; l->items != NULL && i < l->n; i++) {
        adapter_close(l->items[i].adapter);
    }
    g_free(l->items);
    *l = (struct adapter_list){0};
}

bool adapter_list_changes(const struct adapter_list *l, const struct model_tensor *t)
{
    for (int i = 0; i < l->n; i++) {
        if (adapter_change_of(l->items[i].adapter, t) != NULL) {
            return true;
        }
    }
    return false;
}

bool adapter_list_add(const struct adapter_list *l, const struct model_tensor *t, float *values,
                      GError **error)
{
    if (!adapter_list_changes(l, t)) {
        return true;
    }
    const int64_t n = model_tensor_values(t);
    g_autofree float *plain = g_try_new(float, n), *delta = g_try_new(float, n);
    if (plain == NULL || delta == NULL) {
        return error_failed(error, "There is no memory to change %s; close other programs.",
                            t->name);
    }
    // DoRA and rotations are of the weight as the model has it, whatever other adapters add to it
    memcpy(plain, values, (size_t)n * sizeof *plain);
    for (int i = 0; i < l->n; i++) {
        const struct adapter_item *item = &l->items[i];
        const struct adapter_change *c = adapter_change_of(item->adapter, t);
        if (c == NULL || item->strength == 0) {
            continue;
        }
        if (!adapter_delta(item->adapter, c, t, item->strength, plain, delta, error)) {
            return false;
        }
        for (int64_t j = 0; j < n; j++) {
            values[j] += delta[j];
        }
    }
    return true;
}

// what makes it the same: not the name of its file
static char *item_text(const struct adapter_item *item, GError **error)
{
    char strength[G_ASCII_DTOSTR_BUF_SIZE];
    const char *digest = adapter_digest(item->adapter, error);

    return digest == NULL
               ? NULL
               : g_strdup_printf("%s %s", digest,
                                 g_ascii_dtostr(strength, sizeof strength, item->strength));
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool adapter_list_find(const struct adapter_list *l, const char *line, struct adapter_item *found,
                       GError **error)
{
    for (int i = 0; i < l->n; i++) {
        g_autofree char *own = item_text(&l->items[i], error);
        if (own == NULL) {
            return false;
        }
        // the file's name behind it may be another by now
        if (g_str_has_prefix(line, own) && line[strlen(own)] == ' ') {
            *found = l->items[i];
            return true;
        }
    }
    *found = (struct adapter_item){0};
    return true;
}

// names: whether the files' are in it
static char *list_text(const struct adapter_list *l, bool names, GError **error)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    GString *text = g_string_new(NULL);

    for (int i = 0; i < l->n; i++) {
        g_autofree char *own = item_text(&l->items[i], error);
        if (own == NULL) {
            g_string_free(text, TRUE);
            return NULL;
        }
        g_autofree char *name = g_path_get_basename(adapter_path(l->items[i].adapter));
        g_ptr_array_add(lines, names ? g_strdup_printf("%s %s", own, name) : g_steal_pointer(&own));
    }
    g_ptr_array_sort(lines, compare_texts); // of none, too
    for (guint i = 0; i < lines->len; i++) {
        g_string_append_printf(text, "%s%s", i > 0 ? "\n" : "", (const char *)lines->pdata[i]);
    }
    return g_string_free(text, FALSE);
}

char *adapter_list_text(const struct adapter_list *l, GError **error)
{
    return list_text(l, true, error);
}

char *adapter_list_key(const struct adapter_list *l, GError **error)
{
    return list_text(l, false, error);
}
