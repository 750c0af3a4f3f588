//! Jobs that somebody runs: as what is deployed, with the job's own command.

use crate::support::Project;

#[test]
fn a_job_by_hand_is_made_from_what_is_deployed() {
    let project = Project::new("byhand");
    let jobs = "[jobs.page]\nservice = \"web\"\nwhen = \"manual\"\ncommand = 'cat /www/index.html; echo $TOKEN-$STEP; exit $STEP'\n\
                env = { STEP = 3 }\nsecrets = [\"TOKEN\"]\n\
                [jobs.each]\nimage = \"web\"\nwhen = \"before\"\nrun = \"per-host\"\ncommand = \"echo each\"\n\
                [jobs.slow]\nservice = \"web\"\nwhen = \"manual\"\ncommand = \"trap exit TERM; sleep 600 & wait\"\ntimeout = \"1s\"\n";
    project.configure(&(project.web() + jobs));
    project.write(".env", "TOKEN=s3cret-of-page\n");
    project.write(".dockerignore", ".env\nCloudpad.toml\n");
    project.run(&["run", "page"]).expect(2).says("there is no container of `web`");
    project.deploy();
    project.page("two");
    let outcome = project.run(&["run", "page"]).expect(3).says("job page on h1");
    assert_eq!(outcome.stdout, "ones3cret-of-page-3\n", "the deployed page, and nothing is built");
    let outcome =
        project.run(&["run", "page", "--host", "h2", "--", "echo", "other"]).expect(0).says("on h2");
    assert_eq!(outcome.stdout, "other\n");
    assert_eq!(project.run(&["run", "each"]).expect(0).stdout, "each\neach\neach\n");
    project.run(&["run", "slow"]).expect(1).says("its time was over");
    project.run(&["run", "pagee"]).expect(2).says("did you mean `page`?");
    project.run(&["run", "page.1"]).expect(2).says("is a job, which has no instances");
    project.run(&["run", "web"]).expect(2).says("no command is named");
    for host in project.all_containers() {
        assert_eq!(host.len(), 1, "{host:?}");
    }
}
