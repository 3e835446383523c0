/* cuda_module.c: opens the module with CUDA's table, which no program is linked to, so that a machine
 * without an NVIDIA device needs nothing of it. Once opened it stays, since a driver's threads do. */
#include "kernels/cuda_module.h"
#include "kernels/kernels.h"

#include <gmodule.h>

typedef kernels *(*create_table)(int number, enum kernels_precision precision, GError **error);

typedef struct kernels_cuda_device *(*list_devices)(int *count, GError **error);

// the module's function of that name, NULL with an error
static void *find(GModule *module, const char *path, const char *name, GError **error)
{
    void *found = NULL;

    if (!g_module_symbol(module, name, &found) || !found) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "%s is no CUDA module of this program: install the one of the same version",
                    path);
        return NULL;
    }
    return found;
}

static GModule *open_module(const char *path, GError **error)
{
    GModule *module = NULL;

    if (!path || !g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                    "the CUDA module is not installed (%s): install the package svdiff-cuda, or "
                    "use the CPU",
                    path ? path : "no file was named");
        return NULL;
    }
    module = g_module_open(path, G_MODULE_BIND_LOCAL);
    if (!module) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                    "the CUDA module cannot be loaded (%s): install what it needs, or use the CPU",
                    g_module_error());
        return NULL;
    }
    g_module_make_resident(module);
    return module;
}

// the module's function of that name, of a module of this version; NULL with an error
static void *find_function(const char *path, const char *name, GError **error)
{
    GModule *module = open_module(path, error);
    const char *const *interface =
        module ? find(module, path, "kernels_cuda_interface", error) : NULL;

    if (!interface) {
        return NULL;
    }
    if (g_strcmp0(*interface, CUDA_INTERFACE) != 0) {
        g_set_error(
            error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
            "%s was built with another version of this program (%s, and not %s): install the "
            "one of the same version",
            path, *interface, CUDA_INTERFACE);
        return NULL;
    }
    return find(module, path, name, error);
}

kernels *kernels_cuda(const char *path, int number, enum kernels_precision precision,
                      GError **error)
{
    const create_table create = (create_table)find_function(path, "kernels_cuda_create", error);

    return create ? create(number, precision, error) : NULL;
}

struct kernels_cuda_device *kernels_cuda_devices(const char *path, int *count, GError **error)
{
    const list_devices list = (list_devices)find_function(path, "kernels_cuda_list", error);

    *count = 0;
    return list ? list(count, error) : NULL;
}

bool kernels_cuda_driver(void)
{
    GModule *driver = g_module_open("libcuda.so.1", G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL);

    return driver && g_module_close(driver);
}
