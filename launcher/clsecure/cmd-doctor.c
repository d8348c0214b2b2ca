#include "config.h"
#include "launcher/clsecure/doctor.h"
#include "launcher/clsecure/ui.h"

#include <errno.h>
#include <stdarg.h>

#include <json-c/json.h>

static const struct {
	const char *area;
	doctor_check *check;
	bool joined; /* looks at what setup joins */
} checks[] = {
	{"kernel", doctor_kernel, false},
	{"programs", doctor_programs, false},
	{"nss", doctor_nss, true},
	{"registry", doctor_registry, true},
	{"members", doctor_members, false},
	{"pam", doctor_pam, true},
	{"sshd", doctor_sshd, true},
	{"systemd", doctor_systemd, true},
	{"clsecured", doctor_clsecured, true},
	{"network", doctor_network, false},
};

static const char *const kinds[] = {"ok", "note", "FAIL"};

void doctor_done(struct doctor *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->finding[i].text);
		free(d->finding[i].remedy);
	}
	free(d->finding);
}

/* Without memory for the words the failure still counts. */
static _printf_(4, 0) void add(struct doctor *d, enum finding_kind kind, const char *remedy,
	const char *format, va_list ap)
{
	struct finding f = {.kind = kind, .area = d->area}, *grown;

	d->failed += kind == FINDING_FAIL;
	if (vasprintf(&f.text, format, ap) < 0)
		return;
	text_clean(f.text);
	f.remedy = remedy ? strdup(remedy) : NULL;
	grown = reallocarray(d->finding, d->n + 1, sizeof(*grown));
	if (!grown) {
		free(f.text);
		free(f.remedy);
		return;
	}
	d->finding = grown;
	grown[d->n++] = f;
}

void doctor_ok(struct doctor *d, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(d, FINDING_OK, NULL, format, ap);
	va_end(ap);
}

void doctor_note(struct doctor *d, const char *remedy_, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(d, FINDING_NOTE, remedy_, format, ap);
	va_end(ap);
}

void doctor_fail(struct doctor *d, const char *remedy_, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(d, FINDING_FAIL, remedy_, format, ap);
	va_end(ap);
}

static void print_text(const struct cli *c, const struct doctor *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct finding *f = &d->finding[i];

		if (c->quiet && f->kind != FINDING_FAIL)
			continue;
		printf("%-4s  %s: %s\n", kinds[f->kind], f->area, f->text);
		if (f->remedy)
			printf("      %s\n", f->remedy);
	}
	if (!c->quiet)
		printf(d->failed ? "%zu of these %s to be mended.\n" : "Nothing is wrong.\n",
			d->failed, d->failed == 1 ? "has" : "have");
}

static void print_json(const struct doctor *d)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();

	for (size_t i = 0; i < d->n; i++) {
		json_object *f = json_object_new_object();

		json_object_object_add(f, "status",
			json_object_new_string(d->finding[i].kind == FINDING_FAIL
					? "fail"
					: kinds[d->finding[i].kind]));
		json_object_object_add(f, "area", json_object_new_string(d->finding[i].area));
		json_object_object_add(f, "text", json_object_new_string(d->finding[i].text));
		json_object_object_add(f, "remedy",
			d->finding[i].remedy ? json_object_new_string(d->finding[i].remedy) : NULL);
		json_object_array_add(list, f);
	}
	json_object_object_add(o, "version", json_object_new_int(1));
	json_object_object_add(o, "failed", json_object_new_int((int)d->failed));
	json_object_object_add(o, "checks", list);
	puts(json_object_to_json_string_ext(o,
		JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static int run(struct cli *c, int argc, char **argv)
{
	_cleanup_(doctor_done) struct doctor d = {0};
	bool joined;

	if (geteuid() != 0) {
		complain("doctor looks at what only root can read");
		remedy("sudo clsecure doctor");
		return STATUS_FAILED;
	}
	d.area = "setup";
	joined = doctor_joined(&d);
	for (size_t i = 0; i < ELEMENTSOF(checks); i++) {
		d.area = checks[i].area;
		if (joined || !checks[i].joined)
			checks[i].check(&d);
	}
	if (c->json)
		print_json(&d);
	else
		print_text(c, &d);
	return d.failed ? STATUS_FAILED : 0;
}

const struct command command_doctor = {
	.name = "doctor",
	.operands = "",
	.summary = "check kernel, NSS, PAM, sshd and systemd of this host",
	.description = "Checks that every login of a project leads into its sandbox, and that\n"
		       "nothing else changed. For each failure: what is wrong, and the command\n"
		       "that mends it. Exit status 1 when something is.",
	.examples = "  sudo clsecure doctor\n"
		    "  sudo clsecure doctor --json\n",
	.operand = OPERAND_NONE,
	.flags = COMMAND_JSON,
	.run = run,
};
