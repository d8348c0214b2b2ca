#include "config.h"
#include "launcher/clsecured/peers.h"

bool peers_room(const struct peers *p, uid_t uid)
{
	size_t same = 0;

	for (size_t i = 0; i < p->n; i++)
		same += p->peer[i].pid != 0 && p->peer[i].uid == uid;
	return same < PEER_MAX && (uid == 0 || p->others < PEERS_MAX);
}

void peers_add(struct peers *p, uid_t uid, pid_t pid)
{
	size_t i = 0;

	while (i < p->n && p->peer[i].pid != 0)
		i++;
	if (i == PEERS_ROOM)
		return; /* peers_room() was not asked */
	if (i == p->n)
		p->n++;
	p->peer[i] = (struct peer){pid, uid};
	p->others += uid != 0;
}

void peers_remove(struct peers *p, pid_t pid)
{
	for (size_t i = 0; i < p->n; i++)
		if (pid != 0 && p->peer[i].pid == pid) {
			p->others -= p->peer[i].uid != 0;
			p->peer[i].pid = 0;
		}
	while (p->n > 0 && p->peer[p->n - 1].pid == 0)
		p->n--;
}
