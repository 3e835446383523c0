/* What this machine still has; see machine.h.
 *
 * A process is in one group of control group v2 ("0::PATH" in /proc/self/cgroup) and in one a
 * controller of v1 ("N:CONTROLLERS:PATH"). Every group up to the root may have a limit. Inside a
 * container PATH may be the host's name of what is mounted as the root there: folders that do not
 * exist have no files, and the walk up ends at the root in any case. */
#include "engine/base/machine.h"

#include "engine/base/error.h"

#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define GIB (1024.0 * 1024.0 * 1024.0)

// where the controllers are mounted; v2 also beside v1
static const char *const unified[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified", NULL};
static const char *const memory_v1[] = {"/sys/fs/cgroup/memory", NULL};
static const char *const cpu_v1[] = {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct", NULL};

// the text of a small file of the kernel, or NULL
static char *read_text(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

// the number that a file begins with; false if there is no file or no number ("max")
static bool read_number(const char *folder, const char *name, uint64_t *number)
{
    g_autofree char *text = read_text(folder, name);
    char *end = text;

    if (!text || !g_ascii_isdigit(text[0])) {
        return false;
    }
    *number = g_ascii_strtoull(text, &end, 10);
    return end > text;
}

// the number after `key` and blanks at the beginning of a line, or 0
static uint64_t find_number(const char *text, const char *key)
{
    const size_t n = strlen(key);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, n) == 0 && (line[n] == ' ' || line[n] == ':')) {
            return g_ascii_strtoull(line + n + 1, NULL, 10);
        }
    }
    return 0;
}

static uint64_t memory_of_kernel(const char *root)
{
    g_autofree char *folder = g_strconcat(root, "/proc", NULL);
    g_autofree char *text = read_text(folder, "meminfo");
    const uint64_t kib = text ? find_number(text, "MemAvailable") : 0;

    return kib > 0 ? kib * 1024 : UINT64_MAX;
}

// limit less use; the kernel gives file cache back when memory is wanted
static uint64_t memory_left(const char *folder, uint64_t limit, uint64_t used, const char *inactive,
                            const char *active)
{
    g_autofree char *stat = read_text(folder, "memory.stat");
    const uint64_t cache = stat ? find_number(stat, inactive) + find_number(stat, active) : 0;

    used -= MIN(used, cache);
    return limit - MIN(limit, used);
}

static uint64_t memory_of_group_v2(const char *folder)
{
    uint64_t limit, used;

    if (!read_number(folder, "memory.max", &limit) ||
        !read_number(folder, "memory.current", &used)) {
        return UINT64_MAX;
    }
    return memory_left(folder, limit, used, "inactive_file", "active_file");
}

// a v1 group without a limit shows a number near 2^63, which is never the least
static uint64_t memory_of_group_v1(const char *folder)
{
    uint64_t limit, used;

    if (!read_number(folder, "memory.limit_in_bytes", &limit) ||
        !read_number(folder, "memory.usage_in_bytes", &used)) {
        return UINT64_MAX;
    }
    return memory_left(folder, limit, used, "total_inactive_file", "total_active_file");
}

// processors' worth of CPU time, rounded up
static uint64_t share(uint64_t quota, uint64_t period)
{
    return period > 0 && quota > 0 ? (quota + period - 1) / period : UINT64_MAX;
}

// "QUOTA PERIOD" or "max PERIOD"
static uint64_t processors_of_group_v2(const char *folder)
{
    g_autofree char *text = read_text(folder, "cpu.max");
    char *end;
    uint64_t quota;

    if (!text || !g_ascii_isdigit(text[0])) {
        return UINT64_MAX;
    }
    quota = g_ascii_strtoull(text, &end, 10);
    return share(quota, g_ascii_strtoull(end, NULL, 10));
}

static uint64_t processors_of_group_v1(const char *folder)
{
    uint64_t quota, period;

    if (!read_number(folder, "cpu.cfs_quota_us", &quota) ||
        !read_number(folder, "cpu.cfs_period_us", &period)) {
        return UINT64_MAX;
    }
    return share(quota, period);
}

typedef uint64_t (*group_function)(const char *folder);

