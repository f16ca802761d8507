//! Objects of Nagios' configuration, with what they inherit from templates.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::import::SourceFile;
use crate::import::plan::{Place, Remarks};

/// Objects of all files.
const OBJECTS_MAX: usize = 100_000;
/// Fields of one object.
const FIELDS_MAX: usize = 500;
/// How deep templates may build on each other.
const TEMPLATES_DEEP_MAX: usize = 64;
/// Bytes of a value that is joined from several templates.
const VALUE_LEN_BYTES_MAX: usize = 64 << 10;

/// Fields by name.
pub(super) type Fields = BTreeMap<String, String>;

/// One definition.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) kind: String,
    pub(super) place: Place,
    fields: Fields,
}

/// All that the files say.
#[derive(Debug, Default)]
pub(super) struct Configuration {
    pub(super) objects: Vec<Object>,
    /// `$USER1$` and the like.
    pub(super) macros: BTreeMap<String, String>,
    /// Settings of `nagios.cfg`, with their places.
    pub(super) settings: BTreeMap<String, (String, Place)>,
}

/// Reads all files.
pub(super) fn parse(files: &[&SourceFile], remarks: &Remarks) -> Configuration {
    let mut whole = Configuration::default();
    for file in files {
        parse_file(file, &mut whole, remarks);
    }
    whole
}

fn parse_file(file: &SourceFile, whole: &mut Configuration, remarks: &Remarks) {
    let at = |line: usize, path: &str| Place {
        file: file.name.clone(),
        line: Some(line),
        path: path.to_owned(),
    };
    let mut open: Option<Object> = None;
    for (number, line, raw) in lines(&file.text) {
        let place = || at(number, "");
        let text = line.trim();
        if let Some(object) = &mut open {
            // The end stands alone; a brace of a value has its other half beside it.
            let count = |brace: char| text.matches(brace).count();
            let (text, ends) = match text.strip_suffix('}') {
                Some(text) if count('}') > count('{') => (text.trim_end(), true),
                _ => (text, false),
            };
            if !text.is_empty() {
                let (name, value) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
                if object.fields.len() >= FIELDS_MAX {
                    remarks.left(&object.place, name, "too many fields in one definition");
                } else {
                    object
                        .fields
                        .insert(canonical(name).to_owned(), value.trim().to_owned());
                }
            }
            if ends {
                if whole.objects.len() >= OBJECTS_MAX {
                    let reason = format!("more than {OBJECTS_MAX} definitions");
                    remarks.left(&place(), "", &reason);
                    return;
                }
                whole.objects.extend(open.take());
            }
        } else if let Some(kind) = text
            .strip_prefix("define")
            .filter(|it| it.starts_with(char::is_whitespace))
        {
            let kind = kind.trim().trim_end_matches('{').trim().to_owned();
            open = Some(Object {
                place: at(number, &kind),
                kind,
                fields: Fields::new(),
            });
        } else if let Some((name, value)) = raw.split_once('=') {
            // Outside of definitions a semicolon is a letter: passwords hold some.
            let (name, value) = (name.trim(), value.trim().to_owned());
            match name.strip_prefix('$').and_then(|it| it.strip_suffix('$')) {
                Some(name) => drop(whole.macros.insert(name.to_owned(), value)),
                None => drop(whole.settings.insert(name.to_owned(), (value, place()))),
            }
        } else if !text.is_empty() && text != "{" {
            remarks.left(&place(), "", "this line is not understood");
        }
    }
    if let Some(object) = open {
        remarks.broken(&object.place, "this definition has no end");
    }
}

/// Lines with their numbers, and as they stand there: comments are gone, and what a stroke at the end
/// continues is one line.
fn lines(text: &str) -> Vec<(usize, String, &str)> {
    let mut lines: Vec<(usize, String, &str)> = Vec::new();
    let mut continued: Option<(usize, String)> = None;
    for (number, line) in (1_usize..).zip(text.lines()) {
        if continued.is_none() && line.trim_start().starts_with(['#', ';']) {
            continue;
        }
        let raw = line;
        let line = without_comment(line);
        let (begin, mut whole) = continued.take().unwrap_or((number, String::new()));
        if let Some(line) = line.strip_suffix('\\') {
            whole.push_str(line);
            continued = Some((begin, whole));
        } else {
            whole.push_str(&line);
            lines.push((begin, whole, raw));
        }
    }
    lines.extend(continued.map(|(begin, whole)| (begin, whole, "")));
    lines
}

