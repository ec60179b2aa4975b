//! `cthunk emit`: the thunks of a declaration file as an object.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use cthunk::emit::{emit, functions};

use crate::failure::{Failure, in_file};

use crate::input::read_declarations;

/// The output, and its place.
#[derive(Args)]
pub(super) struct Arguments {
    /// A file of C declarations; every function that it declares gets its thunks.
    file: PathBuf,
    /// The platform, as a triple; this one if it is not given.
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
    /// The object; FILE with the ending .o if it is not given.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The header that says how to call them; the object's name with the ending .h if it is not given.
    #[arg(long, value_name = "FILE")]
    header: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let target = crate::target_of(arguments.target.as_deref())?;
    let text = read_declarations(&arguments.file).map_err(|e| in_file(&arguments.file, &e))?;
    let object = arguments.output.clone().unwrap_or_else(|| arguments.file.with_extension("o"));
    let header = arguments.header.clone().unwrap_or_else(|| object.with_extension("h"));
    if header == arguments.file {
        let message = "the header would replace the declarations: give --header or --output";
        return Err(in_file(&header, &message).into());
    }
    let emitted = functions(&text, &target)
        .and_then(|functions| emit(&functions, &target))
        .map_err(|e| Failure::from(e).in_file(&arguments.file))?;
    fs::write(&object, &emitted.object).map_err(|e| in_file(&object, &e))?;
    fs::write(&header, &emitted.header).map_err(|e| in_file(&header, &e))?;
    Ok(())
}
