/* Writing subjects: our one file and svdiff-pytorch's folder; see subject_file.h. */
#include "engine/base/error.h"
#include "engine/base/safetensors_write.h"
#include "engine/subject/subject_file.h"

#include <glib/gstdio.h>
#include <errno.h>

// an array of struct safetensors_entry: some shifts of a subject, as a file has them
static GArray *entries_create(void)
{
    return g_array_new(FALSE, FALSE, sizeof(struct safetensors_entry));
}

static void add_shift(GArray *entries, const struct subject *s, const char *name)
{
    int count;
    struct safetensors_entry entry = {.name = name, .dtype = DTYPE_F32, .n_dims = 1};

    subject_shift(s, name, &count);
    entry.shape[0] = count;
    g_array_append_val(entries, entry);
}

/* Everything but the name: the writer, ready to commit, or NULL with a sentence. */
static struct safetensors_writer *put_all(const struct subject *s, const GArray *list,
                                          const char *path, const char *const *keys,
                                          const char *const *texts, GError **error)
{
    const struct safetensors_entry *entries = (const void *)list->data;
    g_autoptr(safetensors_writer) writer =
        safetensors_writer_create(path, entries, list->len, keys, texts, error);

    for (guint i = 0; writer != NULL && i < list->len; i++) {
        int count;
        const float *values = subject_shift(s, entries[i].name, &count);
        if (!safetensors_writer_put(writer, entries[i].name, values, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&writer);
}

static void add_text(GPtrArray *keys, GPtrArray *texts, const char *key, const char *text)
{
    g_ptr_array_add(keys, (void *)key);
    g_ptr_array_add(texts, (void *)text);
}

/* The subject's texts with format and version set, as two NULL-terminated lists in the same order;
 * the strings are borrowed. */
static void list_metadata(const struct subject *s, GPtrArray *keys, GPtrArray *texts)
{
    g_autofree const char **names = subject_metadata_keys(s);

    // ours, whatever the file said that this came from
    add_text(keys, texts, SUBJECT_KEY_FORMAT, SUBJECT_FORMAT);
    // what programs of version 1 would leave out has made it another subject
    add_text(keys, texts, SUBJECT_KEY_VERSION,
             subject_metadata(s, SUBJECT_KEY_ADAPTERS) != NULL ? G_STRINGIFY(SUBJECT_VERSION)
                                                               : "1");
    for (const char **name = names; *name != NULL; name++) {
        // those two are there already
        if (g_strcmp0(*name, SUBJECT_KEY_FORMAT) != 0 &&
            g_strcmp0(*name, SUBJECT_KEY_VERSION) != 0) {
            add_text(keys, texts, *name, subject_metadata(s, *name));
        }
    }
    // ends both lists
    add_text(keys, texts, NULL, NULL);
}

// entries of all shifts: GArray, owned by the caller
static GArray *list_shifts(const struct subject *s)
{
    g_autofree const char **names = subject_names(s);
    GArray *all = entries_create();

    for (const char **name = names; *name != NULL; name++) {
        add_shift(all, s, *name);
    }
    return all;
}

uint64_t subject_measure(const struct subject *s)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new(), texts = g_ptr_array_new();
    g_autoptr(GArray) all = list_shifts(s);

    list_metadata(s, keys, texts);
    return safetensors_writer_measure((const void *)all->data, all->len,
                                      (const char *const *)keys->pdata,
                                      (const char *const *)texts->pdata);
}

bool subject_write(const struct subject *s, const char *path, GError **error)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new(), texts = g_ptr_array_new();
    g_autoptr(GArray) all = list_shifts(s);

    list_metadata(s, keys, texts);
    g_autoptr(safetensors_writer) writer = put_all(s, all, path, (const char *const *)keys->pdata,
                                                   (const char *const *)texts->pdata, error);
    return writer != NULL && safetensors_writer_commit(writer, error);
}

// in double, so that many small values are not lost in a large sum
static double squared_norm(const float *values, int count)
{
    double sum = 0;

    for (int i = 0; i < count; i++) {
        sum += (double)values[i] * values[i];
    }
    return sum;
}

// shares the shifts out to svdiff-pytorch's two files and what it has no place for
static void split(const struct subject *s, GArray *unet, GArray *text, struct subject_left_out *out)
{
    g_autofree const char **names = subject_names(s);
    double left = 0, all = 0;

    *out = (struct subject_left_out){0};
    for (const char **name = names; *name != NULL; name++) {
        int count;
        const float *values = subject_shift(s, *name, &count);
        // shares are of squares, as the energy of a change is
        double square = squared_norm(values, count);
        all += square;
        if (subject_is_row(*name)) {
            out->rows++;
        } else if (subject_is_elementwise(*name, count)) {
            out->tensors++;
            out->values += count;
            left += square;
        } else {
            add_shift(subject_name_is_text(*name) ? text : unet, s, *name);
        }
    }
    out->share = all > 0 ? left / all : 0;
}

/* A second file of another subject would be taken for this one's. */
static bool check_folder(const char *folder, const char *text_path, bool has_unet, bool has_text,
                         GError **error)
{
    if (!has_unet) {
        return error_failed(error,
                            "The subject has no shifts of the UNet that svdiff-pytorch has a place "
                            "for (element-wise shifts of norms have none); keep it as it is.");
    }
    if (g_mkdir_with_parents(folder, 0777) != 0) {
        return error_failed(error, "%s: cannot be made a folder: %s.", folder, g_strerror(errno));
    }
    if (!has_text && g_file_test(text_path, G_FILE_TEST_EXISTS)) {
        return error_failed(error,
                            "%s is there already and this subject has no shifts of the text "
                            "encoder; give another folder.",
                            text_path);
    }
    return true;
}

/* Both files are complete on the disk before either gets its name. */
static bool write_pair(const struct subject *s, const GArray *unet, const GArray *text,
                       const char *folder, GError **error)
{
    g_autofree char *unet_path = g_build_filename(folder, SUBJECT_FILE_UNET, NULL);
    g_autofree char *text_path = g_build_filename(folder, SUBJECT_FILE_TEXT, NULL);
    // one file where nothing of the text encoder was learned
    const bool has_text = text->len > 0;

    if (!check_folder(folder, text_path, unet->len > 0, has_text, error)) {
        return false;
    }
    g_autoptr(safetensors_writer) first = put_all(s, unet, unet_path, NULL, NULL, error);
    g_autoptr(safetensors_writer) second =
        first != NULL && has_text ? put_all(s, text, text_path, NULL, NULL, error) : NULL;
    return first != NULL &&
           (!has_text || (second != NULL && safetensors_writer_commit(second, error))) &&
           safetensors_writer_commit(first, error);
}

bool subject_write_folder(const struct subject *s, const char *folder, struct subject_left_out *out,
                          GError **error)
{
    g_autoptr(GArray) unet = entries_create(), text = entries_create();
    const bool made = !g_file_test(folder, G_FILE_TEST_EXISTS);

    split(s, unet, text, out);
    const bool written = write_pair(s, unet, text, folder, error);
    // only what was made here, and only if it is empty
    if (!written && made) {
        g_rmdir(folder);
    }
    return written;
}
