# The command line of clsecure: projects, words, options, exit status.
load lib

setup_file() {
	make_person cliann
	make_person clibob
	make_project cliann app
	make_project cliann 'My Long Project Name'
	make_project clibob app
}

teardown_file() {
	local p
	for p in $(clsecure list --json | python3 -c '
import json, sys
print(*(p["project"] for p in json.load(sys.stdin)["projects"] if p.get("owner") in ("cliann", "clibob")))'); do
		clsecure remove --yes "$p"
	done
}

ann() { as_person cliann "$@"; }
bob() { as_person clibob "$@"; }
in_app() { as_person cliann env -C /home/cliann/app "$@"; }

@test "help: clsecure and every command, from one table" {
	run ann clsecure --help
	assert_status 0
	for c in $(ann clsecure --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\).*/\1/p'); do
		run ann clsecure "$c" --help
		assert_status 0
		assert_has "Usage: clsecure $c"
		assert_has Examples
		run ann clsecure help "$c"
		assert_status 0
		ann man -l /dev/null 2>/dev/null || :
	done
}

@test "wrong usage is 2, never success" {
	for words in --frob "list --frob" -Z "frob frob" "set app" "kill" "help frob" "shell --mode" "--list --cleanup" \
		"list one-too-many"; do
		run ann clsecure $words
		assert_status 2
		assert_match '^clsecure: '
	done
}

@test "--json is taken where there is something to print as JSON, and refused elsewhere" {
	for words in 'set app A=1' 'remove app' 'kill app' 'exec -- true' ssh-config help '-- x'; do
		# shellcheck disable=SC2086
		run ann clsecure --json $words
		assert_status 2
		assert_has 'has nothing to print as JSON'
	done
	run ann clsecure set --help
	refute_has --json
	run ann clsecure list --help
	assert_has --json
}

@test "a mistyped command or option: the one that is likely meant, and hints that lead somewhere" {
	run ann clsecure lsit
	assert_status 125
	assert_has "no project 'lsit'"
	assert_has "Did you mean 'clsecure list'?"
	run ann clsecure sets app A=1
	assert_status 2
	assert_has "there is no command 'sets'; did you mean 'set'?"
	run ann clsecure list --jsno
	assert_status 2
	assert_has "unknown option '--jsno'; did you mean '--json'?"
	run ann clsecure list --zzz
	assert_status 2
	refute_has 'did you mean'
	run ann clsecure help shel
	assert_status 2
	assert_has "there is no command 'shel'; did you mean 'shell'?"
	assert_has "'clsecure --help' shows what there is."
	run ann clsecure nosuchthing
	assert_status 125
	refute_has 'id you mean'
}

@test "--version" {
	run ann clsecure --version
	assert_status 0
	assert_match '^clsecure [0-9]+\.'
}

@test "the older flags work or say what replaces them" {
	for flag in "--list" "-l"; do
		run ann clsecure $flag
		assert_status 0
	done
	for flag in --allow-docker --install-deps "--session x" "-s x" "--provider kimi"; do
		run ann clsecure $flag
		assert_status 2
		assert_equal "${#lines[@]}" 1
	done
	run in_app clsecure -v --no-docker --skip-setup --full-clone --list
	assert_status 0
	run ann clsecure --mode container --info app
	[ "$status" -ne 0 ]
}

@test "add: name and user; the same path is one project" {
	run in_app clsecure add
	assert_status 0
	assert_output "app claude-worker-app"
	run ann clsecure add app/
	[ "$status" -eq 1 ]
	assert_has "is project 'app' already"
	getent passwd claude-worker-app
	run bob clsecure add app
	assert_status 0
	assert_match '^app-[0-9a-f]{4} claude-worker-app-[0-9a-f]{4}$'
	hash=$(printf /home/clibob/app | sha256sum | cut -c1-4)
	assert_has "app-$hash"
}

@test "add: long names are hashed, and --name gives another" {
	run ann clsecure add 'My Long Project Name'
	assert_status 0
	hash=$(printf '/home/cliann/My Long Project Name' | sha256sum | cut -c1-4)
	assert_has "my-long-proj-$hash "
	ann mkdir -p named
	run ann clsecure add named --name Bad_Name
	assert_status 2
	run ann clsecure add named --name shell
	assert_status 2
	run ann clsecure add named --name app
	assert_status 1
	run ann clsecure add named --name better
	assert_status 0
	assert_output "better claude-worker-better"
}

@test "add: refused places, with the reason" {
	ann mkdir -p .config/x .ssh
	for place in / /home /home/cliann /etc /usr/share /var/tmp /root /home/cliann/.ssh /home/cliann/.config/x \
		/home/clibob /var/lib/clsecure /proc /home/cliann/none; do
		run ann clsecure add "$place"
		assert_status 1
		assert_match '^clsecure: '
	done
	ann ln -sfn /etc link
	run ann clsecure add link
	assert_status 1
	# at once, though they are root's: nobody is asked about what is refused anyway
	for place in /etc /usr/share /; do
		run timeout 10 expect -c "spawn setpriv --reuid cliann --regid cliann --init-groups clsecure add $place
			expect eof; exit [lindex [wait] 3]"
		assert_status 1
		refute_has 'all the same'
	done
}

@test "add: not the caller's, inside or around another's" {
	mkdir -p /home/clitree/inner /home/clitree/open
	chown clibob: /home/clitree/inner
	chown cliann: /home/clitree /home/clitree/open
	run bob clsecure add /home/clitree/open
	assert_status 1
	assert_has "does not belong to you"
	run ann clsecure add /home/clitree
	assert_status 0
	run bob clsecure add /home/clitree/inner
	assert_status 1
	assert_has "inside a project of another person"
	ann clsecure rm --yes clitree
	bob clsecure add /home/clitree/inner
	run ann clsecure add /home/clitree
	assert_status 1
	assert_has "project of another person in it"
	bob clsecure rm --yes inner
}

@test "add: a directory of root's needs a yes, and nothing is taken as one" {
	mkdir -p /home/cliroot
	run clsecure add /home/cliroot </dev/null
	assert_status 1
	assert_has "clsecure: there is no terminal to ask on: '/home/cliroot' belongs to root. Add it all the same?"
	assert_has '--yes answers yes.'
	run clsecure add --yes /home/cliroot
	assert_status 0
	clsecure rm --yes cliroot
	[ -d /home/cliroot ]
}

@test "add: a project in another of one's own is one, and that is said" {
	ann mkdir -p nest/in/ner
	run ann clsecure add nest/in
	assert_output 'in claude-worker-in'
	run ann clsecure add nest/in/ner
	assert_status 0
	assert_equal "$output" "clsecure: '/home/cliann/nest/in/ner' is inside project 'in', whose sandbox shows it too
ner claude-worker-ner"
	run ann clsecure add nest
	assert_status 0
	assert_match "'/home/cliann/nest' has project '(in|ner)' in it, and its sandbox will show that too"
	run ann env -C nest/in/ner clsecure exec -- sh -c 'echo $CLSECURE_PROJECT'
	assert_output ner
	ann clsecure rm --yes ner in nest
}

@test "add: of a name without a letter that a user's name can have, project is left" {
	ann mkdir -p 日本
	run ann clsecure add 日本
	assert_output 'project claude-worker-project'
	ann clsecure rm --yes project
}

@test "add: a path that no line can hold is refused, and shown so that it can be found" {
	local path command
	ann mkdir -p 'odd/a
b' $'odd/x\033[31mred' $'odd/y\377'
	while IFS='|' read -r path shown; do
		for command in add shell; do
			run ann clsecure $command "odd/$(printf "$path")/" </dev/null
			[ "$status" -ne 0 ] || fail "$command took $path"
			assert_output "clsecure: a path with a control character, or not in UTF-8, cannot be a project: '/home/cliann/odd/$shown'"
		done
	done <<-'EOF'
		a\nb|a\nb
		x\033[31mred|x\x1b[31mred
		y\377|y\xff
	EOF
	ann rm -r odd
}

@test "add: root adds for the owner of the directory" {
	ann mkdir -p byroot
	run clsecure add /home/cliann/byroot
	assert_status 0
	run ann clsecure info byroot
	assert_status 0
	assert_has "of cliann"
	ann clsecure rm --yes byroot
}

@test "add: a wrong setting changes nothing" {
	ann mkdir -p wrong
	run ann clsecure add wrong Network=sometimes
	assert_status 2
	run ann clsecure add wrong Workspace=clone
	assert_status 2
	assert_has "not in this version"
	run ann clsecure add wrong AllowNesting=yes
	[ "$status" -ne 0 ]
	run getent passwd claude-worker-wrong
	assert_status 2
	run ls -d /var/lib/clsecure/projects/wrong
	[ "$status" -ne 0 ]
}

@test "MaxProjects and AllowAdd are the administrator's" {
	mkdir -p /etc/clsecure
	printf '[Admin]\nMaxProjects=1\n' >/etc/clsecure/clsecure.conf
	ann mkdir -p many
	run ann clsecure add many
	printf '[Admin]\nAllowAdd=no\n' >/etc/clsecure/clsecure.conf
	assert_status 1
	assert_has MaxProjects
	run ann clsecure add many
	rm /etc/clsecure/clsecure.conf
	assert_status 1
	assert_has AllowAdd
}

@test "list, info, sessions: tables and JSON; people see what they may enter" {
	run ann clsecure list
	assert_status 0
	assert_has claude-worker-app
	refute_has clibob
	run bash -c "$(declare -f as_person ann); ann clsecure list --json | python3 -c '
import json, sys
d = json.load(sys.stdin)
assert d[\"version\"] == 1
p = [p for p in d[\"projects\"] if p[\"project\"] == \"app\"][0]
assert p[\"path\"] == \"/home/cliann/app\" and p[\"sessions\"] == 0, p'"
	assert_status 0
	run bob clsecure info app
	assert_status 1
	assert_has "not yours"
	run in_app clsecure info
	assert_status 0
	assert_has "[Network] Network"
	assert_match '\[Session\] Linger +default +0'
	# what is not in this version is no setting that a session has
	assert_equal "$(sed -n 's/^\[[A-Za-z]*\] \([A-Za-z]*\) .*/\1=/p' <<<"$output" | sort)" "$(clsecure __complete set app '' | sort)"
	refute_has MemoryMax
	run ann clsecure info app --json
	assert_status 0
	assert_has '"version":1'
	refute_has MemoryMax
	run ann clsecure --info
	[ "$status" -ne 0 ]
	run ann clsecure sessions
	assert_status 0
	run clsecure list
	assert_match 'PROJECT +USER +OWNER '
	assert_match 'claude-worker-app +cliann .*/home/cliann/app'
	assert_match 'claude-worker-[a-z0-9-]+ +clibob .*/home/clibob/app'
	run clsecure list --json
	assert_match '"owner":"clibob"'
}

@test "a hint to add stands only where add would not refuse" {
	ann mkdir -p notyet .ssh
	run ann clsecure info notyet/
	assert_status 1
	assert_has "clsecure add '/home/cliann/notyet' makes one"
	for place in / /home/cliann /tmp /etc /home/clibob /home/cliann/.ssh; do
		run ann clsecure info "$place/"
		assert_status 1
		assert_has "is in no project"
		assert_has "It cannot become one: '"
		refute_has "clsecure add"
	done
	printf '[Admin]\nAllowAdd=no\n' >/etc/clsecure/clsecure.conf
	run ann clsecure info notyet/
	rm /etc/clsecure/clsecure.conf
	assert_has "It cannot become one: the administrator"
	run ann clsecure info ./nothing/there
	assert_status 1
	refute_has doctor
}

@test "inside a sandbox clsecure says that it is there" {
	for words in list "info app" doctor setup "add ."; do
		run ann clsecure exec app clsecure $words
		assert_status 1
		assert_output "clsecure: this is inside the sandbox of a project: clsecure works outside, on the host"
	done
	run ann clsecure exec app clsecure shell
	assert_status 125
	run ann clsecure exec app clsecure help list
	assert_status 0
}

@test "an option behind PROJECT is told, not run" {
	run ann clsecure exec app --allow-network true
	assert_status 2
	assert_has "option '--allow-network' has to stand before 'app'"
	run ann clsecure exec --no-network app echo --json -v
	assert_status 0
	assert_output '--json -v'
	status=0
	ann clsecure exec app -- --allow-network 2>/dev/null || status=$?
	assert_status 127
}

@test "set: values, lists, reset, and who may" {
	ann clsecure set app MaxSessions=3 SetEnv=A=1
	run ann clsecure info app
	assert_match 'MaxSessions .* 3'
	ann clsecure set app AllowUsers+=clibob
	run bob clsecure info app
	assert_status 0
	run bob clsecure set app MaxSessions=9
	assert_status 1
	assert_has "belongs to"
	run bob clsecure rm --yes app
	assert_status 1
	ann clsecure set app AllowUsers-=clibob MaxSessions= SetEnv=
	run bob clsecure info app
	assert_status 1
	run ann clsecure set app MaxSession=3
	[ "$status" -ne 0 ]
	assert_has MaxSessions
	run ann clsecure set app Owner=clibob
	[ "$status" -ne 0 ]
	run ann clsecure set app Path=/etc
	[ "$status" -ne 0 ]
}

@test "remove asks, and never takes the project's files" {
	ann mkdir -p gone
	ann touch gone/file
	ann clsecure add gone
	run ann clsecure remove gone </dev/null
	assert_status 1
	assert_has "--yes"
	run on_pty setpriv --reuid cliann --regid cliann --init-groups clsecure remove gone
	assert_status 1
	run ann clsecure rm -y gone
	assert_status 0
	[ -f /home/cliann/gone/file ]
	run getent passwd claude-worker-gone
	assert_status 2
	[ ! -e /var/lib/clsecure/projects/gone ]
	run ann clsecure rm -y gone
	assert_status 1
}

@test "the same path gets its name and uid again, with an emptied home" {
	ann mkdir -p again
	ann clsecure add again
	uid=$(id -u claude-worker-again)
	touch /var/lib/clsecure/projects/again/home/left
	ann clsecure rm -y again
	ann clsecure add again
	assert_equal "$(id -u claude-worker-again)" "$uid"
	[ ! -e /var/lib/clsecure/projects/again/home/left ]
	ann clsecure rm -y again
}

@test "cleanup chooses; cleanup-all wants DELETE ALL" {
	run ann clsecure cleanup </dev/null
	assert_status 1
	assert_has "no terminal"
	run ann clsecure cleanup-all </dev/null
	assert_status 1
	for typed in yes 'delete all' ''; do
		run bash -c "(sleep 1; echo '$typed') | script -qec 'setpriv --reuid clibob --regid clibob --init-groups clsecure cleanup-all' /dev/null"
		[ "$status" -ne 0 ]
	done
	run bob clsecure list
	assert_has claude-worker-app-
	run bash -c "(sleep 1; echo 'DELETE ALL') | script -qec 'setpriv --reuid clibob --regid clibob --init-groups clsecure cleanup-all' /dev/null"
	assert_status 0
	run bob clsecure list
	assert_has "no projects"
	run ann clsecure list
	assert_has claude-worker-app
}

@test "an add or remove that was killed is undone or finished by the next" {
	ann mkdir -p killed
	for step in 1 2 3 5 8 13; do
		timeout -s KILL "0.0$step" clsecure add /home/cliann/killed || :
		clsecure add /home/cliann/killed || clsecure list | grep -q /home/cliann/killed
		timeout -s KILL "0.0$step" clsecure rm -y killed || :
		sleep .3
		clsecure add /home/cliann/killed || clsecure list | grep -q /home/cliann/killed
		clsecure rm -y killed
	done
	run find /var/lib/clsecure/projects -name '.pending-*'
	assert_output ""
	[ ! -e /var/lib/clsecure/projects/killed ]
	run getent passwd claude-worker-killed
	assert_status 2
}

@test "completion knows commands, options, settings and projects" {
	run ann clsecure __complete -- sh
	assert_output shell
	run ann clsecure __complete -- list --no-
	assert_output --no-pager
	run ann clsecure __complete -- set app MaxS
	assert_output MaxSessions=
	run ann clsecure __complete -- shell ap
	assert_output app
	run ann bash -c 'source /usr/share/bash-completion/completions/clsecure; COMP_WORDS=(clsecure unse); COMP_CWORD=1
		_clsecure; echo "${COMPREPLY[@]}"'
	assert_output unsetup
}
