/* Finding modules; see module_place.h. A build has its program in BUILD/engine. */
#include "engine/base/module_place.h"

#include <glib.h>

char *module_place(const char *folder, const char *file)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *engine = g_path_get_dirname(program != NULL ? program : ".");
    g_autofree char *built = g_build_filename(engine, "..", folder, file, NULL);

    return g_file_test(built, G_FILE_TEST_IS_REGULAR)
               ? g_canonicalize_filename(built, NULL)
               : g_build_filename(SVDIFF_MODULE_DIR, file, NULL);
}
