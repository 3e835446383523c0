/* One window a procedure; see one_window.h. A request is two lines, "IMAGE LAYER LAYER..." and the
 * settings, which may be empty; its answer is one. */
#include "plugin/one_window.h"

#include "plugin/paths.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANSWER      "taken\n"
#define PATIENCE_S  10    // for an answer: the window may be reading a layer
#define TRIES       100   // until one that was just claimed listens
#define PAUSE_US    50000 // between them
#define REQUEST_MAX 65536 // bytes
#define LAYERS_MAX  256

struct one_window {
    char *path;
    int lock;
    GSocketService *service; // NULL: not yet
    one_window_called called;
    void *user;
    GPtrArray *requests; // struct request, those that are not complete
};

/* ---- handing over ---- */

static bool is_own(GSocketConnection *connection)
{
    g_autoptr(GCredentials) peer =
        g_socket_get_credentials(g_socket_connection_get_socket(connection), NULL);

    return peer != NULL && g_credentials_get_unix_user(peer, NULL) == getuid();
}

static char *make_request(const struct call *chosen, const char *settings)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "%d", chosen->image);
    for (int i = 0; i < MIN(chosen->n_layers, LAYERS_MAX); i++) {
        g_string_append_printf(text, " %d", chosen->layers[i]);
    }
    g_string_append_printf(text, "\n%s\n", settings != NULL ? settings : "");
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

// a descriptor with the lock, or -1: another process has it
static int take_lock(const char *path)
{
    g_autofree char *name = g_strconcat(path, ".lock", NULL);
    const int fd = g_open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

one_window *one_window_claim(const struct procedure *p, const struct call *chosen,
                             const char *settings, bool *handed)
{
    g_autofree char *path = paths_window(p->name);

    *handed = false;
    for (int i = 0; path != NULL && i < TRIES; i++) {
        const int lock = take_lock(path);
        if (lock >= 0) {
            one_window *w = g_new0(one_window, 1);
            w->path = g_steal_pointer(&path);
            w->lock = lock;
            w->requests = g_ptr_array_new();
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

struct request {
    one_window *window; // NULL: it is gone
    GSocketConnection *connection;
    GString *text;
    char part[512];
};

static void free_request(struct request *r)
{
    if (r->window != NULL) {
        g_ptr_array_remove_fast(r->window->requests, r);
    }
    g_string_free(r->text, TRUE);
    g_object_unref(r->connection);
    g_free(r);
}

static void take_request(const one_window *w, char *const lines[2])
{
    g_auto(GStrv) words = g_strsplit(lines[0], " ", LAYERS_MAX + 2);
    const int n = MIN((int)g_strv_length(words) - 1, LAYERS_MAX);
    g_autofree host_item *layers = g_new(host_item, MAX(n, 1));

    for (int i = 0; i < n; i++) {
        layers[i] = (host_item)g_ascii_strtoll(words[i + 1], NULL, 10);
    }
    const struct call chosen = {.image = n >= 0 ? (host_image)g_ascii_strtoll(words[0], NULL, 10)
                                                : HOST_NONE,
                                .layers = layers,
                                .n_layers = MAX(n, 0)};
    w->called(w->user, &chosen, lines[1][0] != '\0' ? lines[1] : NULL);
}

static void read_more(struct request *r);

static void on_read(GObject *stream, GAsyncResult *result, void *data)
{
    struct request *r = data;
    const gssize n = g_input_stream_read_finish(G_INPUT_STREAM(stream), result, NULL);

    g_string_append_len(r->text, r->part, MAX(n, 0));
    g_auto(GStrv) lines = g_strsplit(r->text->str, "\n", 3);
    const bool complete = g_strv_length(lines) == 3;
    if (n > 0 && r->window != NULL && !complete && r->text->len < REQUEST_MAX) {
        read_more(r);
        return;
    }
    if (complete && r->window != NULL) {
        GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(r->connection));
        g_output_stream_write_all(out, ANSWER, strlen(ANSWER), NULL, NULL, NULL);
        take_request(r->window, lines);
    }
    free_request(r);
}

static void read_more(struct request *r)
{
    GInputStream *in = g_io_stream_get_input_stream(G_IO_STREAM(r->connection));

    g_input_stream_read_async(in, r->part, sizeof r->part, G_PRIORITY_DEFAULT, NULL, on_read, r);
}

static gboolean on_incoming(GSocketService *service, GSocketConnection *connection, GObject *source,
                            void *user)
{
    if (is_own(connection)) {
        struct request *r = g_new0(struct request, 1);
        r->window = user;
        r->connection = g_object_ref(connection);
        r->text = g_string_new(NULL);
        g_ptr_array_add(r->window->requests, r);
        g_socket_set_timeout(g_socket_connection_get_socket(connection), PATIENCE_S);
        read_more(r);
    }
    return TRUE;
}

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
    for (guint i = 0; i < w->requests->len; i++) {
        ((struct request *)w->requests->pdata[i])->window = NULL;
    }
    g_ptr_array_unref(w->requests);
    close(w->lock);
    g_free(w->path);
    g_free(w);
}
