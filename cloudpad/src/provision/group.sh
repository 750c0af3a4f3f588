# Has a user be in the group that may use the engine. Argument: the user.
set -eu
getent group docker >/dev/null || groupadd --system docker
usermod -aG docker "$1"
