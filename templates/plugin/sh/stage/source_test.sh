mkdir "$dir/app"
app=$(jq -cn --arg path "$dir/app" '{name: "app", location: {type: "directory", $path}, cache: "/none"}')
ask source.resolve "$app"
expect ".ok == {name: \"app\", path: \"$dir/app\", pinned: false}"
ask source.fetch "{\"source\": $app, \"prepare\": [[\"touch\", \"it's made\"], [\"true\"]]}"
expect ".ok == {path: \"$dir/app\", changed: false}"
[ -e "$dir/app/it's made" ]
ask source.fetch "{\"source\": $app, \"prepare\": [[\"false\"], [\"true\"]]}"
expect '.error.kind == "failed" and .error.outcome == "partial"'
ask source.resolve '{"name": "app", "location": {"type": "git", "url": "x", "reference": {"type": "default"}}}'
expect '.error.message | contains("not written yet")'
