/* Blocks of ssh_config(5). */
#ifndef CLSECURE_SSH_CONFIG_H
#define CLSECURE_SSH_CONFIG_H

#include "launcher/clsecure/commands.h"
#include "lib/base/macros.h"

#define SSH_CONFIG_KEY_MAX 4096

struct ssh_config {
	const char *host, *port; /* port NULL: ssh's own */
	char alias[72]; /* what the host's key is looked up by */
	char type[64], key[SSH_CONFIG_KEY_MAX];
};

/* From the text of a .pub file.  -EBADMSG.  Pure, as the two below. */
int ssh_config_key(const char *text, char ret_type[static 64],
	char ret_key[static SSH_CONFIG_KEY_MAX]);
bool ssh_config_word(const char *word);
void ssh_config_print(FILE *f, const struct ssh_config *s, const char *slug);

#endif
