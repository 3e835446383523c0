/* The table of procedures; see procedures.h. Order and names of the arguments are what scripts
 * rely on, and GIMP 2.10 on their number, too: a new one is of dialogs alone, at the end, and
 * scripts say it in one of the others. */
#include "plugin/procedures.h"

#include "plugin/common_arguments.h"
#include "plugin/words.h"

#include "engine/base/convert_formats.h"

#include <glib.h>
#include <string.h>

#define FILTERS "<Image>/Filters/SVDiff"
#define CREATE  "<Image>/File/Create/SVDiff" // is there without an image, too

#define ARGUMENTS(table) .arguments = table, .n_arguments = G_N_ELEMENTS(table)

/* The dialog of learning asks for the thing alone, from which name and prompt follow
 * (dialog_learn.c): what scripts must say is under Advanced there. */
static const struct argument learn_arguments[] = {
    {ARGUMENT_TEXT, "name", N_("_Name"),
     N_("What the subject is called, under which it is kept in your data folder; lora fox, "
        "embedding fox: it is learned as a LoRA, or as a textual inversion."),
     .advanced = true},
    {ARGUMENT_TEXT, "prompt", N_("_Prompt"),
     N_("What the layer shows, with [V] for the subject; empty: a photo of a [V] thing."),
     .look = LOOK_PROMPT, .standard_text = "a photo of a [V] thing", .advanced = true},
    {ARGUMENT_TEXT, "class-prompt", N_("Class p_rompt"),
     N_("The same without the subject's own word; empty: the prompt without [V]."),
     .advanced = true},
    // ids of channels: never kept, as they mean nothing in another image
    {ARGUMENT_CHANNEL, "mask-channel", N_("_Marked by"),
     N_("A channel that marks the subject; none (-1): the selection, else the layer's "
        "mask, if any."),
     .standard = -1},
    {ARGUMENT_CHANNEL, "region-channel", N_("Re_gion"),
     N_("Where the subject goes in pictures of several subjects; one subject has none (-1)."),
     .standard = -1, .hidden = true},
    {MODEL_ARGUMENT(N_("M_odel"))},
    {ARGUMENT_INT, "steps", N_("St_eps"),
     N_("How many steps are learned; 0: as many as the model wants, -2: quick, -3: thorough."),
     .low = LEARN_STEPS_THOROUGH, .high = 100000, .own = N_("the model's own"),
     .own_from = "learn.steps", .step = 10, .advanced = true},
    {ARGUMENT_NUMBER, "learning-rate", N_("Learning ra_te"),
     N_("How far a step goes; 0: the model's own."), MODELS_OWN("learn.learning_rate", 1),
     .advanced = true, .step = 0.001},
    {ARGUMENT_INT, "size", N_("Si_ze"),
     N_("Side of the learning picture in pixels, divisible by 8; 0: the model's own."),
     .look = LOOK_SIZE, MODELS_OWN("learn.size", 4096), .advanced = true},
    {SEED_ARGUMENT(N_("What random numbers begin with; -1: a random one."))},
    {ARGUMENT_FILE, "output", N_("O_utput"),
     N_("The subject file to write; empty: your data folder, by name."), .advanced = true},
    // scripts say it in steps
    {ARGUMENT_CHOICE, "effort", N_("E_ffort"),
     N_("quick: sooner done, and less like it; thorough: the other way round."),
     .standard_text = "normal", .choices = BARRED(EFFORT_WORDS),
     .choice_words = N_("quick|as usual|thorough"), .unscripted = true},
    {DEVICE_ARGUMENT},
    {ARGUMENT_CHOICE, "captions", N_("Layer names (_1)"),
     N_("Whether the name of each layer says what it shows besides, behind the prompt."),
     .standard_text = "unused", .choices = "unused|captions",
     .choice_words = N_("only names|say what is there"), .advanced = true, .unscripted = true},
    {ARGUMENT_CHOICE, "shape", N_("Shape (_2)"),
     N_("Whether a square of each layer is learned, or all of it in about its shape."),
     .standard_text = "square", .choices = "square|own", .choice_words = N_("a square|all of it"),
     .advanced = true, .unscripted = true},
    // scripts say it in the name
    {ARGUMENT_CHOICE, "method", N_("Method (_3)"),
     N_("What learns, and which file it becomes: singular values of the model, a LoRA beside it, "
        "or a word alone."),
     .standard_text = "svdiff", .choices = BARRED(PLAIN_METHOD_WORDS),
     .choice_words = N_("SVDiff|LoRA|textual inversion"), .advanced = true, .unscripted = true},
};

