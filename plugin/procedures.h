/* procedures.h: the one table of procedures and their arguments.
 *
 * Registration in a GIMP, dialogs, checks of values and the reference for people are all made from
 * it. Numbers: 0 and -1 stand for the default where the default is not the number itself; texts and
 * choices: "" does. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

// what scripts give for the steps of learning to say an effort
#define LEARN_STEPS_QUICK    (-2)
#define LEARN_STEPS_THOROUGH (-3)

enum argument_kind {
    ARGUMENT_INT,     // whole number
    ARGUMENT_NUMBER,  // floating point
    ARGUMENT_TEXT,    // one line
    ARGUMENT_CHOICE,  // one of some words
    ARGUMENT_FILE,    // a path to read or to write
    ARGUMENT_CHANNEL, // a channel of the image, -1: none
};

// how a value is asked for in a dialog
enum argument_look {
    LOOK_ENTRY,
    LOOK_PROMPT,   // with those that were used before
    LOOK_SUBJECTS, // with a list of all that were learned
    LOOK_ADAPTERS, // with a list of what was brought along
    LOOK_REGIONS,  // with rows of places
    LOOK_MODEL,    // with what the file is
    LOOK_SIZE,     // pixels, divisible by 8, with a slider around the model's own
};

struct argument {
    enum argument_kind kind;
    const char *name;          // of the argument, as scripts know it
    const char *label;         // in a dialog, its mnemonic is no other's of the dialog (tests)
    const char *text;          // what it means, one sentence
    double low, high;          // of numbers, both allowed
    double standard;           // the default of numbers
    const char *standard_text; // and of texts, NULL: ""
    const char *choices;       // of choices: "none|layer|selection"
    const char *choice_words;  // how a dialog calls them, in their order; NULL: as they are
    enum argument_look look;
    bool advanced; // not among the first things of a dialog
    bool hidden;   // in dialogs: for scripts alone
    /* For dialogs alone, behind those of scripts: GIMP 2.10 takes no call that has fewer arguments
     * than there are, so what came later is said in one of those that were there. */
    bool unscripted;
    /* Of numbers whose default stands for another number: what a dialog calls that, and where the
     * other number is among a model's defaults ("learn.steps"), or what it is in all models. NULL:
     * the number is the value. */
    const char *own, *own_from;
    double own_number;
    double from, to, step; // of a slider, where there is one, and of the keys
};

enum procedure_id {
    PROCEDURE_LEARN,
    PROCEDURE_GENERATE,
    PROCEDURE_CREATE, // generates into a new image
    PROCEDURE_COMPOSE,
    PROCEDURE_EDIT,
    PROCEDURE_CONVERT,
};

enum procedure_input {
    INPUT_NONE,   // run-mode alone
    INPUT_LAYER,  // image and layer, or layers where GIMP lets choose several
    INPUT_LAYERS, // image and layers: in GIMP 2.10 their number and an array
};

enum procedure_result {
    RESULT_FILE,   // the path of a file
    RESULT_LAYERS, // how many layers, and the layers
};

struct procedure {
    enum procedure_id id;
    const char *name;           // "plug-in-svdiff-learn"
    const char *place;          // of the menu, "<Image>/Filters/SVDiff"
    enum procedure_input input; // what comes before the arguments
    enum procedure_result result;
    /* What it is called there, with a mnemonic. GIMP sorts by it: numbers keep the order of work.
     */
    const char *menu;
    const char *action;  // on the button that starts it
    const char *title;   // of its dialog and of GIMP's progress bar
    const char *summary; // one sentence
    const char *help;    // a paragraph
    const struct argument *arguments;
    size_t n_arguments;
};

/* All procedures; *n receives how many. */
const struct procedure *procedures_all(size_t *n);

/* The procedure with this name, or NULL. */
const struct procedure *procedure_find(const char *name);

/* How many arguments scripts give: the first ones. */
size_t procedure_scripted(const struct procedure *p);

/* Whether the procedure has this argument, and where it stands, which is asked of one that it has.
 */
bool procedure_has(const struct procedure *p, const char *argument);
size_t procedure_index(const struct procedure *p, const char *argument);
