/* paint_sets.h: the models that pictures are drawn with: one, or where subjects or adapters
 * are in regions of their own (scene.h), one for each set of these.
 *
 *   paint_sets_without   asks for a model, before any is opened
 *   paint_sets_text      asks for a text, which all of them embed
 *   paint_sets_open      subjects, and the spectra that putting them into weights needs
 *   paint_sets_embed     the texts; the text encoders are there only for that long
 *   paint_sets_networks  UNets and autoencoder */
#pragma once

#include "engine/generate/painter.h"

struct paint_set {
    struct painter painter;
    uint64_t without; // bits 1 << i: the subjects, and behind them the adapters, that it lacks
    struct conditioning texts; // all that were asked for
};

struct paint_sets {
    GArray *sets;     // struct paint_set
    GPtrArray *texts; // owned strings
};

void paint_sets_create(struct paint_sets *p);
void paint_sets_close(struct paint_sets *p); // accepts a zeroed one

/* The number of the model that lacks these subjects, or of the text. */
int paint_sets_without(struct paint_sets *p, uint64_t subjects);
int paint_sets_text(struct paint_sets *p, const char *text);

const struct paint_set *paint_sets_at(const struct paint_sets *p, int i);

/* painter: what each begins as. */
bool paint_sets_open(struct paint_sets *p, const struct painter *painter,
                     const struct painter_parts *parts, GError **error);

bool paint_sets_embed(struct paint_sets *p, GError **error);

/* For latents of h x w; the first has the halves of the autoencoder. */
bool paint_sets_networks(struct paint_sets *p, int h, int w, unsigned halves, GError **error);

/* The device memory of all UNets, and the end of them where nothing is drawn any more. */
size_t paint_sets_unet_bytes(const struct paint_sets *p);
void paint_sets_drop_unets(struct paint_sets *p);
