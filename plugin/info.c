/* Asking the command what a file is; see info.h. */
#include "plugin/info.h"

#include "plugin/paths.h"
#include "plugin/words.h"

#include <stdbool.h>
#include <string.h>

struct question {
    info_told told;
    void *user;
    GCancellable *stop; // owned
};

static void answer(const struct question *q, const char *output)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root = output != NULL && json_parser_load_from_data(parser, output, -1, NULL)
                         ? json_parser_get_root(parser)
                         : NULL;

    if (root != NULL && JSON_NODE_HOLDS_OBJECT(root)) {
        q->told(q->user, json_node_get_object(root), NULL);
    } else {
        q->told(q->user, NULL, _("The command svdiff said nothing of the file."));
    }
}

// the last line that was written for people
static const char *last_line(char *text)
{
    g_strchomp(text);
    const char *line = strrchr(text, '\n');

    return line != NULL ? line + 1 : text;
}

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
        q->told(q->user, NULL, last_line(messages));
    }
}

void info_ask(const char *path, const char *preview, GCancellable *stop, info_told told, void *user)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *program = paths_command(&error);
    const char *const words[] = {
        program, "info", path, "--json", preview != NULL ? "--preview" : NULL, preview, NULL};
    g_autoptr(GSubprocess) process =
        program != NULL
            ? g_subprocess_newv(
                  words, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error)
            : NULL;
    struct question *q = g_new(struct question, 1);

    if (process == NULL) {
        told(user, NULL, error->message);
        g_free(q);
        return;
    }
    *q = (struct question){told, user, g_object_ref(stop)};
    g_subprocess_communicate_utf8_async(process, NULL, stop, on_end, q);
}
