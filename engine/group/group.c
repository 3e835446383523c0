/* Joining and leaving a group; see group.h. */
#include "engine/group/group.h"

#include "engine/base/error.h"
#include "engine/base/module_place.h"

#define GROUP_MODULE_FILE "svdiff-mpi.so"

// as Open MPI's mpirun tells each of its processes
static int told(const char *name, int otherwise)
{
    const char *text = g_getenv(name);
    guint64 value;

    return text != NULL && g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT, &value, NULL)
               ? (int)value
               : otherwise;
}

int group_rank(void)
{
    return told("OMPI_COMM_WORLD_RANK", 0);
}

int group_local_rank(void)
{
    return told("OMPI_COMM_WORLD_LOCAL_RANK", 0);
}

int group_size(void)
{
    return MAX(told("OMPI_COMM_WORLD_SIZE", 1), 1);
}

static bool open_module(struct svdiff_group *g, GError **error)
{
    g_autofree char *path = module_place("engine", GROUP_MODULE_FILE);
    gpointer entry = NULL;

    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        return error_failed(
            error,
            "mpirun started %d processes, but the module that lets them learn "
            "together is not installed at %s; install it (build with libopenmpi-dev), "
            "or leave out mpirun.",
            g->size, path);
    }
    g->module = g_module_open(path, G_MODULE_BIND_LAZY);
    if (g->module == NULL || !g_module_symbol(g->module, GROUP_MODULE_ENTRY, &entry)) {
        return error_failed(error, "%s cannot be opened: %s.", path, g_module_error());
    }
    return ((group_module_entry)entry)(g, error);
}

struct svdiff_group *svdiff_group_join(GError **error)
{
    struct svdiff_group *g;

    if (group_size() == 1) {
        return NULL;
    }
    g = g_new0(struct svdiff_group, 1);
    g->rank = group_rank();
    g->size = group_size();
    g->local_size = told("OMPI_COMM_WORLD_LOCAL_SIZE", 1);
    g->local_first = group_local_rank() == 0;
    if (!open_module(g, error)) {
        g_free(g);
        return NULL;
    }
    return g;
}

int svdiff_group_rank(const struct svdiff_group *g)
{
    return g->rank;
}

void svdiff_group_leave(struct svdiff_group *g)
{
    if (g != NULL) {
        // the module stays open: MPI has put functions at the process's exit
        g->leave(g);
        g_free(g);
    }
}
