/* interruption.h: SIGINT, SIGTERM and SIGHUP, and in a process of mpirun SIGCONT, as a question that
 * the work asks now and then.
 *
 * No handler runs. oneDNN's generated products use the stack pointer as one more register, which
 * then points into the heap (seen on one in ten signals that arrive during a convolution): the
 * kernel would write a handler's frame there. So every signal that can be blocked is blocked in the
 * thread that starts this, which all threads that come later inherit, and one thread that computes
 * nothing waits for them. Whatever handler a library or a profiler installs for other signals
 * of the process runs on that thread's stack, too. Signals of a fault (SIGSEGV and its like) stay
 * with the thread that caused them. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct interruption interruption;

/* To be called by the only thread of the process, before it computes. A first signal makes
 * interruption_asked true; a second one ends the process as it would have without this. SIGHUP is
 * left alone where it was ignored (nohup). There is no end: a process has one. NULL with an error
 * where no thread can be started. */
interruption *interruption_start(GError **error);

/* Whether a signal came, or interruption_ask was called. From any thread. */
bool interruption_asked(const interruption *i);

/* As a signal does, for other ways to ask; a signal after it is the first. */
void interruption_ask(interruption *i);

/* Becomes readable with the first signal, for poll; nothing is to be read from it. */
int interruption_fd(const interruption *i);
