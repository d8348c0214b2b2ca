/*
 * Written by hand, as a table of instructions: a compiler for BPF and a loader would be two
 * more things to have on a host, for these forty.
 *
 *	if (protocol != TCP) pass
 *	if (family == AF_INET) {
 *		if (address is in the pool)
 *			if (it is the proxy's address and port) pass; else steer to listener 0
 *		else if (address != 127.0.0.1) pass
 *		key = 0
 *	} else {
 *		if (address != ::1) pass
 *		key = 1
 *	}
 *	if (the port is no host port) pass
 *	steer to listener `key`; if it cannot be: drop
 */
#include "config.h"
#include "lib/sandbox/steer.h"
#include "lib/egress/control.h"
#include "lib/base/macros.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <sys/syscall.h>

#define PROXY_ADDRESS (EGRESS_POOL_NET + 1)
#define POOL_MASK (~0U << (32 - EGRESS_POOL_PREFIX))

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), \
		.imm = (int32_t)(i)})
#define MOV_REG(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define MOV_IMM(d, i) INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define ADD_IMM(d, i) INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define AND32(d, i) INSN(BPF_ALU | BPF_AND | BPF_K, d, 0, 0, i)
#define FIELD(d, f) \
	INSN(BPF_LDX | BPF_MEM | BPF_W, d, BPF_REG_6, offsetof(struct bpf_sk_lookup, f), 0)
#define STORE(s, o) INSN(BPF_STX | BPF_MEM | BPF_W, BPF_REG_10, s, o, 0)
#define IF_EQ(d, i, to) INSN(BPF_JMP32 | BPF_JEQ | BPF_K, d, 0, to, i)
#define IF_NE(d, i, to) INSN(BPF_JMP32 | BPF_JNE | BPF_K, d, 0, to, i)
#define IF_NULL(d, to) INSN(BPF_JMP | BPF_JEQ | BPF_K, d, 0, to, 0)
#define GO(to) INSN(BPF_JMP | BPF_JA, 0, 0, to, 0)
#define CALL(f) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define MAP(d, fd) INSN(BPF_LD | BPF_DW | BPF_IMM, d, BPF_PSEUDO_MAP_FD, 0, fd), INSN(0, 0, 0, 0, 0)
/* R0: what the map has under the number in a register, or NULL */
#define LOOK_UP(map, key) \
	STORE(key, -4), MOV_REG(BPF_REG_2, BPF_REG_10), ADD_IMM(BPF_REG_2, -4), \
		MAP(BPF_REG_1, map), CALL(BPF_FUNC_map_lookup_elem)
/* On, if a field has this value; R2 has it then. */
#define UNLESS(f, value, to) FIELD(BPF_REG_2, f), IF_NE(BPF_REG_2, value, to)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* Where jumps lead: resolve() makes distances of them.  A place is a jump to the next instruction. */
enum { TO_V6 = 1000, TO_POOL, TO_PORT, TO_STEER, TO_PASS, TO_DROP, TO_END_ };
#define PLACE(to) INSN(BPF_JMP | BPF_JA, 0, 0, 0, to)

static int bpf(int command, union bpf_attr *attr)
{
	int r = (int)syscall(SYS_bpf, command, attr, sizeof(*attr));

	return r < 0 ? -errno : r;
}

static int map_make(uint32_t type, uint32_t entries, uint32_t flags)
{
	union bpf_attr a = {.map_type = type,
		.key_size = sizeof(uint32_t),
		.value_size = sizeof(uint32_t),
		.max_entries = entries,
		.map_flags = flags};

	return bpf(BPF_MAP_CREATE, &a);
}

static int map_set(int map, uint32_t key, uint32_t value)
{
	union bpf_attr a = {.map_fd = (uint32_t)map,
		.key = (uint64_t)(uintptr_t)&key,
		.value = (uint64_t)(uintptr_t)&value};

	return bpf(BPF_MAP_UPDATE_ELEM, &a);
}

static void resolve(struct bpf_insn *code, size_t n)
{
	size_t places[TO_END_ - TO_V6] = {0};

	for (size_t i = 0; i < n; i++)
		if (code[i].code == (BPF_JMP | BPF_JA) && code[i].imm != 0) {
			places[code[i].imm - TO_V6] = i;
			code[i].imm = 0;
		}
	for (size_t i = 0; i < n; i++)
		if (code[i].off >= TO_V6)
			code[i].off = (int16_t)(places[code[i].off - TO_V6] - i - 1);
}