// what is painted, and how, with an image or without
#define ROW(...)                                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define WHAT_ARGUMENTS                                                                             \
    ROW(PROMPT_ARGUMENT), ROW(NEGATIVE_ARGUMENT), ROW(SUBJECTS_ARGUMENT),                          \
        ROW(MODEL_ARGUMENT(N_("_Model")))
#define HOW_ARGUMENTS                                                                              \
    ROW(WIDTH_ARGUMENT), ROW(HEIGHT_ARGUMENT), ROW(STEPS_ARGUMENT("generate")),                    \
        ROW(GUIDANCE_ARGUMENT("generate")), ROW(SAMPLER_ARGUMENT), ROW(PICTURES_SEED_ARGUMENT),    \
        ROW(COUNT_ARGUMENT), ROW(DEVICE_ARGUMENT), ROW(SPACING_ARGUMENT), ROW(TIMESTEPS_ARGUMENT), \
        ROW(CLIP_SKIP_ARGUMENT), ROW(RESCALE_ARGUMENT), ROW(NOISE_ARGUMENT), ROW(STRIP_ARGUMENT),  \
        ROW(SEAMLESS_ARGUMENT), ROW(HIRES_ARGUMENT), ROW(PROMPTS_ARGUMENT)

static const struct argument generate_arguments[] = {
    WHAT_ARGUMENTS,
    {ARGUMENT_CHOICE, "init", N_("Start _from"),
     N_("none: from noise; layer: from the layer; selection: from what of it is selected."),
     .standard_text = "none", .choices = "none|layer|selection",
     .choice_words = N_("nothing|the layer|the selection")},
    // low is -1, because 0 and less stand for the default; the slider begins where it acts
    {ARGUMENT_NUMBER, "strength", N_("S_trength"),
     N_("How far the result may go from where it starts, up to 1; 0: the default, 0.75."),
     .low = -1, .high = 1, .own = N_("as usual"), .own_from = "generate.strength",
     SLIDER(0.05, 1, 0.05)},
    {ARGUMENT_TEXT, "regions", N_("Where"),
     N_("Texts that act in a place alone: left half=a fox; right half=a cat. A place is a "
        "channel by name, selection, layer and its name, or left, right, top, bottom half, "
        "left, middle, right third."),
     .look = LOOK_REGIONS},
    HOW_ARGUMENTS,
};

// without an image there is nothing to start from, and no place to name
static const struct argument create_arguments[] = {
    WHAT_ARGUMENTS,
    HOW_ARGUMENTS,
};

/* The first three are lists, a part a layer, that rows of the dialog write (dialog_layers.c). Steps
 * are those of learning: the sampler's are the model's own. */
static const struct argument compose_arguments[] = {
    {ARGUMENT_TEXT, "prompts", N_("_Layer prompts"),
     N_("What each layer shows, with [V] for its subject and ; between them; empty: a photo "
        "of a [V] and the layer's name."),
     .hidden = true},
    // what subjects are without their own words, to keep what the model knew of such things
    {ARGUMENT_TEXT, "class-prompts", N_("Class p_rompts"),
     N_("The same without the subjects' own words; empty: the prompts without [V]."),
     .advanced = true},
    {ARGUMENT_TEXT, "region-channels", N_("Re_gions"),
     N_("A place for each layer, with ; between them, where its subject goes: left half; "
        "right half. What places are called says regions of plug-in-svdiff-generate."),
     .hidden = true},
    {ARGUMENT_TEXT, "prompt", N_("_Prompt"),
     N_("What the picture shows, the subjects by what they are, as in a fox and a cat at "
        "sea, or as [V1], [V2]."),
     .look = LOOK_PROMPT},
    {ARGUMENT_TEXT, "negative", N_("_Negative"),
     N_("What the picture should not show; [classes] stands for what the subjects are, "
        "[swapped] for the same in the other order: against seams between them."),
     .look = LOOK_PROMPT, .advanced = true},
    {MODEL_ARGUMENT(N_("_Model"))},
    {LEARN_STEPS_ARGUMENT(N_("Learning st_eps"))},
    {ARGUMENT_NUMBER, "cut-mix", N_("Cut-mi_x"),
     N_("How often two subjects are learned in one picture, up to 1; 0: the model's own."),
     MODELS_OWN("learn.cut_mix", 1), .advanced = true, SLIDER(0.05, 1, 0.05)},
    {ARGUMENT_NUMBER, "unmix", N_("_Unmix"),
     N_("How much the subjects' words are kept apart there; 0: the model's own."),
     MODELS_OWN("learn.unmix_weight", 100), .advanced = true, SLIDER(0.01, 0.2, 0.01)},
    {WIDTH_ARGUMENT},
    {HEIGHT_ARGUMENT},
    {PICTURES_SEED_ARGUMENT},
    {COUNT_ARGUMENT},
    {ARGUMENT_FILE, "output", N_("Ou_tput"),
     N_("The subject file to write; empty: your data folder, by the layers' names."),
     .advanced = true},
    {ADAPTERS_ARGUMENT},
    {DEVICE_ARGUMENT},
};

