OFFER='{"stage": "build", "provider": "@name@", "about": "not written yet",
        "methods": ["config.check", "build.observe", "build.run"]}'

# All that goes into the builds. The revision of a source that is not pinned does not say what its files are.
identity() {
    call '.params.recipes[] | [del(.source, .secrets), .source.revision] | tojson'
    call '.params.recipes[].source | select(.pinned | not) | .path' | while IFS= read -r path; do
        cd "$path"
        find . -type f ! -path './.git/*' ! -path './.cloudpad/*' -exec sha256sum {} + | LC_ALL=C sort -k 2
    done
}

method() {
    case $1 in
    config.check) # Is the config one to work with? Touches nothing.
        only_keys
        ;;
    build.observe) # A reference for each image, with a tag made from all that goes into it, and whether it is built.
        # Here all that is asked goes into every tag. That is never wrong, and builds more often than it has to.
        parts=$(identity)
        tag=$(printf '%s\n' "$parts" | sha256sum | cut -c 1-12)
        call "{images: [.params.recipes[] | {name, reference: \"\(.repository):$tag\", built: false}]}" >&3
        ;;
    build.run) # Builds the image of `recipe`, and tags it `reference`. When that tag is there, nothing is done.
        not_written '`build.run`' # echo '{"id": "sha256:…", "cached": false}' >&3
        ;;
    *) fail unsupported "\`$1\` is not offered by this provider" ;;
    esac
}
