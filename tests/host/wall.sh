# Run inside a session: says what a process there can see and do, one fact a line, for doors.bats.
# Only bash and /proc are relied on.
echo begin
status() { sed -n "s/^$1:[[:space:]]*//p" /proc/self/status; }
for set in CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp Uid Gid Groups; do
	echo "$set=$(status $set | tr '\t' ' ')"
done
for ns in mnt pid net ipc uts cgroup; do
	echo "$ns=$(readlink /proc/self/ns/$ns)"
done
echo "pids=$(ls /proc | grep -cx '[0-9]*')"
echo "highest=$(ls /proc | grep -x '[0-9]*' | sort -n | tail -n1)"
echo "comms=$(cat /proc/[0-9]*/comm 2>/dev/null | sort -u | tr '\n' ' ')"
echo "home=$(ls /home | tr '\n' ' ')"
echo "root=$(ls / | tr '\n' ' ')"
echo "dev=$(ls /dev | tr '\n' ' ')"
echo "run=$(find /run -type s 2>/dev/null | tr '\n' ' ')"
echo "sockets=$(grep -c ' @\| /' /proc/net/unix)"
echo "links=$(ls /sys/class/net 2>/dev/null | tr '\n' ' ')$(sed -n 's/:.*//p' /proc/net/dev | tr -d ' ' | tr '\n' ' ')"
echo "connect=$( (exec 3<>/dev/tcp/203.0.113.1/80) 2>&1 | grep -o 'unreachable' | head -n1)"
echo "shadow=$(cat /etc/shadow 2>&1 | head -c 40)"
echo "capsh=$(/sbin/capsh --print 2>/dev/null | sed -n 's/^Current: *//p')"
echo "setuid=$(cp /bin/true /tmp/s && chmod u+s /tmp/s 2>&1 | grep -o 'not permitted')"
echo "rootwrite=$(touch /etc/x /usr/x /x /run/x /dev/x /var/x 2>&1 | wc -l)"
for fd in /proc/self/fd/*; do
	n=${fd##*/}
	[ "$n" -le 2 ] || [ ! -e "$fd" ] || [ "$n" = 255 ] || # 255: bash's own, of this file
		echo "fd=$n $(readlink "$fd")"
done
tty 2>&1 | sed 's/^/tty=/'
echo "whoami=$(id -un)"
echo end
