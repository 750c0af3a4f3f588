host='{"host": {"name": "h1", "address": "local"}, "project": {"name": "shop"}}'
ask deploy.observe "$host"
expect '.ok.containers == []'
for method in pull start ready stop remove run exec route record logs; do
    ask "deploy.$method" "$host"
    expect '.error.message | contains("not written yet")'
done
