    {CALL("build.observe", "{'cache':'/none','recipes':[{'name':'web','repository':'shop.web','context':'.',"
                           "'dockerfile':'Dockerfile','source':{'name':'app','path':'.','pinned':false}}]}", "{}"),
     "'ok':{'images':[{'name':'web','reference':'shop.web:"},
    {CALL("build.observe", "{'cache':'/none','recipes':[{'name':'web','repository':'shop.web','context':'.',"
                           "'source':{'name':'app','path':'./none'}}]}", "{}"),
     "a source's files cannot be read"},
    {CALL("build.run", "{}", "{}"), "not written yet"},
