/* spectrum_model.h: a model of random values that counts what is asked of it, for the tests of
 * spectrum. */
#pragma once

#include "engine/base/error.h"
#include "engine/spectrum/spectrum.h"
#include "engine/spectrum/svd.h"

#include <string.h>

enum { WEIGHTS = 5 };

// names of models, as model_hash.h gives them
#define KEY_ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define KEY_TWO "2222222222222222222222222222222222222222222222222222222222222222"

static const struct spectrum_weight weights[WEIGHTS] = {
    {"conv_in", 8, 36}, {"to_q", 24, 24},    {"embedding", 90, 16},
    {"proj", 12, 1},    {"conv_out", 4, 72},
};

// a model of random values, and what was told while it was used
struct model {
    struct spectrum_source source;
    struct spectrum_options options;
    char *folder;
    float *values[WEIGHTS];
    int fail_at;   // weight whose reading fails, -1: none
    int cancel_in; // phase in which progress says no, -1: none
    int wait_at;   // weight whose reading waits until progress was asked; WEIGHTS: none
    gint asked;
    // counted
    gint reads;
    int announced, warnings;
    uint64_t announced_bytes;
    bool phases[2];
    double done;
    bool keep;
};

static inline bool read_weight(void *user, size_t index, float *values, GError **error)
{
    struct model *model = user;
    const struct spectrum_weight *weight = &model->source.weights[index];

    g_atomic_int_inc(&model->reads);
    while ((int)index == model->wait_at && g_atomic_int_get(&model->asked) == 0) {
        g_usleep(1000);
    }
    if (model->fail_at == (int)index) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED, "%s: gone.", weight->name);
        return false;
    }
    memcpy(values, model->values[index], (size_t)weight->m * weight->n * sizeof(float));
    return true;
}

static inline bool progress(void *user, enum spectrum_phase phase, double done)
{
    struct model *model = user;

    if (!model->phases[phase]) {
        model->done = 0;
    }
    g_assert_cmpfloat(done, >=, model->done - 1e-12);
    g_assert_cmpfloat(done, <=, 1);
    g_atomic_int_set(&model->asked, 1);
    model->phases[phase] = true;
    model->done = done;
    return (int)phase != model->cancel_in;
}

static inline bool announce(void *user, uint64_t bytes, const char *folder)
{
    struct model *model = user;

    g_assert_cmpstr(folder, ==, model->options.folder);
    model->announced++;
    model->announced_bytes = bytes;
    return model->keep;
}

static inline void take_warning(void *user, const char *sentence)
{
    struct model *model = user;

    g_test_message("%s", sentence);
    g_assert_true(g_str_has_suffix(sentence, "."));
    model->warnings++;
}

static inline struct model *model_create(char *folder, guint32 seed)
{
    struct model *model = g_new0(struct model, 1);
    GRand *random = g_rand_new_with_seed(seed);

    for (int i = 0; i < WEIGHTS; i++) {
        const size_t count = (size_t)weights[i].m * (size_t)weights[i].n;
        model->values[i] = g_new(float, count);
        for (size_t k = 0; k < count; k++) {
            model->values[i][k] = (float)g_rand_double_range(random, -1, 1);
        }
    }
    g_rand_free(random);
    model->source = (struct spectrum_source){
        .weights = weights, .count = WEIGHTS, .read = read_weight, .user = model, .key = KEY_ONE};
    model->options = (struct spectrum_options){.folder = folder,
                                               .threads = 2,
                                               .progress = progress,
                                               .announce = announce,
                                               .warn = take_warning,
                                               .user = model};
    model->folder = folder;
    model->fail_at = model->cancel_in = -1;
    model->wait_at = WEIGHTS;
    model->keep = true;
    return model;
}

static inline void model_free(struct model *model)
{
    for (int i = 0; i < WEIGHTS; i++) {
        g_free(model->values[i]);
    }
    g_free(model);
}
typedef struct model model_pointer;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(model_pointer, model_free)

static inline void forget(struct model *model)
{
    model->reads = model->announced = model->warnings = model->asked = 0;
    memset(model->phases, 0, sizeof(model->phases));
}

static inline struct spectrum_store *open_store(struct model *model)
{
    g_autoptr(GError) error = NULL;

    forget(model);
    struct spectrum_store *store = spectrum_open(&model->source, &model->options, &error);
    g_assert_no_error(error);
    g_assert_nonnull(store);
    return store;
}

// what the store gives is what svd_thin gives, bit for bit
static inline void assert_gives(struct spectrum_store *store, const struct model *model,
                                size_t index)
{
    const size_t m = (size_t)weights[index].m, n = (size_t)weights[index].n, r = MIN(m, n);
    g_autofree float *u = g_new0(float, m *r), *s = g_new0(float, r), *vt = g_new0(float, r *n);
    g_autofree float *eu = g_new(float, m *r), *es = g_new(float, r), *evt = g_new(float, r *n);
    g_autoptr(svd_work) work = svd_work_create(NULL);
    g_autoptr(GError) error = NULL;

    spectrum_get(store, index, u, s, vt, &error);
    g_assert_no_error(error);
    svd_thin((int)m, (int)n, model->values[index], eu, es, evt, work, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(u, m * r * sizeof(float), eu, m * r * sizeof(float));
    g_assert_cmpmem(s, r * sizeof(float), es, r * sizeof(float));
    g_assert_cmpmem(vt, r * n * sizeof(float), evt, r * n * sizeof(float));
}

static inline void assert_gives_all(struct spectrum_store *store, const struct model *model)
{
    for (size_t i = 0; i < WEIGHTS; i++) {
        assert_gives(store, model, i);
    }
}
