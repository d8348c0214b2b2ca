command_check() { die "check: not in this version"; }
