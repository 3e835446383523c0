/* Textual inversions; see embedding_file.h. */
#include "engine/adapter/embedding_file.h"

#include "engine/adapter/adapter_lookup.h"
#include "engine/base/error.h"
#include "engine/model/model_kind.h"

#include <string.h>

#define PARAM "string_to_param."

static void clear_word(void *word)
{
    g_free((char *)((struct tokenizer_word *)word)->text);
}

void embedding_list_create(struct embedding_list *l, int tokens, int width)
{
    *l = (struct embedding_list){.words = g_array_new(FALSE, FALSE, sizeof(struct tokenizer_word)),
                                 .vectors = g_array_new(FALSE, TRUE, sizeof(float)),
                                 .width = width,
                                 .first = tokens};
    g_array_set_clear_func(l->words, clear_word);
}

void embedding_list_close(struct embedding_list *l)
{
    g_clear_pointer(&l->words, g_array_unref);
    g_clear_pointer(&l->vectors, g_array_unref);
}

int embedding_list_count(const struct embedding_list *l)
{
    return l->vectors != NULL ? (int)l->vectors->len / l->width : 0;
}

void embedding_list_add_word(struct embedding_list *l, const char *word, int n)
{
    const struct tokenizer_word w = {
        .text = g_strdup(word), .id = l->first + embedding_list_count(l), .n = n};

    g_array_append_val(l->words, w);
    // new values are zeros
    g_array_set_size(l->vectors, l->vectors->len + (guint)n * (guint)l->width);
}

/* ---- what of a file it is ---- */

static bool fail_width(const struct embedding_list *l, const struct safetensors *file,
                       const struct safetensors_tensor *t, int64_t width, GError **error)
{
    const char *family = model_family_of_width(width);

    if (strcmp(family, "other") != 0) {
        return error_failed(
            error,
            "%s: this embedding is for %s (its vectors have %d values, this model's "
            "tokens have %d); use it with a model of that family.",
            safetensors_path(file), model_family_name(family), (int)width, l->width);
    }
    return error_failed(error,
                        "%s: %s has vectors of %" G_GINT64_FORMAT
                        " values, this model's tokens have "
                        "%d; use it with the model that it was made for.",
                        safetensors_path(file), t->name, width, l->width);
}

static bool check_tensor(const struct embedding_list *l, const struct safetensors *file,
                         const struct safetensors_tensor *t, GError **error)
{
    // [n, width], or [width] of a single vector
    const int64_t width = t->n_dims > 0 ? t->shape[t->n_dims - 1] : 0;

    if (t->n_dims < 1 || t->n_dims > 2 || t->values < 1) {
        return error_failed(error, "%s: %s is no list of vectors; this is no textual inversion.",
                            safetensors_path(file), t->name);
    }
    if (width != l->width) {
        return fail_width(l, file, t, width, error);
    }
    return t->values / width <= MODEL_TOKEN_VECTORS ||
           error_failed(error, "%s: %s has %d vectors; a prompt has places for %d.",
                        safetensors_path(file), t->name, (int)(t->values / width),
                        MODEL_TOKEN_VECTORS);
}

static bool has_word(const struct embedding_list *l, const char *word)
{
    for (guint i = 0; i < l->words->len; i++) {
        if (g_ascii_strcasecmp(g_array_index(l->words, struct tokenizer_word, i).text, word) == 0) {
            return true;
        }
    }
    return false;
}

// the file's own name, for instance, may be bytes of any kind
static bool check_word(const struct embedding_list *l, const struct safetensors *file,
                       const char *word, GError **error)
{
    if (word[0] == '\0' || !g_utf8_validate(word, -1, NULL)) {
        return error_failed(error,
                            "%s: it has no name that a prompt could have; give it a word with "
                            "--embedding FILE=WORD.",
                            safetensors_path(file));
    }
    return !has_word(l, word) ||
           error_failed(error,
                        "%s: two embeddings are called %s; give one of them another word "
                        "with --embedding FILE=WORD.",
                        safetensors_path(file), word);
}

