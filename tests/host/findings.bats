# Findings: what appeared during a session and would be run by the owner's own programs is logged, kept, and told once.
load lib

W=claude-worker-finds
P=/home/finn/finds
KEPT=/var/lib/clsecure/projects/finds/log/findings

setup_file() {
	make_person finn
	make_person other
	make_project finn finds >/dev/null
	as_person finn clsecure add $P --name finds
}

setup() {
	journal_mark
}

teardown_file() {
	as_person finn clsecure remove --yes finds
}

gone() {
	[ -z "$(pgrep -u $W; pgrep -xf 'clsecure-keeper finds')" ]
}

# by_su COMMAND: a session in which no clsecure is there to print; waits for the sandbox's end.
by_su() {
	su - $W -c "cd $P && { $1; }" </dev/null
	eventually 5 gone
}

# kept_and_told WORDS: logged, kept; not told to others; told to the owner at the next command, and then no more.
kept_and_told() {
	eventually 3 grep -qF -- "$1" $KEPT
	run journal_new
	assert_has "$1"
	run as_person other clsecure list
	refute_has "$1"
	run clsecure list
	run as_person finn clsecure list
	assert_has "$1"
	run as_person finn clsecure list
	refute_has "$1"
}

@test "a hook in a repository that had none" {
	rm -r $P/.git/hooks
	by_su 'mkdir .git/hooks; echo "touch /tmp/x" >.git/hooks/post-checkout; chmod +x .git/hooks/post-checkout'
	[ -x $P/.git/hooks/post-checkout ]
	kept_and_told "'.git/hooks' appeared: your programs would run it"
}

@test "the next session protects what was found" {
	run by_su 'echo again >.git/hooks/post-checkout'
	assert_has 'Read-only file system'
	assert_equal "$(cat $KEPT)" ""
}

@test "told by the clsecure that ends the last session, or by the next" {
	run as_person finn clsecure exec finds sh -c "echo x >$P/.envrc"
	eventually 5 gone
	output+=$(as_person finn clsecure list 2>&1)
	assert_has "'.envrc' appeared"
	rm $P/.envrc
}

@test "a configuration of git that became a link, or was shut" {
	by_su 'cp .git/config evil && git config -f evil core.fsmonitor evil && rm .git/config && ln -s ../evil .git/config'
	kept_and_told 'a configuration that cannot be read'
	as_person finn sh -c "cd $P && rm .git/config && git config -f evil --unset core.fsmonitor && mv evil .git/config"
	by_su 'git config core.fsmonitor evil; chmod 0 .git/config'
	kept_and_told 'a configuration that cannot be read'
	as_person finn sh -c "cd $P && chmod 644 .git/config && git config --unset core.fsmonitor"
}

@test "a key that only git sees, and a configuration that is elsewhere" {
	by_su 'printf "# \\\\\n\tfsmonitor = evil\n" >.git/add; sed "/^.core.$/r .git/add" .git/config >c && cat c >.git/config; rm .git/add c'
	assert_equal "$(as_person finn git -C $P config core.fsmonitor)" evil
	kept_and_told "'core.fsmonitor=evil' is new"
	as_person finn git -C $P config --unset core.fsmonitor
	by_su 'mkdir -p evil/hooks evil/objects evil/refs && git config -f evil/config core.fsmonitor evil && echo ../evil >.git/commondir'
	assert_equal "$(as_person finn git -C $P config core.fsmonitor)" evil
	kept_and_told "'.git/commondir' appeared"
	as_person finn rm -r $P/.git/commondir $P/evil
}

@test "what git push, fetch and rebase would run or write" {
	by_su 'git init -q --bare evil && git remote add near ./evil'
	kept_and_told "'remote.near.url=./evil' is new"
	by_su 'git config branch.main.pushRemote evil; git config http.cookieFile /home/finn/.bashrc'
	kept_and_told "'branch.main.pushremote=evil' is new"
	as_person finn sh -c "cd $P && git remote remove near && git config --unset branch.main.pushRemote &&
		git config --unset http.cookieFile && rm -rf evil"
	by_su 'GIT_SEQUENCE_EDITOR="printf \"break\nexec touch evil\n\" >" git rebase -q -i HEAD'
	kept_and_told "exec touch evil' is new"
	as_person finn git -C $P rebase --abort
}

@test "many findings hide none: what git would run comes first, and that there is more is said" {
	by_su 'mkdir -p .claude; for i in $(seq 900); do : >.claude/settings-$i.json; done; git config core.fsmonitor many'
	run as_person finn clsecure list
	assert_has "'core.fsmonitor=many' is new"
	assert_equal "$(grep -c 'more was found than is kept' <<<"$output")" 1
	as_person finn sh -c "rm -r $P/.claude; git -C $P config --unset core.fsmonitor"
	by_su ': >.envrc'
	kept_and_told "'.envrc' appeared"
	rm $P/.envrc
}

@test "what is shut is protected: the worker is its owner, and could open it" {
	as_person finn sh -c "cd $P && mkdir .claude && echo {} >.claude/settings.json && chmod 0 .claude"
	run by_su 'chmod 700 .claude || echo no; echo evil >.claude/settings.json || echo no'
	assert_has 'Read-only file system'
	kept_and_told 'unreadable files in a protected place'
	as_person finn sh -c "cd $P && chmod 700 .claude && cat .claude/settings.json && rm -r .claude" | grep -qx '{}'
}

@test "a session that changes nothing of it says nothing" {
	by_su 'echo y >README; git add README; git commit -qm second'
	assert_equal "$(cat $KEPT)" ""
	run as_person finn clsecure list
	refute_has appeared
}
