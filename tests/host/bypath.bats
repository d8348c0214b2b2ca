# A project is found by its directory through a folder of links, STATE/paths, which are hints: they
# may be missing, stale or wrong.
load lib

STATE=/var/lib/clsecure
PATHS=$STATE/paths

setup_file() {
	make_person pathy
	make_person other
	as_person pathy mkdir -p outer/inner/deep beside
	as_person pathy clsecure add outer --name outer
	as_person pathy clsecure add outer/inner --name inner
}

teardown_file() {
	as_person pathy clsecure remove --yes outer inner
}

key() {
	printf %s "$1" | sha256sum | cut -d' ' -f1
}

# found DIRECTORY NAME: the owner's session list of it is that project's.
found() {
	assert_equal "$(as_person pathy sh -c 'cd "$1" && clsecure info --json' - "$1" |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["info"]["project"])')" "$2"
}

not_found() {
	run as_person pathy clsecure sessions "$1/"
	assert_status 1
	assert_has "is in no project"
}

@test "the nearest one counts" {
	found /home/pathy/outer outer
	found /home/pathy/outer/inner inner
	found /home/pathy/outer/inner/deep inner
	not_found /home/pathy/beside
	not_found /home/pathy
	run ls -ld $PATHS
	assert_match '^drwx------ .* root root '
}

@test "a registry without the folder gets it from whoever looks first" {
	rm -r $PATHS
	mkdir $PATHS.new	# of one that was killed
	ln -s half $PATHS.new/.new
	found /home/pathy/outer/inner/deep inner
	[ ! -e $PATHS.new ]
	rm -r $PATHS
	run as_person pathy clsecure add outer --name again
	assert_status 1
	assert_has "is project 'outer' already"
	rm -r $PATHS
	as_person pathy clsecure add beside
	found /home/pathy/beside beside
	rm -r $PATHS
	as_person pathy clsecure remove --yes beside
	not_found /home/pathy/beside
	found /home/pathy/outer outer
}

@test "setup makes a link that is missing" {
	rm "$PATHS/$(key /home/pathy/outer/inner)"
	found /home/pathy/outer/inner outer
	clsecure setup --yes
	found /home/pathy/outer/inner inner
}

@test "a link that is wrong is not believed" {
	local at target
	at=$PATHS/$(key /home/pathy/beside)
	for target in inner:0:/home/pathy/beside nosuch:1:/home/pathy/beside nonsense '' ../../x:1:/ :1:/; do
		ln -sfn "${target:-:}" "$at"
		not_found /home/pathy/beside
		found /home/pathy/outer/inner inner
	done
	ln -sfn "nosuch:$(id -u other):/home/pathy" "$at"
	as_person pathy clsecure add beside
	found /home/pathy/beside beside
	as_person pathy clsecure remove --yes beside
	[ ! -L "$at" ]
	mkfifo "$at"
	not_found /home/pathy/beside
	rm "$at"
}

@test "remove drops its own, also of a project that cannot be read" {
	as_person pathy clsecure add beside --name gone
	echo nonsense >$STATE/projects/gone/project.conf
	clsecure remove --yes gone
	run find $PATHS -lname 'gone:*'
	assert_output ''
}

@test "a project inside or around another person's is refused, a long path's too" {
	local long=/home/pathy/long/$(printf "$(printf %0200d 0)/%.0s" 1 2 3 4 5 6)end
	install -d -o other /home/pathy/outer/others
	run as_person other clsecure add /home/pathy/outer/others
	assert_status 1
	rmdir /home/pathy/outer/others
	as_person pathy mkdir -p "$long"
	chmod 755 /home/pathy
	as_person pathy clsecure add "$long" --name long
	install -d -o other "$long/below"
	run as_person other clsecure add "$long/below"
	assert_status 1
	refute_has "belong to you"
	found "$long" long
	as_person pathy clsecure remove --yes long
	as_person other clsecure add "$long/below" --name below
	run as_person pathy clsecure add "$long"
	assert_status 1
	run as_person pathy clsecure add long
	assert_status 1
	assert_has "has a project of another person in it"
	as_person other clsecure remove --yes below
}
