mkdir "$dir/app"
# observe DOCKERFILE: sets `reference`.
observe() {
    ask build.observe "{\"cache\": \"/none\", \"recipes\": [{\"name\": \"web\", \"repository\": \"shop.web\", \"context\": \".\",
        \"dockerfile\": \"$1\", \"source\": {\"name\": \"app\", \"path\": \"$dir/app\", \"pinned\": false}}]}"
    expect '.ok.images | length == 1 and .[0].name == "web" and .[0].built == false'
    expect '.ok.images[0].reference | test("^shop.web:[0-9a-f]{12}$")'
    reference=$(printf '%s\n' "$answer" | jq -r '.ok.images[0].reference')
}
observe Dockerfile
first=$reference
observe Dockerfile
[ "$reference" = "$first" ]
observe other
[ "$reference" != "$first" ]
echo more >"$dir/app/file"
observe Dockerfile
[ "$reference" != "$first" ]
ask build.run '{}'
expect '.error.message | contains("not written yet")'
