/* pickle.h: the values that PyTorch's files pickle, read without executing anything.
 *
 * A pickle is a program for a stack machine that may call any function of Python. This machine knows the
 * few steps that state dicts are made of (numbers, texts, lists, dicts, tensors) and has no functions:
 * a name such as torch._utils._rebuild_tensor_v2 stands for a rule of ours, and some that training
 * programs leave beside the tensors (pytorch_lightning's callbacks, numpy's scalars) for a value that
 * is nothing. Every other step and name is refused by name.
 *
 * Values may be shared and even contain themselves: who walks them bounds the walk. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pickle_kind {
    PICKLE_NOTHING, // None, and what stands for a thing that is not looked at
    PICKLE_NUMBER,  // whole numbers and booleans
    PICKLE_TEXT,
    PICKLE_LIST, // and tuples
    PICKLE_DICT, // keys and values in turn
    PICKLE_NAME, // of a function or class: "collections OrderedDict"
    PICKLE_STORAGE,
    PICKLE_TENSOR,
};

#define PICKLE_DIMS 8

struct pickle_value {
    enum pickle_kind kind;
    int64_t number;   // of a storage how many values it has
    const char *text; // of a storage its key
    GPtrArray *items; // struct pickle_value *, of lists and dicts
    // of a storage and a tensor: the type as safetensors names it
    const char *type;
    // of a tensor
    const struct pickle_value *storage;
    int n_dims;
    int64_t first, shape[PICKLE_DIMS], stride[PICKLE_DIMS]; // in values of the storage
};

struct pickle;

/* Reads one pickle at the beginning of some bytes; *used: how many were its. what: names it in
 * sentences. Owned by the caller, with all values; NULL with a sentence. */
struct pickle *pickle_read(const uint8_t *bytes, size_t n, const char *what, size_t *used,
                           GError **error);
void pickle_free(struct pickle *p); // accepts NULL
typedef struct pickle pickle;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(pickle, pickle_free)

const struct pickle_value *pickle_root(const struct pickle *p);

/* The value under a key of a dict; NULL: there is none, or it is no dict. */
const struct pickle_value *pickle_member(const struct pickle_value *dict, const char *key);
