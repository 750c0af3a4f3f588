#!/usr/bin/env python3
"""Records corpus.jsonl: what Docker's clients send of one tree under each `.dockerignore`.

usage: record.py NEWEST OLD [FILE...]

NEWEST and OLD are commands to which `-o DEST DIR` is added: `docker buildx build` of a current buildx, and
`env DOCKER_BUILDKIT=1 docker build` of engine 20.10's client. Without FILE, the ignore files that the corpus
holds are recorded anew; with FILE (JSON strings, one per line), those. `kept` is what NEWEST sends, null where
it refuses; `old` is there where OLD does otherwise.
"""
import json, os, shlex, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, "corpus.jsonl")
TREE = """
.dockerignore .hidden Dockerfile README.md a.c abc foo x.md z.log
#hash !bang [x] back\\slash f*o star* with.space/a.b ünï/cödé.md
build/out/bin build/keep/this build/Makefile
dir/a dir/b.md dir/sub/c dir/sub/d.md dir/sub/deep/e.md dir/.hidden
src/main.rs src/z.md src/node_modules/n/i.js src/t/t/t node_modules/m/index.js
foo.d/x fooo a/b/c/d a/b/x a/foo/y lib/foo/bar lib/foo/baz lib/x{1,2} lib/x|y
empty/ a/empty/
link->foo dirlink->dir dir/up->../foo dangling->nowhere
""".split()


def make(tree, where):
    for item in tree:
        path, _, target = item.partition("->")
        full = os.path.join(where, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if target:
            os.symlink(target, full)
        elif path.endswith("/"):
            os.makedirs(full, exist_ok=True)
        else:
            open(full, "w").close()


def listing(where):
    found = []
    for parent, dirs, files in os.walk(where):
        for name in dirs + files:
            found.append(os.path.relpath(os.path.join(parent, name), where))
    return sorted(found, key=lambda path: path.encode())


def sent(command, ignore):
    with tempfile.TemporaryDirectory() as tmp:
        context, out = os.path.join(tmp, "context"), os.path.join(tmp, "out")
        make(TREE, context)
        with open(os.path.join(context, "Dockerfile"), "w") as file:
            file.write("FROM scratch\nCOPY . /\n")
        with open(os.path.join(context, ".dockerignore"), "w") as file:
            file.write(ignore)
        done = subprocess.run(shlex.split(command) + ["-o", out, context], capture_output=True, text=True)
        if done.returncode:
            print(json.dumps(ignore), done.stderr.strip().splitlines()[-1:], file=sys.stderr)
        return None if done.returncode else listing(out)


def main():
    newest, old, *files = sys.argv[1:]
    if files:
        wanted = [json.loads(line) for name in files for line in open(name)]
    else:
        wanted = [json.loads(line)["ignore"] for line in open(CORPUS).readlines()[1:]]
    with open(CORPUS, "w") as out:
        print(json.dumps({"tree": TREE}, ensure_ascii=False), file=out)
        for ignore in wanted:
            entry = {"ignore": ignore, "kept": sent(newest, ignore)}
            by_old = sent(old, ignore)
            if by_old != entry["kept"]:
                entry["old"] = by_old
            print(json.dumps(entry, ensure_ascii=False), file=out)


main()