// takes the word; nothing is added unless all of it is good
static bool add_word(struct embedding_list *l, const struct safetensors *file, char *word,
                     const GPtrArray *tensors, GError **error)
{
    // its vectors are the rows behind those of the model and of the words before it
    struct tokenizer_word w = {.text = word, .id = l->first + embedding_list_count(l)};
    const guint before = l->vectors->len;
    bool good = check_word(l, file, word, error);

    for (guint i = 0; i < tensors->len && good; i++) {
        const struct safetensors_tensor *t = tensors->pdata[i];
        good = check_tensor(l, file, t, error);
        if (good) {
            // [n, width], behind the vectors of the tensors before it
            g_autofree float *values = g_new(float, t->values);
            good = safetensors_read_f32(file, t, values, error) &&
                   (dtype_finite(values, (size_t)t->values) ||
                    error_failed(error,
                                 "%s: %s has values that are infinite or no numbers (NaN); "
                                 "get another copy.",
                                 safetensors_path(file), t->name));
            g_array_append_vals(l->vectors, values, (guint)t->values);
            w.n += (int)(t->values / l->width);
        }
    }
    // as it was before: a list with half a word would give the next one its vectors
    if (!good || w.n > MODEL_TOKEN_VECTORS) {
        g_array_set_size(l->vectors, before);
        g_free(word);
        return good ? error_failed(error, "%s: it has %d vectors; a prompt has places for %d.",
                                   safetensors_path(file), w.n, MODEL_TOKEN_VECTORS)
                    : false;
    }
    g_array_append_val(l->words, w);
    return true;
}

// the one tensor that A1111 or kohya has, or those of diffusers' token
static bool list_tensors(const struct safetensors *file, GPtrArray *tensors, const char **word,
                         GError **error)
{
    const struct safetensors_tensor *kohya = safetensors_find(file, "emb_params");

    *word = NULL;
    if (safetensors_find(file, "clip_l") != NULL || safetensors_find(file, "clip_g") != NULL) {
        return error_failed(error,
                            "%s: this embedding is for Stable Diffusion XL; use one for Stable "
                            "Diffusion 1.x or 2.x.",
                            safetensors_path(file));
    }
    if (kohya != NULL) {
        g_ptr_array_add(tensors, (void *)kohya);
        return true;
    }
    for (size_t i = 0; i < safetensors_count(file); i++) {
        if (g_str_has_prefix(safetensors_at(file, i)->name, PARAM)) {
            g_ptr_array_add(tensors, (void *)safetensors_at(file, i));
        }
    }
    if (tensors->len > 0) {
        return true;
    }
    struct model_info info;
    model_kind_of_file(file, &info);
    return model_kind_list_token(file, tensors, word) ||
           error_failed(error, "%s: this is %s, no textual inversion.", safetensors_path(file),
                        model_kind_title(info.kind));
}

bool embedding_list_add(struct embedding_list *l, const struct svdiff_embedding *wanted,
                        GError **error)
{
    g_autofree char *path = adapter_lookup_path(EMBEDDING_FOLDER, wanted->file);
    g_autoptr(safetensors) file = safetensors_open(path, error);
    g_autoptr(GPtrArray) tensors = g_ptr_array_new();
    const char *own = NULL;

    if (file == NULL || !list_tensors(file, tensors, &own, error)) {
        return false;
    }
    char *word = wanted->word != NULL ? g_strdup(wanted->word)
                 : own != NULL        ? g_strdup(own)
                                      : adapter_lookup_name(path);
    return add_word(l, file, word, tensors, error);
}

// what an adapter file calls an embedding in it, owned by the caller; NULL: the tensor is none
static char *bundled_word(const struct safetensors_tensor *t)
{
    const char *name =
        g_str_has_prefix(t->name, EMBEDDING_BUNDLE) ? t->name + strlen(EMBEDDING_BUNDLE) : NULL;
    const char *end = name != NULL ? strstr(name, "." PARAM) : NULL;

    return end != NULL ? g_strndup(name, (gsize)(end - name)) : NULL;
}

bool embedding_list_add_bundle(struct embedding_list *l, const struct safetensors *file,
                               void (*tell)(void *user, const char *sentence), void *user,
                               GError **error)
{
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const struct safetensors_tensor *t = safetensors_at(file, i);
        g_autofree char *word = bundled_word(t);
        g_autoptr(GPtrArray) tensors = g_ptr_array_new();
        g_ptr_array_add(tensors, (void *)t);
        // given by hand, or by another adapter, it is there: that one counts
        if (word != NULL && has_word(l, word)) {
            g_autofree char *sentence =
                g_strdup_printf("%s: its embedding %s is left out, another of that name was there "
                                "before it.",
                                safetensors_path(file), word);
            tell(user, sentence);
        } else if (word != NULL && !add_word(l, file, g_steal_pointer(&word), tensors, error)) {
            return false;
        }
    }
    return true;
}

int embedding_bundle_count(const struct safetensors *file)
{
    int n = 0;

    for (size_t i = 0; i < safetensors_count(file); i++) {
        g_autofree char *word = bundled_word(safetensors_at(file, i));
        n += word != NULL;
    }
    return n;
}
