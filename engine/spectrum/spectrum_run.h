/* spectrum_run.h: one pass over all weights of a model, several at once. */
#pragma once

#include "engine/spectrum/spectrum.h"
#include "engine/spectrum/svd.h"

struct spectrum_run;

/* What computes: the host where the first is NULL or has no spectra; borrowed. */
struct spectrum_devices {
    const kernels *const *k;
    int n; // 1 at least
};

/* What one thread has: memory for the largest weight and its factors. */
struct spectrum_worker {
    struct spectrum_run *run;
    int share; // number of the device whose weights it takes
    float *w, *u, *s, *vt;
    struct svd_work *work;
    double cost, part; // of the weight at hand, and how much of it is done, 0 to 1
};

struct spectrum_run {
    const struct spectrum_source *source;
    const struct spectrum_options *options;
    struct spectrum_devices devices; // of a run that computes
    enum spectrum_phase phase;
    /* What is done with a weight whose values are in worker->w. False with a sentence that names
     * the weight ends the run. */
    bool (*visit)(struct spectrum_worker *worker, size_t index, GError **error);
    void *user;
    bool in_order; // of the source; else the costliest come first, so that all threads end together

    // set by the run
    GMutex lock;
    GError *error; // the first
    // weight k in this order is for device k mod n, whose threads take it when `next` of the device is k
    size_t *order, *next;
    double done, total; // cost
};

/* svd_thin of a weight w, whose name an error then begins with. */
bool spectrum_decompose(const struct spectrum_weight *weight, const float *w, float *u, float *s,
                        float *vt, struct svd_work *work, GError **error);

/* Reads each weight and visits it. False with a sentence: what a read or a visit said, no memory,
 * or SVDIFF_ERROR_CANCELLED. */
bool spectrum_run_all(struct spectrum_run *run, GError **error);

/* Tells that `part` of the weight at hand is done. False: the run is to end, now. */
bool spectrum_run_tell(struct spectrum_worker *worker, double part);
