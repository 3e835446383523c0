/* test-cuda_repeat.cpp: work that comes again is done as if each call were made, bit for bit, with what its uploads
 * bring each time: as graphs where it can be, and where it cannot, call by call. */
#include "kernels/cuda.h"
#include "tests/rig/rig.h"

#include <cstring>

#define ROWS  96
#define IN    64
#define COUNT (ROWS * IN)

/* A device with work: y = W x + bias in turns, `more` times over, of values that are uploaded. */
struct job {
    kernels *k;
    float *x, *w, *y, *other;
    float values[COUNT];
    int more, runs, asked, stops_at;
    double seconds; // for which it need not be asked
    bool downloads;
};

static bool run(void *user)
{
    struct job *job = (struct job *)user;
    const kernels *k = job->k;
    const struct linear_shape s = {.t = ROWS, .in = IN, .out = IN};
    const struct kernels_weight w = {job->w, KERNELS_F32};

    job->runs++;
    k->upload(k, job->x, job->values, sizeof job->values);
    k->zero(k, job->y, sizeof job->values);
    for (int i = 0; i < job->more; i++) {
        k->linear_backward_input(k, s, (cell *)job->x, w, (cell *)job->y);
        k->activation_forward(k, ACTIVATION_SILU, COUNT, (cell *)job->y, (cell *)job->x);
    }
    k->copy(k, job->other, job->y, sizeof job->values);
    if (job->downloads) {
        float first = 0;
        k->download(k, &first, job->y, sizeof first);
        k->upload(k, job->other, &first, sizeof first);
    }
    return true;
}

static bool goes_on(void *user)
{
    struct job *job = (struct job *)user;

    return ++job->asked != job->stops_at;
}

static float *array(kernels *k, unsigned seed)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    float values[COUNT];
    float *memory = (float *)k->alloc(k, sizeof values);

    for (float &value : values) {
        value = (float)g_rand_double_range(random, -0.5, 0.5);
    }
    k->upload(k, memory, values, sizeof values);
    return memory;
}

static void begin(struct job *job, int more)
{
    GError *error = NULL;

    *job = {};
    job->k = kernels_cuda_create(0, KERNELS_IN_F32, &error);
    g_assert_no_error(error);
    job->more = more;
    job->seconds = 1e9;
    job->x = array(job->k, 1);
    job->w = array(job->k, 2);
    job->y = array(job->k, 3);
    job->other = array(job->k, 4);
}

static void end(struct job *job, struct kernels_kept *kept)
{
    kernels *k = job->k;

    k->forget(k, kept);
    for (float *memory : {job->x, job->w, job->y, job->other}) {
        k->release(k, memory, sizeof job->values);
    }
    g_assert_true(k->sync(k, NULL));
    kernels_destroy(k);
}

static void fill(struct job *job, int turn)
{
    for (int i = 0; i < COUNT; i++) {
        job->values[i] = sinf((float)(i + 100 * turn));
    }
}

// what the calls of turn `turn` leave, made one by one
static void expected(struct job *job, int turn, float *y)
{
    fill(job, turn);
    run(job);
    job->k->download(job->k, y, job->other, sizeof job->values);
    // so that nothing is left of it
    job->k->zero(job->k, job->other, sizeof job->values);
    job->k->zero(job->k, job->y, sizeof job->values);
}

static void assert_turn(struct job *job, struct kernels_kept **kept, int turn)
{
    const struct kernels_work work = {run, goes_on, job->seconds, job};
    float want[COUNT], got[COUNT];

    expected(job, turn, want);
    fill(job, turn);
    g_assert_true(job->k->repeat(job->k, kept, &work));
    // the host's values may be gone at once
    memset(job->values, 0xff, sizeof job->values);
    job->k->download(job->k, got, job->other, sizeof got);
    g_assert_cmpmem(got, sizeof got, want, sizeof want);
}

static void test_graphs()
{
    struct kernels_kept *kept = NULL;
    struct job job;

    begin(&job, 1);
    for (int turn = 0; turn < 5; turn++) {
        const unsigned before = rig_graphs();
        assert_turn(&job, &kept, turn);
        // the first time it is heard alone
        g_assert_cmpint(rig_graphs() > before, ==, turn > 0);
    }
    end(&job, kept);
}