/// A semicolon begins a comment unless a stroke stands before it.
fn without_comment(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut letters = line.trim_end().chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            ';' => break,
            '\\' if letters.peek() == Some(&';') => out.extend(letters.next()),
            c => out.push(c),
        }
    }
    let kept = out.trim_end().len();
    out.truncate(kept);
    out
}

/// Old spellings of fields.
fn canonical(name: &str) -> &str {
    match name {
        "host" | "host_names" | "hosts" | "master_host" | "master_host_name" => "host_name",
        "hostgroup" | "hostgroups_name" => "hostgroup_name",
        "normal_check_interval" => "check_interval",
        "retry_check_interval" => "retry_interval",
        "description" | "master_description" | "master_service_description" => {
            "service_description"
        }
        "dependent_host" => "dependent_host_name",
        other => other,
    }
}

/// An object with all that it inherits.
#[derive(Clone, Debug)]
pub(super) struct Resolved {
    pub(super) place: Place,
    pub(super) fields: Fields,
}

impl Resolved {
    /// A field's value, if it says something.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let text = self.fields.get(name)?.trim();
        (!text.is_empty() && text != "null").then_some(text)
    }

    /// The entries of a list.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        list(self.text(name).unwrap_or_default())
    }

    /// Whether a switch is off.
    pub(super) fn is_off(&self, name: &str) -> bool {
        self.text(name) == Some("0")
    }
}

/// The entries of a list, as one field has it.
pub(super) fn list(text: &str) -> Vec<&str> {
    let entries = text.trim_start_matches('+').split(',').map(str::trim);
    entries.filter(|it| !it.is_empty()).collect()
}

/// The registered objects of a kind, with what they inherit.
pub(super) fn resolve(whole: &Configuration, kind: &str, remarks: &Remarks) -> Vec<Resolved> {
    let of_kind = || whole.objects.iter().filter(|it| it.kind == kind);
    let mut named: BTreeMap<&str, &Object> = BTreeMap::new();
    for object in of_kind() {
        let Some(name) = object.fields.get("name") else {
            continue;
        };
        if let Some(before) = named.insert(name.as_str(), object) {
            let reason = format!(
                "the template {name} stands in {} too: this one counts",
                before.place
            );
            remarks.adapted(&object.place, "name", &reason);
        }
    }
    let mut templates = Templates {
        named,
        known: BTreeMap::new(),
        remarks,
    };
    let registered = of_kind().filter(|it| it.fields.get("register").is_none_or(|it| it != "0"));
    let resolved = registered.map(|object| Resolved {
        place: object.place.clone(),
        fields: templates.fields(object, &mut BTreeSet::new()),
    });
    resolved.collect()
}

struct Templates<'a> {
    named: BTreeMap<&'a str, &'a Object>,
    /// What templates mean: each is worked out once, however many build on it.
    known: BTreeMap<&'a str, Rc<Fields>>,
    remarks: &'a Remarks,
}

impl<'a> Templates<'a> {
    fn fields(&mut self, object: &'a Object, above: &mut BTreeSet<&'a str>) -> Fields {
        let mut fields = object.fields.clone();
        let names = object.fields.get("use").map(|it| list(it));
        for name in names.unwrap_or_default() {
            let Some(inherited) = self.template(name, object, above) else {
                continue;
            };
            for (field, value) in inherited.iter() {
                inherit(&mut fields, field, value);
            }
        }
        for own in ["use", "name", "register"] {
            fields.remove(own);
        }
        fields
    }

    fn template(
        &mut self,
        name: &'a str,
        object: &Object,
        above: &mut BTreeSet<&'a str>,
    ) -> Option<Rc<Fields>> {
        if let Some(known) = self.known.get(name) {
            return Some(Rc::clone(known));
        }
        let Some(template) = self.named.get(name).copied() else {
            let reason = format!("no template {name} is in these files");
            self.remarks.left(&object.place, "use", &reason);
            return None;
        };
        if above.len() >= TEMPLATES_DEEP_MAX || !above.insert(name) {
            let reason = format!("the template {name} builds on itself, or too many deep");
            self.remarks.left(&object.place, "use", &reason);
            return None;
        }
        let fields = Rc::new(self.fields(template, above));
        above.remove(name);
        self.known.insert(name, Rc::clone(&fields));
        Some(fields)
    }
}

