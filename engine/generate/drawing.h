/* drawing.h: drawing pictures under scenes (scene.h): what generating and editing share.
 *
 *   drawing_prepare   what can be refused before anything is read or asked of the device
 *   scene_open ...    with d->sets: what is drawn
 *   drawing_open      subjects, texts, networks, decoder
 *   drawing_under     from here on under this scene
 *   drawing_picture   noise or a picture's latents -> steps -> decoder -> what is handed over
 *
 * The text encoder is gone before the UNet comes. */
#pragma once

#include "engine/generate/decode.h"
#include "engine/generate/preview.h"
#include "engine/generate/scene.h"
#include "engine/generate/start.h"

struct drawing {
    svdiff *session;
    const struct svdiff_generate_options *options; // but prompt, regions, and init for editing
    int pictures; // in all: the options' count; an edit draws them for each target
    struct start start;
    struct paint_sets sets;
    const struct scene *scene; // the current one
    struct denoise denoise;
    struct tape *tape; // for the current scene
    struct decoder *decoder;
    struct trace *trace; // of the first picture; NULL: none
    svdiff_take take;
};

/* All strings and options are borrowed; phase is what progress calls it. */
void drawing_create(struct drawing *d, svdiff *s, const struct svdiff_generate_options *options,
                    const char *phase, svdiff_take take, progress_function progress, void *user);

/* In any case, when it was created. */
void drawing_finish(struct drawing *d);

bool drawing_prepare(struct drawing *d, GError **error);

/* Whether the options' adapters and embeddings can be opened, for who has long work before it draws. */
bool drawing_check_brought(const struct drawing *d, GError **error);

/* Whether there is memory for the weights, once the scenes are opened; drawing_open asks, too. */
bool drawing_check_memory(const struct drawing *d, GError **error);

/* n scenes, opened with d->sets; the subjects are the options'. On the device that the session has now. */
bool drawing_open(struct drawing *d, struct scene *scenes, int n, GError **error);

bool drawing_under(struct drawing *d, const struct scene *scene, GError **error);

/* Hands over picture `index`, drawn from `seed`; the first one is traced. */
bool drawing_picture(struct drawing *d, int index, uint64_t seed, GError **error);

/* Writes the trace, where there is one. */
bool drawing_write_trace(const struct drawing *d, GError **error);

/* The autoencoder, once it is open. */
struct autoencoder *drawing_autoencoder(const struct drawing *d);

/* A sampler of the options' steps. It keeps the history of one picture: each has its own. Owned by
 * the caller. */
struct sampler *drawing_sampler(const struct drawing *d, enum sampler_kind kind, double eta,
                                GError **error);

/* NAME [steps]: what the network is told at each step. */
void drawing_trace_timesteps(struct trace *trace, const struct sampler *s, const char *name);
