//! Every command line in README and docs is one that the programs take.

use std::path::{Path, PathBuf};

use clap::Parser as _;
use clap::error::ErrorKind;

use super::Cli;

/// A command line in a paper.
#[derive(Debug)]
struct Line {
    place: String,
    words: Vec<String>,
    /// In a block, to be typed as it stands; else it may be cut short.
    whole: bool,
}

fn papers() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut folders = vec![root.join("docs")];
    let mut papers = vec![root.join("README.md"), root.join("ARCHITECTURE.md")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                papers.push(path);
            }
        }
    }
    papers.retain(|path| path.extension().is_some_and(|it| it == "md"));
    papers
}

/// The words of a line as a shell sees them, up to a comment, a pipe or a semicolon.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, '|' | ';' | '<' | '>') => break,
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for paper in papers() {
        let text = std::fs::read_to_string(&paper).unwrap();
        let mut block = false;
        for (number, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                block = !block;
                continue;
            }
            let code: Vec<&str> = if block {
                vec![line.trim()]
            } else {
                line.split('`').skip(1).step_by(2).collect()
            };
            for code in code {
                let mut words = words(code);
                // Who runs it is not the program's matter.
                while words
                    .first()
                    .is_some_and(|word| word == "sudo" || word == "-u" || word == "aramaki-agent")
                    && words.iter().skip(1).any(|word| word.starts_with("aramaki"))
                {
                    words.remove(0);
                }
                if words
                    .first()
                    .is_some_and(|word| word.starts_with("aramaki"))
                {
                    lines.push(Line {
                        place: format!("{}:{}", paper.display(), number + 1),
                        words,
                        whole: block,
                    });
                }
            }
        }
    }
    lines
}

#[test]
fn every_command_line_in_the_papers_is_one_that_the_program_takes() {
    let mut seen = 0;
    for line in lines() {
        let Line {
            place,
            words,
            whole,
        } = &line;
        let wrong = match words[0].as_str() {
            "aramaki" => Cli::try_parse_from(words).err().filter(|error| {
                let cut_short = matches!(
                    error.kind(),
                    ErrorKind::MissingRequiredArgument
                        | ErrorKind::MissingSubcommand
                        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                );
                let help = matches!(
                    error.kind(),
                    ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
                );
                !help && (*whole || !cut_short)
            }),
            _ => continue,
        };
        seen += 1;
        if let Some(error) = wrong {
            panic!("{place}: {words:?}\n{error}");
        }
    }
    assert!(seen > 20, "only {seen} command lines were found");
}

#[test]
fn every_command_line_of_relay_and_agent_is_one_that_they_take() {
    let mut seen = 0;
    for line in lines() {
        // Asking for help at the end reads everything before it and runs nothing.
        let arguments = line.words.iter().map(String::as_str).chain(["--help"]);
        let arguments: Vec<std::ffi::OsString> = arguments.map(Into::into).collect();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = match line.words[0].as_str() {
            "aramaki-relay" => aramaki_relay::cli::main(arguments, &mut out, &mut err),
            "aramaki-agent" => aramaki_agent::cli::run_with(arguments, &mut out, &mut err),
            _ => continue,
        };
        seen += 1;
        assert_eq!(
            format!("{exit:?}"),
            format!("{:?}", std::process::ExitCode::SUCCESS),
            "{line:?}\n{}",
            String::from_utf8_lossy(&err)
        );
    }
    assert!(seen > 3, "only {seen} command lines were found");
}

#[test]
fn words_are_told_apart_as_a_shell_does() {
    assert_eq!(
        words("aramaki system add \"Webshop production\" --json  # why"),
        ["aramaki", "system", "add", "Webshop production", "--json"]
    );
    assert_eq!(words("aramaki status | head"), ["aramaki", "status"]);
}
