/* The options of opening a model, which the commands share, as far as they use them. */
#include "engine/options/option_rows.h"

#include "engine/svdiff.h"

#define FIELD(field) offsetof(struct svdiff_options, field)

static const struct option rows[] = {
    {.name = "model",
     .kind = OPTION_FILE,
     .flags = OPTION_OPENING,
     .field = FIELD(model),
     .value = "PATH",
     .help = "a diffusers folder, or a .safetensors or .ckpt file (the model that ships)"},
    // for single files, whose vocabulary is nowhere in them
    {.name = "tokenizer",
     .kind = OPTION_FILE,
     .flags = OPTION_OPENING,
     .field = FIELD(tokenizer),
     .value = "FOLDER",
     .help = "a tokenizer in place of the model's (its own, else CLIP's, which ships)"},
    {.name = "vae",
     .kind = OPTION_FILE,
     .flags = OPTION_NETWORKS,
     .field = FIELD(vae),
     .value = "PATH",
     .help = "an autoencoder in place of the model's: a file, or a diffusers folder of it"},
    // without it the model's own, for which there is no word
    CHOICE("prediction", FIELD(prediction), SVDIFF_PREDICTION_MODEL, SVDIFF_PREDICTION_V,
           WORDS("v", "epsilon"), OPTION_PREDICTS,
           "what the model predicts, where its file does not say or is wrong: {words}"),
    // the number of cuda:N is read before (command.c)
    CHOICE("device", FIELD(device), SVDIFF_DEVICE_AUTO, SVDIFF_DEVICE_AUTO,
           WORDS("auto", "cpu", "cuda"), OPTION_DEVICE,
           "auto, cpu, cuda, cuda:N, or cuda:N,M,.. that share the work ({default})"),
    INT("threads", FIELD(threads), 0, 0, 1024, OPTION_DEVICE, "N",
        "processors to use; 0: all (all)"),
    CHOICE("precision", FIELD(precision), SVDIFF_PRECISION_AUTO, SVDIFF_PRECISION_AUTO,
           WORDS("auto", "f32", "bf16", "f16", "tf32"), OPTION_NETWORKS,
           "{words} ({default}); the last two with CUDA alone"),
};

const struct option_table options_of_session = {"", sizeof(struct svdiff_options), rows,
                                                G_N_ELEMENTS(rows)};