static int program_load(int listeners, int ports)
{
	struct bpf_insn code[] = {
		MOV_REG(BPF_REG_6, BPF_REG_1),
		UNLESS(protocol, IPPROTO_TCP, TO_PASS),
		MOV_IMM(BPF_REG_7, 0),
		FIELD(BPF_REG_3, local_port),
		FIELD(BPF_REG_2, family),
		IF_EQ(BPF_REG_2, AF_INET6, TO_V6),
		FIELD(BPF_REG_2, local_ip4),
		MOV_REG(BPF_REG_4, BPF_REG_2),
		AND32(BPF_REG_4, htonl(POOL_MASK)),
		IF_EQ(BPF_REG_4, htonl(EGRESS_POOL_NET), TO_POOL),
		IF_EQ(BPF_REG_2, htonl(INADDR_LOOPBACK), TO_PORT),
		GO(TO_PASS),
		PLACE(TO_POOL),
		IF_NE(BPF_REG_2, htonl(PROXY_ADDRESS), TO_STEER),
		IF_EQ(BPF_REG_3, EGRESS_PROXY_PORT, TO_PASS),
		GO(TO_STEER),
		PLACE(TO_V6),
		MOV_IMM(BPF_REG_7, 1),
		UNLESS(local_ip6[0], 0, TO_PASS),
		UNLESS(local_ip6[1], 0, TO_PASS),
		UNLESS(local_ip6[2], 0, TO_PASS),
		UNLESS(local_ip6[3], htonl(1), TO_PASS),
		PLACE(TO_PORT),
		LOOK_UP(ports, BPF_REG_3),
		IF_NULL(BPF_REG_0, TO_PASS),
		PLACE(TO_STEER),
		LOOK_UP(listeners, BPF_REG_7),
		IF_NULL(BPF_REG_0, TO_DROP),
		MOV_REG(BPF_REG_8, BPF_REG_0),
		MOV_REG(BPF_REG_1, BPF_REG_6),
		MOV_REG(BPF_REG_2, BPF_REG_0),
		MOV_IMM(BPF_REG_3, 0),
		CALL(BPF_FUNC_sk_assign),
		MOV_REG(BPF_REG_7, BPF_REG_0),
		MOV_REG(BPF_REG_1, BPF_REG_8),
		CALL(BPF_FUNC_sk_release),
		IF_NE(BPF_REG_7, 0, TO_DROP),
		PLACE(TO_PASS),
		MOV_IMM(BPF_REG_0, SK_PASS),
		EXIT,
		PLACE(TO_DROP),
		MOV_IMM(BPF_REG_0, SK_DROP),
		EXIT,
	};
	union bpf_attr a = {.prog_type = BPF_PROG_TYPE_SK_LOOKUP,
		.expected_attach_type = BPF_SK_LOOKUP,
		.insns = (uint64_t)(uintptr_t)code,
		.insn_cnt = ELEMENTSOF(code),
		.license = (uint64_t)(uintptr_t) "Dual MIT/GPL"};

	resolve(code, ELEMENTSOF(code));
	return bpf(BPF_PROG_LOAD, &a);
}

int steer_attach(int netns, int listener, int listener6, int *ret_link, int *ret_ports)
{
	_cleanup_close_ int listeners = map_make(BPF_MAP_TYPE_SOCKMAP, 2, 0);
	_cleanup_close_ int ports = map_make(BPF_MAP_TYPE_HASH, STEER_PORTS_MAX, BPF_F_NO_PREALLOC);
	_cleanup_close_ int program = -1;
	union bpf_attr a = {0};
	int err;

	if (listeners < 0 || ports < 0)
		return listeners < 0 ? listeners : ports;
	err = map_set(listeners, 0, (uint32_t)listener);
	if (err == 0 && listener6 >= 0)
		err = map_set(listeners, 1, (uint32_t)listener6);
	if (err < 0)
		return err;
	program = program_load(listeners, ports);
	if (program < 0)
		return program;
	a.link_create.prog_fd = (uint32_t)program;
	a.link_create.target_fd = (uint32_t)netns;
	a.link_create.attach_type = BPF_SK_LOOKUP;
	err = bpf(BPF_LINK_CREATE, &a);
	if (err < 0)
		return err;
	*ret_link = err;
	*ret_ports = TAKE_FD(ports);
	return 0;
}

static int map_remove(int map, uint32_t key)
{
	union bpf_attr a = {.map_fd = (uint32_t)map, .key = (uint64_t)(uintptr_t)&key};

	return bpf(BPF_MAP_DELETE_ELEM, &a);
}

/* -ENOENT: it has nothing, or nothing more. */
static int map_first(int map, uint32_t *ret_key)
{
	union bpf_attr a = {.map_fd = (uint32_t)map, .next_key = (uint64_t)(uintptr_t)ret_key};

	return bpf(BPF_MAP_GET_NEXT_KEY, &a);
}

int steer_ports(int table, const uint16_t *ports, size_t n)
{
	uint32_t key = 0;
	int err;

	while ((err = map_first(table, &key)) == 0) {
		err = map_remove(table, key);
		if (err < 0)
			return err;
	}
	if (err != -ENOENT)
		return err;
	for (size_t i = 0; i < n; i++) {
		err = map_set(table, ports[i], 1);
		if (err < 0)
			return err;
	}
	return 0;
}
