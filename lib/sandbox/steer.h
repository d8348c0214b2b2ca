/* The BPF program that steers connections inside a filtered sandbox (filtered.h). */
#ifndef CLSECURE_STEER_H
#define CLSECURE_STEER_H

#include <stddef.h>
#include <stdint.h>

/*
 * Attaches it to a network namespace, with the listener of each family; listener6 may be -1.
 * ret_link: its attachment; ret_ports: its table of host ports, empty.
 */
int steer_attach(int netns, int listener, int listener6, int *ret_link, int *ret_ports);

/* The table has these, and no others. */
int steer_ports(int table, const uint16_t *ports, size_t n);

#define STEER_PORTS_MAX 1024

#endif
