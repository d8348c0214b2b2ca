# cron and at: jobs of a worker, which root alone can make, run inside.
load lib
load walled

W=claude-worker-cronapp
DIR=/home/cronia/cronapp

setup_file() {
	make_walled cronia cronapp
}

teardown_file() {
	rm -f /etc/cron.d/clsecure-test
	crontab -u $W -r
	as_person cronia clsecure remove --yes cronapp
}

# A minute is waited for once, for all of cron's jobs; see "cron runs them".
@test "jobs are made" {
	printf 'SHELL=/bin/dash\nBASH_ENV=/none\n* * * * * bash %s/wall.sh >%s/tab.out 2>&1\n' $DIR $DIR >"$BATS_TEST_TMPDIR/tab"
	crontab -u $W "$BATS_TEST_TMPDIR/tab"
	cat >/etc/cron.d/clsecure-test <<-EOT
		SHELL=/bin/bash
		* * * * * $W bash $DIR/wall.sh >$DIR/system.out 2>&1
		* * * * * $W cat /proc/self/cgroup >$DIR/cgroup.out; sleep 100
	EOT
}

# What the worker itself can make: nothing that a daemon of the host looks at.
@test "a crontab, an at job and units that the worker makes run nowhere" {
	run ssh_as cronia $W@localhost "
		echo '* * * * * touch $DIR/escaped' | crontab - ; echo crontab=\$?
		echo 'touch $DIR/escaped' | at now; echo at=\$?
		mkdir -p ~/.config/systemd/user/default.target.wants /var/tmp/spool
		printf '[Service]\nExecStart=/usr/bin/touch $DIR/escaped\n[Install]\nWantedBy=default.target\n' \
			>~/.config/systemd/user/trap.service
		ln -s ../trap.service ~/.config/systemd/user/default.target.wants/
		systemctl --user start trap; echo unit=\$?"
	refute_has crontab=0
	refute_has at=0
	refute_has unit=0
}

@test "at: walled" {
	echo "bash $DIR/wall.sh >$DIR/at.out 2>&1" |
		setpriv --reuid $W --regid $W --clear-groups env -C / at now
	done_() { grep -qsx end $DIR/at.out; }
	eventually 15 done_
	run cat $DIR/at.out
	assert_walled cronia cronapp
}

@test "cron runs them: walled, with SHELL= of the crontab" {
	done_() { grep -qsx end $DIR/tab.out && grep -qsx end $DIR/system.out && [ -s $DIR/cgroup.out ]; }
	eventually 75 done_
	run cat $DIR/tab.out
	assert_walled cronia cronapp
	run cat $DIR/system.out
	assert_walled cronia cronapp
	[ ! -e $DIR/escaped ]
}

@test "without cron in AllowServices nothing runs" {
	journal_mark
	clsecure set cronapp AllowServices-=cron AllowServices-=atd
	rm -f $DIR/tab.out $DIR/at2.out
	echo "touch $DIR/at2.out" | setpriv --reuid $W --regid $W --clear-groups env -C / at now
	refused() { journal_new | grep -q "'cron' is no way into 'cronapp'"; }
	eventually 75 refused
	run journal_new
	assert_has "'atd' is no way into 'cronapp'"
	clsecure set cronapp AllowServices=
	[ ! -e $DIR/at2.out ]
	[ ! -e $DIR/tab.out ]
}
