/* What a door asks of the login shell, from its argv alone. */
#ifndef CLSECURE_SHELL_COMMAND_H
#define CLSECURE_SHELL_COMMAND_H

#include "lib/base/macros.h"

struct command {
	bool login; /* "-clsecure-shell", -l, --login */
	bool command; /* -c STRING, or a script: no dialogue */
	bool interactive; /* -i: a dialogue even without a terminal */
	char *const *words; /* behind WORDS_OPTION: to be run without the shell; or NULL */
};

/* The options as the shells have them; what it does not know is the real shell's to judge. */
struct command command_parse(int argc, char *const *argv);

/*
 * The real shell's argv: its base name, with '-' before it where ours had one, then our arguments
 * as they are.  ret_argv (NULL-terminated) and ret_argv[0] are owned.  -ENOMEM.
 */
int command_argv(const char *shell, int argc, char *const *argv, char ***ret_argv);

#endif
