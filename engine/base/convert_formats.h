/* convert_formats.h: what `svdiff convert` makes, for the command and for GIMP's procedure.
 *
 * A list of NAME, WORD of --to, whether it is a folder. FIRST is expanded for the first of them and
 * NEXT for the others, so that either side can put between them what it needs. Scripts rely on the
 * words: new ones go to the end. */
#pragma once

#define CONVERT_FORMATS(FIRST, NEXT)                                                               \
    FIRST(SUBJECT, "subject", false)                                                               \
    NEXT(PYTORCH, "svdiff-pytorch", true)                                                          \
    NEXT(FOLDER, "folder", true)                                                                   \
    NEXT(CHECKPOINT, "checkpoint", false)                                                          \
    NEXT(LORA, "lora", false)                                                                      \
    NEXT(LYCORIS, "lycoris", false)

// the rank of a LoRA, where none is said, and the largest that is taken
#define CONVERT_RANK      64
#define CONVERT_RANK_MOST 8192
