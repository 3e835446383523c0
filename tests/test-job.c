/* The worker process, with a shell script in the place of the command: what it tells, how it fails,
 * how it is cancelled; and the private folder that it works in. */
#include "plugin/job.h"

#include "plugin/paths.h"

#include "engine/svdiff.h"
#include "tests/temporary_folder.h"

#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* The script of the test that runs: paths_command of this program has no context to get it by. */
static char *script;

char *paths_command(GError **error)
{
    return g_strdup(script);
}

// no worker stays: what does is tested with the command itself, in GIMP
char *paths_socket(void)
{
    return NULL;
}

struct watcher {
    int calls, cancel_after;        // 0: never
    enum call_wish then;            // CALL_GO_ON: CALL_CANCEL
    struct call_estimate *estimate; // asked for in place of a run
    int last_step;
    char *warning;
};

static enum call_wish on_progress(void *user, const struct call_progress *p)
{
    struct watcher *w = user;

    g_assert_nonnull(p->phase);
    w->last_step = MAX(w->last_step, p->step);
    w->calls++;
    if (p->warning != NULL) {
        g_free(w->warning);
        w->warning = g_strdup(p->warning);
    }
    return w->cancel_after == 0 || w->calls < w->cancel_after ? CALL_GO_ON
           : w->then != CALL_GO_ON                            ? w->then
                                                              : CALL_CANCEL;
}

