//! Hosts on which new versions of an application do not come up: a file on a host, which only they look at.

use super::Project;

/// The service's line that lets containers see the file, on so many hosts.
pub fn marks(project: &Project, hosts: usize) -> String {
    for number in 1..=hosts {
        project.lab.host(number).run(&format!("mkdir -p /srv/{}", project.name));
    }
    format!("volumes = [\"/srv/{}:/marks:ro\"]\n", project.name)
}

/// Breaks the versions to come on a host, and makes the project's next version one that looks.
pub fn break_new_versions(project: &Project, number: usize) {
    project.lab.host(number).run(&format!("touch /srv/{}/broken", project.name));
    let start = "[ ! -e /marks/broken ] || { echo 'the database said no'; sleep 0.2; exit 3; }; exec httpd -f -p 8080 -h /www";
    let dockerfile = format!(
        "FROM {}\nCOPY www /www\nSTOPSIGNAL SIGKILL\nCMD [\"sh\", \"-c\", \"{start}\"]\n",
        project.lab.base_image
    );
    project.write("Dockerfile", dockerfile);
}
