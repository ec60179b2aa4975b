//! The `cthunk` command: `run`, `explain`, `emit`, `bench` and `fuzz-abi`.
//!
//! It begins at C's `main`, as `lua` does, and leaves signals as they are: a closed pipe ends it. Rust's runtime would look for the end of the stack in
//! `/proc/self/maps` before its own `main`, which takes a tenth of the time of `cthunk run` with an empty script.
#![no_main]

mod bench;
#[cfg(feature = "emit")]
mod emit;
mod failure;
mod fuzz_abi;
mod input;
mod modules;
mod output;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand, ValueEnum};
use cthunk::Target;
use cthunk::ctype::Declarations;
use cthunk::explain::{self, Emit};
use cthunk::mlua::{Lua, LuaOptions, StdLib};
use failure::Failure;

/// The C library calls this.
#[unsafe(no_mangle)]
pub extern "C" fn main() -> ! {
    std::process::exit(execute())
}

/// C functions as compiled Lua functions.
///
/// Set RUST_LOG=cthunk=debug to see the plan of every thunk that is compiled, RUST_LOG=cthunk=trace for its CLIF too.
#[derive(Parser)]
#[command(name = "cthunk", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(Run),
    /// Shows what becomes of a C declaration.
    Explain {
        /// A function, `int printf(const char *fmt, ...);`, or a type, `struct { char c; int i; }`.
        declaration: String,
        /// The platform, as a triple; this one if it is not given.
        #[arg(long, value_name = "TRIPLE")]
        target: Option<String>,
        /// The stage to show; if it is not given, drawing and plan of a function, the layout of another type.
        #[arg(long, value_enum)]
        emit: Option<Stage>,
        /// Writes the drawing of registers and stack as a picture, too.
        #[arg(long, value_name = "FILE")]
        svg: Option<PathBuf>,
        /// Types of arguments for `...`, separated by commas.
        #[arg(long, value_name = "TYPES", value_delimiter = ',')]
        varargs: Vec<String>,
    },
    /// Times calls, fields, callbacks and the rest on this machine: nanoseconds an operation of `cthunk run`, of LuaJIT and of a C
    /// binding written by hand for Lua 5.4.
    ///
    /// Needs a C compiler (cc); luajit, lua5.4 and the headers of Lua 5.4 for the other columns. ONLY=PATTERN in the environment,
    /// a Lua pattern, picks rows.
    Bench {
        /// Rounds; the best one counts.
        #[arg(long, default_value_t = 3)]
        rounds: u32,
    },
    /// Calls random C functions, and has random C functions call callbacks, to prove a calling convention.
    FuzzAbi(fuzz_abi::Options),
    /// Runs one batch of `fuzz-abi`, in a process of its own.
    #[command(hide = true)]
    FuzzAbiWorker(fuzz_abi::WorkerOptions),
    /// Writes the thunks of C functions as an object file with a header.
    #[cfg(feature = "emit")]
    Emit(emit::Arguments),
}

/// Runs a Lua file; `require "ffi"` gives it the library.
#[derive(Parser)]
#[command(name = "cthunk run")]
struct Run {
    /// The file was written for LuaJIT: its literals, `bit`, `jit`, comparisons of cdata, Lua 5.1's globals.
    #[arg(long)]
    luajit: bool,
    /// The file, or - for standard input.
    file: PathBuf,
    /// Arguments of the script: `arg[1]` and so on, and `...`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Stage {
    /// Registers and stack, drawn.
    Drawing,
    /// Registers, stack slots and frame.
    Plan,
    /// Cranelift IR.
    Clif,
    /// Machine code.
    Asm,
    /// Offsets, holes and bits of a struct or union.
    Layout,
}

impl From<Stage> for Emit {
    fn from(stage: Stage) -> Emit {
        match stage {
            Stage::Drawing => Emit::Drawing,
            Stage::Plan => Emit::Plan,
            Stage::Clif => Emit::Clif,
            Stage::Asm => Emit::Asm,
            Stage::Layout => Emit::Layout,
        }
    }
}

/// Runs the command; returns its exit code.
fn execute() -> i32 {
    env_logger::init();
    let outcome = match command() {
        Command::Run(run) => run.run().map_err(Failure::from),
        Command::Bench { rounds } => bench::bench(rounds).map_err(Failure::from),
        Command::Explain { declaration, target, emit, svg, varargs } => {
            show(&declaration, target.as_deref(), emit, svg.as_deref(), &varargs)
        }
        Command::FuzzAbi(options) => fuzz_abi::main(&options).map_err(Failure::from),
        Command::FuzzAbiWorker(options) => fuzz_abi::work(&options).map_err(Failure::from),
        #[cfg(feature = "emit")]
        Command::Emit(arguments) => emit::run(&arguments),
    };
    match outcome {
        Ok(()) => 0,
        Err(failure) => {
            failure.report();
            1
        }
    }
}

/// The command. `run` is looked for first: a short script takes little longer than the setup of all commands.
fn command() -> Command {
    let mut arguments = env::args_os().skip(1);
    match arguments.next() {
        Some(name) if name == "run" => Command::Run(Run::parse_from(env::args_os().skip(1))),
        _ => Arguments::parse().command,
    }
}

impl Run {
    fn run(self) -> Result<(), String> {
        // "Catches" with the interpreter's own pcall, in which a coroutine can yield; no Rust panic reaches Lua.
        let options = LuaOptions::new().catch_rust_panics(true);
        // SAFETY: the user chose the script, which may do all that the user may.
        let lua = unsafe { Lua::unsafe_new_with(StdLib::ALL, options) };
        // SAFETY: whoever runs the command trusts the script.
        unsafe { cthunk::lua::preload(&lua) }.map_err(|error| error.to_string())?;
        modules::find_debians(&lua).map_err(|error| error.to_string())?;
        if self.luajit {
            // SAFETY: as above.
            unsafe { cthunk::lua::open_luajit(&lua) }.map_err(|error| error.to_string())?;
        }
        cthunk::lua::run_file(&lua, &self.file, &self.arguments)
    }
}

fn show(
    declaration: &str,
    target: Option<&str>,
    emit: Option<Stage>,
    svg: Option<&Path>,
    varargs: &[String],
) -> Result<(), Failure> {
    let target = target_of(target)?;
    let varargs: Vec<&str> = varargs.iter().map(String::as_str).collect();
    let text = match emit {
        Some(stage) => explain::explain(declaration, &varargs, &target, stage.into()),
        None => {
            let mut declarations = Declarations::new(&target);
            explain::overview(&mut declarations, declaration, &varargs, &target)
        }
    };
    if let Some(file) = svg {
        let drawing = explain::drawing(declaration, &varargs, &target)?;
        std::fs::write(file, explain::svg(&drawing)).map_err(|e| failure::in_file(file, &e))?;
    }
    output::say(format_args!("{}", text?));
    Ok(())
}

/// The target of that triple, or the host.
fn target_of(triple: Option<&str>) -> Result<Target, Failure> {
    match triple {
        Some(triple) => triple.parse().map_err(Failure::from),
        None => Ok(Target::host()),
    }
}
