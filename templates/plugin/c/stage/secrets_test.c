    {CALL("secrets.get", "{'names':['token']}", "{}"), "not written yet"},
