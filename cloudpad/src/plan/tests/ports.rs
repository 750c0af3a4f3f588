//! Ports that pass from one container to another.

use super::kit::*;
use crate::config::{Amount, Count};

#[test]
fn a_published_port_is_freed_before_it_is_taken() {
    let mut case = case();
    case.service("web", |web| web.ports = vec![ports(8080, 8080)]);
    case.deploy();
    case.image("web", "v2");
    case.config.deploy.batch = Amount::Count(2);
    check(
        &case.plan(),
        "
        stop-first web.1 on h1 image
        stop-first web.1 on h2 image
        stop-first web.1 on h3 image
        0 fetch/./r1
        1 build/shop.web:v2 < 0
        2 push/h1/shop.web:v2 < 1
        3 stop/h1/shop-web-1-#1 < 2
        4 start/h1/shop-web-1-#2 < 3
        5 ready/h1/shop-web-1-#2 < 4
        6 push/h2/shop.web:v2 < 1
        7 stop/h2/shop-web-1-#1 < 6
        8 start/h2/shop-web-1-#2 < 7
        9 ready/h2/shop-web-1-#2 < 8
        10 push/h3/shop.web:v2 < 1
        11 stop/h3/shop-web-1-#1 < 5 10
        12 start/h3/shop-web-1-#2 < 11
        13 ready/h3/shop-web-1-#2 < 12
        ",
    );
}

#[test]
fn what_takes_a_port_is_made_before_the_port_is_freed() {
    let mut case = case();
    case.service("web", |web| web.ports = vec![ports(8080, 8080)]);
    case.seen("h1").creates = true;
    check(
        &case.deploy(),
        "
        create web.1 on h1
        create web.1 on h2
        create web.1 on h3
        0 fetch/./r1
        1 build/shop.web:v1 < 0
        2 push/h1/shop.web:v1 < 1
        3 start/h1/shop-web-1-#1 < 2
        4 ready/h1/shop-web-1-#1 < 3
        5 push/h2/shop.web:v1 < 1
        6 start/h2/shop-web-1-#1 < 4 5
        7 ready/h2/shop-web-1-#1 < 6
        8 push/h3/shop.web:v1 < 1
        9 start/h3/shop-web-1-#1 < 7 8
        10 ready/h3/shop-web-1-#1 < 9
        ",
    );
    case.image("web", "v2");
    case.config.deploy.batch = Amount::Percent(100);
    let there_and_back = [
        "
        stop-first web.1 on h1 image
        stop-first web.1 on h2 image
        stop-first web.1 on h3 image
        0 fetch/./r1
        1 build/shop.web:v2 < 0
        2 push/h1/shop.web:v2 < 1
        3 create/h1/shop-web-1-#1 < 2
        4 stop/h1/shop-web-1-#2 < 3
        5 start/h1/shop-web-1-#1 < 4
        6 ready/h1/shop-web-1-#1 < 5
        7 push/h2/shop.web:v2 < 1
        8 stop/h2/shop-web-1-#2 < 7
        9 start/h2/shop-web-1-#1 < 8
        10 ready/h2/shop-web-1-#1 < 9
        11 push/h3/shop.web:v2 < 1
        12 stop/h3/shop-web-1-#2 < 11
        13 start/h3/shop-web-1-#1 < 12
        14 ready/h3/shop-web-1-#1 < 13
        ",
        "
        stop-first web.1 on h1 image
        stop-first web.1 on h2 image
        stop-first web.1 on h3 image
        0 create/h1/shop-web-1-#1
        1 stop/h1/shop-web-1-#2 < 0
        2 start/h1/shop-web-1-#1 < 1
        3 ready/h1/shop-web-1-#1 < 2
        4 stop/h2/shop-web-1-#2
        5 start/h2/shop-web-1-#1 < 4
        6 ready/h2/shop-web-1-#1 < 5
        7 stop/h3/shop-web-1-#2
        8 start/h3/shop-web-1-#1 < 7
        9 ready/h3/shop-web-1-#1 < 8
        ",
    ];
    check(&case.deploy(), there_and_back[0]);
    // What was kept is made ready to be started.
    case.image("web", "v1");
    case.observed.images.get_mut("web").unwrap().built = true;
    check(&case.deploy(), there_and_back[1]);
}

#[test]
fn a_service_takes_over_the_port_of_one_that_goes() {
    let mut case = case();
    case.config.hosts.truncate(1);
    case.image("api", "v1");
    case.service("web", |web| web.ports = vec![ports(8080, 8080)]);
    case.deploy();
    let web = case.config.services.remove("web").unwrap();
    case.config.services.insert("api".into(), crate::config::Service { image: "api".into(), ..web });
    check(
        &case.plan(),
        "
        create api.1 on h1
        remove web.1 on h1
        0 fetch/./r1
        1 build/shop.api:v1 < 0
        2 push/h1/shop.api:v1 < 1
        3 stop/h1/shop-web-1-#1 < 1
        4 start/h1/shop-api-1-#2 < 2 3
        5 ready/h1/shop-api-1-#2 < 4
        6 remove/h1 < 5
        ",
    );
}

#[test]
fn two_services_swap_their_ports() {
    let mut case = case();
    case.config.hosts.truncate(1);
    case.image("api", "v1");
    case.service("web", |web| web.ports = vec![ports(8080, 8080)]);
    case.service("api", |api| api.ports = vec![ports(8081, 8081)]);
    case.deploy();
    case.service("web", |web| web.ports = vec![ports(8081, 8081)]);
    case.service("api", |api| api.ports = vec![ports(8080, 8080)]);
    check(
        &case.deploy(),
        "
        stop-first api.1 on h1 ports
        stop-first web.1 on h1 ports
        0 stop/h1/shop-api-1-#1
        1 stop/h1/shop-web-1-#2
        2 start/h1/shop-api-1-#3 < 0 1
        3 ready/h1/shop-api-1-#3 < 2
        4 start/h1/shop-web-1-#4 < 0 1
        5 ready/h1/shop-web-1-#4 < 4
        ",
    );
    assert!(case.plan().is_empty());
}

#[test]
fn a_range_that_moves_by_one_is_followed_from_its_end() {
    let mut case = case();
    case.config.hosts.truncate(1);
    case.service("web", |web| {
        web.count = Count::PerHost(3);
        web.ports = vec![ports(8080, 8082)];
    });
    case.deploy();
    case.service("web", |web| web.ports = vec![ports(8081, 8083)]);
    check(
        &case.deploy(),
        "
        stop-first web.3 on h1 ports
        stop-first web.2 on h1 ports
        stop-first web.1 on h1 ports
        0 stop/h1/shop-web-3-#1
        1 start/h1/shop-web-3-#2 < 0
        2 ready/h1/shop-web-3-#2 < 1
        3 stop/h1/shop-web-2-#3 < 2
        4 start/h1/shop-web-2-#1 < 0 3
        5 ready/h1/shop-web-2-#1 < 4
        6 stop/h1/shop-web-1-#4 < 5
        7 start/h1/shop-web-1-#3 < 3 6
        8 ready/h1/shop-web-1-#3 < 7
        ",
    );
}
