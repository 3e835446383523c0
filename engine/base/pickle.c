/* The machine that reads pickles; see pickle.h. Steps are those of pickle's protocols 2 to 5 (Python's
 * pickletools describes each), results of calls are pickle_call.c's. */
#include "engine/base/pickle_call.h"
#include "engine/base/pickle_machine.h"

#include "engine/base/error.h"

#include <string.h>

static void free_value(void *value)
{
    struct pickle_value *v = value;

    g_clear_pointer(&v->items, g_ptr_array_unref);
    g_free(v);
}

void pickle_free(struct pickle *p)
{
    if (p != NULL) {
        g_ptr_array_unref(p->values);
        g_string_chunk_free(p->texts);
        g_free(p);
    }
}

const struct pickle_value *pickle_root(const struct pickle *p)
{
    return p->root;
}

const struct pickle_value *pickle_member(const struct pickle_value *dict, const char *key)
{
    for (guint i = 0; dict->kind == PICKLE_DICT && i + 1 < dict->items->len; i += 2) {
        const struct pickle_value *k = dict->items->pdata[i];
        if (k->kind == PICKLE_TEXT && strcmp(k->text, key) == 0) {
            return dict->items->pdata[i + 1];
        }
    }
    return NULL;
}

/* ---- what follows a step ---- */

// n bytes, which are passed; NULL with an error when there are not so many
static const uint8_t *take(struct pickle_machine *m, uint64_t n)
{
    if (n > (uint64_t)(m->end - m->at)) {
        pickle_fail(m, "the pickle in it is cut off");
        return NULL;
    }
    m->at += n;
    return m->at - n;
}

// a little-endian number without a sign
static bool take_number(struct pickle_machine *m, int bytes, uint64_t *number)
{
    const uint8_t *at = take(m, (uint64_t)bytes);

    *number = 0;
    for (int i = 0; at != NULL && i < bytes; i++) {
        *number |= (uint64_t)at[i] << (8 * i);
    }
    return at != NULL;
}

static bool push_number(struct pickle_machine *m, int64_t number)
{
    struct pickle_value *v = pickle_push(m, PICKLE_NUMBER);

    if (v != NULL) {
        v->number = number;
    }
    return v != NULL;
}

// of so many bytes, with a sign or without
static bool read_number(struct pickle_machine *m, int bytes, bool sign)
{
    uint64_t number;

    if (!take_number(m, bytes, &number)) {
        return false;
    }
    const int shift = 64 - 8 * bytes;
    return push_number(m, sign ? (int64_t)(number << shift) >> shift : (int64_t)number);
}

// a long; what is beyond 64 bits is no size of anything
static bool read_long(struct pickle_machine *m)
{
    uint64_t bytes;

    if (!take_number(m, 1, &bytes)) {
        return false;
    }
    if (bytes > 8) {
        return take(m, bytes) != NULL && pickle_push(m, PICKLE_NOTHING) != NULL;
    }
    return bytes == 0 ? push_number(m, 0) : read_number(m, (int)bytes, true);
}

// a text whose length has so many bytes; of bytes that are no text nothing is kept
static bool read_text(struct pickle_machine *m, int size_bytes)
{
    uint64_t length;
    const uint8_t *bytes = take_number(m, size_bytes, &length) ? take(m, length) : NULL;
    const bool good = bytes != NULL && g_utf8_validate((const char *)bytes, (gssize)length, NULL);
    struct pickle_value *v =
        bytes != NULL ? pickle_push(m, good ? PICKLE_TEXT : PICKLE_NOTHING) : NULL;

    if (v != NULL && good) {
        v->text = g_string_chunk_insert_len(m->p->texts, (const char *)bytes, (gssize)length);
    }
    return v != NULL;
}

// a line without its end
static char *take_line(struct pickle_machine *m)
{
    const uint8_t *end = memchr(m->at, '\n', (size_t)(m->end - m->at));

    if (end == NULL) {
        pickle_fail(m, "the pickle in it is cut off");
        return NULL;
    }
    char *line = g_strndup((const char *)m->at, (gsize)(end - m->at));
    m->at = end + 1;
    return line;
}

/* ---- names and calls ---- */

