# Prints what there is to know of this machine: a name and a value in each line. Changes nothing.
# Arguments: TCP ports of which to tell whether something listens there.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
say() { printf '%s %s\n' "$1" "$2"; }
has() { command -v "$1" >/dev/null 2>&1; }
say clock "$(date +%s)"
for release in /etc/os-release /usr/lib/os-release; do
  [ -r "$release" ] || continue
  (. "$release"; say id "${ID:-}"; say like "${ID_LIKE:-}"; say name "${PRETTY_NAME:-${NAME:-}}")
  break
done
for program in apt-get dnf yum apk zypper pacman; do has "$program" && { say installer "$program"; break; }; done
[ -e /run/ostree-booted ] && say sealed yes
user=$(id -un)
say user "$user"
# Those that the next login has, and not only those of this one.
say groups "$(id -Gn "$user")"
root=
if [ "$(id -u)" = 0 ]; then
  say root self
elif sudo -n true 2>/dev/null; then
  say root sudo
  root='sudo -n'
fi
if [ -d /run/systemd/system ]; then
  say init systemd
  for unit in docker.service docker.socket snap.docker.dockerd.service; do
    # Only root needs no D-Bus to ask.
    $root systemctl is-enabled --quiet "$unit" 2>/dev/null && { say starts yes; break; }
  done
elif has service && has update-rc.d; then
  say init service
  for link in /etc/rc2.d/S*docker; do [ -e "$link" ] && say starts yes; done
fi
has dockerd && say engine there
[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] && say apparmor yes
process=
for name in /proc/[0-9]*/comm; do
  [ "$(cat "$name" 2>/dev/null)" = dockerd ] && { process=${name%/comm}; say engine there; say engine runs; break; }
done
# What is said on its command line must not be said in its file too: it would not start.
for option in log-driver log-opt config-file; do
  {
    [ -z "$process" ] || tr '\0' '\n' <"$process/cmdline"
    grep -hv '^ *#' /etc/default/docker /etc/sysconfig/docker
    has systemctl && systemctl cat docker.service | grep -v '^ *#'
  } 2>/dev/null | grep -q -e "--$option" && say option "$option"
done
file=/etc/docker/daemon.json
if ! $root test -e "$file"; then
  :
elif ! $root test -r "$file"; then
  say closed yes
else
  say sum "$($root cat "$file" | cksum)"
  # In JSON a tab is as good as a blank.
  $root cat "$file" | tr '\t\r' '  ' | sed 's/^/file |/'
fi
for port; do
  hex=$(printf '%04X' "$port")
  grep -qsE "^ *[0-9]+: [0-9A-F]+:$hex [0-9A-F:]+ 0A " /proc/net/tcp /proc/net/tcp6 || continue
  who=$($root ss -Hltnp "sport = :$port" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)".*/\1/p' | head -n 1)
  say listens "$port $who"
done
