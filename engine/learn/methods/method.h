/* method.h: a method of learning: which weights learn in which form, and which file that becomes.
 *
 *   svdiff   singular values of the weights (weight.h: spectral), rows for [V]  -> subject file
 *   lora     A and B beside the weights (low-rank)                              -> LoRA file
 *   full     W itself and biases (full)                                         -> differences, LyCORIS'
 *   textual-inversion  the vectors of a new word for [V] (rows)                 -> embedding file
 *   custom-diffusion   keys and values of cross-attention (full), and such vectors -> diffusers' files
 *
 * Everything else, data, prior, masks, mixing, samples, checkpoints, traces and estimates, is the same
 * for all and hears of none. A method is one constant in a file of its own; which options it has
 * is said by the options (OPTION_OF), its usual rate by svdiff_learn_method. */
#pragma once

#include "engine/learn/learner.h"
#include "engine/learn/lesson.h"
#include "engine/subject/subject_file.h"

struct adapter_header;
struct model_spectrum;

// what a run came to: values [parameters.count] after so many steps
struct method_result {
    const struct lesson *lesson;
    const struct learner *learner;
    const float *values;
    int steps;
};

struct method {
    bool spectra;     // weights become their singular vectors
    bool text;        // learns text encoders, where --text-encoder asks for it
    bool own_words;   // [V] becomes a word that the vocabulary does not have; else a rare one of it
    bool keeps_class; // what learns acts on the class as well, which a prior keeps as it was
    // whether the method takes these options at all, each of which is good by itself; NULL: it does
    bool (*check)(const struct svdiff_learn_options *o, GError **error);

    /* Whether a weight of the UNet, or of a text encoder that learns, does. */
    bool (*has)(const struct svdiff_learn_options *o, bool text, const struct weight *w);
    /* Gives a weight its form, and registers what learns of it with the learner's parameters. */
    bool (*attach)(struct learner *l, const struct svdiff_learn_options *o, struct network *net,
                   struct weight *w, struct model_spectrum *spectrum, GError **error);
    /* The same of the words that stand for [V], *any: whether there are some. NULL: they stay as they are. */
    bool (*attach_words)(struct learner *l, const struct lesson *lesson, bool *any, GError **error);
    /* The values that learning begins with, where they are not zeros; NULL: they are. chosen: they are not
     * the model's own, and so a trace tells them. */
    void (*begin)(struct learner *l, const struct lesson *lesson);
    bool chosen;
    /* Writes options->output, and what it writes beside it, each whole or not at all. */
    bool (*write)(const struct method_result *r, GError **error);
    /* How many bytes the former has; values are not looked at, and may be NULL. */
    uint64_t (*measure)(const struct method_result *r);
    // the names of these others, each owned by the list (char *); NULL: there are none
    void (*beside)(const struct svdiff_learn_options *o, GPtrArray *files);
};

extern const struct method method_svdiff, method_lora, method_inversion, method_full, method_custom;

const struct method *method_of(const struct svdiff_learn_options *o);

/* What every file says of its run, as the texts of a subject without shifts: prompts, words, rates ... Owned
 * by the caller. */
struct subject *method_notes(const struct method_result *r);

/* The header of a file for other programs, with these notes. kind: the word of ModelSpec for what it is;
 * title: what it is called where its subject has no word. */
struct adapter_header *method_header(const struct method_result *r, const struct subject *notes,
                                     const char *kind, const char *title, const char *comment);

/* Of a weight's tensor that learns, MODULE and the rest of its name: its values in PyTorch's order [count], owned
 * by the caller; NULL: there is none of that name. */
float *method_values(const struct method_result *r, const char *module, const char *leaf);

/* ---- what methods share ---- */

/* Weights that learn themselves (method_whole.c): the `attach` and the `begin` of a method. */
bool method_attach_whole(struct learner *l, const struct svdiff_learn_options *o,
                         struct network *net, struct weight *w, struct model_spectrum *spectrum,
                         GError **error);
void method_begin_whole(struct learner *l, const struct lesson *lesson);

/* W and, unless that is NULL, the bias as they were read, to these places of the device. */
void method_put_base(const kernels *k, const struct weight *w, real *value, real *bias);

/* New words (method_words.c): the `attach_words` and the `begin` of a method, and of its `check` that every
 * prompt has the [V] for which they stand. */
bool method_attach_vectors(struct learner *l, const struct lesson *lesson, bool *any,
                           GError **error);
void method_begin_vectors(struct learner *l, const struct lesson *lesson);
bool method_check_words(const struct svdiff_learn_options *o, GError **error);

/* n of their vectors from the first on, [n, width], owned by the caller. */
float *method_vectors(const struct method_result *r, int first, int n);
