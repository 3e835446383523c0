/* common_arguments.h: arguments that several procedures have, for the table of procedures.c alone.
 * `part` is whose defaults of the model they show: "generate", "edit". */
#pragma once

#include "plugin/words.h"

#define SEED_MAX 2147483647.0

#define PROMPT_ARGUMENT                                                                            \
    {                                                                                              \
        .name = "prompt", .label = N_("_Prompt"),                                                  \
        .text = N_("What the picture shows; learned subjects by name or kind, as in a fox in the " \
                   "snow, or as [V]."),                                                            \
        .kind = ARGUMENT_TEXT, .look = LOOK_PROMPT                                                 \
    }
#define NEGATIVE_ARGUMENT                                                                          \
    {                                                                                              \
        .name = "negative", .label = N_("_Negative"),                                              \
        .text = N_("What the picture should not show."), .kind = ARGUMENT_TEXT,                    \
        .look = LOOK_PROMPT, .advanced = true                                                      \
    }
#define SUBJECTS_ARGUMENT                                                                          \
    {                                                                                              \
        .name = "subjects", .label = N_("Sub_jects"),                                              \
        .text = N_("Learned subjects by name or file, with a strength if wanted: fox:0.8; "        \
                   "cat.safetensors"),                                                             \
        .kind = ARGUMENT_TEXT, .look = LOOK_SUBJECTS                                               \
    }
#define MODEL_ARGUMENT                                                                             \
    {                                                                                              \
        .name = "model", .label = N_("_Model"),                                                    \
        .text = N_("A folder of diffusers or a .safetensors file; empty: the model that ships."),  \
        .kind = ARGUMENT_FILE, .look = LOOK_MODEL, .advanced = true                                \
    }
#define WIDTH_ARGUMENT                                                                             \
    {                                                                                              \
        .name = "width", .label = N_("_Width"),                                                    \
        .text =                                                                                    \
            N_("Width in pixels at which the picture is made, divisible by 8; 0: what suits."),    \
        .kind = ARGUMENT_INT, .low = -1, .high = 4096, .advanced = true, .look = LOOK_SIZE,        \
        .own = N_("what suits"), .own_from = "generate.width"                                      \
    }
#define HEIGHT_ARGUMENT                                                                            \
    {                                                                                              \
        .name = "height", .label = N_("Height (_Z)"),                                              \
        .text =                                                                                    \
            N_("Height in pixels at which the picture is made, divisible by 8; 0: what suits."),   \
        .kind = ARGUMENT_INT, .low = -1, .high = 4096, .advanced = true, .look = LOOK_SIZE,        \
        .own = N_("what suits"), .own_from = "generate.height"                                     \
    }
#define STEPS_ARGUMENT(part)                                                                       \
    {                                                                                              \
        .name = "steps", .label = N_("St_eps"),                                                    \
        .text = N_("Steps of the sampler; 0: the model's own."), .kind = ARGUMENT_INT, .low = -1,  \
        .high = 1000, .advanced = true, .own = N_("the model's own"), .own_from = part ".steps"    \
    }
#define GUIDANCE_ARGUMENT(part)                                                                    \
    {                                                                                              \
        .name = "guidance", .label = N_("G_uidance"),                                              \
        .text = N_("How closely the prompt is followed, 1: not enforced; 0: the model's own."),    \
        .kind = ARGUMENT_NUMBER, .low = -1, .high = 100, .advanced = true,                         \
        .own = N_("the model's own"), .own_from = part ".guidance", .from = 1, .to = 20,           \
        .step = 0.5                                                                                \
    }
#define SAMPLER_ARGUMENT                                                                           \
    {                                                                                              \
        .name = "sampler", .label = N_("Samp_ler"),                                                \
        .text = N_("How noise becomes a picture; auto: the model's own way."),                     \
        .kind = ARGUMENT_CHOICE, .standard_text = "auto",                                          \
        .choices = "auto|ddim|euler|euler-a|dpmpp-2m", .advanced = true                            \
    }
#define SEED_ARGUMENT                                                                              \
    {                                                                                              \
        .name = "seed", .label = N_("See_d"),                                                      \
        .text =                                                                                    \
            N_("What random numbers begin with, the next pictures count on; -1: a random one."),   \
        .kind = ARGUMENT_INT, .low = -1, .high = SEED_MAX, .standard = -1, .own = N_("random"),    \
        .advanced = true                                                                           \
    }
#define COUNT_ARGUMENT                                                                             \
    {                                                                                              \
        .name = "count", .label = N_("Num_ber of pictures"),                                       \
        .text = N_("How many pictures are made, each a layer; 0: one."), .kind = ARGUMENT_INT,     \
        .low = -1, .high = 100, .standard = 1                                                      \
    }