static bool push_name(struct pickle_machine *m, const char *module, const char *name)
{
    g_autofree char *whole = g_strconcat(module, " ", name, NULL);
    struct pickle_value *v = NULL;

    if (!pickle_call_knows(whole)) {
        g_autofree char *shown = g_strescape(whole, NULL);
        return error_failed(
            m->error,
            "%s: the pickle in it asks for \"%.200s\", which no state dict needs; it "
            "was not executed. Get the file as .safetensors.",
            m->what, shown);
    }
    v = pickle_push(m, PICKLE_NAME);
    if (v != NULL) {
        v->text = g_string_chunk_insert_const(m->p->texts, whole);
    }
    return v != NULL;
}

static bool read_global(struct pickle_machine *m)
{
    g_autofree char *module = take_line(m);
    g_autofree char *name = module != NULL ? take_line(m) : NULL;

    return name != NULL && push_name(m, module, name);
}

// the same from two texts on the stack
static bool read_stack_global(struct pickle_machine *m)
{
    const struct pickle_value *name = pickle_pop(m), *module = name != NULL ? pickle_pop(m) : NULL;

    if (module == NULL) {
        return false;
    }
    return name->kind == PICKLE_TEXT && module->kind == PICKLE_TEXT
               ? push_name(m, module->text, name->text)
               : pickle_damaged(m);
}

// a call of a name, or what a persistent id stands for: the result by pickle_call.c's rules
static bool call(struct pickle_machine *m, bool id)
{
    const struct pickle_value *arguments = pickle_pop(m);
    const struct pickle_value *name = id || arguments == NULL ? NULL : pickle_pop(m);

    if (arguments == NULL || (!id && name == NULL)) {
        return false;
    }
    struct pickle_value *v = pickle_push(m, PICKLE_NOTHING);
    if (v == NULL) {
        return false;
    }
    const bool good = id ? pickle_call_storage(arguments, v) : pickle_call(name, arguments, v);
    return good ? pickle_count_items(m, v->items != NULL ? v->items->len : 0) : pickle_damaged(m);
}

// the state of an object, of which only the parameters of a dict of parameters are looked at
static bool build(struct pickle_machine *m)
{
    const struct pickle_value *state = pickle_pop(m);
    struct pickle_value *to = state != NULL ? pickle_top(m) : NULL;
    const struct pickle_value *own = to != NULL ? pickle_member(state, "_parameters") : NULL;

    if (to == NULL) {
        return false;
    }
    if (to->kind == PICKLE_DICT && own != NULL && own->kind == PICKLE_DICT && own != to) {
        if (!pickle_count_items(m, own->items->len)) {
            return false;
        }
        g_ptr_array_extend(to->items, own->items, NULL, NULL);
    }
    return to->kind == PICKLE_DICT || to->kind == PICKLE_NOTHING || pickle_damaged(m);
}

/* ---- the memo ---- */

static bool put(struct pickle_machine *m, uint64_t index)
{
    struct pickle_value *v = pickle_top(m);

    if (v == NULL || index >= PICKLE_MAX_VALUES) {
        return v != NULL ? pickle_damaged(m) : false;
    }
    if (index >= m->memo->len) {
        g_ptr_array_set_size(m->memo, (int)index + 1);
    }
    m->memo->pdata[index] = v;
    return true;
}

static bool get(struct pickle_machine *m, uint64_t index)
{
    struct pickle_value *v = index < m->memo->len ? m->memo->pdata[index] : NULL;

    if (v == NULL || m->stack->len >= PICKLE_MAX_VALUES) {
        return pickle_damaged(m);
    }
    g_ptr_array_add(m->stack, v);
    return true;
}

static bool use_memo(struct pickle_machine *m, int bytes,
                     bool (*use)(struct pickle_machine *m, uint64_t index))
{
    uint64_t index;

    return take_number(m, bytes, &index) && use(m, index);
}

/* ---- steps ---- */

static bool refuse_step(struct pickle_machine *m, uint8_t step)
{
    g_autofree char *problem =
        g_strdup_printf("the pickle in it has the step 0x%02x%s%c%s, which no state dict needs",
                        step, g_ascii_isprint(step) ? " (" : "", g_ascii_isprint(step) ? step : ' ',
                        g_ascii_isprint(step) ? ")" : "");

    return pickle_fail(m, problem);
}

static bool mark(struct pickle_machine *m)
{
    if (m->stack->len >= PICKLE_MAX_VALUES) {
        return pickle_damaged(m);
    }
    g_ptr_array_add(m->stack, NULL);
    return true;
}