// the least of a group and all above it, under one mount point
static uint64_t least_upwards(const char *mount, const char *group, group_function ask)
{
    g_autofree char *path = g_strdup(group);
    uint64_t least = UINT64_MAX;

    for (;;) {
        g_autofree char *folder = g_strconcat(mount, path, NULL);
        // in the last round the path is empty: the mount point itself, which is the root's group
        char *slash = strrchr(path, '/');
        const uint64_t here = ask(folder);
        least = MIN(least, here);
        if (!slash) {
            return least;
        }
        *slash = '\0';
    }
}

/* The group of this process: that of v2 when controller is "", else that of the v1 hierarchy with
 * this controller; NULL if there is none. */
static char *find_group(const char *root, const char *controller)
{
    g_autofree char *folder = g_strconcat(root, "/proc/self", NULL);
    g_autofree char *text = read_text(folder, "cgroup");
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

    for (char **line = lines; *line; line++) {
        // three parts: a path may have colons of its own
        g_auto(GStrv) part = g_strsplit(*line, ":", 3);
        if (g_strv_length(part) == 3) {
            g_auto(GStrv) names = g_strsplit(part[1], ",", -1);
            const bool v2 = part[1][0] == '\0' && strcmp(part[0], "0") == 0;
            if (*controller ? g_strv_contains((const char *const *)names, controller) : v2) {
                return g_strdup(part[2]);
            }
        }
    }
    return NULL;
}

static uint64_t least_of_groups(const char *root, const char *controller, const char *const *mounts,
                                group_function ask)
{
    g_autofree char *group = find_group(root, controller);
    uint64_t least = UINT64_MAX;

    for (; group && *mounts; mounts++) {
        g_autofree char *mount = g_strconcat(root, *mounts, NULL);
        const uint64_t here = least_upwards(mount, group, ask);
        least = MIN(least, here);
    }
    return least;
}

uint64_t machine_memory_under(const char *root)
{
    const uint64_t kernel = memory_of_kernel(root);
    const uint64_t v2 = least_of_groups(root, "", unified, memory_of_group_v2);
    const uint64_t v1 = least_of_groups(root, "memory", memory_v1, memory_of_group_v1);

    return MIN(kernel, MIN(v2, v1));
}

int machine_quota_under(const char *root)
{
    const uint64_t v2 = least_of_groups(root, "", unified, processors_of_group_v2);
    const uint64_t v1 = least_of_groups(root, "cpu", cpu_v1, processors_of_group_v1);

    return (int)MIN(MIN(v2, v1), (uint64_t)G_MAXINT);
}

// RLIMIT_AS less the address space in use (the first number of statm, in pages)
static uint64_t memory_of_process(void)
{
    struct rlimit limit;
    uint64_t pages, used;

    // set by batch systems; malloc then fails long before the machine is full
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        !read_number("/proc/self", "statm", &pages)) {
        return UINT64_MAX;
    }
    used = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return limit.rlim_cur - MIN(limit.rlim_cur, used);
}

uint64_t machine_available_memory(void)
{
    const uint64_t machine = machine_memory_under(""), process = memory_of_process();

    return MIN(machine, process);
}

// processors that the scheduler may put this process on; the set grows until the kernel's fits
static int allowed_processors(void)
{
    // the kernel refuses a set that is smaller than its own; glibc's fixed one ends at 1024
    for (int n = 1024; n <= 1 << 20; n *= 4) {
        cpu_set_t *set = CPU_ALLOC(n);
        const size_t size = CPU_ALLOC_SIZE(n);
        const int count = set && sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;

        CPU_FREE(set);
        if (count > 0) {
            return count;
        }
    }
    return (int)g_get_num_processors();
}

int machine_processors(void)
{
    const int allowed = allowed_processors(), quota = machine_quota_under("");

    return MAX(1, MIN(allowed, quota));
}

bool machine_check_memory(uint64_t needed, GError **error)
{
    const uint64_t available = machine_available_memory();
    char need[G_ASCII_DTOSTR_BUF_SIZE], have[G_ASCII_DTOSTR_BUF_SIZE];

    if (needed <= available) {
        return true;
    }
    // with a point in every language, as everywhere in these sentences
    g_ascii_formatd(need, sizeof(need), "%.2f", (double)needed / GIB);
    g_ascii_formatd(have, sizeof(have), "%.2f", (double)available / GIB);
    return error_failed(error,
                        "%s GiB of memory are needed and %s GiB are available; close other "
                        "programs, raise the memory limit or use a smaller size.",
                        need, have);
}
