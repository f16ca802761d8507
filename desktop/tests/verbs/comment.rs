//! Who may comment adds to the timeline, and changes nothing.

use crate::program::{Aramaki, Process, wait_for};

fn said(aramaki: &Aramaki, data: &str) -> String {
    aramaki.json_in(data, &["peers", "--wait", "1s"]);
    let told = aramaki.json_in(data, &["timeline", "Webshop"]);
    let told = told["entries"].as_array().unwrap().iter();
    let messages = told.filter(|it| it["kind"] == "message");
    messages.map(|it| it["text"].to_string()).collect()
}

#[test]
fn a_guest_who_may_comment_writes_on_the_timeline_and_nowhere_else() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    aramaki.json(&["say", "Webshop", "who knows more?"]);
    let code = aramaki.json(&["share", "Webshop", "--can", "comment", "--for", "8h"]);
    aramaki.json_in("guest", &["init", "--name", "guest", "--no-recovery-kit"]);
    let joined = aramaki.json_in("guest", &["join", code["invitation"].as_str().unwrap()]);
    assert_eq!(joined["complete"], true, "{joined}");

    aramaki.json_in("guest", &["say", "Webshop", "it was the disk"]);
    assert!(said(&aramaki, "guest").contains("it was the disk"));
    wait_for("the owner reads it", || {
        said(&aramaki, "data")
            .contains("it was the disk")
            .then_some(())
    });
    let note = ["note", "add", "Webshop", "--title", "Mine", "--text", "x"];
    for verb in [&note[..], &["system", "edit", "Webshop", "--title", "Mine"]] {
        let refused = aramaki.refused_in("guest", verb, 1);
        assert_eq!(refused["code"], "A-111", "{refused}");
    }
    // What was refused is not left on their own screen either.
    let shown = aramaki.json_in("guest", &["system", "show", "Webshop"]);
    assert_eq!(shown["title"], "Webshop");
    aramaki.json(&["say", "Webshop", "thank you"]);
    wait_for("they read on", || {
        said(&aramaki, "guest").contains("thank you").then_some(())
    });
}
