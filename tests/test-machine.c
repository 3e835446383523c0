/* What a machine has: folders that look like /proc and /sys of machines of several kinds, and the
 * limits of this process. */
#include "engine/base/error.h"
#include "engine/base/machine.h"

#include <glib/gstdio.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)

// a folder that stands for the root of a machine; every file that was put there
struct fake {
    char *root;
    GPtrArray *files;
};

static void fake_put(struct fake *fake, const char *path, const char *text)
{
    char *name = g_strconcat(fake->root, path, NULL);
    g_autofree char *folder = g_path_get_dirname(name);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(name, text, -1, NULL));
    g_ptr_array_add(fake->files, name);
}

static void fake_init(struct fake *fake)
{
    fake->root = g_dir_make_tmp("svdiff-machine-XXXXXX", NULL);
    fake->files = g_ptr_array_new_with_free_func(g_free);
    g_assert_nonnull(fake->root);
    fake_put(fake, "/proc/meminfo",
             "MemTotal:       16000000 kB\nMemFree:          100000 kB\n"
             "MemAvailable:    8388608 kB\nBuffers:           10000 kB\n");
}

// the files, and their folders from the innermost to the root
static void fake_finish(struct fake *fake)
{
    for (guint i = fake->files->len; i-- > 0;) {
        g_autofree char *at = g_strdup(fake->files->pdata[i]);
        g_unlink(at);
        while (strlen(at) > strlen(fake->root)) {
            *strrchr(at, '/') = '\0';
            g_rmdir(at);
        }
    }
    g_assert_false(g_file_test(fake->root, G_FILE_TEST_EXISTS));
    g_ptr_array_unref(fake->files);
    g_free(fake->root);
}

static void test_plain(void)
{
    struct fake fake;

    fake_init(&fake);
    g_assert_cmpuint(machine_memory_under(fake.root), ==, 8192 * MIB);
    g_assert_cmpint(machine_quota_under(fake.root), ==, G_MAXINT);
    fake_put(&fake, "/proc/meminfo", "nothing of use\n");
    g_assert_cmpuint(machine_memory_under(fake.root), ==, UINT64_MAX);
    fake_finish(&fake);
}

// v2: the least of a group and those above it, the file cache given back
static void test_groups_v2(void)
{
    struct fake fake;

    fake_init(&fake);
    fake_put(&fake, "/proc/self/cgroup", "0::/user.slice/job.scope\n");
    fake_put(&fake, "/sys/fs/cgroup/user.slice/job.scope/memory.max", "max\n");
    fake_put(&fake, "/sys/fs/cgroup/user.slice/job.scope/memory.current", "1048576\n");
    fake_put(&fake, "/sys/fs/cgroup/user.slice/job.scope/cpu.max", "max 100000\n");
    g_assert_cmpuint(machine_memory_under(fake.root), ==, 8192 * MIB);
    g_assert_cmpint(machine_quota_under(fake.root), ==, G_MAXINT);
    fake_put(&fake, "/sys/fs/cgroup/user.slice/memory.max", "1073741824\n");
    fake_put(&fake, "/sys/fs/cgroup/user.slice/memory.current", "536870912\n");
    fake_put(&fake, "/sys/fs/cgroup/user.slice/cpu.max", "150000 100000\n");
    g_assert_cmpuint(machine_memory_under(fake.root), ==, 512 * MIB);
    g_assert_cmpint(machine_quota_under(fake.root), ==, 2);
    fake_put(&fake, "/sys/fs/cgroup/user.slice/memory.stat",
             "anon 5\nfile 5\ninactive_file 104857600\nactive_file 4194304\n");
    g_assert_cmpuint(machine_memory_under(fake.root), ==, 612 * MIB + 4 * MIB);
    fake_put(&fake, "/sys/fs/cgroup/user.slice/job.scope/memory.max", "2097152\n");
    fake_put(&fake, "/sys/fs/cgroup/user.slice/job.scope/cpu.max", "20000 100000\n");
    g_assert_cmpuint(machine_memory_under(fake.root), ==, MIB);
    g_assert_cmpint(machine_quota_under(fake.root), ==, 1);
    // more in use than is allowed
    fake_put(&fake, "/sys/fs/cgroup/user.slice/job.scope/memory.current", "9999999\n");
    g_assert_cmpuint(machine_memory_under(fake.root), ==, 0);
    fake_finish(&fake);
}

