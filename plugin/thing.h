/* thing.h: what a subject is, in a word: "fox", "red teapot".
 *
 * People name the thing; the subject's name and the prompt that it is learned with follow. */
#pragma once

/* The thing that a layer's name tells of, in small letters: "Fox.png", "fox copy #1" and, of a
 * layer that SVDiff painted, "a photo of a fox in the snow (seed 7)" give "fox". NULL for names
 * that tell of none: "Background", "IMG_0412.JPG", "Pasted Layer". g_free it. */
char *thing_of_name(const char *name);

/* The thing with its article, "a fox", "an owl"; one that is marked with [V] as it is. g_free it.
 */
char *thing_named(const char *thing);

/* "a fox, a dog and a cat" of all three. g_free it. */
char *thing_list(char *const *things);

/* The prompt of a picture that shows it, with [V] for the subject's own word. g_free it. */
char *thing_prompt(const char *thing);
