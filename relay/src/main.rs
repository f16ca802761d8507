//! `aramaki-relay`: hands the command line to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    aramaki_relay::cli::main(
        std::env::args_os(),
        &mut std::io::stdout(),
        &mut std::io::stderr(),
    )
}
