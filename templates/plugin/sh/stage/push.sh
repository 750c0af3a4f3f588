# Scope `host`: each image is pushed to each host. With `shared` it is pushed once, and each host pulls it.
OFFER='{"stage": "push", "provider": "@name@", "about": "not written yet", "scope": "host",
        "methods": ["config.check", "push.run"]}'

method() {
    case $1 in
    config.check) # Is the config one to work with? Touches nothing.
        only_keys
        ;;
    push.run) # Brings the image `reference` of this machine to `host`. What is there already is not sent again.
        not_written '`push.run`' # call '{reference: .params.reference, sent: 0}' >&3
        ;;
    *) fail unsupported "\`$1\` is not offered by this provider" ;;
    esac
}
