/*
 * Hostile text as every kind of configuration, as assignments of a command line, and as the answer
 * of a child that reads a person's files.  What was taken must be written and read back to the
 * same.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "lib/policy/effective.h"
#include "lib/policy/ini.h"
#include "lib/policy/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void values_round(const struct layer *l)
{
	for (enum setting s = 0; s < SETTING_COUNT_; s++) {
		const struct entry *entry = &l->entries[s];
		_cleanup_(value_done) struct value again = {0};

		if (!entry->set || setting_is_list(s) || settings[s].type == TYPE_PATH)
			continue;
		must(value_parse(s, entry->value.text, &again, NULL) == 0);
		must(value_equal(&entry->value, &again));
	}
}

static void a_file(enum source source, const char *data, size_t size)
{
	static const bool by_admin[SETTING_COUNT_];
	_cleanup_(stack_done) struct stack k = {0};
	_cleanup_(effective_done) struct effective f = {0};
	struct error e;

	must(layer_init(&k.layers[source], source, "fuzz") == 0);
	if (layer_parse(&k.layers[source], data, size, &e) < 0)
		return;
	values_round(&k.layers[source]);
	must(stack_merge(&k, by_admin, &f, &e) == 0);
	if (source == SOURCE_PROJECT_FILE)
		must(f.values[SETTING_NETWORK].number == 0);
}

static void a_project_conf(const char *data, size_t size)
{
	_cleanup_(project_file_done) struct project_file f = {0}, again = {0};
	_cleanup_free_ char *text = NULL, *text_again = NULL;
	struct error e;

	if (project_file_parse(data, size, "fuzz", &f, &e) < 0)
		return;
	/* more than a file may have, once it is canonical, is the one reason */
	if (project_file_text(&f, &text, &e) < 0)
		return;
	must(project_file_parse(text, strlen(text), "fuzz", &again, &e) == 0);
	must(project_file_text(&again, &text_again, &e) == 0);
	must(streq(text, text_again));
}

static void an_assignment(const char *data, size_t size)
{
	_cleanup_free_ char *text = strndup(data, size);
	_cleanup_(assignment_done) struct assignment a = {0};
	_cleanup_(layer_done) struct layer l = {0};
	_cleanup_(value_done) struct value weaker = {0};
	struct error e;

	must(text && layer_init(&l, SOURCE_PROJECT, "fuzz") == 0);
	if (assignment_parse(text, SOURCE_PROJECT, true, &a, &e) < 0)
		return;
	must(value_builtin(a.setting, &weaker) == 0);
	layer_apply(&l, &a, &weaker, &e);
	values_round(&l);
}

static void an_answer(const char *data, size_t size)
{
	_cleanup_(stack_done) struct stack k = {0};
	struct error e;

	must(layer_init(&k.layers[SOURCE_PERSON], SOURCE_PERSON, "fuzz") == 0);
	must(layer_init(&k.layers[SOURCE_PROJECT_FILE], SOURCE_PROJECT_FILE, "fuzz") == 0);
	if (take_answer(&k, data, size, &e) == 0)
		must(!k.layers[SOURCE_PERSON].entries[SETTING_ALLOW_SERVICES].set);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *data = (const char *)bytes + 1;

	if (size == 0)
		return 0;
	size--;
	switch (bytes[0] % 6) {
	case 0:
		a_file(SOURCE_ADMIN, data, size);
		break;
	case 1:
		a_file(SOURCE_PERSON, data, size);
		break;
	case 2:
		a_file(SOURCE_PROJECT_FILE, data, size);
		break;
	case 3:
		a_project_conf(data, size);
		break;
	case 4:
		an_assignment(data, size);
		break;
	default:
		an_answer(data, size);
	}
	return 0;
}
