//! How many processes of a name run.

use aramaki_model::{Thresholds, Unit};

use super::reading::{Reading, metric, number};
use crate::platform::{self, Process, ReadError};

/// Names of `/proc/PID/stat` are cut at this length by the kernel.
const NAME_LEN_BYTES_MAX: usize = 15;

/// Counts processes whose command is called `name`.
pub(crate) fn check(name: &str, count: &Thresholds) -> Result<Reading, ReadError> {
    Ok(judge(&platform::processes()?, name, count))
}

fn judge(processes: &[Process], name: &str, count: &Thresholds) -> Reading {
    let (mut living, mut zombies) = (0_u64, 0_u64);
    for process in processes.iter().filter(|process| matches(process, name)) {
        *(if process.state == 'Z' {
            &mut zombies
        } else {
            &mut living
        }) += 1;
    }
    let words = match living {
        0 => format!("no process {name}"),
        1 => format!("1 process {name}"),
        _ => format!("{living} processes {name}"),
    };
    let mut reading = Reading::ok(words);
    if zombies > 0 {
        reading.say(format_args!(", {zombies} dead but not collected"));
    }
    reading.judge(metric("processes", number(living), Unit::None), count);
    reading
}

fn matches(process: &Process, name: &str) -> bool {
    let program = process.command_line.split(' ').next().unwrap_or_default();
    let file_name = program.rsplit('/').next().unwrap_or_default();
    let cut = name.get(..NAME_LEN_BYTES_MAX).unwrap_or(name);
    process.name == cut || file_name == name
}

#[cfg(test)]
mod tests {
    use super::super::reading::thresholds;
    use super::*;
    use aramaki_model::Severity;

    fn process(name: &str, command_line: &str, state: char) -> Process {
        Process {
            name: name.to_owned(),
            command_line: command_line.to_owned(),
            state,
        }
    }

    #[test]
    fn processes_are_found_by_long_names_and_zombies_do_not_count() {
        let all = [
            process(
                "prometheus-node",
                "/usr/bin/prometheus-node-exporter --web",
                'S',
            ),
            process("postgres", "postgres: writer", 'S'),
            process("postgres", "", 'Z'),
        ];
        let judge = |name: &str| judge(&all, name, &thresholds("", "1:"));
        assert_eq!(judge("prometheus-node-exporter").severity, Severity::Ok);
        assert_eq!(
            judge("postgres").summary,
            "1 process postgres, 1 dead but not collected"
        );
        assert_eq!(judge("mariadbd").severity, Severity::Critical);
    }

    #[test]
    fn a_child_of_this_test_is_found_until_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("aramaki-sleeper");
        std::os::unix::fs::symlink("/bin/sleep", &program).unwrap();
        let mut child = std::process::Command::new(&program)
            .arg("300")
            .spawn()
            .unwrap();
        let limits = thresholds("", "1:");
        let find = || check("aramaki-sleeper", &limits).unwrap().severity;
        assert_eq!(find(), Severity::Ok);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(find(), Severity::Critical);
    }
}