static bool pop_mark(struct pickle_machine *m)
{
    guint first = 0;

    if (!pickle_find_mark(m, &first)) {
        return false;
    }
    g_ptr_array_set_size(m->stack, (int)first - 1);
    return true;
}

static bool tuple_of_mark(struct pickle_machine *m)
{
    guint first = 0;

    return pickle_find_mark(m, &first) && pickle_make_tuple(m, first, 1);
}

// numbers and texts; *known: whether the step is one of them
static bool read_atom(struct pickle_machine *m, uint8_t step, bool *known)
{
    *known = true;
    switch (step) {
    case 'N':
        return pickle_push(m, PICKLE_NOTHING) != NULL;
    case 0x88: // true
    case 0x89:
        return push_number(m, step == 0x88);
    case 'J':
        return read_number(m, 4, true);
    case 'K':
        return read_number(m, 1, false);
    case 'M':
        return read_number(m, 2, false);
    case 0x8a:
        return read_long(m);
    case 'G': // a double, which is no size of anything
        return take(m, 8) != NULL && pickle_push(m, PICKLE_NOTHING) != NULL;
    case 'X':
    case 'B': // bytes
    case 'T':
        return read_text(m, 4);
    case 0x8c:
    case 'C':
    case 'U':
        return read_text(m, 1);
    case 0x8d:
    case 0x8e:
        return read_text(m, 8);
    default:
        *known = false;
        return true;
    }
}

// what puts values together
static bool run_step(struct pickle_machine *m, uint8_t step)
{
    switch (step) {
    case '(':
        return mark(m);
    case '0':
        return pickle_pop(m) != NULL;
    case '1':
        return pop_mark(m);
    case '}':
        return pickle_push(m, PICKLE_DICT) != NULL;
    case ']':
    case ')':
        return pickle_push(m, PICKLE_LIST) != NULL;
    case 't':
        return tuple_of_mark(m);
    case 0x85:
    case 0x86:
    case 0x87:
        return pickle_make_short_tuple(m, step - 0x84u);
    case 'a':
        return pickle_add_one(m, PICKLE_LIST);
    case 's':
        return pickle_add_one(m, PICKLE_DICT);
    case 'e':
        return pickle_add_items(m, PICKLE_LIST);
    case 'u':
        return pickle_add_items(m, PICKLE_DICT);
    case 'q':
        return use_memo(m, 1, put);
    case 'r':
        return use_memo(m, 4, put);
    case 0x94:
        return put(m, m->memo->len);
    case 'h':
        return use_memo(m, 1, get);
    case 'j':
        return use_memo(m, 4, get);
    case 'c':
        return read_global(m);
    case 0x93:
        return read_stack_global(m);
    case 'R':
    case 0x81:
        return call(m, false);
    case 'Q':
        return call(m, true);
    case 'b':
        return build(m);
    case 0x95: // a frame's length
        return take(m, 8) != NULL;
    default:
        return refuse_step(m, step);
    }
}

static bool run(struct pickle_machine *m)
{
    for (;;) {
        const uint8_t *step = take(m, 1);
        bool known;
        if (step == NULL) {
            return false;
        }
        if (*step == '.') {
            m->p->root = pickle_pop(m);
            return m->p->root != NULL;
        }
        if (*step == 0x80) {
            const uint8_t *protocol = take(m, 1);
            if (protocol == NULL || *protocol < 2 || *protocol > 5) {
                return protocol != NULL
                           ? pickle_fail(m, "the pickle in it is of an unknown protocol")
                           : false;
            }
            continue;
        }
        if (!read_atom(m, *step, &known) || (!known && !run_step(m, *step))) {
            return false;
        }
    }
}

struct pickle *pickle_read(const uint8_t *bytes, size_t n, const char *what, size_t *used,
                           GError **error)
{
    g_autoptr(pickle) p = g_new0(struct pickle, 1);
    GError *problem = NULL;
    struct pickle_machine m = {.p = p,
                               .at = bytes,
                               .end = bytes + n,
                               .stack = g_ptr_array_new(),
                               .memo = g_ptr_array_new(),
                               .what = what,
                               .error = &problem};

    p->values = g_ptr_array_new_with_free_func(free_value);
    p->texts = g_string_chunk_new(4096);
    const bool done = run(&m);
    *used = (size_t)(m.at - bytes);
    g_ptr_array_unref(m.stack);
    g_ptr_array_unref(m.memo);
    if (!done) {
        g_propagate_error(error, problem);
        return NULL;
    }
    return g_steal_pointer(&p);
}
