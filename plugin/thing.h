/* thing.h: what a subject is, in a word: "fox", "red teapot".
 *
 * People name the thing; the subject's name and the prompt that it is learned with follow. */
#pragma once

/* The thing that a layer's name tells of, in small letters: "Fox.png" and "fox copy #1" give "fox".
 * NULL for names that tell of none: "Background", "IMG_0412.JPG", "Pasted Layer". g_free it. */
char *thing_of_name(const char *name);

/* The prompt of a picture that shows it, with [V] for the subject's own word. g_free it. */
char *thing_prompt(const char *thing);
