# The completions, in real shells on a terminal, and the man pages: both know what --help knows.
load lib

setup_file() {
	make_person comann
	make_project comann comapp
	as_person comann clsecure add /home/comann/comapp
}

teardown_file() {
	as_person comann clsecure remove --yes comapp
}

ann() { as_person comann "$@"; }

# tab SHELL TEXT: types TEXT and a tab at SHELL; prints the words that are on the line then.
tab() {
	cat >"$BATS_TEST_TMPDIR/tab" <<-'END'
		set timeout 20
		set begin(bash) {source /usr/share/bash-completion/bash_completion; bind 'set bell-style none'}
		set begin(zsh) {autoload -Uz compinit && compinit -u -D; unsetopt beep; bindkey -e}
		set shell [lindex $argv 0]
		set options(bash) {--norc --noprofile -i}
		set options(zsh) {-f -i}
		spawn -noecho env PS1=ready: TERM=dumb $shell {*}$options($shell)
		expect ready:
		send "$begin($shell)\r"
		expect "\nready:"
		sleep .2
		send "[lindex $argv 1]\t"
		sleep .7
		send "\001printf '<%s>' >/tmp/comann-words \r"
		expect "\nready:"
		send "exit\r"
		expect eof
	END
	rm -f /tmp/comann-words
	ann expect - "$@" <"$BATS_TEST_TMPDIR/tab" >"$BATS_TEST_TMPDIR/screen" || fail "$(<"$BATS_TEST_TMPDIR/screen")"
	cat /tmp/comann-words
}

# The commands and the options of one, as the help has them.
commands() {
	clsecure --help | sed -n '/^Commands:/,/^$/s/^  \([a-z, -]*[a-z]\)  .*/\1/p' | tr -d ,
}
options() {
	clsecure "$@" --help | grep -oE '^  (-., |    )--[a-z-]+' | grep -oE -- '--[a-z-]+'
}

@test "bash and zsh complete commands, options, projects and settings" {
	for shell in bash zsh; do
		for line in 'unset:<unsetup>' 'shell comap:<shell><comapp>' 'list --js:<list><--json>' 'set com:<set><comapp>' \
			'set comapp MaxS:<set><comapp><MaxSessions=>' 'exec --allow:<exec><--allow-network>' 'help sess:<help><sessions>'; do
			run tab $shell "clsecure ${line%%:*}"
			assert_output "<clsecure>${line#*:}" || fail "$shell: ${line%%:*}"
		done
	done
}

@test "a setting is completed without a blank behind it, the rest with one" {
	for shell in bash zsh; do
		run tab $shell $'clsecure set comapp MaxS\t3'
		assert_output '<clsecure><set><comapp><MaxSessions=3>' || fail $shell
		run tab $shell $'clsecure shell comap\tx'
		assert_output '<clsecure><shell><comapp><x>' || fail $shell
	done
}

@test "what a setting or an option can be is completed, where there is a list of it" {
	for shell in bash zsh; do
		for line in 'set comapp Network=fu:<set><comapp><Network=full>' 'set comapp Linger=1 Home=eph:<set><comapp><Linger=1><Home=ephemeral>' \
			'set comapp AllowPtrace=n:<set><comapp><AllowPtrace=no>' 'shell --set Network=n:<shell><--set><Network=none>' \
			'shell --set=Too:<shell><--set=Toolchains=>' 'exec --mode nam:<exec><--mode><namespace>' \
			'exec --mode=nam:<exec><--mode=namespace>' 'exec --mode namespace comap:<exec><--mode><namespace><comapp>'; do
			run tab $shell "clsecure ${line%%:*}"
			assert_output "<clsecure>${line#*:}" || fail "$shell: ${line%%:*}"
		done
	done
	run ann clsecure __complete -- set comapp Network=
	assert_output $'Network=none\nNetwork=filtered\nNetwork=full'
	run ann clsecure __complete -- set comapp Workspace=
	assert_output Workspace=bind # what is not in this version is not offered
	run ann clsecure __complete -- set comapp MaxSessions=
	assert_output ''
}

@test "what follows a project is a command of the sandbox: the shell completes it as its own" {
	ann mkdir -p comdir
	for shell in bash zsh; do
		for line in 'exec comapp sha512s:<exec><comapp><sha512sum>' 'exec -- sha512s:<exec><--><sha512sum>' \
			'shell comapp -- sha512s:<shell><comapp><--><sha512sum>' 'exec comapp ls comdi:<exec><comapp><ls><comdir/?>' \
			'exec comapp ls --allow:<exec><comapp><ls><--allow>' 'exec comapp ./comdi:<exec><comapp><./comdir/?>'; do
			run tab $shell "clsecure ${line%%:*}"
			assert_match "^<clsecure>${line#*:}\$" || fail "$shell: ${line%%:*}"
		done
	done
	run ann clsecure __complete -- comapp -- --pr
	assert_output ''
}

@test "a path is completed where one can stand" {
	ann mkdir -p comdir
	for shell in bash zsh; do
		run tab $shell 'clsecure add comdi'
		assert_match '^<clsecure><add><comdir/?>$' || fail $shell
	done
}

@test "every command and option of the help is offered" {
	run ann clsecure __complete -- ''
	for word in $(commands); do
		[[ $'\n'$output$'\n' == *$'\n'$word$'\n'* ]] || fail "not offered: $word"
	done
	for command in '' $(commands); do
		run ann clsecure __complete -- $command --
		[ -n "$(options $command)" ]
		assert_equal "$(sort -u <<<"$output")" "$(options $command | sort -u)"
	done
}

@test "every setting of clsecure.conf(5) that a person may set is offered, and nothing that is not in this version" {
	run ann clsecure __complete -- set comapp ''
	assert_equal "$(sort <<<"$output")" "$(MANWIDTH=200 man -P cat clsecure.conf | col -bx | sed '/^NOT IN THIS VERSION/,/^THE/d' | grep -oE "^ {4,8}[A-Z][A-Za-z]+=( |\$)" |
		tr -d ' ' | grep -vxE '(Path|Owner|AllowAdd|MaxProjects)=' | sort)"
}

@test "clsecure(1) has every command, alias and option" {
	local page
	page=$(MANWIDTH=200 man -P cat clsecure | col -bx)
	for word in $(commands); do
		grep -qE "^ +(clsecure )?.*\b$word\b" <<<"$page" || fail "not in clsecure(1): $word"
		for option in $(options "$word"); do
			grep -qE -- "(^|[^-a-z])$option([^-a-z]|$)" <<<"$page" || fail "not in clsecure(1): $option of $word"
		done
	done
}

@test "the man pages are without a warning" {
	for page in /usr/src/clsecure/docs/man/*; do
		run bash -c 'man --warnings -E UTF-8 -l -Tutf8 -Z "$1" 2>&1 >/dev/null' - "$page"
		assert_status 0
		assert_output '' || fail "$page"
		run mandoc -T lint -W warning "$page"
		assert_status 0 || fail "$page"
	done
}
