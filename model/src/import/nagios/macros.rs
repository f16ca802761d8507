//! Macros in commands: `$HOSTADDRESS$`, `$ARG1$`, `$USER1$`, `$_HOSTSNMP$`.

use std::collections::BTreeMap;

use super::objects::Resolved;

/// Bytes of a command when its macros are filled in.
const COMMAND_LEN_BYTES_MAX: usize = 64 << 10;
/// A macro's value may hold macros; so often is looked again.
const ROUNDS_MAX: usize = 4;

/// What macros mean in one check.
#[derive(Debug)]
pub(super) struct Meaning<'a> {
    pub(super) host: &'a Resolved,
    pub(super) host_name: &'a str,
    pub(super) service: Option<&'a Resolved>,
    pub(super) users: &'a BTreeMap<String, String>,
    pub(super) arguments: Vec<String>,
}

/// A command and its arguments: `check_http!-p 80!/x`.
pub(super) fn split(check_command: &str) -> (String, Vec<String>) {
    let mut words = vec![String::new()];
    let mut letters = check_command.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '\\' if letters.peek() == Some(&'!') => {
                if let Some(last) = words.last_mut() {
                    last.extend(letters.next());
                }
            }
            '!' => words.push(String::new()),
            c => {
                if let Some(last) = words.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    let name = words.remove(0).trim().to_owned();
    (name, words)
}

impl Meaning<'_> {
    /// Fills in macros.
    ///
    /// # Errors
    /// The first macro that nothing is known of.
    pub(super) fn fill(&self, line: &str) -> Result<String, String> {
        let mut text = line.to_owned();
        for _round in 0..ROUNDS_MAX {
            let filled = self.round(&text)?;
            let is_done = filled == text;
            text = filled;
            if is_done || !text.contains('$') {
                break;
            }
        }
        // What stands for the sign itself.
        Ok(text.replace(DOLLAR, "$"))
    }

    fn round(&self, text: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            if let Some(behind) = after.strip_prefix('$') {
                out.push_str(DOLLAR);
                rest = behind;
                continue;
            }
            match after.split_once('$') {
                Some((name, behind)) if is_name(name) => {
                    let value = self.value(name);
                    out.push_str(&value.ok_or_else(|| name.to_owned())?);
                    rest = behind;
                }
                _ => {
                    out.push_str(DOLLAR);
                    rest = after;
                }
            }
            if out.len() > COMMAND_LEN_BYTES_MAX {
                return Err(format!("more than {COMMAND_LEN_BYTES_MAX} bytes"));
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    fn value(&self, name: &str) -> Option<String> {
        let host = |field: &str| self.host.text(field).map(str::to_owned);
        let service = |field: &str| self.service?.text(field).map(str::to_owned);
        let own = || Some(self.host_name.to_owned());
        if let Some(number) = name.strip_prefix("ARG") {
            let number: usize = number.parse().ok()?;
            let argument = self.arguments.get(number.checked_sub(1)?);
            // Nagios takes one that is not given as nothing.
            return Some(argument.map(|it| it.trim().to_owned()).unwrap_or_default());
        }
        if let Some(value) = self.users.get(name) {
            return Some(value.clone());
        }
        if let Some(custom) = name.strip_prefix("_HOST") {
            return custom_field(self.host, custom);
        }
        if let Some(custom) = name.strip_prefix("_SERVICE") {
            return self.service.and_then(|it| custom_field(it, custom));
        }
        match name {
            "HOSTADDRESS" => host("address").or_else(own),
            "HOSTNAME" => own(),
            "HOSTALIAS" => host("alias").or_else(own),
            "HOSTDISPLAYNAME" => host("display_name").or_else(own),
            "HOSTNOTES" => host("notes").or_else(|| Some(String::new())),
            "SERVICEDESC" => service("service_description"),
            "SERVICEDISPLAYNAME" => {
                service("display_name").or_else(|| service("service_description"))
            }
            _ => None,
        }
    }
}

/// Stands for `$$` until all macros are filled: no text that people write holds it.
const DOLLAR: &str = "\u{1}";

fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    !name.is_empty() && name.chars().all(allowed)
}

fn custom_field(object: &Resolved, name: &str) -> Option<String> {
    let wanted = format!("_{name}");
    let mut fields = object.fields.iter();
    let found = fields.find(|(field, _)| field.eq_ignore_ascii_case(&wanted));
    found.map(|(_, value)| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::plan::Place;

    #[test]
    fn macros_are_filled_and_unknown_ones_named() {
        let object = |fields: &[(&str, &str)]| Resolved {
            place: Place::default(),
            fields: fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        let host = object(&[("address", "192.0.2.7"), ("_snmp", "v3")]);
        let service = object(&[("service_description", "Web")]);
        let (name, arguments) = split(r"check_http!-p 80!a\!b");
        assert_eq!(
            (name.as_str(), arguments[1].as_str()),
            ("check_http", "a!b")
        );
        let users = BTreeMap::from([("USER1".to_owned(), "/plugins".to_owned())]);
        let meaning = Meaning {
            host: &host,
            host_name: "web1",
            service: Some(&service),
            users: &users,
            arguments,
        };
        let line = "$USER1$/check_http -H $HOSTADDRESS$ $ARG1$ $ARG2$$ARG9$ $_HOSTSNMP$ '$SERVICEDESC$' a$$b 5$";
        assert_eq!(
            meaning.fill(line).as_deref(),
            Ok("/plugins/check_http -H 192.0.2.7 -p 80 a!b v3 'Web' a$b 5$")
        );
        assert_eq!(meaning.fill("a $USER9$"), Err("USER9".to_owned()));
    }
}
