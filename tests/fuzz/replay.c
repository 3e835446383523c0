/* Runs a fuzz target over files, without a fuzzer: the corpora are tests on any compiler.
 *
 *   replay-NAME FILE_OR_FOLDER...
 *
 * Every file is given to the target once. What a file does wrong is for the target and the
 * sanitizers to notice; a list without any file fails here. */
#include "tests/fuzz/replay.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

// gives one file to the target, in memory of exactly its size; how many were run: 0 or 1
static int run_file(const char *path)
{
    char *data;
    gsize length;

    if (!g_file_get_contents(path, &data, &length, NULL)) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return 0;
    }
    uint8_t *exact = g_memdup2(data, length);
    g_free(data);
    LLVMFuzzerTestOneInput(exact, length);
    g_free(exact);
    return 1;
}

// all files of a folder, or the one file
static int run_path(const char *path)
{
    GDir *folder = g_dir_open(path, 0, NULL);
    const char *name;
    int count = 0;

    if (!folder) {
        return run_file(path);
    }
    while ((name = g_dir_read_name(folder))) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        count += run_file(file);
    }
    g_dir_close(folder);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;

    for (int i = 1; i < argc; i++) {
        count += run_path(argv[i]);
    }
    printf("%d files\n", count);
    return count == 0;
}
