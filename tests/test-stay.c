/* A worker that stays: jobs on its socket, one at a time; when it leaves. The jobs are those of
 * run_job below, with the tiny model kept; the worker is a child of the test. */
#include "engine/command/stay.h"

#include "engine/session/session.h"
#include "tests/temporary_folder.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 20000 // at most, for what has to come

struct worker {
    char *folder, *socket;
    pid_t pid, owner;
};

// `generate`: keeps the model and tells the process; `edit`: waits for the end of its input too
static int run_job(const struct caller *caller, int argc, char **argv)
{
    const struct svdiff_options options = {
        .model = g_test_get_filename(G_TEST_DIST, "fixtures/models/sd1", NULL)};
    svdiff *s = kept_model_open(caller->kept, &options, NULL);

    kept_model_close(caller->kept, s);
    printf("# %s %d %s\n", argv[0], (int)getpid(), argv[argc - 1]);
    fflush(stdout);
    if (strcmp(argv[0], "edit") == 0) {
        char c;
        return read(STDIN_FILENO, &c, 1) == 0 ? 0 : 1;
    }
    return s != NULL && strcmp(argv[0], "generate") == 0 ? 0 : 3;
}

static pid_t start_owner(void)
{
    const pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); // a test that fails leaves nothing behind
        pause();
        _exit(0);
    }
    return pid;
}

static struct worker start(int mode)
{
    struct worker w = {.folder = temporary_folder_create(), .owner = start_owner()};
    char *const argv[] = {(char *)"generate", (char *)"first", NULL};

    g_chmod(w.folder, mode);
    w.socket = g_build_filename(w.folder, "worker", NULL);
    w.pid = fork();
    if (w.pid == 0) {
        _exit(stay_run(w.socket, w.owner, run_job, interruption_start(NULL), 2, (char **)argv));
    }
    return w;
}

static void wait_for_socket(const struct worker *w)
{
    for (int i = 0; i < WAIT_MS && !g_file_test(w->socket, G_FILE_TEST_EXISTS); i += 10) {
        g_usleep(10000);
    }
    g_assert_true(g_file_test(w->socket, G_FILE_TEST_EXISTS));
}