// two steps under way: the second one's values do not reach the first
static void test_ahead()
{
    struct kernels_kept *kept = NULL;
    struct job job;
    const struct kernels_work work = {run, goes_on, 1e9, &job};
    float want[4][COUNT], got[4][COUNT];

    begin(&job, 1);
    for (int turn = 0; turn < 4; turn++) {
        expected(&job, turn, want[turn]);
    }
    for (int turn = 0; turn < 4; turn++) {
        fill(&job, turn);
        g_assert_true(job.k->repeat(job.k, &kept, &work));
        job.k->bring(job.k, got[turn], job.other, sizeof got[turn]);
    }
    for (int turn = 0; turn < 4; turn++) {
        g_assert_true(job.k->brought(job.k, got[turn], NULL));
        g_assert_cmpmem(got[turn], sizeof got[turn], want[turn], sizeof want[turn]);
    }
    end(&job, kept);
}

// other calls are heard and captured anew, and those that were kept before are forgotten
static void test_differs()
{
    struct kernels_kept *kept = NULL;
    struct job job;

    begin(&job, 1);
    for (int turn = 0; turn < 30; turn++) {
        job.more = 1 + turn / 3 % 2;
        assert_turn(&job, &kept, turn);
    }
    // it differed too often
    const unsigned before = rig_graphs();
    job.more = 1;
    for (int turn = 0; turn < 3; turn++) {
        assert_turn(&job, &kept, turn);
    }
    g_assert_cmpint(rig_graphs(), ==, before);
    end(&job, kept);
}

// what no graph can do, from the beginning or only later
static void test_downloads()
{
    for (int later = 0; later < 4; later++) {
        struct kernels_kept *kept = NULL;
        struct job job;

        begin(&job, 1);
        for (int turn = 0; turn < 5; turn++) {
            job.downloads = turn >= later;
            assert_turn(&job, &kept, turn);
        }
        end(&job, kept);
    }
}

// work that takes long is in several graphs, between which it can be stopped
static void test_parts()
{
    struct kernels_kept *kept = NULL;
    struct job job;
    const struct kernels_work work = {run, goes_on, 1e-9, &job};

    begin(&job, 24);
    job.seconds = 1e-9; // shorter than anything
    assert_turn(&job, &kept, 0);
    g_assert_cmpint(job.asked, ==, 0);
    assert_turn(&job, &kept, 1);
    const unsigned first = rig_graphs();
    assert_turn(&job, &kept, 2);
    const int parts = (int)(rig_graphs() - first);
    g_assert_cmpint(parts, >, 2);
    g_assert_cmpint(job.asked, ==, 2 * (parts - 1));

    fill(&job, 3);
    job.asked = 0;
    job.stops_at = 2;
    g_assert_false(job.k->repeat(job.k, &kept, &work));
    g_assert_cmpint(rig_graphs() - first, ==, parts + 2);
    // it is no worse for it
    job.stops_at = 0;
    assert_turn(&job, &kept, 4);
    end(&job, kept);
}

// without memory for what it keeps, work is done call by call
static void test_memory()
{
    struct kernels_kept *kept = NULL;
    struct job job;

    g_setenv("RIG_MEMORY", "128", TRUE);
    begin(&job, 1);
    // it counts what the device took for itself
    const size_t rest = job.k->available(job.k) - CUDA_WORKSPACE - CUDA_LIBRARY - 16;
    void *taken = job.k->alloc(job.k, rest);
    const unsigned before = rig_graphs();
    for (int turn = 0; turn < 3; turn++) {
        assert_turn(&job, &kept, turn);
    }
    g_assert_cmpint(rig_graphs(), ==, before);
    job.k->release(job.k, taken, rest);
    end(&job, kept);
    g_unsetenv("RIG_MEMORY");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/repeat/graphs", test_graphs);
    g_test_add_func("/repeat/ahead", test_ahead);
    g_test_add_func("/repeat/differs", test_differs);
    g_test_add_func("/repeat/downloads", test_downloads);
    g_test_add_func("/repeat/parts", test_parts);
    g_test_add_func("/repeat/memory", test_memory);
    return g_test_run();
}
