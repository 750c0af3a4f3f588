#!/bin/sh
# Plays Cloudpad to the plugin: `./test.sh`.
set -eu
cd "$(dirname "$0")"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkfifo "$dir/in" "$dir/out"
./cloudpad-@name@-@stage@ --cloudpad-plugin <"$dir/in" >"$dir/out" &
plugin=$!
exec 8>"$dir/in" 9<"$dir/out"

# ask METHOD [PARAMS [CONFIG]]: sets `answer`.
ask() {
    asked=$1
    jq -cn --arg method "$1" --argjson params "${2:-"{}"}" --argjson config "${3:-"{}"}" \
        '{t: "call", id: 7, provider: "@name@", $method, $params, $config}' >&8
    IFS= read -r answer <&9
}

# expect FILTER: that jq finds it true of the answer.
expect() {
    printf '%s\n' "$answer" | jq -e "$1" >/dev/null || {
        printf '`%s`: not so: %s\nthe answer is %s\n' "$asked" "$1" "$answer" >&2
        exit 1
    }
}

asked=hello
IFS= read -r answer <&9
expect '.protocols == [1] and .provides[0].stage == "@stage@" and .provides[0].provider == "@name@"'
echo '{"t": "hello", "protocol": 1, "version": "0.1.0", "max_line": 16777216}' >&8
echo '{"t": "applause", "loud": true}' >&8
ask config.check
expect '.t == "result" and .id == 7 and .ok == {}'
ask config.check '{}' '{"colour": 1}'
expect '.error.kind == "invalid"'
ask @stage@.sing
expect '.error.kind == "unsupported"'

@tests@

exec 8>&-
wait "$plugin"
echo ok