static int try_connect(const struct worker *w)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, w->socket, sizeof address.sun_path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int wait_and_connect(const struct worker *w)
{
    int fd = -1;

    for (int i = 0; i < WAIT_MS && fd < 0; i += 10) {
        fd = try_connect(w);
        g_usleep(fd < 0 ? 10000 : 0);
    }
    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static void ask(const struct worker *w, int fd, const char *command)
{
    g_autofree char *text = g_strdup_printf("%s\n%s/arguments\n", command, w->folder);

    if (write(fd, text, strlen(text)) < 0) {
        g_assert_cmpint(errno, ==, EPIPE); // sent away
    }
}

// what the worker says, up to and with "\n"
static char *hear(int fd)
{
    GString *line = g_string_new(NULL);
    char c;

    while (read(fd, &c, 1) == 1 && c != '\n') {
        g_string_append_c(line, c);
    }
    return g_string_free(line, FALSE);
}

// the exit code; the worker must leave by itself
static int left(struct worker *w)
{
    int status = 0;
    pid_t done = 0;

    for (int i = 0; i < WAIT_MS && done == 0; i += 10) {
        done = waitpid(w->pid, &status, WNOHANG);
        g_usleep(done == 0 ? 10000 : 0);
    }
    g_assert_cmpint(done, ==, w->pid);
    g_assert_true(WIFEXITED(status));
    g_assert_false(g_file_test(w->socket, G_FILE_TEST_EXISTS));
    return WEXITSTATUS(status);
}

static void finish(struct worker *w)
{
    kill(w->owner, SIGKILL);
    waitpid(w->owner, NULL, 0);
    temporary_folder_remove(w->folder);
    g_free(w->socket);
}

// a job is done; who comes in the moment in which another is taken is sent away, and comes again
static void check_job(const struct worker *w)
{
    g_autofree char *expected =
        g_strdup_printf("# generate %d %s/arguments", (int)w->pid, w->folder);
    g_autofree char *line = g_strdup("");

    for (int i = 0; i < 100 && line[0] == '\0'; i++) {
        const int fd = wait_and_connect(w);
        ask(w, fd, "generate");
        g_free(line);
        line = hear(fd);
        g_autofree char *nothing = hear(fd);
        g_assert_cmpstr(nothing, ==, "");
        close(fd);
    }
    g_assert_cmpstr(line, ==, expected);
}

// one process does all jobs, and leaves when its owner is killed
static void test_jobs(void)
{
    struct worker w = start(0700);
    struct stat info;

    check_job(&w);
    check_job(&w);
    wait_for_socket(&w);
    g_assert_cmpint(stat(w.socket, &info), ==, 0);
    g_assert_cmpint(info.st_mode & 0777, ==, 0700);
    kill(w.owner, SIGKILL);
    waitpid(w.owner, NULL, 0);
    g_assert_cmpint(left(&w), ==, 0);
    finish(&w);
}

// while it works it takes no other job, and the end of the connection is the end of its input
static void test_busy(void)
{
    struct worker w = start(0700);
    const int fd = wait_and_connect(&w);

    ask(&w, fd, "edit");
    g_autofree char *line = hear(fd);
    g_assert_true(g_str_has_prefix(line, "# edit "));
    g_assert_cmpint(try_connect(&w), ==, -1);
    shutdown(fd, SHUT_WR);
    g_autofree char *end = hear(fd);
    g_assert_cmpstr(end, ==, "");
    close(fd);
    check_job(&w);
    kill(w.pid, SIGTERM);
    waitpid(w.pid, NULL, 0);
    finish(&w);
}

static void test_failure_leaves(void)
{
    struct worker w = start(0700);
    const int fd = wait_and_connect(&w);

    ask(&w, fd, "learn");
    g_autofree char *line = hear(fd);
    g_assert_true(g_str_has_prefix(line, "# learn "));
    g_assert_cmpint(left(&w), ==, 3);
    close(fd);
    finish(&w);
}

static void test_folder_of_others(void)
{
    struct worker w = start(0755);

    g_assert_cmpint(left(&w), ==, 0);
    finish(&w);
}

// who came and did not ask does no harm, and neither does the socket of a worker that was killed
static void test_silence(void)
{
    struct worker w = start(0700);

    close(wait_and_connect(&w));
    check_job(&w);
    close(wait_and_connect(&w));
    check_job(&w);
    finish(&w);
    waitpid(w.pid, NULL, 0);
}

static void test_killed(void)
{
    struct worker w = start(0700);
    char *const argv[] = {(char *)"generate", (char *)"first", NULL};

    check_job(&w);
    wait_for_socket(&w);
    kill(w.pid, SIGKILL);
    waitpid(w.pid, NULL, 0);
    g_assert_true(g_file_test(w.socket, G_FILE_TEST_EXISTS));
    w.pid = fork();
    if (w.pid == 0) {
        _exit(stay_run(w.socket, w.owner, run_job, interruption_start(NULL), 2, (char **)argv));
    }
    check_job(&w);
    kill(w.owner, SIGKILL);
    g_assert_cmpint(left(&w), ==, 0);
    finish(&w);
}

static size_t own_memory(const kernels *k)
{
    return 1;
}

// what lies in a device's own memory is not kept as long as what lies in the machine's
static void test_patience(void)
{
    const struct svdiff_options options = {
        .model = g_test_get_filename(G_TEST_DIST, "fixtures/models/sd1", NULL)};
    struct kept_model kept = {0};
    svdiff *s = kept_model_open(&kept, &options, NULL);

    g_assert_cmpint(kept_model_patience(&kept), ==, 300000);
    s->k->available = own_memory;
    g_assert_cmpint(kept_model_patience(&kept), ==, 60000);
    kept_model_drop(&kept);
    g_assert_cmpint(kept_model_patience(&kept), ==, 300000);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stay/jobs", test_jobs);
    g_test_add_func("/stay/busy", test_busy);
    g_test_add_func("/stay/failure-leaves", test_failure_leaves);
    g_test_add_func("/stay/folder-of-others", test_folder_of_others);
    g_test_add_func("/stay/patience", test_patience);
    g_test_add_func("/stay/silence", test_silence);
    g_test_add_func("/stay/killed", test_killed);
    return g_test_run();
}
