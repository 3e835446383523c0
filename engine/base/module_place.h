/* module_place.h: where a module lies that a program opens while it runs. */
#pragma once

/* FILE in FOLDER of the build that the program is of, else where modules are installed; whether it is
 * there is for whoever opens it. Owned by the caller. */
char *module_place(const char *folder, const char *file);
