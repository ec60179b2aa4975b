//! Names of generated code for profilers and debuggers.
//!
//! [`observe`], or `CTHUNK_OBSERVE=1` in the environment, turns them on: `perf` finds thunks in `/tmp/perf-PID.map`; GDB finds them, and their unwind
//! records, by its JIT interface. While names are on, each function has a thunk of its own. So a thunk has the name of its function (`int add(int,
//! int)`); otherwise all functions of one shape share it.

mod gdb;
mod perf;

use std::env;
use std::sync::atomic::{AtomicU8, Ordering};

use super::Shape;
use crate::abi::{Kind, Signature, Type};

static SWITCH: AtomicU8 = AtomicU8::new(UNSET);
const UNSET: u8 = 2;

/// Sets for the whole process whether the code that is generated from now on is made known.
pub fn observe(on: bool) {
    SWITCH.store(on.into(), Ordering::Relaxed);
}

/// Whether it is.
pub fn is_observed() -> bool {
    match SWITCH.load(Ordering::Relaxed) {
        UNSET => {
            observe(env::var_os("CTHUNK_OBSERVE").is_some_and(|value| value != "0"));
            is_observed()
        }
        on => on != 0,
    }
}

/// Makes a thunk known, with its `.eh_frame` records.
pub(super) fn register(shape: &Shape, address: usize, size: usize, unwind: &[u8]) {
    let name = name(shape);
    perf::write(&name, address, size);
    gdb::register(&name, address, size, unwind);
}

/// Makes native stubs known to `perf`. In a backtrace they do not stand: they jump.
pub(super) fn name_stubs(name: &str, address: usize, size: usize) {
    perf::write(name, address, size);
}

/// The function's declaration; of a thunk that is no function's own, its shape.
fn name(shape: &Shape) -> String {
    match &shape.kind {
        super::Kind::Lua { label: Some(label), .. } => label.to_string(),
        super::Kind::Lua { .. } => describe("call", &shape.signature),
        super::Kind::FrameCall => describe("frame call", &shape.signature),
        super::Kind::Callback => describe("callback", &shape.signature),
    }
}

fn describe(what: &str, signature: &Signature) -> String {
    let arguments: Vec<String> = signature.arguments.iter().map(type_name).collect();
    let dots = if signature.fixed.is_some() { ", ..." } else { "" };
    format!("{what}: {} ({}{dots})", type_name(&signature.result), arguments.join(", "))
}

fn type_name(ty: &Type) -> String {
    match ty.kind {
        Kind::Void => "void".to_owned(),
        Kind::Bool => "_Bool".to_owned(),
        Kind::Int { signed: true } => format!("int{}_t", 8 * ty.size),
        Kind::Int { signed: false } => format!("uint{}_t", 8 * ty.size),
        Kind::Pointer => "void *".to_owned(),
        Kind::Float if ty.size == 4 => "float".to_owned(),
        Kind::Float => "double".to_owned(),
        _ => format!("value of {} bytes", ty.size),
    }
}
