OFFER='{"stage": "source", "provider": "@name@", "about": "directories of this machine",
        "methods": ["config.check", "source.resolve", "source.fetch"]}'

# directory PATH-OF-THE-SOURCE: sets `path`.
directory() {
    type=$(call "$1.location.type") path=$(call "$1.location.path")
    [ "$type" = directory ] || not_written "\`$type\` sources"
    [ -d "$path" ] || fail failed "source \`$(call "$1.name")\`: there is no directory \`$path\`"
}

method() {
    case $1 in
    config.check) # Is the config one to work with? Touches nothing.
        only_keys
        ;;
    source.resolve) # What the source is now, at the least cost. Only its files say what a directory is: not pinned.
        directory .params
        call '{name: .params.name, path: .params.location.path, pinned: false}' >&3
        ;;
    source.fetch) # Brings `revision` to the path that was resolved, then runs the `prepare` commands there.
        directory .params.source
        (cd "$path" && sh -exc "$(call '.params.prepare[]? | @sh')") ||
            fail failed "a \`prepare\` command failed in \`$path\`" 'the log has its last lines' partial
        call '{path: .params.source.location.path, changed: false}' >&3
        ;;
    *) fail unsupported "\`$1\` is not offered by this provider" ;;
    esac
}
