//! Code generators by target, with the settings that every thunk is compiled with, and disassembly.

use std::fmt::Write;

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa, lookup};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{self as codegen, ir};
use iced_x86::{Decoder, DecoderOptions, Formatter, NasmFormatter};
use target_lexicon::{Architecture, Triple};

use crate::error::Error;

/// Cranelift's code generator for a target, which verifies every function that it compiles if `verify` says so.
///
/// # Errors
/// [`Error::Codegen`] where Cranelift has none (i686, for one).
pub fn isa(triple: &Triple, verify: bool) -> Result<OwnedTargetIsa, Error> {
    let mut flags = settings::builder();
    for (name, value) in [
        ("opt_level", "speed"),
        // cranelift-jit's JITModule asks for both.
        ("is_pic", "false"),
        ("use_colocated_libcalls", "false"),
        ("enable_verifier", if verify { "true" } else { "false" }),
    ] {
        flags.set(name, value).map_err(|e| Error::codegen(format!("{name}: {e}")))?;
    }
    lookup(triple.clone())
        .map_err(|e| Error::codegen(format!("{triple}: {e}")))?
        .finish(settings::Flags::new(flags))
        .map_err(|e| Error::codegen(format!("{triple}: {e}")))
}

/// The machine code of a function that needs no relocations.
///
/// # Errors
/// [`Error::Codegen`].
pub fn compile(isa: &dyn TargetIsa, function: ir::Function) -> Result<Vec<u8>, Error> {
    let mut context = codegen::Context::for_function(function);
    let code = context
        .compile(isa, &mut ControlPlane::default())
        .map_err(|e| Error::codegen(format!("{:?}", e.inner)))?;
    Ok(code.code_buffer().to_vec())
}

/// The instructions of `code`, one a line with its offset; bytes where this build has no disassembler for the target.
pub fn disassemble(triple: &Triple, code: &[u8]) -> String {
    let bits = match triple.architecture {
        Architecture::X86_64 => 64,
        Architecture::X86_32(_) => 32,
        _ => return hex(code),
    };
    let mut formatter = NasmFormatter::new();
    formatter.options_mut().set_branch_leading_zeros(false);
    let mut text = String::new();
    let mut instruction = String::new();
    for decoded in &mut Decoder::new(bits, code, DecoderOptions::NONE) {
        instruction.clear();
        formatter.format(&decoded, &mut instruction);
        let _ = writeln!(text, "{:4x}  {instruction}", decoded.ip());
    }
    text
}

fn hex(code: &[u8]) -> String {
    code.chunks(4).fold(String::new(), |mut text, word| {
        for byte in word {
            let _ = write!(text, "{byte:02x}");
        }
        text.push('\n');
        text
    })
}
