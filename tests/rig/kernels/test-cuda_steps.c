/* Steps of learning and of sampling as graphs come to what they come to call by call, to the byte: several
 * micro-batches, steps with and without the prior, two subjects in one picture or one. */
#include "engine/session/session.h"

#include "tests/edited_model.h"

// tests/rig/rig.h: how many graphs were launched, how often the host waited for all work
unsigned rig_graphs(void);
extern unsigned rig_waits;

// what a table does that keeps nothing
static bool call_by_call(const kernels *k, struct kernels_kept **kept,
                         const struct kernels_work *work)
{
    return work->run(work->user);
}

static svdiff *open_model(const char *folder, bool graphs)
{
    g_autofree char *model = fixture_path("sd1");
    const struct svdiff_options options = {.model = model,
                                           .device = SVDIFF_DEVICE_CUDA,
                                           .precision = SVDIFF_PRECISION_F32,
                                           .cache = folder};
    g_autoptr(GError) error = NULL;
    svdiff *s = svdiff_open(&options, &error);

    g_assert_no_error(error);
    if (!graphs) {
        s->k->repeat = call_by_call;
    }
    return s;
}

static char *learn(const char *folder, bool graphs)
{
    svdiff *s = open_model(folder, graphs);
    struct svdiff_learn_options o = svdiff_learn_defaults(s);
    const char *name = graphs ? "graphs.safetensors" : "calls.safetensors";
    g_autofree char *dog =
        g_build_filename(g_getenv("SVDIFF_TESTS_DIR"), "fixtures/pictures/rgb8.png", NULL);
    g_autofree char *cat =
        g_build_filename(g_getenv("SVDIFF_TESTS_DIR"), "fixtures/pictures/rgb16.png", NULL);
    const char *const dogs[] = {dog, NULL}, *const cats[] = {cat, NULL};
    const struct svdiff_subject subjects[] = {{.prompt = "a [V] dog", .images = dogs},
                                              {.prompt = "a [V] cat", .images = cats}};
    g_autoptr(GError) error = NULL;

    char *path = g_build_filename(folder, name, NULL);
    o.subjects = subjects;
    o.n_subjects = 2;
    o.output = path;
    o.steps = 4;
    o.size = 64;
    o.seed = 5;
    o.cut_mix = 0.5;
    o.accumulate = 2;
    o.clip = 0.1;
    o.apart_pictures = 0;
    svdiff_learn(s, &o, NULL, NULL, &error);
    g_assert_no_error(error);
    svdiff_close(s);
    return path;
}

static void assert_same_files(const char *one, const char *other, const char *end)
{
    g_autofree char *paths[] = {g_strconcat(one, end, NULL), g_strconcat(other, end, NULL)};
    g_autofree char *first = NULL, *second = NULL;
    size_t sizes[2];

    g_assert_true(g_file_get_contents(paths[0], &first, &sizes[0], NULL));
    g_assert_true(g_file_get_contents(paths[1], &second, &sizes[1], NULL));
    g_assert_cmpmem(first, sizes[0], second, sizes[1]);
    g_free(paths[1]);
}

static void test_learn(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *calls = learn(folder, false);
    const unsigned none = rig_graphs();
    g_assert_cmpuint(none, ==, 0);
    g_autofree char *graphs = learn(folder, true);

    g_assert_cmpuint(rig_graphs(), >, 4);
    assert_same_files(calls, graphs, "");
    assert_same_files(calls, graphs, ".csv");
    assert_same_files(calls, graphs, ".resume");
    temporary_folder_remove(folder);
}

#define STEPS    4
#define PICTURES 2

/* Pictures behind each other, and how often was waited when a picture's step was told the last time. */
struct drawn {
    GByteArray *pixels;
    int pictures;
    unsigned waits[PICTURES][STEPS + 1];
};

static bool note_step(void *user, const struct progress *p)
{
    struct drawn *d = user;

    if (g_strcmp0(p->phase, "generate") == 0 && p->steps == STEPS && d->pictures < PICTURES) {
        d->waits[d->pictures][p->step] = rig_waits;
    }
    return true;
}

static bool take(void *user, int index, uint64_t seed, const svdiff_picture *p, GError **error)
{
    struct drawn *d = user;

    g_byte_array_append(d->pixels, (const guint8 *)p->pixels, 64 * 64 * 3 * sizeof(float));
    d->pictures++;
    return true;
}

static void generate(const char *folder, bool graphs, int first, int count, struct drawn *d)
{
    svdiff *s = open_model(folder, graphs);
    struct svdiff_generate_options o = svdiff_generate_defaults(s);
    g_autoptr(GError) error = NULL;

    o.prompt = "a photo of a dog";
    o.width = o.height = 64;
    o.steps = STEPS;
    o.sampler = SAMPLER_DPMPP_2M; // which keeps something of a step for the next
    o.count = count;
    o.seed = 9 + first;
    svdiff_generate(s, &o, take, note_step, d, &error);
    g_assert_no_error(error);
    svdiff_close(s);
}

static void test_generate(void)
{
    char *folder = temporary_folder_create();
    const unsigned before = rig_graphs();
    struct drawn calls = {.pixels = g_byte_array_new()}, graphs = {.pixels = g_byte_array_new()};

    // each for itself
    generate(folder, false, 0, 1, &calls);
    generate(folder, false, 1, 1, &calls);
    g_assert_cmpuint(rig_graphs(), ==, before);
    generate(folder, true, 0, PICTURES, &graphs);
    g_assert_cmpuint(rig_graphs(), >=, before + PICTURES * STEPS - 1);
    g_assert_cmpmem(calls.pixels->data, calls.pixels->len, graphs.pixels->data, graphs.pixels->len);
    // from when its calls are known on a step is not waited for, nor is a picture's first
    g_assert_cmpuint(graphs.waits[0][2], ==, graphs.waits[0][STEPS]);
    g_assert_cmpuint(graphs.waits[1][0], ==, graphs.waits[1][STEPS]);
    g_byte_array_unref(calls.pixels);
    g_byte_array_unref(graphs.pixels);
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/steps/learn", test_learn);
    g_test_add_func("/steps/generate", test_generate);
    return g_test_run();
}
