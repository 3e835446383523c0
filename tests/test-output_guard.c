/* Nothing that is read is overwritten, whatever it is called. */
#include "engine/base/error.h"
#include "engine/base/output_guard.h"
#include "tests/temporary_folder.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

struct fixture {
    char *folder, *before;
};

static void set_up(struct fixture *f, const void *data)
{
    f->folder = temporary_folder_create();
    f->before = g_get_current_dir();
    g_assert_cmpint(g_chdir(f->folder), ==, 0);
    g_assert_cmpint(g_mkdir("model", 0700), ==, 0);
    g_assert_cmpint(g_mkdir("model/unet", 0700), ==, 0);
    for (const char *const *file = (const char *const[]){"a.png", "b.png", "model/unet/w", NULL};
         *file != NULL; file++) {
        g_assert_true(g_file_set_contents(*file, *file, -1, NULL));
    }
}

static void tear_down(struct fixture *f, const void *data)
{
    g_assert_cmpint(g_chdir(f->before), ==, 0);
    g_free(f->before);
    temporary_folder_remove(f->folder);
}

static void writes(output_guard *g, const char *path)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(output_guard_writes(g, "--output", path, &error));
    g_assert_no_error(error);
}

// the sentence names both
static void refuses(output_guard *g, const char *path, const char *other)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(output_guard_writes(g, "--output", path, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "--output"));
    g_assert_nonnull(strstr(error->message, path));
    g_assert_nonnull(strstr(error->message, other));
}

static void test_names(struct fixture *f, const void *data)
{
    g_autoptr(output_guard) g = output_guard_create();
    g_autofree char *absolute = g_build_filename(f->folder, "a.png", NULL);

    g_assert_cmpint(symlink("a.png", "soft.png"), ==, 0);
    g_assert_cmpint(link("a.png", "hard.png"), ==, 0);
    g_assert_cmpint(symlink(".", "here"), ==, 0);
    output_guard_reads(g, NULL);
    output_guard_reads(g, "missing.png");
    output_guard_reads(g, "a.png");
    refuses(g, "a.png", "a.png");
    refuses(g, absolute, "a.png");
    refuses(g, "./model/../a.png", "a.png");
    refuses(g, "here/a.png", "a.png");
    refuses(g, "soft.png", "a.png");
    refuses(g, "hard.png", "a.png");
    writes(g, NULL);
    writes(g, "b.png"); // there, and not read
    writes(g, "c.png");
    writes(g, "missing.png");
    writes(g, "model/unet/w");
}

// what is read through a link is the file itself
static void test_link_read(struct fixture *f, const void *data)
{
    g_autoptr(output_guard) g = output_guard_create();

    g_assert_cmpint(symlink("a.png", "soft.png"), ==, 0);
    output_guard_reads(g, "soft.png");
    refuses(g, "a.png", "soft.png");
    refuses(g, "soft.png", "soft.png");
}

static void test_folder(struct fixture *f, const void *data)
{
    g_autoptr(output_guard) g = output_guard_create();

    g_assert_cmpint(link("model/unet/w", "hard"), ==, 0);
    output_guard_reads(g, "model");
    refuses(g, "model", "model");
    refuses(g, "./model/../model", "model");
    refuses(g, "model/new", "model");
    refuses(g, "model/unet/new", "model");
    refuses(g, "model/unet/w", "model/unet/w");
    refuses(g, "hard", "model/unet/w");
    writes(g, "model2");
    writes(g, "a.png");
}

static void test_twice(struct fixture *f, const void *data)
{
    g_autoptr(output_guard) g = output_guard_create();
    g_autoptr(GError) error = NULL;

    writes(g, "new.png");
    g_assert_false(output_guard_writes(g, "--trace", "model/../new.png", &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "--output and --trace"));
    writes(g, "newer.png");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/output-guard/names", struct fixture, NULL, set_up, test_names, tear_down);
    g_test_add("/output-guard/link-read", struct fixture, NULL, set_up, test_link_read, tear_down);
    g_test_add("/output-guard/folder", struct fixture, NULL, set_up, test_folder, tear_down);
    g_test_add("/output-guard/twice", struct fixture, NULL, set_up, test_twice, tear_down);
    return g_test_run();
}
