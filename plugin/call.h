/* call.h: one call of a procedure, from any GIMP, with a dialog or without. */
#pragma once

#include "plugin/host.h"
#include "plugin/scratch.h"
#include "plugin/values.h"

#include "engine/picture/picture_exchange.h"

#include <gdk-pixbuf/gdk-pixbuf.h>

// where the work is; valid during the call only
struct call_progress {
    const char *phase; // "learn", "generate"; never NULL
    int step, steps;   // steps 0: not known
    double loss, seconds_left;
    const char *warning; // a sentence to be shown, else NULL
    const char *picture; // a file that was just written and shows how far it is, else NULL
};

// what says what of a layer is the subject
enum call_mark {
    CALL_MARK_NONE, // all of it is
    CALL_MARK_CHANNEL,
    CALL_MARK_SELECTION,
    CALL_MARK_MASK, // of the layer
};

// methods of learning that a dialog offers, in the order of their words
#define CALL_METHODS 3

// what a run would take
struct call_estimate {
    double bytes, least_bytes; // of memory, and where it is short; negative: not known
    double available;          // of memory now; negative: not known
    char *device;              // whose memory and time that is: "cpu", "cuda:0"; NULL: not known
    double seconds;            // negative: not known
    double width, height;      // of the pictures that are made; negative: not known
    /* Of learning: how long each effort takes, and what the chosen one has where nothing else is
     * asked for; negative: not known. */
    double quick, normal, thorough;
    double steps, learning_rate;
    double files[CALL_METHODS]; // bytes of what each method would make; negative: not known
    GArray *marked;             // double: share of each marked picture; NULL: none is marked
    /* The squares of the first pictures as they are learned, side by side, with alpha where
     * something is marked; NULL: nothing is learned. */
    GdkPixbuf *squares;
};

/* Frees what an estimate holds. */
void call_estimate_clear(struct call_estimate *e);

// what whoever watches a call wants
enum call_wish {
    CALL_GO_ON,
    CALL_STOP, // no more is learned, what was learned is used; other work goes on
    CALL_CANCEL,
};

struct task; // task.h

struct call {
    host_image image;        // HOST_NONE or none of GIMP's: there is none
    const host_item *layers; // the chosen ones, the current one first
    int n_layers;            // 0: none
    const values *values;    // checked
    bool shows;              // whether pictures on the way are wanted
    // not NULL: nothing is made but this; the caller clears it
    struct call_estimate *estimate;

    /* Called at every step and at least five times a second. */
    enum call_wish (*progress)(void *user, const struct call_progress *p);
    void *user;
};

// what a procedure gives back; free with call_result_clear
struct call_result {
    char *file;        // RESULT_FILE
    host_item *layers; // RESULT_LAYERS, in the order of their seeds
    int n_layers;
};

/* Reads what the procedure needs of the image, as it is now; nothing is changed. The rest is to be
 * done later, with task.h. NULL with a sentence (SVDIFF_ERROR). */
struct task *call_prepare(const struct call *c, GError **error);

/* Does what the procedure says. false with a sentence (SVDIFF_ERROR), then the image is as it was;
 * with SVDIFF_ERROR_CANCELLED when progress said so. */
bool call_run(const struct call *c, struct call_result *result, GError **error);
void call_result_clear(struct call_result *result);

/* Layers that were taken out again in the image's window are no results. */
void call_result_drop_gone(struct call_result *result);

// the procedures themselves: each fills a task
bool call_learn(const struct call *c, struct task *t, GError **error);
bool call_generate(const struct call *c, struct task *t, GError **error);
bool call_edit(const struct call *c, struct task *t, GError **error);
bool call_compose(const struct call *c, struct task *t, GError **error);
bool call_convert(const struct call *c, struct task *t, GError **error);

/* Whether there is at least one layer and all are of the call's image, with a sentence if not. */
bool call_check_layers(const struct call *c, GError **error);

/* The same of layers that are read: who works in a dialog means what is to be seen. */
bool call_check_shown(const struct call *c, GError **error);

/* Whether the call's image can show what is painted: who works in a dialog is told of a palette,
 * with a sentence; a script may want its colours. */
bool call_check_palette(const struct call *c, GError **error);

/* Adds "--NAME NUMBER" where the number is not a default (0 or -1). */
void call_add_int(GPtrArray *arguments, const char *option, int number);
void call_add_number(GPtrArray *arguments, const char *option, double number);

/* Adds "--NAME TEXT" where the text is not empty. */
void call_add_text(GPtrArray *arguments, const char *option, const char *text);

/* Adds the values of these arguments, whose options have their names; NULL ends them. What is a
 * default, or auto, is left to the worker. */
void call_add_values(GPtrArray *arguments, const values *v, ...) G_GNUC_NULL_TERMINATED;

/* Adds "--seed". */
void call_add_seed(GPtrArray *arguments, int seed);

/* Writes a picture into the folder under this name, and adds it: "--mask FILE". Takes the picture;
 * false for NULL, whose sentence is set already, or with a sentence. */
bool call_add_picture(GPtrArray *arguments, const char *option, const scratch *folder,
                      const char *name, picture *p, GError **error);

/* Adds "--output" of the pictures that are made, in the folder, and "--preview" of a file there
 * where pictures on the way are wanted. */
void call_add_pictures(GPtrArray *arguments, const struct call *c, const scratch *folder);

/* "fox:0.8; cat.safetensors", as people write it, to one "--subject" each. */
void call_add_subjects(GPtrArray *arguments, const char *subjects);
/* "lora ink:0.5; embedding glow" to one "--lora" or "--embedding" each; what says neither is a LoRA. */
void call_add_adapters(GPtrArray *arguments, const char *adapters);

/* Whether width and height are 0 or divisible by 8, with a sentence if not. */
bool call_check_size(const values *v, GError **error);

/* The size at which a picture is made: the values' width and height; where they say nothing, as
 * many pixels as the model's own square, in the shape of the area. 0: the worker chooses, as it
 * does for area NULL. */
void call_size(const values *v, const struct host_area *area, int *width, int *height);

/* The seed of the values; for -1 a random one. */
int call_seed(const values *v);
