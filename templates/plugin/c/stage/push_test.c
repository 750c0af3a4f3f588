    {CALL("push.run", "{'reference':'app:1','host':{'name':'h1','address':'local'}}", "{}"), "not written yet"},