/// What is said nearer wins; `+` adds to what is inherited.
fn inherit(fields: &mut Fields, name: &str, value: &str) {
    match fields.get_mut(name) {
        None => {
            fields.insert(name.to_owned(), value.to_owned());
        }
        Some(own) if own.starts_with('+') && own.len() + value.len() < VALUE_LEN_BYTES_MAX => {
            let inherited = value.trim_start_matches('+');
            let mark = if value.starts_with('+') { "+" } else { "" };
            *own = format!("{mark}{},{inherited}", own.trim_start_matches('+'));
        }
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Configuration, Vec<Resolved>, Vec<String>) {
        let remarks = Remarks::default();
        let file = SourceFile {
            name: "a.cfg".to_owned(),
            text: text.to_owned(),
        };
        let whole = parse(&[&file], &remarks);
        let hosts = resolve(&whole, "host", &remarks);
        (whole, hosts, remarks.reasons())
    }

    #[test]
    fn templates_inherit_nearest_first_and_plus_adds() {
        let (_, hosts, remarks) = read(
            "define host {\n name a ; first\n hostgroups x\n check_interval 5\n register 0\n}\n\
             define host {\n name b\n use a\n check_interval 7\n notes from b\n register 0\n}\n\
             define host{\n  use a,b\n  host_name web1 \n  hostgroups +y\n}\n",
        );
        assert!(remarks.is_empty(), "{remarks:?}");
        assert_eq!(hosts.len(), 1);
        assert_eq!(hosts[0].text("check_interval"), Some("5"));
        assert_eq!(hosts[0].text("notes"), Some("from b"));
        assert_eq!(hosts[0].list("hostgroups"), ["y", "x"]);
        assert_eq!(hosts[0].place.line, Some(14));
        assert!(!hosts[0].fields.contains_key("register"));
    }

    #[test]
    fn a_brace_of_a_value_ends_nothing_and_a_template_twice_is_told() {
        let (_, hosts, remarks) = read(
            "define host {\n host_name a\n notes ${X}\n alias b\n}\n\
             define host{\n host_name c }\n\
             define host {\n name t\n notes 1\n register 0\n}\n\
             define host {\n name t\n notes 2\n register 0\n}\n\
             define host {\n use t\n host_name d\n}\n",
        );
        assert_eq!(hosts[0].text("alias"), Some("b"));
        assert_eq!(hosts[1].text("host_name"), Some("c"));
        assert_eq!(hosts[2].text("notes"), Some("2"));
        assert_eq!(
            remarks,
            ["the template t stands in a.cfg:8: host too: this one counts"]
        );
    }

    #[test]
    fn circles_and_towers_of_templates_end() {
        let (_, hosts, remarks) = read(
            "define host {\n name a\n use b\n}\ndefine host {\n name b\n use a\n register 0\n}\n\
             define host {\n use nobody\n host_name x\n}\n",
        );
        assert_eq!(hosts.len(), 2);
        assert!(remarks.iter().any(|it| it.contains("builds on itself")));
        assert!(remarks.iter().any(|it| it.contains("no template nobody")));
        // Two parents each, forty deep: a million million ways, each template worked out once.
        let mut tower = "define host {\n name t0\n register 0\n notes deep\n}\n".to_owned();
        let floors = (1..40).map(|n| {
            let below = n - 1;
            format!("define host {{\n name t{n}\n use t{below},t{below}\n register 0\n}}\n")
        });
        tower += &floors.collect::<String>();
        tower += "define host {\n use t39\n host_name x\n}\n";
        assert_eq!(read(&tower).1[0].text("notes"), Some("deep"));
    }

    #[test]
    fn lines_continue_and_comments_go() {
        let (whole, hosts, remarks) = read(
            "# $USER1$=no\n$USER1$=/usr/lib/nagios/plugins\n$USER3$=a;b\ninterval_length=30\nfrobnicate\n\
             define host {\n  host_name a\\\n,b\n  notes x\\;y ; z\n}\ndefine host {\n",
        );
        assert_eq!(whole.macros["USER1"], "/usr/lib/nagios/plugins");
        assert_eq!(whole.macros["USER3"], "a;b");
        assert_eq!(whole.settings["interval_length"].0, "30");
        assert_eq!(hosts[0].list("host_name"), ["a", "b"]);
        assert_eq!(hosts[0].text("notes"), Some("x;y"));
        assert_eq!(
            remarks,
            ["this line is not understood", "this definition has no end"]
        );
    }
}
