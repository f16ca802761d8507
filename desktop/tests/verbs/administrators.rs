//! A second administrator: another person who may let others in and end their access.

use super::program::{Aramaki, Process, wait_for};

fn key(aramaki: &Aramaki, data: &str) -> String {
    let me = aramaki.json_in(data, &["peers"]);
    me["this_device"].as_str().unwrap().to_owned()
}

fn who_may(aramaki: &Aramaki, data: &str, device: &str) -> Vec<String> {
    let listed = aramaki.json_in(data, &["trust", "list", "Webshop"]);
    let grants = listed["grants"].as_array().unwrap().iter();
    grants
        .filter(|grant| grant["device"] == device)
        .map(|grant| grant["capability"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_second_administrator_lets_in_and_ends_access_but_not_that_of_the_first() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    for data in ["second", "third"] {
        aramaki.json_in(data, &["init", "--name", data, "--no-recovery-kit"]);
    }
    let code = aramaki.json(&["share", "Webshop", "--can", "write", "--for", "8h"]);
    aramaki.json_in("second", &["join", code["invitation"].as_str().unwrap()]);
    let (first, second) = (key(&aramaki, "data"), key(&aramaki, "second"));
    wait_for("the second's access is known", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        (!who_may(&aramaki, "data", &second).is_empty()).then_some(())
    });
    let none = aramaki.run_in("second", &["share", "Webshop"]);
    assert_eq!(none.status.code(), Some(1), "a guest lets nobody in");
    let grant = [
        "trust",
        "grant",
        "Webshop",
        &second,
        "--can",
        "administer",
        "--for",
        "30d",
    ];
    aramaki.json(&grant);
    wait_for("the second may administer", || {
        aramaki.json_in("second", &["peers", "--wait", "1s"]);
        let may = who_may(&aramaki, "second", &second);
        may.contains(&"administer".to_owned()).then_some(())
    });

    let code = aramaki.json_in("second", &["share", "Webshop", "--for", "8h"]);
    aramaki.json_in("third", &["join", code["invitation"].as_str().unwrap()]);
    let third = key(&aramaki, "third");
    wait_for("the first knows the third", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        (!who_may(&aramaki, "data", &third).is_empty()).then_some(())
    });
    wait_for("and so does the second", || {
        aramaki.json_in("second", &["peers", "--wait", "1s"]);
        (!who_may(&aramaki, "second", &third).is_empty()).then_some(())
    });
    let ended = aramaki.json_in("second", &["trust", "lost", &third, "--yes"]);
    assert_eq!(ended["ended"], true, "{ended}");
    let refused = aramaki.run_in("second", &["trust", "lost", &first, "--yes"]);
    assert_eq!(
        refused.status.code(),
        Some(1),
        "the first stands nearer the root"
    );
    wait_for("the third is out everywhere", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        who_may(&aramaki, "data", &third).is_empty().then_some(())
    });
    assert_eq!(
        who_may(&aramaki, "data", &first).len(),
        1,
        "the first stays"
    );
}
