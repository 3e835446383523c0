/* plot_packed.c: figures of the programs that tests/device packs: none, so that neither cairo nor what it needs has
 * to travel. Nothing of what runs on a device asks for one. */
#include "engine/plot/plot.h"

#include "engine/base/error.h"

static bool refuse(const char *path, GError **error)
{
    return error_usage(error, "%s cannot be drawn: this program was packed without figures.", path);
}

bool plot_check_name(const char *path, GError **error)
{
    return refuse(path, error);
}

bool plot_write(const struct plot *p, const char *path, GError **error)
{
    return refuse(path, error);
}

bool plot_write_matrices(const struct plot_matrices *m, const char *path, GError **error)
{
    return refuse(path, error);
}
