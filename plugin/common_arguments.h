/* common_arguments.h: what several arguments have in common, and arguments that several procedures
 * have, for the table of procedures.c alone. Each is what stands between braces there. */
#pragma once

#include "plugin/words.h"

#include "engine/options/choice_words.h"

#define SEED_MAX 2147483647.0

// a number up to `most`, whose 0 or -1 stands for what the model has at `from`: "learn.steps"
#define MODELS_OWN(from, most)                                                                     \
    .low = -1, .high = most, .own = N_("the model's own"), .own_from = from

// the range of a slider, which is what makes sense, and its steps
#define SLIDER(least, most, by) .from = least, .to = most, .step = by

// pixels of a side of what is made
#define PIXELS(own_from_)                                                                          \
    .low = -1, .high = 4096, .look = LOOK_SIZE, .own = N_("what suits"), .own_from = own_from_,    \
    .advanced = true

#define PROMPT_ARGUMENT                                                                            \
    ARGUMENT_TEXT, "prompt", N_("_Prompt"),                                                        \
        N_("What the picture shows; learned subjects by name or kind, as in a fox in the "         \
           "snow, or as [V]."),                                                                    \
        .look = LOOK_PROMPT
#define NEGATIVE_ARGUMENT                                                                          \
    ARGUMENT_TEXT, "negative", N_("_Negative"), N_("What the picture should not show."),           \
        .look = LOOK_PROMPT, .advanced = true
#define SUBJECTS_ARGUMENT                                                                          \
    ARGUMENT_TEXT, "subjects", N_("Sub_jects"),                                                    \
        N_("Learned subjects by name or file, with a strength if wanted: fox:0.8; "                \
           "cat.safetensors; the same of adapters: lora ink:0.5, embedding glow"),                 \
        .look = LOOK_SUBJECTS
// of dialogs alone, where subjects are not among what is asked for
#define ADAPTERS_ARGUMENT                                                                          \
    ARGUMENT_TEXT, "adapters", N_("Adapters (_6)"),                                                \
        N_("LoRA files and embeddings by name or file, with a strength if wanted: lora ink:0.5; "  \
           "embedding glow"),                                                                      \
        .look = LOOK_ADAPTERS, .advanced = true, .unscripted = true
#define MODEL_ARGUMENT(label)                                                                      \
    ARGUMENT_FILE, "model", label,                                                                 \
        N_("A folder of diffusers or a .safetensors file; empty: the model that ships."),          \
        .look = LOOK_MODEL, .advanced = true
#define LEARN_STEPS_ARGUMENT(label)                                                                \
    ARGUMENT_INT, "steps", label,                                                                  \
        N_("How many steps are learned; 0: as many as the model wants."),                          \
        MODELS_OWN("learn.steps", 100000), .step = 10, .advanced = true
#define WIDTH_ARGUMENT                                                                             \
    ARGUMENT_INT, "width", N_("_Width"),                                                           \
        N_("Width in pixels at which the picture is made, divisible by 8; 0: what suits."),        \
        PIXELS("generate.width")
#define HEIGHT_ARGUMENT                                                                            \
    ARGUMENT_INT, "height", N_("Height (_Z)"),                                                     \
        N_("Height in pixels at which the picture is made, divisible by 8; 0: what suits."),       \
        PIXELS("generate.height")
// part: whose defaults of the model they show, "generate" or "edit"
#define STEPS_ARGUMENT(part)                                                                       \
    ARGUMENT_INT, "steps", N_("St_eps"), N_("Steps of the sampler; 0: the model's own."),          \
        MODELS_OWN(part ".steps", 1000), .advanced = true
#define GUIDANCE_ARGUMENT(part)                                                                    \
    ARGUMENT_NUMBER, "guidance", N_("G_uidance"),                                                  \
        N_("How closely the prompt is followed, 1: not enforced; 0: the model's own."),            \
        MODELS_OWN(part ".guidance", 100), SLIDER(1, 20, 0.5), .advanced = true
#define SAMPLER_ARGUMENT                                                                           \
    ARGUMENT_CHOICE, "sampler", N_("Samp_ler"),                                                    \
        N_("How noise becomes a picture; auto: the model's own way."),                             \
        .choices = "auto|" BARRED(SAMPLER_WORDS), .standard_text = "auto", .advanced = true
#define SEED_ARGUMENT(text)                                                                        \
    ARGUMENT_INT, "seed", N_("See_d"), text, .low = -1, .high = SEED_MAX, .standard = -1,          \
                                             .own = N_("random"), .advanced = true
