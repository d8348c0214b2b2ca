#include "config.h"
#include "lib/sandbox/probe.h"
#include "lib/sandbox/idmap.h"
#include "lib/base/macros.h"
#include "lib/base/names.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define OPEN_MS 2000

static int open_path(void *arg, struct person_out *out, struct error *e)
{
	_cleanup_close_ int fd = -1;
	int err = person_open(arg, O_RDONLY, S_IFDIR, false, &fd, e);

	return err < 0 ? err : person_answer_fd(out, fd);
}

int idmap_probe(const char *path, const struct person *owner, struct error *e)
{
	_cleanup_(person_reply_done) struct person_reply r = {0};
	_cleanup_close_ int userns = -1, tree = -1;
	struct error why = {0};
	int err = as_person(owner, open_path, (void *)path, -1, OPEN_MS, &r, e);

	if (err < 0)
		return err;
	if (r.result < 0 || r.n_fds != 1)
		return error_set(e, r.result < 0 ? r.result : -EPROTO, "%s", r.error.text);
	err = idmap_userns(owner->uid, owner->gid, CLSECURE_UID_FIRST, &userns, e);
	if (err < 0)
		return err;
	err = idmap_tree(r.fds[0], userns, &tree, &why);
	return err < 0 ? error_set(e, err, "'%s' cannot be a project: %s", path, why.text) : 0;
}
