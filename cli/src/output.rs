//! Output of the command. Its standard streams may be full or closed.

use std::fmt::Arguments;
use std::io::{self, Write};

/// Prints to standard output. If it cannot, the command says so and ends.
pub(crate) fn say(text: Arguments<'_>) {
    let mut output = io::stdout().lock();
    if let Err(error) = output.write_fmt(text).and_then(|()| output.flush()) {
        report(format_args!("cthunk: standard output: {error}"));
        std::process::exit(1);
    }
}

/// Prints a line to standard output, as `println!` without its panic.
macro_rules! say_line {
    ($($text:tt)*) => {
        $crate::output::say(format_args!("{}\n", format_args!($($text)*)))
    };
}
pub(crate) use say_line;

/// Prints a line to standard error. If it cannot, there is nobody left to tell.
pub(crate) fn report(line: Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}
