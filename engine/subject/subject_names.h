/* subject_names.h: what subjects are called in plain words, and the words of a text that speak of
 * them: "a fox" for "a [V] fox". */
#pragma once

// how one subject was learned and is kept
struct subject_name {
    const char *prompt; // "a photo of a [V] animal"; NULL: not known
    const char *name;   // of its file, "fox"; NULL: it has none of its own
};

/* What comes behind the [V] of a prompt and names the thing, "red panda" of "a [V] red panda on the
 * grass"; "" when nothing does. Owned by the caller. */
char *subject_names_thing(const char *prompt);

/* text in which each of the names and things that it speaks of has its subject's [V1], [V2] ...
 * before it: "a fox at night" becomes "a [V1] animal at night". Two subjects of the same kind are
 * the first and the second that the text names. A text with a [V] stays as it is. Owned by the
 * caller. */
char *subject_names_put(const char *text, const struct subject_name *names, int n);
