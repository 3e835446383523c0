/* choice_words.h: the words of choices that GIMP's dialogs and scripts offer as well, each in the order of its enum (svdiff.h).
 *
 * A list gives its words to FIRST and NEXT, so that either side puts between them what it needs: BARRED(SAMPLER_WORDS) is the
 * string "ddim|euler|..." of the plug-in's arguments, LISTED(SAMPLER_WORDS) the initialiser "ddim", "euler", ... of an
 * option's row. Scripts rely on the words: new ones go to the end. */
#pragma once

#define EFFORT_WORDS(FIRST, NEXT) FIRST("quick") NEXT("normal") NEXT("thorough")
// the first ones are those of GIMP's dialog
#define PLAIN_METHOD_WORDS(FIRST, NEXT) FIRST("svdiff") NEXT("lora") NEXT("textual-inversion")
#define METHOD_WORDS(FIRST, NEXT)                                                                  \
    PLAIN_METHOD_WORDS(FIRST, NEXT) NEXT("full") NEXT("custom-diffusion")
#define SAMPLER_WORDS(FIRST, NEXT)                                                                 \
    FIRST("ddim")                                                                                  \
    NEXT("euler")                                                                                  \
    NEXT("euler-a")                                                                                \
    NEXT("dpmpp-2m")                                                                               \
    NEXT("pndm")                                                                                   \
    NEXT("lms")                                                                                    \
    NEXT("heun")                                                                                   \
    NEXT("dpm2")                                                                                   \
    NEXT("dpm2-a")                                                                                 \
    NEXT("unipc")                                                                                  \
    NEXT("lcm")                                                                                    \
    NEXT("dpmpp-2m-sde")                                                                           \
    NEXT("dpmpp-3m-sde")                                                                           \
    NEXT("dpmpp-sde")                                                                              \
    NEXT("tcd")
#define SPACING_WORDS(FIRST, NEXT)                                                                 \
    FIRST("normal") NEXT("karras") NEXT("exponential") NEXT("beta") NEXT("lu") NEXT("ays")
#define TIMESTEPS_WORDS(FIRST, NEXT) FIRST("leading") NEXT("trailing") NEXT("linspace")
#define NOISE_WORDS(FIRST, NEXT)     FIRST("philox") NEXT("torch")

#define FIRST_WORD(word) word
#define NEXT_BAR(word)   "|" word
#define NEXT_ITEM(word)  , word

#define BARRED(LIST) LIST(FIRST_WORD, NEXT_BAR)
#define LISTED(LIST) LIST(FIRST_WORD, NEXT_ITEM)
