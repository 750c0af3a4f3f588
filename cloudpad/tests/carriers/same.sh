#!/bin/sh
# The provider that every carrier of the suite has, in shell with jq. Its config says what it does.
[ "${1-}" = --cloudpad-plugin ] || { echo 'this is a plugin' >&2; exit 2; }

call() { printf '%s\n' "$line" | jq -r "$1"; }
send() { jq -cn --argjson id "$id" "$@"; }
event() { send --arg kind "$1" "{t: \"event\", \$id, \$kind} + $2"; }
ok() { send "{t: \"result\", \$id, ok: $1}"; }
fail() {
    send --arg kind "$1" --arg message "$2" \
        "{t: \"error\", \$id, error: ({\$kind, \$message, retryable: false, outcome: \"none\"} + $3)}"
}

check() {
    key=$(call '.config // {} | keys - ["count", "fail", "panic", "wait"] | first // empty')
    if [ -n "$key" ]; then
        fail invalid "\`$key\` is no key of this provider's \`config\`" '{hint: "its keys: count, fail, panic, wait"}'
    else
        ok '{}'
    fi
}

wait_() {
    event log '{level: "info", message: "waiting"}'
    while IFS= read -r line; do
        [ "$(call '"\(.t) \(.id)"')" = "cancel $id" ] || continue
        fail cancelled 'stopped because the caller asked for it' '{}'
        return
    done
    exit 0
}

count() {
    event log "{level: \"debug\", message: \"counting to $1\"}"
    event progress "{label: \"counting ✓\", done: 0, total: $1, unit: \"steps\"}"
    event progress "{label: \"more\", done: $1}"
    number=1
    while [ "$number" -le "$1" ]; do
        event output "{source: \"count\", line: \"$number\"}"
        number=$((number + 1))
    done
    event output '{line: ""}'
    event log '{level: "warn", message: "that was all"}'
    ok "{hosts: [range(1; $1 + 1) | {name: \"h\(.)\", address: \"deploy@192.0.2.\(.):2222\"}
        + if . == 1 then {roles: [\"web\", \"db\"], labels: {zone: \"\\\"ü\\\\🐳\\t\"}} else {} end]}"
}

list() {
    case $(call '.config // {} | keys | first') in
    fail) fail unreachable 'could not reach `rack`: no route' '{causes: ["the line is cut", "a digger"],
        hint: "look at the line", retryable: true, outcome: "partial", host: "h7"}' ;;
    wait) wait_ ;;
    *)
        number=$(call '.config.count // 0')
        [ ! -f "$number" ] || number=$(cat "$number")
        count "$number"
        ;;
    esac
}

push() {
    similar=$(call '.params.similar // [] | length')
    send --arg key "$(call '.key // ""')" \
        "{t: \"event\", \$id, kind: \"log\", level: \"info\", message: \"key \`\(\$key)\`, $similar similar\"}"
    send --arg to "$(call .params.reference)" \
        '{t: "result", $id, ok: {reference: "registry.example/\($to)", sent: 1099511627776}}'
}

jq -cn '{t: "hello", name: "same-in-sh", version: "3", protocols: [1], parallel: false, provides: [
    {stage: "inventory", provider: "same", methods: ["config.check", "inventory.list"],
        about: "does what its config says"},
    {stage: "push", provider: "same", methods: ["config.check", "push.run"],
        about: "pushes nothing", scope: "shared"}]}'
while IFS= read -r line; do
    case $(call .t) in
    hello) [ "$(call .protocol)" = 1 ] || exit 1 ;;
    call)
        id=$(call .id)
        case $(call '"\(.provider) \(.method)"') in
        'same config.check') check ;;
        'same inventory.list') list ;;
        'same push.run') push ;;
        *) fail unsupported "$(call '"`\(.method)` of `\(.provider)` is not offered"')" '{}' ;;
        esac
        ;;
    esac
done
