/*
 * What a sandbox tells clsecure-shell about itself: INSIDE_FILE, written by root while the sandbox
 * is built, root's, 0444, in a directory of root's that the worker cannot change.  It is also the
 * mark by which clsecure-shell knows that it stands in a sandbox at all.
 *
 * Entries, each ended by a NUL, in any order, at most INSIDE_MAX bytes together:
 *
 *	@version=1		first
 *	@project=SLUG		the worker's name and home follow from it
 *	@path=/DIR		the project's directory, as it is named inside
 *	@shell=/FILE		the shell to become (Shell=, else /bin/bash)
 *	@namespace=KIND:[N]	one each for mnt pid net ipc uts: readlink("/proc/self/ns/KIND") of
 * PID 1 NAME=VALUE		set (SetEnv=, a PATH with toolchains, proxies): wins over all else
 *	NAME  or  PREFIX*	passed on from the caller's environment (PassEnv=)
 *
 * NAME is [A-Za-z_][A-Za-z0-9_]*, so that no variable begins with '@'.  What else begins with '@'
 * is left alone by a reader that does not know it.
 */
#ifndef CLSECURE_ENVIRONMENT_H
#define CLSECURE_ENVIRONMENT_H

#define INSIDE_DIR "/run/clsecure"
#define INSIDE_FILE INSIDE_DIR "/inside"
#define INSIDE_MAX (64 * 1024)

/*
 * In the caller's environment (set by clsecured through PAM, trusted for comfort only): start in
 * the project's directory even though this is no interactive shell.
 */
#define START_VARIABLE "CLSECURE_START"
#define START_PROJECT "project"

/*
 * The first argument of clsecure-shell when the others are a program and its arguments (clsecure
 * exec): no shell reads them.
 */
#define WORDS_OPTION "--clsecure-words"

/* PROJECT:N of this session, put into the PAM environment by the module. */
#define SESSION_VARIABLE "CLSECURE_SESSION"

#endif
