/* A worker that stays; see stay.h. Everything is in one thread: a job, then waiting for the first
 * of a connection, the end of the owner, a signal, and the end of patience. */
#include "engine/command/stay.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define REQUEST_MS  5000 // from a connection to its two lines
#define TICK_MS     1000 // between looks at the owner where it cannot be waited for
#define REQUEST_MAX 8192

struct stay {
    struct sockaddr_un address;
    pid_t owner;
    int owner_fd; // readable when the owner has ended; -1: the system has none
    stay_job run;
    interruption *stop;
    struct kept_model *kept;
};

/* ---- the owner ---- */

static bool owner_lives(const struct stay *s)
{
    // its descriptor becomes readable when it ends; kill(0) alone cannot tell a new process of its
    // number
    struct pollfd p = {.fd = s->owner_fd, .events = POLLIN};

    return s->owner_fd >= 0 ? poll(&p, 1, 0) == 0 : kill(s->owner, 0) == 0 || errno == EPERM;
}

static int open_owner(pid_t owner)
{
#ifdef SYS_pidfd_open
    return (int)syscall(SYS_pidfd_open, owner, 0); // closed at exec by itself
#else
    return -1;
#endif
}

/* ---- the socket ---- */

// whether the folder of the socket is ours and nobody else's
static bool is_private(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    struct stat info;

    return lstat(folder, &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == getuid() &&
           (info.st_mode & 0777) == 0700;
}

// -1: there is none
static void close_any(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

static int new_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

// whether another worker waits at the address
static bool is_taken(const struct stay *s)
{
    const int fd = new_socket();
    const bool taken =
        fd >= 0 && connect(fd, (const struct sockaddr *)&s->address, sizeof s->address) == 0;

    close_any(fd);
    return taken;
}

// a listening socket, or -1: another worker waits there, or it cannot be made
static int start_listening(const struct stay *s)
{
    const struct sockaddr *address = (const struct sockaddr *)&s->address;
    const mode_t mask = umask(0077);
    const int fd = new_socket();
    bool bound = fd >= 0 && bind(fd, address, sizeof s->address) == 0;

    if (fd >= 0 && !bound && errno == EADDRINUSE && !is_taken(s)) {
        g_unlink(s->address.sun_path); // of a worker that was killed
        bound = bind(fd, address, sizeof s->address) == 0;
    }
    umask(mask);
    if (bound && listen(fd, 1) == 0) {
        return fd;
    }
    close_any(fd);
    return -1;
}

static bool is_same_user(int connection)
{
    // the folder is private already; this asks the other side itself
    struct ucred peer;
    socklen_t size = sizeof peer;

    return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           peer.uid == getuid();
}

// the next connection of this user; -1 when it is time to leave
static int wait_for_job(const struct stay *s, int listener)
{
    const int patience = kept_model_patience(s->kept);
    const int tick = s->owner_fd >= 0 ? patience : TICK_MS;

    for (int waited = 0; waited < patience && owner_lives(s); waited += tick) {
        // the system does not look at one that is -1
        struct pollfd p[] = {{.fd = listener, .events = POLLIN},
                             {.fd = interruption_fd(s->stop), .events = POLLIN},
                             {.fd = s->owner_fd, .events = POLLIN}};
        if (poll(p, G_N_ELEMENTS(p), tick) < 0 || interruption_asked(s->stop)) {
            return -1;
        }
        if (p[0].revents & POLLIN) {
            const int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            if (connection >= 0 && is_same_user(connection)) {
                return connection;
            }
            close_any(connection);
        }
    }
    return -1;
}

/* ---- jobs ---- */

// two lines, COMMAND and FILE, as two strings; NULL if they do not come
static char **read_request(int connection)
{
    g_autoptr(GString) text = g_string_new(NULL);
    struct pollfd p = {.fd = connection, .events = POLLIN};
    char part[512];

    while (text->len < REQUEST_MAX && poll(&p, 1, REQUEST_MS) > 0) {
        // the two lines are short, and may still come in parts
        const ssize_t n = read(connection, part, sizeof part);
        if (n <= 0) {
            return NULL;
        }
        g_string_append_len(text, part, n);
        g_auto(GStrv) lines = g_strsplit(text->str, "\n", 3);
        if (g_strv_length(lines) == 3) {
            return g_steal_pointer(&lines);
        }
    }
    return NULL;
}

static void replace(int from, int to)
{
    if (from >= 0) {
        dup2(from, to);
        close(from);
    }
}

// the standard streams become nothing: whoever read them sees their end
static void let_go(void)
{
    fflush(stdout);
    fflush(stderr);
    for (int stream = 0; stream <= 2; stream++) {
        replace(open("/dev/null", O_RDWR | O_CLOEXEC), stream);
    }
    clearerr(stdout);
}

// does what a connection asks for, which it closes; the exit code
static int serve(const struct stay *s, int connection)
{
    g_auto(GStrv) request = read_request(connection);

    if (request == NULL) {
        close(connection);
        return 0; // nobody was kept waiting
    }
    g_autofree char *folder = g_path_get_dirname(request[1]);
    g_autofree char *messages = g_build_filename(folder, "messages", NULL);
    // nothing of the request but a command and a file: what it does stands in that
    char *const words[] = {request[0], (char *)"--worker", (char *)"--json", (char *)"--arguments",
                           request[1]};
    char *argv[G_N_ELEMENTS(words) + 1] = {NULL};

    memcpy(argv, words, sizeof words); // GOption moves them about
    if (!kept_model_is_for(request[0])) {
        kept_model_drop(s->kept);
    }
    dup2(connection, STDIN_FILENO);
    replace(connection, STDOUT_FILENO);
    replace(open(messages, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600),
            STDERR_FILENO);
    const struct caller caller = {s->stop, s->kept};
    const int code = s->run(&caller, G_N_ELEMENTS(words), argv);
    let_go();
    return code;
}

static int stay(const struct stay *s)
{
    int code = 0;

    while (code == 0 && kept_model_any(s->kept) && owner_lives(s)) {
        // one job at a time: while it runs nobody can connect
        const int listener = start_listening(s);
        if (listener < 0) {
            return code;
        }
        const int connection = wait_for_job(s, listener);
        g_unlink(s->address.sun_path);
        close(listener);
        if (connection < 0) {
            return code;
        }
        code = serve(s, connection);
    }
    return code;
}

int stay_run(const char *socket, pid_t owner, stay_job run, interruption *stop, int argc,
             char **argv)
{
    struct kept_model kept = {0};
    struct stay s = {.address = {.sun_family = AF_UNIX},
                     .owner = owner,
                     .owner_fd = -1,
                     .run = run,
                     .stop = stop,
                     .kept = &kept};

    // where nobody could connect, or others could, the job is done and that is all
    if (strlen(socket) >= sizeof s.address.sun_path || !is_private(socket)) {
        return run(&(struct caller){.stop = stop}, argc, argv);
    }
    strcpy(s.address.sun_path, socket);
    s.owner_fd = open_owner(owner); // before the job: its number may be another's after it
    int code = run(&(struct caller){stop, &kept}, argc, argv);
    if (code == 0) {
        let_go();
        code = stay(&s);
    }
    kept_model_drop(&kept);
    close_any(s.owner_fd);
    return code;
}
