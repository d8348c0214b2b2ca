#include "config.h"
#include "launcher/clsecure/rows.h"

#include <errno.h>
#include <time.h>

void rows_done(struct rows *r)
{
	for (size_t i = 0; i < r->n; i++)
		message_done(&r->row[i]);
	free(r->row);
	*r = (struct rows){0};
}

int rows_take(void *arg, const struct message *m)
{
	struct rows *r = arg;
	struct message *row = reallocarray(r->row, r->n + 1, sizeof(*row));

	if (!row)
		return -ENOMEM;
	r->row = row;
	row[r->n] = (struct message){.size = m->size};
	row[r->n].data = malloc(m->size);
	if (!row[r->n].data)
		return -ENOMEM;
	memcpy(row[r->n++].data, m->data, m->size);
	return 0;
}

const char *rows_get(const struct rows *r, size_t i, const char *key)
{
	return message_get(&r->row[i], key) ?: "";
}

static bool in(const char *const *list, const char *word)
{
	for (; list && *list; list++)
		if (streq(*list, word))
			return true;
	return false;
}

json_object *row_json(const struct message *m, const char *const *keys, const char *const *numbers)
{
	json_object *o = json_object_new_object();

	for (; *keys; keys++) {
		const char *value = message_get(m, *keys);
		json_object *v = NULL;

		if (value)
			v = in(numbers, *keys) ? json_object_new_int64(strtoll(value, NULL, 10))
					       : json_object_new_string(value);
		json_object_object_add(o, *keys, v);
	}
	return o;
}

void json_print(const char *name, json_object *value)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "version", json_object_new_int(1));
	json_object_object_add(o, name, value);
	puts(json_object_to_json_string_ext(o,
		JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

void json_print_object(const char *const *keys, const char *const *values)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "version", json_object_new_int(1));
	for (size_t i = 0; keys[i]; i++)
		json_object_object_add(o, keys[i], json_object_new_string(values[i]));
	puts(json_object_to_json_string_ext(o,
		JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

int rows_print(const struct cli *c, const struct rows *r, const struct column *columns, size_t n)
{
	_cleanup_free_ const char **cells = calloc((r->n + 1) * n, sizeof(*cells));
	_cleanup_free_ char (*texts)[ROWS_TEXT] = calloc(r->n * n + 1, sizeof(*texts));

	if (!cells || !texts)
		return STATUS_FAILED;
	for (size_t k = 0; k < n; k++)
		cells[k] = columns[k].head;
	for (size_t i = 0; i < r->n; i++)
		for (size_t k = 0; k < n; k++) {
			const char *value = columns[k].text
				? columns[k].text(r, i, texts[i * n + k])
				: rows_get(r, i, columns[k].key);

			cells[(i + 1) * n + k] = *value ? value : "-";
		}
	table_print(c, n, r->n + 1, cells);
	return 0;
}

void size_text(uint64_t bytes, char buf[static 16])
{
	static const char units[] = "BKMGTP";
	double n = (double)bytes;
	size_t u = 0;

	while (n >= 1000 && units[u + 1]) {
		n /= 1024;
		u++;
	}
	snprintf(buf, 16, u > 0 && n < 10 ? "%.1f%c" : "%.0f%c", n, units[u]);
}

void time_text(uint64_t seconds, char buf[static 24])
{
	time_t then = (time_t)seconds, now = time(NULL);
	struct tm a, b;

	buf[0] = '\0';
	if (localtime_r(&then, &a) && localtime_r(&now, &b))
		strftime(buf, 24,
			a.tm_yday == b.tm_yday && a.tm_year == b.tm_year ? "%H:%M" : "%e %b %H:%M",
			&a);
}
