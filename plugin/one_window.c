/* One window a procedure; see one_window.h. A request is a line, "IMAGE LAYER LAYER...", a tab and
 * the settings, which may be empty and hold neither tabs nor line ends; its answer is one, too. */
#include "plugin/one_window.h"

#include "plugin/folder.h"
#include "plugin/paths.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANSWER     "taken\n"
#define PATIENCE_S 10    // for an answer: the window may be reading a layer
#define TRIES      100   // until one that was just claimed listens
#define PAUSE_US   50000 // between them
#define LAYERS_MAX 256
#define CONNECTION "svdiff-connection"

struct one_window {
    char *path;
    int lock;
    GSocketService *service; // NULL: not yet
    one_window_called called;
    void *user;
    GCancellable *gone; // ends what is being read
};

/* ---- handing over ---- */

// the folder is the user's alone; this is the second lock on the door
static bool is_own(GSocketConnection *connection)
{
    g_autoptr(GCredentials) peer =
        g_socket_get_credentials(g_socket_connection_get_socket(connection), NULL);

    return peer != NULL && g_credentials_get_unix_user(peer, NULL) == getuid();
}

static char *make_request(const struct call *chosen, const char *settings)
{
    GString *text = g_string_new(NULL);

    // ids are the same in every process of one GIMP
    g_string_append_printf(text, "%d", chosen->image);
    for (int i = 0; i < MIN(chosen->n_layers, LAYERS_MAX); i++) {
        g_string_append_printf(text, " %d", chosen->layers[i]);
    }
    g_string_append_printf(text, "\t%s\n", settings != NULL ? settings : "");
    return g_string_free(text, FALSE);
}

// whether somebody at the socket took it
static bool hand(const char *path, const struct call *chosen, const char *settings)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_autofree char *request = make_request(chosen, settings);
    char answer[sizeof ANSWER] = "";
    gsize n = 0;

    // a window that hangs must not make the menu hang
    g_socket_client_set_timeout(client, PATIENCE_S);
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, NULL);
    if (connection == NULL || !is_own(connection)) {
        return false;
    }
    GIOStream *stream = G_IO_STREAM(connection);
    return g_output_stream_write_all(g_io_stream_get_output_stream(stream), request,
                                     strlen(request), NULL, NULL, NULL) &&
           g_input_stream_read_all(g_io_stream_get_input_stream(stream), answer, strlen(ANSWER), &n,
                                   NULL, NULL) &&
           strcmp(answer, ANSWER) == 0;
}

/* ---- whose it is ---- */

/* Between the lock and the socket there is a moment in which a window is nobody's to call: then it
 * is tried again. */
one_window *one_window_claim(const struct procedure *p, const struct call *chosen,
                             const char *settings, bool *handed)
{
    g_autofree char *path = paths_window(p->name);
    g_autofree char *name = g_strconcat(path != NULL ? path : "", ".lock", NULL);

    *handed = false;
    for (int i = 0; path != NULL && i < TRIES; i++) {
        // held as long as the window is there; the kernel frees it when this process is killed
        const int lock = folder_lock(name, O_CREAT, false);
        if (lock >= 0) {
            one_window *w = g_new0(one_window, 1);
            w->path = g_steal_pointer(&path);
            w->lock = lock;
            w->gone = g_cancellable_new();
            return w;
        }
        *handed = hand(path, chosen, settings);
        if (*handed) {
            return NULL;
        }
        g_usleep(PAUSE_US);
    }
    return NULL;
}

/* ---- being called ---- */

// "IMAGE LAYER LAYER...\tSETTINGS"
static void take_request(const one_window *w, const char *line)
{
    g_auto(GStrv) parts = g_strsplit(line, "\t", 2);
    g_auto(GStrv) words = g_strsplit(parts[0] != NULL ? parts[0] : "", " ", LAYERS_MAX + 2);
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int));

    for (guint i = 0; words[i] != NULL && i <= LAYERS_MAX; i++) {
        const int id = (int)g_ascii_strtoll(words[i], NULL, 10);
        g_array_append_val(ids, id);
    }
    // a line without a tab was cut off, or is a stranger's
    if (ids->len > 0 && parts[1] != NULL) {
        const host_item *first = (const host_item *)(void *)ids->data;
        const struct call chosen = {
            .image = first[0], .layers = first + 1, .n_layers = (int)ids->len - 1};
        w->called(w->user, &chosen, parts[1][0] != '\0' ? parts[1] : NULL);
    }
}

// a window that is gone has cancelled it: then it is not to be looked at
static void on_line(GObject *input, GAsyncResult *result, void *user)
{
    g_autoptr(GSocketConnection) connection = g_object_steal_data(input, CONNECTION);
    g_autofree char *line =
        g_data_input_stream_read_line_finish_utf8(G_DATA_INPUT_STREAM(input), result, NULL, NULL);

    if (line != NULL) {
        GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
        g_output_stream_write_all(out, ANSWER, strlen(ANSWER), NULL, NULL, NULL);
        take_request(user, line);
    }
}

static gboolean on_incoming(GSocketService *service, GSocketConnection *connection, GObject *source,
                            void *user)
{
    const one_window *w = user;

    if (is_own(connection)) {
        g_autoptr(GDataInputStream) input =
            g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
        // kept until the line is there: the service forgets it
        g_object_set_data(G_OBJECT(input), CONNECTION, g_object_ref(connection));
        g_socket_set_timeout(g_socket_connection_get_socket(connection), PATIENCE_S);
        g_data_input_stream_read_line_async(input, G_PRIORITY_DEFAULT, w->gone, on_line, user);
    }
    return TRUE;
}

// the mask counts: the socket is the user's from its first moment on
void one_window_listen(one_window *w, one_window_called called, void *user)
{
    if (w == NULL) {
        return;
    }
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(w->path);
    const mode_t mask = umask(0077);

    w->called = called;
    w->user = user;
    w->service = g_socket_service_new();
    g_unlink(w->path); // of one that was killed: the lock is ours
    g_socket_listener_add_address(G_SOCKET_LISTENER(w->service), address, G_SOCKET_TYPE_STREAM,
                                  G_SOCKET_PROTOCOL_DEFAULT, NULL, NULL, NULL);
    umask(mask);
    g_signal_connect(w->service, "incoming", G_CALLBACK(on_incoming), w);
    g_socket_service_start(w->service);
}

void one_window_free(one_window *w)
{
    if (w == NULL) {
        return;
    }
    if (w->service != NULL) {
        g_socket_service_stop(w->service);
        g_socket_listener_close(G_SOCKET_LISTENER(w->service));
        g_object_unref(w->service);
        g_unlink(w->path);
    }
    g_cancellable_cancel(w->gone);
    g_object_unref(w->gone);
    // last: from here on another may claim the window
    close(w->lock);
    g_free(w->path);
    g_free(w);
}
