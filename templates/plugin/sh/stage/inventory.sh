OFFER='{"stage": "inventory", "provider": "@name@", "about": "the hosts that its config lists",
        "methods": ["config.check", "inventory.list"]}'

method() {
    case $1 in
    config.check) # Is the config one to work with? Touches nothing.
        only_keys hosts
        [ -z "$(call '.config.hosts[]? | select(.name and .address | not)')" ] ||
            fail invalid 'a host in `hosts` lacks its `name` or its `address`'
        ;;
    inventory.list) # Every host there is, each name once. A list that may not be whole is a failure.
        call '{hosts: (.config.hosts // [])}' >&3
        ;;
    *) fail unsupported "\`$1\` is not offered by this provider" ;;
    esac
}
