/* session.h: an opened model, as the parts of the engine see it. svdiff.h shows it as `svdiff`. */
#pragma once

#include "engine/network/autoencoder.h"
#include "engine/model/model_hash.h"
#include "engine/model/tokenizer_place.h"
#include "engine/options/option.h"
#include "engine/svdiff.h"
#include "engine/network/text_encoder.h"
#include "engine/text/tokenizer.h"
#include "engine/network/unet.h"

// whose tensors a source reads
struct session_component {
    svdiff *session;
    enum model_component component;
};

/* Networks that are ready to draw, kept from one call to the next. */
struct session_networks {
    char *key; // what they were made of and for: painter.c
    struct unet *unet;
    struct autoencoder *autoencoder;
};

struct svdiff {
    struct svdiff_options options; // strings are copies, owned; the precision is the chosen one
    struct checkpoint *checkpoint;
    struct tokenizer_place vocabulary; // where the tokenizer was read
    struct tokenizer *tokenizer;
    kernels *k;
    char device[16];             // its word: session_use_device
    enum svdiff_precision asked; // before the device chose
    struct model_hashes hashes;  // empty until asked for
    /* k computes nothing (kernels_count): weights and spectra are not read, memory is not asked
     * for, nothing is written. For estimates. */
    bool dry;
    bool keeps; // networks, for the next call
    // pictures are decoded in tiles, since the device has no room for whole ones: generate_fit.h
    bool tiled;
    struct session_networks kept;
    bool within;       // what learns now is part of an edit, which has not the options of learning
    int share, shares; // of several pictures k it draws those with k mod shares = share; 0: all
    struct session_component components[MODEL_COMPONENTS]; // for session_source
};

static inline int session_shares(const svdiff *s)
{
    return MAX(s->shares, 1);
}

/* Frees the kept networks. */
void session_drop_networks(svdiff *s);

/* Keeps networks of the calls that follow, if that is wanted, until the end, which gets what the begin returned: it
 * frees them unless the session keeps networks anyway. */
bool session_keep_begin(svdiff *s, bool wanted);
void session_keep_end(svdiff *s, bool before);

/* Which model it is (model_hash.h), by the wanted hashes (enum model_hash): found out once,
 * for which all weights are read. progress may be NULL. NULL with an error. */
const struct model_hashes *session_hashes(svdiff *s, unsigned wanted, progress_function progress,
                                          void *user, GError **error);

/* The tensors of one component of the model, to create a network with. The session must outlive
 * the creation. */
struct weight_source session_source(svdiff *s, enum model_component component);

/* These halves (autoencoder_half) of the model's own autoencoder. Owned by the caller. */
struct autoencoder *session_autoencoder(svdiff *s, unsigned halves, GError **error);

/* Where the weights of each component come from: the model, or the model with subjects in it. */
typedef struct weight_source (*component_source)(void *user, enum model_component component);

/* session_device.c: the device that the options ask for. Owned by the caller. */
kernels *session_device(const struct svdiff_options *o, GError **error);

/* The first n of the session's devices, "cuda:0,1". Owned by the caller. */
char *session_devices(const svdiff *s, int n);

/* What opens the same model on further device i, in the session's precision; says nothing. Borrows the session's
 * strings. */
struct svdiff_options session_other(const svdiff *s, int i);

/* Computes on k from here on, which becomes the session's; returns its word, "cpu" or "cuda:0", for people, files and
 * programs. Nothing is made on the one before, which the caller destroys. */
const char *session_use_device(svdiff *s, kernels *k);

/* The CUDA devices of this machine, as kernels_cuda_devices. */
struct kernels_cuda_device *session_cuda_devices(int *count, GError **error);

/* Bytes of the memory that the device computes in, its own or the machine's, which are free now. UINT64_MAX:
 * nobody says. */
uint64_t session_available(const svdiff *s);

/* Whether so many are. False with what is needed and what is there. */
bool session_has_memory(const svdiff *s, uint64_t bytes, GError **error);

/* The sentence that says that the device has not got them, which is false: what is needed, what is there, and ways
 * to ask for less (of session_fit; NULL: none is known). */
bool session_lacks(const svdiff *s, uint64_t bytes, const GPtrArray *fits, GError **error);

/* "OPTIONS (2.50 GiB)": what would fit, and what it takes. Owned by the caller. */
char *session_fit(uint64_t bytes, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Adds to ways what would fit into these bytes, each by session_fit. */
typedef void (*session_fits)(void *user, uint64_t available, GPtrArray *ways);

/* To be asked before anything of a job is made, with its peak: whether a device with memory of its own has that.
 * One that nobody asked for by name gives way to the CPU, which is noted and whose memory is asked for later, as
 * always; of one that somebody did it is said what would fit (fits may be NULL). */
bool session_settle(svdiff *s, uint64_t bytes, session_fits fits, void *user, GError **error);

/* "f32", "bf16", ...: what it computes in; and the option's value of such a word, f32 for NULL and
 * what is none. */
const char *session_precision(const svdiff *s);
enum svdiff_precision session_precision_named(const char *word);

/* Values of the weights of these components (bits 1 << component); factored: matrices that are
 * shifted as their singular vectors. */
uint64_t session_values(const svdiff *s, unsigned components, bool factored);

/* Device memory that they take, in the session's precision. */
uint64_t session_weight_bytes(const svdiff *s, unsigned components, bool factored);

/* Whether the machine has the memory that the weights of these components (bits 1 << component)
 * take at least; factored: matrices that are shifted as their singular vectors. To be asked before
 * anything is read; while networks are kept, whose memory is used again, it does. False with what
 * is needed and what is there. */
bool session_check_memory(const svdiff *s, unsigned components, bool factored, GError **error);

/* The same for n UNets at once. */
bool session_check_unets(const svdiff *s, int n, GError **error);

/* Whether the model's UNet sees nothing but latents: inpainting models, which see the mask, too,
 * can only draw. False with SVDIFF_ERROR_FAILED. */
bool session_check_plain(const svdiff *s, GError **error);

/* defaults.c: a job's struct of this table becomes what the model takes where nothing is asked for;
 * s NULL: Stable Diffusion. */
void session_defaults(const svdiff *s, const struct option_table *t, void *options);

/* A sentence for the person in front, through options.warn. */
void session_warn(const svdiff *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The same through options.note. */
void session_note(const svdiff *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