// there are no sizes: a layer is drawn as large as it is
static const struct argument edit_arguments[] = {
    {ARGUMENT_TEXT, "prompt", N_("What _it shows now"), N_("What the layer shows, in plain words."),
     .look = LOOK_PROMPT},
    {ARGUMENT_TEXT, "target", N_("What it shou_ld show"),
     N_("What the layer should show; several targets in lines of their own. 'A cat on the "
        "left and a dog on the right' moves the cat that is there and puts a dog beside it."),
     .look = LOOK_PROMPT},
    {MODEL_ARGUMENT(N_("_Model"))},
    {ARGUMENT_NUMBER, "structure", N_("St_ructure"),
     N_("How much of the layer's structure is kept, up to 1; 0: the model's own."),
     MODELS_OWN("edit.structure", 1), SLIDER(0.05, 1, 0.05)},
    {ARGUMENT_INT, "learn-steps", N_("Lear_ning steps"),
     N_("How many steps the layer is learned; 0: as many as the model wants."),
     MODELS_OWN("edit.learn_steps", 100000), .advanced = true, .step = 10},
    {STEPS_ARGUMENT("edit")},
    {GUIDANCE_ARGUMENT("edit")},
    {PICTURES_SEED_ARGUMENT},
    {COUNT_ARGUMENT},
    {ADAPTERS_ARGUMENT},
    {DEVICE_ARGUMENT},
};

#define FIRST_CHOICE(name, word, folder) word
#define NEXT_CHOICE(name, word, folder)  "|" word
static const struct argument convert_arguments[] = {
    {ARGUMENT_TEXT, "input", N_("Sub_jects"),
     N_("A learned subject by name or file; a model or a LoRA can hold several: fox:0.8; cat"),
     .look = LOOK_SUBJECTS},
    {ARGUMENT_CHOICE, "to", N_("_To"),
     N_("subject, svdiff-pytorch: the subject; folder, checkpoint: a model with it; lora: part "
        "of it; lycoris: all of it."),
     .standard_text = "lora", .choices = CONVERT_FORMATS(FIRST_CHOICE, NEXT_CHOICE),
     .choice_words =
         N_("a subject file|the two files of svdiff-pytorch|a model, as a folder|a model, "
            "as one file|a LoRA|all differences, for LyCORIS")},
    {ARGUMENT_FILE, "output", N_("_Output"),
     N_("The file or folder to write; empty: in your data folder, by the subject's name."),
     .look = LOOK_ENTRY},
    {MODEL_ARGUMENT(N_("_Model"))},
    {ARGUMENT_INT, "rank", N_("_Rank"),
     N_("Of a LoRA: more keeps more of the subject in a larger file; 0: 64."), .low = -1,
     .high = CONVERT_RANK_MOST, .advanced = true, .own = N_("as usual"), .own_number = CONVERT_RANK,
     .step = 8},
};

