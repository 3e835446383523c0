/* edited_model.h: copies of the fixture models that a test may damage.
 *
 * A copy is a folder of its own that holds what is copied into it; a weights file is edited by
 * writing it anew with one tensor changed. */
#pragma once

#include "engine/base/safetensors_write.h"
#include "tests/temporary_folder.h"

#include <math.h>
#include <string.h>

static inline char *fixture_path(const char *name)
{
    const char *tests = g_getenv("SVDIFF_TESTS_DIR");

    g_assert_nonnull(tests);
    return g_build_filename(tests, "fixtures", "models", name, NULL);
}

// copies a file or a tree
static inline void copy_tree(const char *from, const char *to)
{
    g_autoptr(GDir) dir = g_dir_open(from, 0, NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *bytes = NULL;
    gsize length;

    if (dir == NULL) {
        g_file_get_contents(from, &bytes, &length, &error);
        g_assert_no_error(error);
        g_file_set_contents(to, bytes, (gssize)length, &error);
        g_assert_no_error(error);
        return;
    }
    g_assert_cmpint(g_mkdir(to, 0700), ==, 0);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *inner_from = g_build_filename(from, name, NULL);
        g_autofree char *inner_to = g_build_filename(to, name, NULL);
        copy_tree(inner_from, inner_to);
    }
}

// copies the fixture `name` into the folder under the same name; returns its path
static inline char *copy_fixture(const char *folder, const char *name)
{
    g_autofree char *from = fixture_path(name);
    char *to = g_build_filename(folder, name, NULL);

    copy_tree(from, to);
    return to;
}

static inline void write_text(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static inline void remove_file(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    g_assert_cmpint(g_remove(path), ==, 0);
}

static inline void rename_file(const char *folder, const char *from, const char *to)
{
    g_autofree char *old = g_build_filename(folder, from, NULL);
    g_autofree char *fresh = g_build_filename(folder, to, NULL);

    g_assert_cmpint(g_rename(old, fresh), ==, 0);
}

// replaces the first occurrence of a text in a file by another one
static inline void edit_text(const char *folder, const char *name, const char *from, const char *to)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *bytes = NULL;
    gsize length;

    g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
    char *at = memmem(bytes, length, from, strlen(from));
    g_assert_nonnull(at);
    g_autoptr(GByteArray) edited = g_byte_array_new();
    g_byte_array_append(edited, (const guint8 *)bytes, (guint)(at - bytes));
    g_byte_array_append(edited, (const guint8 *)to, (guint)strlen(to));
    at += strlen(from);
    g_byte_array_append(edited, (const guint8 *)at, (guint)(bytes + length - at));
    g_assert_true(g_file_set_contents(path, (const char *)edited->data, (gssize)edited->len, NULL));
}

// what edit_weights does to the tensor `name`
struct edit {
    const char *name;
    const char *rename; // a new name
    bool drop, flatten; // leave it out; make it one row of numbers
    int64_t rows;       // give it as many rows, its own again and again, unless 0
    float poison;       // a value for its last element, unless 0
    const char *extra;  // one more tensor beside it
};

// writes the file anew, changed; tensors of integers are left out
static inline void edit_weights(const char *folder, const char *file_name, struct edit edit)
{
    g_autofree char *path = g_build_filename(folder, file_name, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(safetensors) file = safetensors_open(path, &error);
    g_assert_no_error(error);
    g_autoptr(GArray) entries = g_array_new(false, true, sizeof(struct safetensors_entry));
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);

    for (size_t i = 0; i < safetensors_count(file); i++) {
        const struct safetensors_tensor *tensor = safetensors_at(file, i);
        bool edited = strcmp(tensor->name, edit.name) == 0;
        if (tensor->dtype == DTYPE_OTHER || (edited && edit.drop)) {
            continue;
        }
        struct safetensors_entry entry = {.dtype = tensor->dtype, .n_dims = tensor->n_dims};
        memcpy(entry.shape, tensor->shape, sizeof(entry.shape));
        entry.name = edited && edit.rename != NULL ? edit.rename : tensor->name;
        if (edited && edit.flatten) {
            entry.n_dims = 1;
            entry.shape[0] = tensor->values;
        }
        float *data = g_new(float, tensor->values + 1);
        g_assert_true(safetensors_read_f32(file, tensor, data, NULL));
        if (edited && edit.rows > 0) {
            const int64_t n = edit.rows * (tensor->values / tensor->shape[0]);
            entry.shape[0] = edit.rows;
            data = g_renew(float, data, n);
            for (int64_t k = tensor->values; k < n; k++) {
                data[k] = data[k - tensor->values];
            }
        }
        if (edited && edit.poison != 0) {
            data[tensor->values - 1] = edit.poison;
        }
        g_array_append_val(entries, entry);
        g_ptr_array_add(values, data);
    }
    if (edit.extra != NULL) {
        struct safetensors_entry entry = {.name = edit.extra, .n_dims = 1, .shape = {3}};
        g_array_append_val(entries, entry);
        g_ptr_array_add(values, g_new0(float, 3));
    }

    g_autoptr(safetensors_writer) writer = safetensors_writer_create(
        path, (struct safetensors_entry *)(void *)entries->data, entries->len, NULL, NULL, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < entries->len; i++) {
        const char *name = g_array_index(entries, struct safetensors_entry, i).name;
        g_assert_true(safetensors_writer_put(writer, name, values->pdata[i], NULL));
    }
    g_assert_true(safetensors_writer_commit(writer, NULL));
}
