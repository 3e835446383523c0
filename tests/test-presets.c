/* Named presets: saved and read again, other procedures, damaged files, a full disk, two writers,
 * one that is killed. */
#include "plugin/presets.h"

#include "engine/svdiff.h"
#include "tests/temporary_folder.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

char *host_attached(int layer, const char *name);
char *host_item_name(int item);

// of GIMP, which this test has none of
char *host_attached(int layer, const char *name)
{
    return NULL;
}

char *host_item_name(int item)
{
    return g_strdup("");
}

static values *make(const char *prompt)
{
    values *v = values_create(procedure_find("plug-in-svdiff-generate"));

    values_set_text(v, procedure_index(v->procedure, "prompt"), prompt);
    values_set_number(v, procedure_index(v->procedure, "steps"), 30);
    return v;
}

static void save(const char *file, const char *name, const char *prompt)
{
    g_autoptr(values) v = make(prompt);
    g_autoptr(GError) error = NULL;

    g_assert_true(presets_save(file, name, v, &error));
    g_assert_no_error(error);
}

static void assert_preset(const char *file, const char *name, const char *prompt)
{
    g_autoptr(values) v = values_create(procedure_find("plug-in-svdiff-generate"));
    g_autoptr(GError) error = NULL;

    g_assert_true(presets_read(file, name, v, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(values_text(v, "prompt"), ==, prompt);
    g_assert_cmpint(values_int(v, "steps"), ==, 30);
}

static void assert_names(const char *file, const char *names)
{
    g_auto(GStrv) all = presets_names(file);
    g_autofree char *text = g_strjoinv("|", all);

    g_assert_cmpstr(text, ==, names);
}

static void test_again(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *file = g_build_filename(folder, "presets.ini", NULL);
    g_autoptr(GError) error = NULL;

    assert_names(file, "");
    save(file, "snow", "a fox; in [the] snow = \"cold\"\nand more");
    save(file, "Buch = [c]; d", "second");
    save(file, "Füchslein", "third");
    assert_names(file, "Buch = [c]; d|Füchslein|snow");
    assert_preset(file, "snow", "a fox; in [the] snow = \"cold\"\nand more");
    save(file, "snow", "another"); // in its place
    assert_names(file, "Buch = [c]; d|Füchslein|snow");
    assert_preset(file, "snow", "another");
    assert_preset(file, "Buch = [c]; d", "second");
    g_assert_true(presets_delete(file, "Buch = [c]; d", &error));
    g_assert_true(presets_delete(file, "never", &error));
    assert_names(file, "Füchslein|snow");
    temporary_folder_remove(folder);
}

static void test_refused(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *file = g_build_filename(folder, "presets.ini", NULL);
    g_autofree char *longer = g_strnfill(81, 'x');
    const char *const names[] = {"", longer, "\xff"};
    g_autoptr(values) v = make("a");

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(presets_save(file, names[i], v, &error));
        g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE);
    }
    g_autoptr(GError) error = NULL;
    g_assert_false(presets_read(file, "none", v, &error));
    g_assert_nonnull(strstr(error->message, "none"));
    g_assert_cmpstr(values_text(v, "prompt"), ==, "a");
    temporary_folder_remove(folder);
}

// a damaged file is told, and never written over
static void test_damaged(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *file = g_build_filename(folder, "presets.ini", NULL), *bytes = NULL;
    g_autoptr(values) v = make("a");
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(file, "no group\n[x]\nname=", -1, NULL));
    assert_names(file, "");
    g_assert_false(presets_save(file, "new", v, &error));
    g_assert_nonnull(strstr(error->message, file));
    g_assert_false(presets_read(file, "new", v, NULL));
    g_assert_false(presets_delete(file, "new", NULL));
    g_assert_true(g_file_get_contents(file, &bytes, NULL, NULL));
    g_assert_cmpstr(bytes, ==, "no group\n[x]\nname=");
    g_assert_true(
        g_file_set_contents(file, "[preset 1]\nname=half\nsettings={\"prompt\":", -1, NULL));
    g_assert_false(presets_read(file, "half", v, NULL));
    g_assert_cmpstr(values_text(v, "prompt"), ==, "a");
    temporary_folder_remove(folder);
}

// a limit on the size of files stands in for a full disk
static void test_no_space(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *file = g_build_filename(folder, "presets.ini", NULL);
    g_autofree char *prompt = g_strnfill(9000, 'x');
    g_autoptr(values) v = make(prompt);
    g_autoptr(GError) error = NULL;
    struct rlimit before, limit;

    save(file, "old", "kept");
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
    limit = before;
    limit.rlim_cur = 4096;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    const bool saved = presets_save(file, "new", v, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    g_assert_false(saved);
    g_assert_nonnull(error);
    assert_names(file, "old");
    assert_preset(file, "old", "kept");
    g_assert_cmpint(temporary_folder_count(folder), ==, 2); // and the lock
    temporary_folder_remove(folder);
}

static pid_t start_writer(const char *file, char kind, int n)
{
    const pid_t pid = fork();

    if (pid == 0) {
        for (int i = 0; i < n; i++) {
            g_autofree char *name = g_strdup_printf("%c%02d", kind, i % 100);
            save(file, name, name);
        }
        _exit(0);
    }
    return pid;
}

static void test_two_writers(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *file = g_build_filename(folder, "presets.ini", NULL);
    const pid_t pids[] = {start_writer(file, 'a', 30), start_writer(file, 'b', 30)};
    int status;

    for (gsize i = 0; i < G_N_ELEMENTS(pids); i++) {
        g_assert_cmpint(waitpid(pids[i], &status, 0), ==, pids[i]);
        g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    g_auto(GStrv) names = presets_names(file);
    g_assert_cmpint(g_strv_length(names), ==, 60); // nobody's is lost
    for (char **name = names; *name != NULL; name++) {
        assert_preset(file, *name, *name);
    }
    temporary_folder_remove(folder);
}

static void test_killed(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *file = g_build_filename(folder, "presets.ini", NULL);

    save(file, "first", "first");
    for (int i = 0; i < 20; i++) {
        const pid_t pid = start_writer(file, 'k', 100000);
        g_usleep((gulong)(2000 + 1500 * i));
        kill(pid, SIGKILL);
        g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
        assert_preset(file, "first", "first");
        g_auto(GStrv) names = presets_names(file);
        for (char **name = names; *name != NULL; name++) {
            assert_preset(file, *name, *name);
        }
    }
    save(file, "last", "last"); // the lock went with its process
    assert_preset(file, "last", "last");
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/presets/again", test_again);
    g_test_add_func("/presets/refused", test_refused);
    g_test_add_func("/presets/damaged", test_damaged);
    g_test_add_func("/presets/no-space", test_no_space);
    g_test_add_func("/presets/two-writers", test_two_writers);
    g_test_add_func("/presets/killed", test_killed);
    return g_test_run();
}
