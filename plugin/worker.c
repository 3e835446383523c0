/* Starting a worker, or finding the one that waits; see worker.h. */
#include "plugin/worker.h"

#include "plugin/paths.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct worker {
    // started here
    GSubprocess *process;
    bool exited;
    // or found waiting
    GSocketConnection *connection;
    pid_t pid;
    int pid_fd; // readable when it has ended; -1: the system has none

    GInputStream *output; // borrowed from the one or the other
};

/* ---- the one that waits ---- */

static int open_process(pid_t pid)
{
#ifdef SYS_pidfd_open
    // GLib has no name for it; -1 where the kernel is older than 5.3
    return (int)syscall(SYS_pidfd_open, pid, 0);
#else
    return -1;
#endif
}

// a connection to the socket of a worker of this user; NULL when none waits
static GSocketConnection *reach(const char *path, pid_t *pid)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, NULL);
    g_autoptr(GCredentials) peer =
        connection != NULL
            ? g_socket_get_credentials(g_socket_connection_get_socket(connection), NULL)
            : NULL;

    // what is handed over are pictures and paths of this user
    if (peer == NULL || g_credentials_get_unix_user(peer, NULL) != getuid()) {
        return NULL;
    }
    *pid = g_credentials_get_unix_pid(peer, NULL);
    return g_steal_pointer(&connection);
}

// as engine/command/stay.h reads it
static bool send_request(GSocketConnection *connection, const char *command, const char *arguments)
{
    g_autofree char *text = g_strdup_printf("%s\n%s\n", command, arguments);
    GOutputStream *stream = g_io_stream_get_output_stream(G_IO_STREAM(connection));

    return g_output_stream_write_all(stream, text, strlen(text), NULL, NULL, NULL);
}

static worker *find(const char *socket, const char *command, const char *arguments)
{
    pid_t pid = 0;
    g_autoptr(GSocketConnection) connection = reach(socket, &pid);

    if (connection == NULL || pid <= 0 || !send_request(connection, command, arguments)) {
        return NULL;
    }
    worker *w = g_new0(worker, 1);
    w->pid = pid;
    w->pid_fd = open_process(pid);
    w->output = g_io_stream_get_input_stream(G_IO_STREAM(connection));
    w->connection = g_steal_pointer(&connection);
    return w;
}

/* ---- a new one ---- */

// it may be freed before the process ends, hence the reference to the flag's owner is weak
static void on_end(GObject *process, GAsyncResult *result, void *data)
{
    g_subprocess_wait_finish(G_SUBPROCESS(process), result, NULL);
    worker *w = g_object_get_data(process, "worker");
    if (w != NULL) {
        w->exited = true;
    }
}

// g_strfreev it
static char **make_words(const char *program, const char *socket, const char *command,
                         const char *arguments)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    g_autofree char *gimp = g_strdup_printf("%d", (int)getppid()); // the parent of a plug-in

    g_strv_builder_add(words, program);
    if (socket != NULL) {
        // it stays for the next call and leaves with GIMP
        g_strv_builder_add_many(words, "stay", socket, gimp, NULL);
    }
    g_strv_builder_add_many(words, command, "--worker", "--json", "--arguments", arguments, NULL);
    return g_strv_builder_end(words);
}

static worker *launch(const char *socket, const char *command, const char *arguments,
                      const scratch *folder, GError **error)
{
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
    g_autofree char *log = scratch_file(folder, "messages");
    g_autofree char *program = paths_command(error);

    if (program == NULL) {
        return NULL;
    }
    g_auto(GStrv) words = make_words(program, socket, command, arguments);
    // a pipe that nobody reads would fill up and stop it
    g_subprocess_launcher_set_stderr_file_path(launcher, log);
    GSubprocess *process =
        g_subprocess_launcher_spawnv(launcher, (const char *const *)words, error);
    if (process == NULL) {
        return NULL;
    }
    worker *w = g_new0(worker, 1);
    w->process = process;
    w->pid_fd = -1;
    w->output = g_subprocess_get_stdout_pipe(process);
    // taken back by worker_free: on_end then has nobody to tell
    g_object_set_data(G_OBJECT(process), "worker", w);
    g_subprocess_wait_async(process, NULL, on_end, NULL);
    return w;
}

worker *worker_start(const char *command, const char *arguments, const scratch *folder, bool anew,
                     GError **error)
{
    g_autofree char *socket = paths_socket();
    worker *w = socket != NULL && !anew ? find(socket, command, arguments) : NULL;

    return w != NULL ? w : launch(socket, command, arguments, folder, error);
}

// a worker that stays goes on without us; one that only has this job ends when its input is closed
void worker_free(worker *w)
{
    if (w == NULL) {
        return;
    }
    if (w->process != NULL) {
        g_object_set_data(G_OBJECT(w->process), "worker", NULL);
        g_output_stream_close(g_subprocess_get_stdin_pipe(w->process), NULL, NULL);
        g_object_unref(w->process);
    }
    g_clear_object(&w->connection);
    if (w->pid_fd >= 0) {
        close(w->pid_fd);
    }
    g_free(w);
}

/* ---- while it works ---- */

bool worker_had_stayed(const worker *w)
{
    return w->connection != NULL;
}

GInputStream *worker_output(const worker *w)
{
    return w->output;
}

void worker_cancel(worker *w)
{
    if (w->process != NULL) {
        g_output_stream_close(g_subprocess_get_stdin_pipe(w->process), NULL, NULL);
    } else {
        g_socket_shutdown(g_socket_connection_get_socket(w->connection), FALSE, TRUE, NULL);
    }
}

void worker_stop(worker *w)
{
    GOutputStream *input = w->process != NULL
                               ? g_subprocess_get_stdin_pipe(w->process)
                               : g_io_stream_get_output_stream(G_IO_STREAM(w->connection));

    // a worker that is gone is noticed at its output
    g_output_stream_write_all(input, "stop\n", strlen("stop\n"), NULL, NULL, NULL);
}

void worker_kill(worker *w)
{
    if (w->process != NULL) {
        g_subprocess_force_exit(w->process);
        return;
    }
#ifdef SYS_pidfd_send_signal
    if (w->pid_fd >= 0) { // its number cannot be another's
        syscall(SYS_pidfd_send_signal, w->pid_fd, SIGKILL, NULL, 0);
        return;
    }
#endif
    kill(w->pid, SIGKILL);
}

// without pidfd a number may be another's by then: that only means a longer wait
bool worker_is_gone(const worker *w)
{
    struct pollfd p = {.fd = w->pid_fd, .events = POLLIN};

    if (w->process != NULL) {
        return w->exited;
    }
    return w->pid_fd >= 0 ? poll(&p, 1, 0) > 0 : kill(w->pid, 0) != 0;
}

int worker_signal(const worker *w)
{
    return w->process != NULL && w->exited && g_subprocess_get_if_signaled(w->process)
               ? g_subprocess_get_term_sig(w->process)
               : 0;
}
