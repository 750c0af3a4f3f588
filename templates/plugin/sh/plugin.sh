#!/bin/sh
# Provider `@name@` of Cloudpad's stage `@stage@`, as a plugin. README.md says how to run and test it.
#
# For small things: one call at a time, some runs of jq for each, and no cancelling: Cloudpad ends the plugin instead.
# What a method prints is for the log; its reply goes to fd 3. A command that fails ends the method.

# Fds 3 and 4 are Cloudpad's. Nothing in here reads or writes them by accident.
exec 4<&0 3>&1 </dev/null 1>&2

# What a path of the call holds, such as `.params.host.address` or `.config.hosts[].name`.
call() { printf '%s\n' "$line" | jq -r "$1 // empty"; }

# fail KIND MESSAGE [HINT [OUTCOME]]
fail() {
    jq -cn --arg kind "$1" --arg message "$2" --arg hint "${3-}" --arg outcome "${4-none}" \
        '{$kind, $message, $outcome} + if $hint == "" then {} else {$hint} end' >&3
    exit 9
}

not_written() { fail failed "$1 of provider \`@name@\`: not written yet" "write it in \`$0\`"; }

# only_keys KEY…: refuses a config that has others.
only_keys() {
    other=$(printf '%s\n' "$line" | jq -r --arg keys "$*" '.config // {} | keys - ($keys / " ") | first // empty')
    [ -z "$other" ] || fail invalid "\`$other\` is no key of this provider's \`config\`" "its keys: ${*:-none}"
}

@provider@

is_ours() { [ "$(call .provider)" = @name@ ] || fail unsupported "this plugin has no provider \`$(call .provider)\`"; }

# Runs a method, and sends what came of it.
answer() {
    reply=$(exec 3>&1 1>&2 4<&-; set -e; is_ours; method "$1")
    code=$?
    case $code in
    0) t=result field=ok ;;
    9) t=error field=error ;;
    *) t=error field=error reply=$(jq -cn --arg method "$1" --arg code "$code" --arg file "$0" \
        '{kind: "crashed", message: "`\($method)` of provider `@name@` broke off", outcome: "unknown",
          causes: ["a command ended with exit code \($code)"],
          hint: "to see which, write `set -x` into `method` of `\($file)`: the log then has each command"}') ;;
    esac
    printf '%s\n' "${reply:-"{}"}" |
        jq -c --arg t "$t" --arg field "$field" --argjson id "$(call .id)" '{$t, $id, ($field): .}' >&3
}

[ "${1-}" = --cloudpad-plugin ] || {
    echo 'this is a plugin of Cloudpad, which starts it with `--cloudpad-plugin`; see its README.md' >&2
    exit 2
}
jq -cn --argjson offer "$OFFER" \
    '{t: "hello", name: "cloudpad-@name@-@stage@", version: "0.1.0", protocols: [1], provides: [$offer]}' >&3
while IFS= read -r line <&4; do
    case $(call .t) in
    call) answer "$(call .method)" ;;
    hello) [ "$(call .protocol)" = 1 ] || { echo 'the host has chosen a protocol that was not offered' >&2; exit 1; } ;;
    esac
done
