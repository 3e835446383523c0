/* The stack of the machine that reads pickles; see pickle_machine.h. */
#include "engine/base/pickle_machine.h"

#include "engine/base/error.h"

bool pickle_fail(struct pickle_machine *m, const char *problem)
{
    return error_failed(m->error, "%s: %s; nothing of it was executed.", m->what, problem);
}

bool pickle_damaged(struct pickle_machine *m)
{
    return pickle_fail(m, "the pickle in it is damaged");
}

static bool fail_size(struct pickle_machine *m)
{
    return pickle_fail(m, "the pickle in it has more values than any model's");
}

bool pickle_count_items(struct pickle_machine *m, uint64_t n)
{
    m->p->items += n;
    return m->p->items <= PICKLE_MAX_ITEMS || fail_size(m);
}

// a new value, on the stack; NULL with an error when there are too many
struct pickle_value *pickle_push(struct pickle_machine *m, enum pickle_kind kind)
{
    if (m->p->values->len >= PICKLE_MAX_VALUES) {
        fail_size(m);
        return NULL;
    }
    struct pickle_value *v = g_new0(struct pickle_value, 1);
    v->kind = kind;
    if (kind == PICKLE_LIST || kind == PICKLE_DICT) {
        v->items = g_ptr_array_new();
    }
    g_ptr_array_add(m->p->values, v);
    g_ptr_array_add(m->stack, v);
    return v;
}

// the uppermost, which is no mark; NULL with an error
struct pickle_value *pickle_top(struct pickle_machine *m)
{
    struct pickle_value *v = m->stack->len > 0 ? m->stack->pdata[m->stack->len - 1] : NULL;

    if (v == NULL) {
        pickle_damaged(m);
    }
    return v;
}

struct pickle_value *pickle_pop(struct pickle_machine *m)
{
    struct pickle_value *v = pickle_top(m);

    if (v != NULL) {
        g_ptr_array_set_size(m->stack, (int)m->stack->len - 1);
    }
    return v;
}

// where the values behind the last mark begin; false: there is none
bool pickle_find_mark(struct pickle_machine *m, guint *first)
{
    for (guint i = m->stack->len; i > 0; i--) {
        if (m->stack->pdata[i - 1] == NULL) {
            *first = i;
            return true;
        }
    }
    return pickle_damaged(m);
}

// the values from `first` on, with what lies under them left out, go into a list or dict
static bool move_items(struct pickle_machine *m, guint first, guint under, GPtrArray *items)
{
    if (!pickle_count_items(m, m->stack->len - first)) {
        return false;
    }
    for (guint i = first; i < m->stack->len; i++) {
        g_ptr_array_add(items, m->stack->pdata[i]);
    }
    g_ptr_array_set_size(m->stack, (int)(first - under));
    return true;
}

bool pickle_make_tuple(struct pickle_machine *m, guint first, guint under)
{
    if (first > m->stack->len || first < under) {
        return pickle_damaged(m);
    }
    for (guint i = first; i < m->stack->len; i++) {
        if (m->stack->pdata[i] == NULL) {
            return pickle_damaged(m);
        }
    }
    g_autoptr(GPtrArray) items = g_ptr_array_new();
    struct pickle_value *v =
        move_items(m, first, under, items) ? pickle_push(m, PICKLE_LIST) : NULL;
    if (v != NULL) {
        g_ptr_array_unref(v->items);
        v->items = g_steal_pointer(&items);
    }
    return v != NULL;
}

// of the last n values
bool pickle_make_short_tuple(struct pickle_machine *m, guint n)
{
    return m->stack->len < n ? pickle_damaged(m) : pickle_make_tuple(m, m->stack->len - n, 0);
}

// puts the values behind the mark into what lies below it: pairs into a dict
bool pickle_add_items(struct pickle_machine *m, enum pickle_kind kind)
{
    guint first = 0;

    if (!pickle_find_mark(m, &first) || first < 2 || m->stack->pdata[first - 2] == NULL) {
        return m->error != NULL && *m->error != NULL ? false : pickle_damaged(m);
    }
    struct pickle_value *to = m->stack->pdata[first - 2];
    const bool pairs = kind == PICKLE_DICT;
    // into what stands for a thing that is not looked at nothing is put
    if (to->kind == PICKLE_NOTHING) {
        g_ptr_array_set_size(m->stack, (int)first - 1);
        return true;
    }
    if (to->kind != kind || (pairs && (m->stack->len - first) % 2 != 0)) {
        return pickle_damaged(m);
    }
    return move_items(m, first, 1, to->items);
}

// the same of one value or pair, without a mark
bool pickle_add_one(struct pickle_machine *m, enum pickle_kind kind)
{
    struct pickle_value *value = pickle_pop(m), *key = NULL;

    if (value != NULL && kind == PICKLE_DICT) {
        key = pickle_pop(m);
    }
    struct pickle_value *to =
        value != NULL && (kind == PICKLE_LIST || key != NULL) ? pickle_top(m) : NULL;
    if (to == NULL || (to->kind != kind && to->kind != PICKLE_NOTHING)) {
        return to != NULL ? pickle_damaged(m) : false;
    }
    if (to->kind == PICKLE_NOTHING) {
        return true;
    }
    if (key != NULL) {
        g_ptr_array_add(to->items, key);
    }
    g_ptr_array_add(to->items, value);
    return pickle_count_items(m, key != NULL ? 2 : 1);
}
