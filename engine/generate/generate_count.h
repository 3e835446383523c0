/* generate_count.h: what drawing takes, counted: the true code on a device that computes nothing (dry_session.h). */
#pragma once

#include "engine/session/session.h"

struct generate_count {
    uint64_t peak;                    // bytes on the device
    double operations[KERNELS_KINDS]; // of all pictures that the session's device draws
};

/* Of a job whose options these are. */
typedef bool (*generate_counter)(const svdiff *s, const void *options, struct generate_count *count,
                                 GError **error);

/* Counts for the session's device; draws nothing, says nothing. False as svdiff_generate says. */
bool generate_count(const svdiff *s, const struct svdiff_generate_options *options,
                    struct generate_count *count, GError **error);
