    {CALL("inventory.list", "{}", "{'hosts':[{'name':'h1','address':'deploy@192.0.2.11','roles':['web']}]}"),
     "'ok':{'hosts':[{'name':'h1','address':'deploy@192.0.2.11','roles':['web']}]}"},
    {CALL("config.check", "{}", "{'hosts':[{'name':'h1'}]}"), "'kind':'invalid'"},