// runs a worker that does `text`; its arguments are $1 ..., the file of arguments the fifth
static bool run_command(const char *command, const char *text, struct watcher *w, char ***files,
                        GError **error)
{
    char *folder = temporary_folder_create();
    const struct call call = {.progress = on_progress, .user = w, .estimate = w->estimate};
    g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(scratch) private = scratch_create(error);
    g_autofree char *all = g_strconcat("#!/bin/sh\n", text, "\n", NULL);

    script = g_build_filename(folder, "svdiff", NULL);
    g_assert_true(g_file_set_contents_full(script, all, -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
    g_ptr_array_add(arguments, g_strdup("--prompt"));
    g_ptr_array_add(arguments, g_strdup("a “fox”"));
    const bool done = job_run(command, arguments, private, &call, files, error);
    g_clear_pointer(&script, g_free);
    temporary_folder_remove(folder);
    return done;
}

static bool run(const char *text, struct watcher *w, char ***files, GError **error)
{
    return run_command("generate", text, w, files, error);
}

static void test_done(void)
{
    struct watcher w = {0};
    g_auto(GStrv) files = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(
        run("[ \"$1 $2 $3 $4\" = 'generate --worker --json --arguments' ] || exit 1\n"
            "[ \"$(cat \"$5\")\" = '[\"--prompt\",\"a “fox”\"]' ] || exit 1\n"
            "echo 'a library says something'\n"
            "echo '{\"event\":\"progress\",\"phase\":\"generate\",\"step\":3,\"steps\":5}'\n"
            "echo '{\"event\":\"warning\",\"message\":\"be careful\"}'\n"
            "echo '{\"event\":\"done\",\"file\":\"a.tif\",\"files\":[\"a.tif\",\"b.tif\"]}'",
            &w, &files, &error));
    g_assert_no_error(error);
    g_assert_cmpint(w.last_step, ==, 3);
    g_assert_cmpstr(w.warning, ==, "be careful");
    g_assert_cmpuint(g_strv_length(files), ==, 2);
    g_assert_cmpstr(files[1], ==, "b.tif");
    g_free(w.warning);
}

static void check_fails(const char *text, const char *words)
{
    struct watcher w = {0};
    g_autoptr(GError) error = NULL;

    g_assert_false(run(text, &w, NULL, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    if (strstr(error->message, words) == NULL) {
        g_error("'%s' is not in: %s", words, error->message);
    }
}

static void test_failures(void)
{
    check_fails("echo '{\"event\":\"error\",\"message\":\"x.tif is no picture.\"}'; exit 1",
                "x.tif is no picture.");
    check_fails("echo one >&2; echo 'There is no command.' >&2; exit 2", "There is no command.");
    check_fails("exit 3", "ended without a word");
    check_fails("exit 0", "ended without a word");
    check_fails("kill -9 $$", "signal 9");
    check_fails("echo '{\"event\":\"progress\",\"step\":[1],\"phase\":7}'; echo '[[[['; exit 1",
                "ended without a word");
}

static void check_cancelled(const char *text)
{
    struct watcher w = {.cancel_after = 2};
    g_autoptr(GError) error = NULL;

    g_assert_false(run(text, &w, NULL, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED);
}

// a worker that leaves when its standard input ends, and one that does not listen
static void test_cancel(void)
{
    check_cancelled("cat >/dev/null; exit 130");
    check_cancelled("trap '' TERM INT; while :; do sleep 0.05; done");
}

// learning ends with its own sentence, other work goes on
static void test_stop(void)
{
    struct watcher w = {.cancel_after = 2, .then = CALL_STOP};
    g_autoptr(GError) error = NULL;

    g_assert_false(run_command("learn",
                               "read line\n[ \"$line\" = stop ] || exit 1\n"
                               "sleep 1\n" // longer than a cancelled one is given
                               "echo '{\"event\":\"error\",\"message\":\"x holds it.\"}'; exit 130",
                               &w, NULL, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED);
    g_assert_cmpstr(error->message, ==, "x holds it.");
    g_assert_true(run(
        "sleep 0.5; timeout 0.1 cat | grep . && exit 1; echo '{\"event\":\"done\",\"files\":[]}'",
        &w, NULL, NULL));
}

static void test_estimate(void)
{
    struct call_estimate e = {0};
    struct watcher w = {.estimate = &e};
    g_autoptr(GError) error = NULL;

    const bool told = run_command(
        "learn",
        "grep -q '\"--estimate\"\\]' \"$5\" || exit 1\n"
        "echo '{\"bytes\":2000,\"least_bytes\":1000,\"seconds\":1.5,\"marked\":[0.25,1]}'",
        &w, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(told);
    g_assert_cmpfloat(e.bytes, ==, 2000);
    g_assert_cmpfloat(e.least_bytes, ==, 1000);
    g_assert_cmpfloat(e.available, <, 0); // not told
    g_assert_cmpfloat(e.seconds, ==, 1.5);
    g_assert_cmpuint(e.marked->len, ==, 2);
    g_assert_cmpfloat(g_array_index(e.marked, double, 0), ==, 0.25);
    g_array_unref(e.marked);
}

// what other processes left behind is removed, what they still use is not
static void test_private_folders(void)
{
    g_autoptr(GError) error = NULL;
    scratch *gone = scratch_create(&error);
    g_autofree char *folder = g_strdup(gone->folder);
    g_autofree char *file = scratch_file(gone, "layer.tif");
    GStatBuf status;

    g_assert_no_error(error);
    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
    g_assert_cmpint(g_stat(folder, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0700);
    scratch *second = scratch_create(&error);
    g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS)); // in use
    flock(gone->lock, LOCK_UN);                           // as when the process is gone
    scratch *third = scratch_create(&error);
    g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(second->folder, G_FILE_TEST_EXISTS));
    scratch_free(third);
    scratch_free(second);
    scratch_free(gone);
}

int main(int argc, char **argv)
{
    char *temporary = temporary_folder_create();
    int status;

    g_setenv("TMPDIR", temporary, TRUE); // nobody else's folders are in the way
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/job/done", test_done);
    g_test_add_func("/job/failures", test_failures);
    g_test_add_func("/job/cancel", test_cancel);
    g_test_add_func("/job/stop", test_stop);
    g_test_add_func("/job/estimate", test_estimate);
    g_test_add_func("/job/private-folders", test_private_folders);
    status = g_test_run();
    temporary_folder_remove(temporary);
    return status;
}