#define PICTURES_SEED_ARGUMENT                                                                     \
    SEED_ARGUMENT(                                                                                 \
        N_("What random numbers begin with, the next pictures count on; -1: a random one."))
// of dialogs alone; scripts take what the machine has
#define DEVICE_ARGUMENT                                                                            \
    ARGUMENT_CHOICE, "device", N_("Device (_0)"),                                                  \
        N_("What computes: the processor, or the graphics card, where svdiff-cuda is installed."), \
        .standard_text = "auto", .choices = "auto|cpu|cuda",                                       \
        .choice_words = N_("what suits|the processor|the graphics card"), .advanced = true,        \
        .unscripted = true
// of dialogs alone: how people of Stable Diffusion draw elsewhere
#define SPACING_ARGUMENT                                                                           \
    ARGUMENT_CHOICE, "spacing", N_("Levels of noise (_1)"),                                        \
        N_("How the sampler's levels of noise are spaced, where it lets one choose."),             \
        .choices = "auto|" BARRED(SPACING_WORDS), .standard_text = "auto", .advanced = true,       \
        .unscripted = true
#define TIMESTEPS_ARGUMENT                                                                         \
    ARGUMENT_CHOICE, "timesteps", N_("Timesteps (_2)"),                                            \
        N_("Where the sampler's steps lie, where it lets one choose."),                            \
        .choices = "auto|" BARRED(TIMESTEPS_WORDS), .standard_text = "auto", .advanced = true,     \
        .unscripted = true
#define CLIP_SKIP_ARGUMENT                                                                         \
    ARGUMENT_INT, "clip-skip", N_("CLIP skip (_3)"),                                               \
        N_("The layer of the text encoder that is taken, from the end; 0: the model's own."),      \
        MODELS_OWN("generate.clip_skip", 32), .advanced = true, .unscripted = true
#define RESCALE_ARGUMENT                                                                           \
    ARGUMENT_NUMBER, "guidance-rescale", N_("Guidance rescale (_4)"),                              \
        N_("How far guidance may not change the contrast, up to 1; 0: the model's own."),          \
        MODELS_OWN("generate.guidance_rescale", 1), SLIDER(0.05, 1, 0.05), .advanced = true,       \
                                                                           .unscripted = true
#define NOISE_ARGUMENT                                                                             \
    ARGUMENT_CHOICE, "noise", N_("Noise of a seed (_5)"),                                          \
        N_("As here, or as diffusers draws it on the processor: for seeds from there."),           \
        .choices = BARRED(NOISE_WORDS), .choice_words = N_("as here|as diffusers"),                \
        .standard_text = "philox", .advanced = true, .unscripted = true
#define STRIP_ARGUMENT                                                                             \
    ARGUMENT_TEXT, "strip", N_("Strip (_6)"),                                                      \
        N_("Pictures of one seed over what is said here, each a layer: scale=-1..1:5, "            \
           "mix=0..1:5, keep=1,4,16, guidance=2,4,8."),                                            \
        .advanced = true, .unscripted = true
// not the option's name: that is a switch, and says neither
#define SEAMLESS_ARGUMENT                                                                          \
    ARGUMENT_CHOICE, "seamless", N_("Seamless tile (_7)"),                                         \
        N_("Whether the picture goes on behind each edge with its other side."),                   \
        .choices = "no|yes", .choice_words = N_("no|yes"), .standard_text = "no",                  \
        .advanced = true, .unscripted = true
#define HIRES_ARGUMENT                                                                             \
    ARGUMENT_NUMBER, "hires", N_("Enlarge (_8)"),                                                  \
        N_("How many times as large the picture is drawn once more, with little noise: larger "    \
           "than the model was trained for."),                                                     \
        .low = -1, .high = 8, .own = N_("not at all"), .own_from = "generate.hires",               \
        SLIDER(1, 4, 0.25), .advanced = true, .unscripted = true
#define PROMPTS_ARGUMENT                                                                           \
    ARGUMENT_FILE, "prompts", N_("Prompts in a file (_9)"),                                        \
        N_("A text file with a prompt a line, painted in place of the prompt above."),             \
        .advanced = true, .unscripted = true
#define COUNT_ARGUMENT                                                                             \
    ARGUMENT_INT, "count", N_("Num_ber of pictures"),                                              \
        N_("How many pictures are made, each a layer; 0: one."), .low = -1, .high = 100,           \
                                                                 .standard = 1
