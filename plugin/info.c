/* Asking the command what a file is; see info.h. */
#include "plugin/info.h"

#include "plugin/paths.h"
#include "plugin/told.h"
#include "plugin/words.h"

#include "engine/base/file_stamp.h"

#include <stdbool.h>
#include <string.h>

struct question {
    info_told told;
    void *user;
    GCancellable *stop; // owned
};

static GSubprocess *start(const char *path, GError **error)
{
    g_autofree char *program = paths_command(error);
    const char *const words[] = {program, "info", "--json", path[0] != '\0' ? path : NULL, NULL};

    return program != NULL
               ? g_subprocess_newv(
                     words, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, error)
               : NULL;
}

/* ---- without waiting ---- */

static void answer(const struct question *q, const char *output)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *info = told_object(parser, output);

    q->told(q->user, info, info != NULL ? NULL : _("The command svdiff said nothing of the file."));
}

// the question is freed here in any case; who asked may be gone, when it was cancelled
static void on_end(GObject *source, GAsyncResult *result, void *data)
{
    g_autofree struct question *q = data;
    g_autoptr(GCancellable) stop = q->stop;
    g_autofree char *output = NULL, *messages = NULL;
    g_autoptr(GError) error = NULL;

    const bool done = g_subprocess_communicate_utf8_finish(G_SUBPROCESS(source), result, &output,
                                                           &messages, &error);
    if (g_cancellable_is_cancelled(stop)) {
        return; // an answer that came before is not waited for either
    }
    if (!done) {
        q->told(q->user, NULL, error->message);
    } else if (g_subprocess_get_successful(G_SUBPROCESS(source))) {
        answer(q, output);
    } else {
        q->told(q->user, NULL, told_last_line(messages));
    }
}

void info_ask(const char *path, GCancellable *stop, info_told told, void *user)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GSubprocess) process = start(path, &error);

    if (process == NULL) {
        told(user, NULL, error->message);
        return;
    }
    struct question *q = g_new(struct question, 1);
    // a dialog that closes drops its own reference first
    *q = (struct question){told, user, g_object_ref(stop)};
    g_subprocess_communicate_utf8_async(process, NULL, stop, on_end, q);
}

/* ---- waited for ---- */

static void unref(void *object)
{
    if (object != NULL) {
        json_object_unref(object);
    }
}

// a path, and who the files are that it names: those of a model are in folders
static char *key_of(const char *path)
{
    GString *key = g_string_new(path);

    g_string_append_c(key, '\n');
    file_stamp(key, path);
    return g_string_free(key, FALSE);
}

// false: the command was not heard, which says nothing of the file
static bool ask(const char *path, JsonObject **info)
{
    g_autoptr(GSubprocess) process = start(path, NULL);
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autofree char *output = NULL;

    if (process == NULL ||
        !g_subprocess_communicate_utf8(process, NULL, NULL, &output, NULL, NULL)) {
        return false;
    }
    JsonObject *told = told_object(parser, output);
    *info = told != NULL ? json_object_ref(told) : NULL;
    return true;
}

// NULL is kept, too: a file of another kind stays one
JsonObject *info_of(const char *path)
{
    static GHashTable *kept; // what a dialog asks again at every letter that is typed
    g_autofree char *key = key_of(path);
    void *known = NULL;
    JsonObject *info = NULL;

    if (kept == NULL) {
        kept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref);
    }
    if (g_hash_table_lookup_extended(kept, key, NULL, &known)) {
        return known;
    }
    // only what the command said is kept: a command that could not be started is asked again
    if (ask(path, &info)) {
        g_hash_table_insert(kept, g_steal_pointer(&key), info);
    }
    return info;
}

/* ---- what was told ---- */

GdkPixbuf *info_preview(JsonObject *info)
{
    const char *text = told_text(info, "preview.png");
    gsize size = 0;
    g_autofree guchar *png = text != NULL ? g_base64_decode(text, &size) : NULL;
    g_autoptr(GInputStream) stream = g_memory_input_stream_new_from_data(png, (gssize)size, NULL);

    return size > 0 ? gdk_pixbuf_new_from_stream(stream, NULL, NULL) : NULL;
}

int info_side(JsonObject *info)
{
    return (int)told_number(info, "defaults.generate.width", 0);
}