// in the order in which GIMP is told of them; its menus sort by `menu`
static const struct procedure procedures[] = {
    {PROCEDURE_LEARN, "plug-in-svdiff-learn", FILTERS, INPUT_LAYER, RESULT_FILE,
     .menu = N_("_1. Learn Subject..."), .action = N_("_Learn"),
     .title = N_("SVDiff: Learn Subject"),
     .summary = N_("Learns the subject of a layer, to paint it again."),
     .help =
         N_("Learns what the layer shows, or what of it is selected, into a subject file of about "
            "1 MB, by changing only the singular values of a Stable Diffusion model. The file "
            "lies in the user's data folder under the subject's name, if no other is given."),
     ARGUMENTS(learn_arguments)},
    {PROCEDURE_GENERATE, "plug-in-svdiff-generate", FILTERS, INPUT_LAYER, RESULT_LAYERS,
     .menu = N_("_2. Generate..."), .action = N_("_Generate"), .title = N_("SVDiff: Generate"),
     .summary = N_("Paints pictures of a text, with learned subjects, as new layers."),
     .help =
         N_("Makes pictures from a prompt, from noise or from the layer, as new layers above the "
            "layer, in a group when there are several. A selection confines what is painted; the "
            "image's own pixels are never changed. Without an image (-1) a new one is made."),
     ARGUMENTS(generate_arguments)},
    {PROCEDURE_CREATE, "plug-in-svdiff-create", CREATE, INPUT_NONE, RESULT_LAYERS,
     .menu = N_("_Picture from Text..."), .action = N_("_Generate"),
     .title = N_("SVDiff: Picture from Text"),
     .summary = N_("Paints pictures of a text, with learned subjects, as a new image."),
     .help =
         N_("Makes pictures from a prompt as the layers of a new image, in a group when there are "
            "several. No image needs to be open."),
     ARGUMENTS(create_arguments)},
    {PROCEDURE_COMPOSE, "plug-in-svdiff-compose", FILTERS, INPUT_LAYERS, RESULT_LAYERS,
     .menu = N_("_4. Compose Subjects..."), .action = N_("Comp_ose"),
     .title = N_("SVDiff: Compose Subjects"),
     .summary = N_("Learns several layers as subjects and paints them in one picture."),
     .help = N_("Learns each layer as a subject, mixed into one picture again and again so that "
                "they stay apart, and paints them together as new layers that cover the image. A "
                "layer's mask, or the selection, says what of it is the subject. The subjects stay "
                "in one file, for generating again."),
     ARGUMENTS(compose_arguments)},
    {PROCEDURE_EDIT, "plug-in-svdiff-edit", FILTERS, INPUT_LAYER, RESULT_LAYERS,
     .menu = N_("_3. Edit Layer..."), .action = N_("Redra_w"), .title = N_("SVDiff: Edit Layer"),
     .summary = N_("Draws a layer from another description."),
     .help =
         N_("Learns the layer with its description and draws it from another one, as new layers "
            "above it; a selection confines what is painted. What was learned of a layer is "
            "kept, so that the next edit of it begins at once."),
     ARGUMENTS(edit_arguments)},
    {PROCEDURE_CONVERT, "plug-in-svdiff-convert", FILTERS, INPUT_NONE, RESULT_FILE,
     .menu = N_("_5. Convert Subject..."), .action = N_("Con_vert"),
     .title = N_("SVDiff: Convert Subject"),
     .summary = N_("Writes a subject as a file of another program, or into a model."),
     .help =
         N_("Writes learned subjects as files that other programs read: as a subject file or in "
            "the two files of svdiff-pytorch, unchanged; in a whole model, as a diffusers folder "
            "or as one file; or as a LoRA, which keeps only part of what was learned."),
     ARGUMENTS(convert_arguments)},
};

const struct procedure *procedures_all(size_t *n)
{
    *n = G_N_ELEMENTS(procedures);
    return procedures;
}

const struct procedure *procedure_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(procedures); i++) {
        if (strcmp(procedures[i].name, name) == 0) {
            return &procedures[i];
        }
    }
    return NULL;
}

size_t procedure_scripted(const struct procedure *p)
{
    size_t n = p->n_arguments;

    while (n > 0 && p->arguments[n - 1].unscripted) {
        n--;
    }
    return n;
}

// n_arguments: there is none of this name
static size_t find_argument(const struct procedure *p, const char *argument)
{
    size_t i = 0;

    while (i < p->n_arguments && strcmp(p->arguments[i].name, argument) != 0) {
        i++;
    }
    return i;
}

bool procedure_has(const struct procedure *p, const char *argument)
{
    return find_argument(p, argument) < p->n_arguments;
}

size_t procedure_index(const struct procedure *p, const char *argument)
{
    g_assert(procedure_has(p, argument));
    return find_argument(p, argument);
}
