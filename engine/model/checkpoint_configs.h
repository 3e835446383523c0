/* checkpoint_configs.h: the configs of one model together, from the folder they lie in. */
#pragma once

#include "engine/network/model_config.h"
#include "engine/model/schedule_config.h"

struct checkpoint_configs {
    struct unet_config unet;
    struct text_config text;
    struct vae_config vae;
    struct schedule_config schedule;
    double *trained_betas; // owned; what schedule.trained_betas points to
};

/* Reads unet/config.json and the others of a folder. Those that are missing are an error, unless
 * `partly`: then they keep what *configs held. False with a sentence. */
bool checkpoint_configs_read(const char *folder, bool partly, struct checkpoint_configs *configs,
                             GError **error);

// true when the folder has all of them
bool checkpoint_configs_complete(const char *folder);

/* Whether they are of one model and of a kind that the engine has; `path` is the model's, for the
 * sentence. */
bool checkpoint_configs_check(const char *path, const struct checkpoint_configs *configs,
                              GError **error);

/* Whether model_index.json of a diffusers folder names only parts that Stable Diffusion 1.x and 2.x
 * have. */
bool checkpoint_index_check(const char *path, GError **error);

// "PATH: this is WHAT; ...": a model that is not one of the engine's. False
bool checkpoint_refuse(const char *path, const char *what, GError **error);

// frees what it owns; a zeroed one is allowed
void checkpoint_configs_finish(struct checkpoint_configs *configs);
