/* Rules for a pickle's calls; see pickle_call.h. */
#include "engine/base/pickle_call.h"

#include <string.h>

// classes of storages, and their types as safetensors names them
static const struct {
    const char *name, *type;
} storages[] = {
    {"torch FloatStorage", "F32"},
    {"torch HalfStorage", "F16"},
    {"torch BFloat16Storage", "BF16"},
    {"torch DoubleStorage", "F64"},
    {"torch Float8_e4m3fnStorage", "F8_E4M3"},
    {"torch Float8_e5m2Storage", "F8_E5M2"},
    {"torch LongStorage", "I64"},
    {"torch IntStorage", "I32"},
    {"torch ShortStorage", "I16"},
    {"torch CharStorage", "I8"},
    {"torch ByteStorage", "U8"},
    {"torch BoolStorage", "BOOL"},
};

// what has a result that is looked at
#define TENSOR     "torch._utils _rebuild_tensor_v2"
#define OLD_TENSOR "torch._utils _rebuild_tensor"
#define PARAMETER  "torch._utils _rebuild_parameter"
#define DICT       "collections OrderedDict"
#define SIZE       "torch Size"
// of textual inversions before PyTorch 1.12; its parameters come as its state
#define PARAMETERS "torch.nn.modules.container ParameterDict"

// what is not looked at: things that training programs leave beside their tensors
static const char *const ignored[] = {
    "torch device",
    "torch float32",
    "torch float16",
    "torch bfloat16",
    "torch float64",
    "torch int64",
    "numpy.core.multiarray scalar",
    "numpy._core.multiarray scalar",
    "numpy dtype",
    "_codecs encode",
    "pytorch_lightning.callbacks.model_checkpoint ModelCheckpoint",
    "pytorch_lightning.callbacks.early_stopping EarlyStopping",
    "pytorch_lightning.utilities.enums DeviceType",
    "builtins set",
    "__builtin__ set",
    NULL,
};

static const char *storage_type(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(storages); i++) {
        if (strcmp(name, storages[i].name) == 0) {
            return storages[i].type;
        }
    }
    return NULL;
}

bool pickle_call_knows(const char *name)
{
    static const char *const looked_at[] = {TENSOR, OLD_TENSOR, PARAMETER, DICT,
                                            SIZE,   PARAMETERS, NULL};

    return g_strv_contains(looked_at, name) || g_strv_contains(ignored, name) ||
           storage_type(name) != NULL;
}

// argument `i`, of this kind, or NULL
static const struct pickle_value *argument(const struct pickle_value *list, guint i,
                                           enum pickle_kind kind)
{
    const struct pickle_value *v =
        list->kind == PICKLE_LIST && i < list->items->len ? list->items->pdata[i] : NULL;

    return v != NULL && v->kind == kind ? v : NULL;
}

// whole numbers that are not negative; how many, or -1
static int take_numbers(const struct pickle_value *list, int64_t numbers[PICKLE_DIMS])
{
    if (list == NULL || list->items->len > PICKLE_DIMS) {
        return -1;
    }
    for (guint i = 0; i < list->items->len; i++) {
        const struct pickle_value *v = argument(list, i, PICKLE_NUMBER);
        if (v == NULL || v->number < 0) {
            return -1;
        }
        numbers[i] = v->number;
    }
    return (int)list->items->len;
}

// (storage, first, shape, stride, ...)
static bool make_tensor(const struct pickle_value *arguments, struct pickle_value *result)
{
    const struct pickle_value *storage = argument(arguments, 0, PICKLE_STORAGE);
    const struct pickle_value *first = argument(arguments, 1, PICKLE_NUMBER);

    if (storage == NULL || first == NULL || first->number < 0) {
        return false;
    }
    result->kind = PICKLE_TENSOR;
    result->storage = storage;
    result->type = storage->type;
    result->first = first->number;
    result->n_dims = take_numbers(argument(arguments, 2, PICKLE_LIST), result->shape);
    return result->n_dims >= 0 &&
           take_numbers(argument(arguments, 3, PICKLE_LIST), result->stride) == result->n_dims;
}

// another value of the same content
static void copy_value(const struct pickle_value *from, struct pickle_value *to)
{
    GPtrArray *items = from->items;

    *to = *from;
    to->items = items != NULL ? g_ptr_array_ref(items) : NULL;
}

// OrderedDict(), or of a list of pairs
static bool make_dict(const struct pickle_value *arguments, struct pickle_value *result)
{
    const struct pickle_value *pairs = argument(arguments, 0, PICKLE_LIST);

    result->kind = PICKLE_DICT;
    result->items = g_ptr_array_new();
    for (guint i = 0; pairs != NULL && i < pairs->items->len; i++) {
        const struct pickle_value *pair = argument(pairs, i, PICKLE_LIST);
        if (pair == NULL || pair->items->len != 2) {
            return false;
        }
        g_ptr_array_add(result->items, pair->items->pdata[0]);
        g_ptr_array_add(result->items, pair->items->pdata[1]);
    }
    return true;
}

bool pickle_call(const struct pickle_value *name, const struct pickle_value *arguments,
                 struct pickle_value *result)
{
    const char *text = name->kind == PICKLE_NAME ? name->text : NULL;

    if (text == NULL || arguments->kind != PICKLE_LIST) {
        return false;
    }
    if (strcmp(text, TENSOR) == 0 || strcmp(text, OLD_TENSOR) == 0) {
        return make_tensor(arguments, result);
    }
    if (strcmp(text, DICT) == 0 || strcmp(text, PARAMETERS) == 0) {
        return make_dict(arguments, result);
    }
    // a parameter is its tensor, a size its numbers
    const enum pickle_kind inner = strcmp(text, PARAMETER) == 0 ? PICKLE_TENSOR : PICKLE_LIST;
    if (strcmp(text, PARAMETER) == 0 || strcmp(text, SIZE) == 0) {
        const struct pickle_value *v = argument(arguments, 0, inner);
        if (v != NULL) {
            copy_value(v, result);
        }
        return v != NULL;
    }
    return storage_type(text) == NULL; // storages are not called
}

bool pickle_call_storage(const struct pickle_value *id, struct pickle_value *result)
{
    const struct pickle_value *word = argument(id, 0, PICKLE_TEXT);
    const struct pickle_value *type = argument(id, 1, PICKLE_NAME);
    const struct pickle_value *key = argument(id, 2, PICKLE_TEXT);
    const struct pickle_value *count = argument(id, 4, PICKLE_NUMBER);
    const bool view =
        id->kind == PICKLE_LIST && id->items->len > 5 && argument(id, 5, PICKLE_NOTHING) == NULL;

    if (word == NULL || strcmp(word->text, "storage") != 0 || type == NULL || key == NULL ||
        count == NULL || count->number < 0 || view || storage_type(type->text) == NULL) {
        return false;
    }
    result->kind = PICKLE_STORAGE;
    result->type = storage_type(type->text);
    result->text = key->text;
    result->number = count->number;
    return true;
}
