//! The program `aramaki`: the app without a verb, else what the verb asks for.

use std::process::ExitCode;

fn main() -> ExitCode {
    aramaki_desktop::cli::main()
}
