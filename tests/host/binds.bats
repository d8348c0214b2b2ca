# Bind= and BindReadOnly=: what may be shown a second time, and where.
load lib

setup_file() {
	make_person bea
	make_person ben
	make_project bea app >/dev/null
	as_person bea mkdir -p data app/sub app/.vscode
	as_person bea sh -c 'echo {} >app/.vscode/settings.json'
	as_person ben sh -c 'mkdir -m 700 closed; mkdir open; echo secret >secret; chmod 600 secret'
	chmod 755 /home/ben
	as_person bea clsecure add /home/bea/app --name bindapp >/dev/null
}

teardown() {
	as_person bea clsecure set bindapp Bind= BindReadOnly=
	rm -f /home/bea/.config/clsecure/config
}

# refused TEXT SETTING: by `set`, with the reason, and nothing is changed.
refused() {
	run as_person bea clsecure set bindapp "$2"
	[ "$status" -eq 2 ] || [ "$status" -eq 1 ] || fail "$2: status $status"
	assert_has "$1"
	run as_person bea clsecure info bindapp
	refute_has "$2"
}

@test "files of the project are shown once, protected" {
	local from
	for from in /home/bea/app /home/bea/app/sub /home/bea/app/.vscode /home/bea; do
		refused 'a second time' "Bind=$from:/srv/again"
	done
	refused 'in front of the project' Bind=/home/bea/data:/home/bea/app
	refused 'in front of the project' BindReadOnly=/home/bea/data:/home/bea
	# a neighbour whose name begins like it is no part of it
	as_person bea mkdir -p application
	as_person bea clsecure set bindapp Bind=/home/bea/application
	as_person bea clsecure exec bindapp sh -c 'touch /home/bea/application/x'
}

@test "read-only, the project's files may be shown elsewhere" {
	as_person bea clsecure set bindapp BindReadOnly=/home/bea/app:/srv/again
	run as_person bea clsecure exec bindapp sh -c 'cat /srv/again/.vscode/settings.json; echo x >>/srv/again/.vscode/settings.json'
	assert_has '{}'
	assert_has 'Read-only file system'
}

@test "the same by the person's own file, at the next session" {
	as_person bea sh -c 'mkdir -p ~/.config/clsecure; printf "[Files]\nBind=/home/bea/app:/srv/again\n" >~/.config/clsecure/config'
	run as_person bea clsecure exec bindapp true
	[ "$status" -eq 125 ]
	assert_has 'a second time'
}

@test "what the owner cannot open is refused when it is said" {
	refused 'Permission denied' Bind=/home/ben/closed
	refused 'belongs to somebody else' Bind=/home/ben/open
	refused 'Permission denied' BindReadOnly=/home/ben/secret
	refused 'Permission denied' BindReadOnly=/root
	refused 'No such file' Bind=/home/bea/not-there
	as_person bea ln -s /home/ben/open link
	refused 'link' Bind=/home/bea/link
	run as_person bea clsecure add /home/bea/data --name binddata Bind=/home/ben/closed
	[ "$status" -ne 0 ]
	assert_has 'Permission denied'
	run getent passwd claude-worker-binddata
	[ "$status" -ne 0 ]
}

@test "below the project: the place must be there, and a link in its place is not followed" {
	as_person bea sh -c 'echo data >data/file'
	as_person bea clsecure set bindapp Bind=/home/bea/data:/home/bea/app/sub
	run as_person bea clsecure exec bindapp cat app/sub/file /home/bea/app/sub/file
	assert_has data
	as_person bea sh -c 'cd app && mv sub sub.old && ln -s /etc sub'
	run as_person bea clsecure exec bindapp true
	[ "$status" -eq 125 ]
	assert_has /home/bea/app/sub
	as_person bea sh -c 'cd app && rm sub && mv sub.old sub'
}
