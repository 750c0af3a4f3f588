OFFER='{"stage": "secrets", "provider": "@name@", "about": "not written yet",
        "methods": ["config.check", "secrets.get"]}'

method() {
    case $1 in
    config.check) # Is the config one to work with? Touches nothing.
        only_keys
        ;;
    secrets.get) # The values of `names`. One that does not exist is left out. No log line and no argument may show one.
        not_written '`secrets.get`' # printf '%s' "$json" | jq '{values: .}' >&3
        ;;
    *) fail unsupported "\`$1\` is not offered by this provider" ;;
    esac
}
