# Starts the engine, now and whenever the machine starts. Argument: who starts services there.
set -eu
failed() {
  echo "the engine has not started; its last words:" >&2
  case $1 in
  systemd) journalctl --no-pager -n 15 -u docker >&2 || : ;;
  service) tail -n 15 /var/log/docker.log >&2 || : ;;
  esac
  exit 1
}
case $1 in
systemd) systemctl enable --now docker || failed systemd ;;
service)
  update-rc.d docker defaults
  service docker start || failed service
  tries=0
  until [ -S /var/run/docker.sock ] && { ! command -v docker >/dev/null || docker version >/dev/null 2>&1; }; do
    [ $((tries += 1)) -le 60 ] || failed service
    sleep 0.5
  done
  ;;
esac