// v1 in a container: the path is the host's, what is mounted is the container's own group
static void test_groups_v1(void)
{
    struct fake fake;

    fake_init(&fake);
    fake_put(&fake, "/proc/self/cgroup",
             "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n0::/\n");
    fake_put(&fake, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    fake_put(&fake, "/sys/fs/cgroup/memory/memory.usage_in_bytes", "1048576\n");
    fake_put(&fake, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    fake_put(&fake, "/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    g_assert_cmpuint(machine_memory_under(fake.root), ==, 8192 * MIB);
    g_assert_cmpint(machine_quota_under(fake.root), ==, G_MAXINT);
    fake_put(&fake, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "3145728\n");
    fake_put(&fake, "/sys/fs/cgroup/memory/memory.stat",
             "inactive_file 999999999\ntotal_inactive_file 524288\ntotal_active_file 0\n");
    fake_put(&fake, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "250000\n");
    g_assert_cmpuint(machine_memory_under(fake.root), ==, 5 * MIB / 2);
    g_assert_cmpint(machine_quota_under(fake.root), ==, 3);
    fake_finish(&fake);
}

// v2 beside v1, as some systems mount it
static void test_groups_unified(void)
{
    struct fake fake;

    fake_init(&fake);
    fake_put(&fake, "/proc/self/cgroup", "1:cpu:/\n0::/job\n");
    fake_put(&fake, "/sys/fs/cgroup/unified/job/memory.max", "4194304\n");
    fake_put(&fake, "/sys/fs/cgroup/unified/job/memory.current", "1048576\n");
    g_assert_cmpuint(machine_memory_under(fake.root), ==, 3 * MIB);
    fake_finish(&fake);
}

static void test_this_machine(void)
{
    cpu_set_t one, old;

    g_assert_cmpuint(machine_available_memory(), >, MIB);
    g_assert_cmpint(machine_processors(), >=, 1);
    g_assert_cmpint(sched_getaffinity(0, sizeof(old), &old), ==, 0);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++) {
        if (CPU_ISSET(i, &old)) {
            CPU_SET(i, &one);
        }
    }
    g_assert_cmpint(sched_setaffinity(0, sizeof(one), &one), ==, 0);
    g_assert_cmpint(machine_processors(), ==, 1);
    g_assert_cmpint(sched_setaffinity(0, sizeof(old), &old), ==, 0);
}

static void test_address_space(void)
{
#ifdef __SANITIZE_ADDRESS__
    g_test_skip("the sanitizer needs all of the address space");
#else
    struct rlimit old, low;
    uint64_t left;

    g_assert_cmpint(getrlimit(RLIMIT_AS, &old), ==, 0);
    low = old;
    low.rlim_cur = 4096 * MIB;
    g_assert_cmpint(setrlimit(RLIMIT_AS, &low), ==, 0);
    left = machine_available_memory();
    g_assert_cmpint(setrlimit(RLIMIT_AS, &old), ==, 0);
    g_assert_cmpuint(left, <, 4096 * MIB);
    g_assert_cmpuint(left, >, 0);
#endif
}

static void test_check(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(machine_check_memory(1, &error));
    g_assert_no_error(error);
    g_assert_false(machine_check_memory(UINT64_C(1) << 60, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_true(g_regex_match_simple(
        "^1073741824\\.00 GiB of memory are needed and [0-9]+\\.[0-9][0-9] GiB are available; "
        "close other programs, raise the memory limit or use a smaller size\\.$",
        error->message, 0, 0));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/machine/plain", test_plain);
    g_test_add_func("/machine/groups-v2", test_groups_v2);
    g_test_add_func("/machine/groups-v1", test_groups_v1);
    g_test_add_func("/machine/groups-unified", test_groups_unified);
    g_test_add_func("/machine/this-machine", test_this_machine);
    g_test_add_func("/machine/address-space", test_address_space);
    g_test_add_func("/machine/check", test_check);
    return g_test_run();
}
