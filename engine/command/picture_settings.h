/* picture_settings.h: how a picture was drawn, as A1111's stable-diffusion-webui writes it into pictures and reads
 * it back:
 *
 *   PROMPT <lora:style:0.8>
 *   Negative prompt: TEXT
 *   Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x512, Model hash: ..., KEY: "a value, quoted"
 *
 * Other programs write the same keys, and this one a few of its own. */
#pragma once

#include "engine/command/command_report.h"
#include "engine/command/given.h"

// the key of the text in a picture file
#define PICTURE_SETTINGS_KEY "parameters"

/* ", KEY: VALUE" of options that differ from their defaults; options: of svdiff generate. Owned by the
 * caller. */
char *picture_settings_list(const void *options);

/* What A1111 calls a sampler, by its word here. */
const char *picture_settings_sampler(const char *word);

/* Takes what the picture says for those options of svdiff generate that were not given, as if it stood on the
 * command line; prompt_given: so is the prompt. What it names that is not to be had here is told. False with a
 * sentence for what says no settings, or values that no option has. *model: what the model is called that it was
 * drawn with, owned by the caller, or NULL. */
bool picture_settings_take(struct given *g, bool prompt_given, const char *path,
                           struct report *report, char **model, GError **error);
