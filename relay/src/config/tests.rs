//! Configuration files, right and wrong.

use super::*;

fn refusal(text: &str) -> String {
    Config::parse(text, Path::new("relay.toml"))
        .unwrap_err()
        .to_string()
}

#[test]
fn example_file_shows_every_default() {
    let example = include_str!("../../relay.toml.example");
    let path = Path::new("relay.toml.example");
    assert_eq!(Config::parse(example, path).unwrap(), Config::default());

    let shown: toml::Table = toml::from_str(example).unwrap();
    let fields = [
        ("peer", 3),
        ("transport", 5), // and `tls`, which has no default
        ("quotas", 8),
        ("status", 1),
    ];
    for (section, count) in fields {
        let table = shown[section].as_table().unwrap();
        assert_eq!(table.len(), count, "[{section}] shows every field");
    }
    assert_eq!(shown.len(), fields.len());
}

#[test]
fn commented_lines_of_the_example_are_valid_too() {
    let example: String = include_str!("../../relay.toml.example")
        .lines()
        .map(|line| line.strip_prefix("#: ").unwrap_or(line))
        .fold(String::new(), |text, line| text + line + "\n");
    let config = Config::parse(&example, Path::new("relay.toml.example")).unwrap();
    assert!(config.transport.tls.is_some());
}

#[test]
fn errors_name_file_line_and_field() {
    let unknown = refusal("[peer]\nbind = \"0.0.0.0:1\"\nquota = 3\n");
    assert!(unknown.starts_with("relay.toml:3:1: peer"), "{unknown}");
    assert!(unknown.contains("quota"), "{unknown}");

    let wrong = refusal("\n\n[quotas]\nspaces = -1\n");
    let expected = "relay.toml:4:10: quotas.spaces: ";
    assert!(wrong.starts_with(expected), "{wrong}");

    let broken = refusal("[peer\n");
    assert!(broken.starts_with("relay.toml:1:"), "{broken}");

    let half = refusal("[transport.tls]\nbind = \"0.0.0.0:443\"\n");
    assert!(half.contains("certificate"), "{half}");
}

#[test]
fn addresses_that_lead_nowhere_are_refused_with_their_place() {
    for (text, expected) in [
        (
            "[transport]\nurl = \"notaurl\"\n",
            "2:7: transport.url: `notaurl` is not the URL of a transport relay",
        ),
        ("[transport]\nurl = \"ftp://a\"\n", "2:7: transport.url: "),
        (
            "[peer]\nadvertise = [\"192.0.2.1:1\", \"0.0.0.0:7410\"]\n",
            "2:29: peer.advertise[2]: nobody can dial 0.0.0.0:7410",
        ),
        (
            "[peer]\nadvertise = [\"192.0.2.1:0\"]\n",
            "2:14: peer.advertise[1]: nobody",
        ),
        (
            "[peer]\nserves = [\"alice\"]\n",
            "2:10: peer.serves: \"alice\": the key of a device is expected, 64 digits",
        ),
        (
            "[peer]\nadvertise = [\"192.0.2.1:1\", \"192.0.2.1:1\"]\n",
            "2:29: peer.advertise[2]: 192.0.2.1:1 is there already",
        ),
        (
            "[transport]\nbind = \"127.0.0.1:9\"\n[status]\nbind = \"127.0.0.1:9\"\n",
            "4:8: status.bind: transport.bind has this address too",
        ),
        (
            "[transport]\nbind = \"127.0.0.1:7481\"\n",
            "2:8: status.bind: transport.bind has this address too",
        ),
    ] {
        let refused = refusal(text);
        let expected = format!("relay.toml:{expected}");
        assert!(refused.starts_with(&expected), "{refused}\nnot {expected}");
    }
    let apart = "[transport]\nbind = \"127.0.0.1:0\"\n[status]\nbind = \"127.0.0.1:0\"\n";
    assert!(Config::parse(apart, Path::new("relay.toml")).is_ok());
}

#[test]
fn a_field_that_tls_lacks_is_named_at_its_own_table() {
    let text = "# x\n[peer]\n\n[transport]\nenabled = true\n\n[transport.tls]\nbind = \"0.0.0.0:443\"\nkey = \"k\"\n";
    let refused = refusal(text);
    assert!(
        refused.starts_with("relay.toml:7:1: transport.tls: missing field `certificate`"),
        "{refused}"
    );
    let wrong = text.replace("0.0.0.0:443", "everywhere");
    let refused = refusal(&wrong);
    assert!(
        refused.starts_with("relay.toml:8:8: transport.tls.bind: "),
        "{refused}"
    );
}

#[test]
fn status_address_is_loopback_only() {
    let refused = refusal("[status]\nbind = \"0.0.0.0:7481\"\n");
    assert!(
        refused.starts_with("relay.toml:2:8: status.bind: not a loopback"),
        "{refused}"
    );
}

#[cfg(unix)]
#[test]
fn a_file_without_an_end_or_a_writer_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for path in [&pipe, Path::new("/dev/zero")] {
        let error = Config::read(path).unwrap_err().to_string();
        assert!(error.ends_with("is not a regular file"), "{error}");
    }
    let large = folder.path().join("relay.toml");
    let file = std::fs::File::create(&large).unwrap();
    file.set_len(CONFIG_LEN_BYTES_MAX + 1).unwrap();
    let error = Config::read(&large).unwrap_err().to_string();
    assert!(
        error.ends_with("relay.toml is larger than 262144 bytes"),
        "{error}"
    );
}
