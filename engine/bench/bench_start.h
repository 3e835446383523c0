/* bench_start.h: the time from nothing to the end of the first step of a picture, by its parts. */
#pragma once

#include "engine/bench/bench.h"
#include "engine/svdiff.h"

enum bench_stage {
    BENCH_STAGE_READ,    // all values of the model, as the files have them, into a little memory
    BENCH_STAGE_HASH,    // which model it is (model_hash.h), as for one that was never seen
    BENCH_STAGE_OPEN,    // configs, headers, tokenizer
    BENCH_STAGE_TEXT,    // the text encoder's weights and two texts through it
    BENCH_STAGE_CONVERT, // weights of the UNet and of the decoder, in the device's types and order
    BENCH_STAGE_STEP,    // the first step, which makes what later ones find
    BENCH_STAGES,
    BENCH_STAGE_GENERATE = BENCH_STAGE_OPEN, // the first of those that every run has
};

/* bytes: of values as they are stored that a stage reads; of the step, of the UNet's weights on the
 * device; 0 of opening. */
struct bench_stages {
    struct {
        double seconds, processor_seconds; // the latter of all threads, which a busy machine leaves
        uint64_t bytes;
    } stage[BENCH_STAGES];
};

// "read", ...
const char *bench_stage_name(enum bench_stage stage);

/* Opens the model of these options and takes the first step of a picture with guidance, without
 * subjects, on a device of its own. Reading comes first, so that all others find the files in
 * memory. result: seconds of the stages from opening on, once, since a second time in the process
 * would find what the first one made; flops of the step. Errors: those of generating. */
bool bench_start(const struct svdiff_options *options, int width, int height,
                 struct bench_stages *stages, struct bench_result *result,
                 progress_function progress, void *user, GError **error);
