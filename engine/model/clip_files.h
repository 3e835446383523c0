/* clip_files.h: the folder of a whole CLIP model, in transformers' layout:
 *
 *   config.json with text_config and vision_config; model.safetensors, or its shards
 *   (weight_files.h); preprocessor_config.json; the tokenizer's files (tokenizer.h) */
#pragma once

#include "engine/model/clip_pictures.h"
#include "engine/model/weight_files.h"
#include "engine/network/model_config.h"
#include "engine/network/reader.h"
#include "engine/text/tokenizer.h"

struct clip_files {
    char *folder;
    struct text_config text;
    struct vision_config vision;
    struct clip_pictures pictures;
    struct tokenizer *tokenizer;
    struct weight_files *weights;
};

/* Reads all but the values of weights. False with a sentence that names the file; to be closed in any
 * case. */
bool clip_files_open(struct clip_files *f, const char *folder, GError **error);
void clip_files_close(struct clip_files *f); // accepts a zeroed one

/* The weights, to make networks of; f must outlive that. What is missing, has another shape or values
 * that are no numbers is told with file and tensor. */
struct weight_source clip_files_source(struct clip_files *f);
