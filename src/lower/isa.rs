//! Code generators by target, with the settings that every thunk is compiled with, and disassembly.

use std::fmt::Write;

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa, TargetFrontendConfig, TargetIsa, lookup};
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
        // A large frame touches every page of it, so that a stack without room for it ends in its guard page, not beyond.
        ("enable_probestack", "true"),
        ("probestack_strategy", "inline"),
        ("enable_verifier", if verify { "true" } else { "false" }),
    ] {
        flags.set(name, value).map_err(|e| Error::codegen(format!("{name}: {e}")))?;
    }
    lookup(triple.clone())
        .map_err(|e| Error::codegen(format!("{triple}: {e}")))?
        .finish(settings::Flags::new(flags))
        .map_err(|e| Error::codegen(format!("{triple}: {e}")))
}

/// The facts of a target that CLIF depends on. Targets without a code generator have them, too.
///
/// # Errors
/// [`Error::Codegen`] where the width of a pointer is not known.
pub fn frontend_config(triple: &Triple) -> Result<TargetFrontendConfig, Error> {
    let unknown = |()| Error::codegen(format!("{triple}: no pointer width"));
    Ok(TargetFrontendConfig {
        default_call_conv: CallConv::triple_default(triple),
        pointer_width: triple.pointer_width().map_err(unknown)?,
        page_size_align_log2: 12,
    })
}

/// The machine code of a function; words that a linker fills in are 0.
///
/// # Errors
/// [`Error::Codegen`].
pub fn compile(isa: &dyn TargetIsa, function: ir::Function) -> Result<Vec<u8>, Error> {
    let mut context = codegen::Context::for_function(function);
    Ok(compiled(isa, &mut context)?.code_buffer().to_vec())
}

/// The number of bytes of a function's machine code, and its instructions, one a line: on x86 those that the bytes are, each with its
/// offset; elsewhere as Cranelift prints them when it has given them their registers.
///
/// # Errors
/// [`Error::Codegen`].
pub fn listing(isa: &dyn TargetIsa, function: ir::Function) -> Result<(usize, String), Error> {
    let mut context = codegen::Context::for_function(function);
    context.set_disasm(true);
    let code = compiled(isa, &mut context)?;
    let bytes = code.code_buffer();
    let text = match (&code.vcode, bits(isa.triple())) {
        (Some(text), None) => instructions(text),
        _ => disassemble(isa.triple(), bytes),
    };
    Ok((bytes.len(), text))
}

/// The lines of Cranelift's text but its notes on how to unwind.
fn instructions(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("unwind "));
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn compiled<'c>(
    isa: &dyn TargetIsa,
    context: &'c mut codegen::Context,
) -> Result<&'c codegen::CompiledCode, Error> {
    context
        .compile(isa, &mut ControlPlane::default())
        .map_err(|e| Error::codegen(format!("{:?}", e.inner)))
}

/// 32 or 64, on x86.
fn bits(triple: &Triple) -> Option<u32> {
    match triple.architecture {
        Architecture::X86_64 => Some(64),
        Architecture::X86_32(_) => Some(32),
        _ => None,
    }
}

/// The instructions of x86 `code`, one a line with its offset.
pub fn disassemble(triple: &Triple, code: &[u8]) -> String {
    let bits = bits(triple).unwrap_or(64);
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
