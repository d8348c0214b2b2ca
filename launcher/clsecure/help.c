/* --help, from the tables. */
#include "config.h"
#include "launcher/clsecure/commands.h"

static void print_option(const struct option_info *o, FILE *f)
{
	char left[64], letter[8] = "    ";

	if (o->letter)
		snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name, o->value ? " " : "",
		o->value ?: "");
	fprintf(f, "  %-26s %s\n", left, o->help);
}

static void print_options(
	const char *head, const struct command *command, const struct option_info *o, FILE *f)
{
	if (!o || o->kind == OPTION_NONE)
		return;
	fprintf(f, "\n%s:\n", head);
	for (; o->kind != OPTION_NONE; o++)
		if (option_shown(command, o))
			print_option(o, f);
}

static void print_commands(FILE *f)
{
	fputs("\nCommands:\n", f);
	for (size_t i = 0; commands[i]; i++) {
		char left[64];

		if (!commands[i]->summary)
			continue;
		snprintf(left, sizeof(left), "%s%s%s", commands[i]->name,
			commands[i]->alias ? ", " : "", commands[i]->alias ?: "");
		fprintf(f, "  %-26s %s\n", left, commands[i]->summary);
	}
}

void help_print(const struct command *command, FILE *f)
{
	bool top = command == &command_run;

	fprintf(f, "Usage: clsecure %s%s[OPTIONS]%s%s\n", top ? "" : command->name, top ? "" : " ",
		*command->operands ? " " : "", command->operands);
	if (top)
		fputs("       clsecure COMMAND ...\n", f);
	fprintf(f, "\n%s\n", command->description ?: command->summary ?: "");
	if (top)
		print_commands(f);
	print_options("Options", command, command->options, f);
	print_options(command->options && command->options->kind != OPTION_NONE
			? "Of every command"
			: "Options",
		command, common_options, f);
	if (command->examples)
		fprintf(f, "\nExamples:\n%s", command->examples);
	if (top)
		fputs("\nExit status: that of what ran, 128+N when signal N ended it; 125 clsecure "
		      "failed; 126, 127 it\n"
		      "could not be run, was not found; 2 wrong usage; 130 Ctrl-C while opening. "
		      "More: clsecure(1).\n",
			f);
}
