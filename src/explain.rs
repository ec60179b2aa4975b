//! What becomes of a declaration: plan, CLIF and machine code, for any target, as text.
#![forbid(unsafe_code)]

use std::fmt::Write;

use crate::abi::{self, Backend, CallPlan, Signature};
use crate::code;
use crate::ctype::{self, Declarations, QualType, Table, Type, TypeId};
use crate::error::Error;
use crate::lower;
use crate::target::Target;

/// A stage to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emit {
    /// Registers, stack slots and frame.
    Plan,
    /// Cranelift IR of the call thunk and of the callback body.
    Clif,
    /// Machine code of both.
    Asm,
    /// Offsets, holes and bits of a struct or union.
    Layout,
}

/// Explains one declaration (`int f(double)`, with or without `;`) or type name. Functions have a plan, CLIF and machine
/// code, other types a layout. `variable` are the types of arguments for `...`.
///
/// # Errors
/// [`Error::Declaration`]; [`Error::Convention`] and [`Error::Unsupported`] where the target cannot carry the call;
/// [`Error::NotAFunction`] for a stage that the type does not have.
pub fn explain(
    declaration: &str,
    variable: &[&str],
    target: &Target,
    emit: Emit,
) -> Result<String, Error> {
    let mut declarations = Declarations::new(target);
    let (name, ty) = declarations.parse_one(declaration.as_bytes())?;
    let variable = variable
        .iter()
        .map(|text| declarations.parse_type(text.as_bytes(), &[]))
        .collect::<Result<Vec<_>, _>>()?;
    let table = declarations.table();
    if emit == Emit::Layout {
        return Ok(ctype::layout_text(table, ty));
    }
    let function =
        function_type(table, ty).ok_or_else(|| Error::NotAFunction { ty: table.repr(ty) })?;
    let (signature, convention) = Signature::of(table, target, function, &variable)?;
    let plan = abi::plan(&signature, convention)?;
    let name = name.map_or("", |name| table.name(name));
    let head = format!("{}\n", table.declare(function.into(), name));
    let body = match emit {
        Emit::Plan => plan_text(table, function, &variable, &plan),
        Emit::Clif => clif(target, &plan)?,
        Emit::Asm => asm_text(target, &plan)?,
        Emit::Layout => String::new(),
    };
    Ok(head + &body)
}

/// The function type of a function or of a pointer to one.
fn function_type(table: &Table, ty: QualType) -> Option<TypeId> {
    match table.get(table.resolve(ty).id()) {
        Type::Function(_) => Some(table.resolve(ty).id()),
        Type::Pointer(to) => match table.get(to.id()) {
            Type::Function(_) => Some(to.id()),
            _ => None,
        },
        _ => None,
    }
}

fn plan_text(table: &Table, function: TypeId, variable: &[QualType], plan: &CallPlan) -> String {
    let Type::Function(function) = table.get(function) else {
        return String::new();
    };
    let types = std::iter::once(&function.result).chain(&function.params).chain(variable);
    let types: Vec<String> = types.map(|&ty| table.repr(ty)).collect();
    let mut text = abi::explain(plan, &types);
    if function.variadic {
        text += &abi::explain_variable(plan);
    }
    text
}

/// The IR of both thunks.
fn thunks(
    target: &Target,
    plan: &CallPlan,
) -> Result<[(&'static str, cranelift_codegen::ir::Function); 2], Error> {
    let isa = lower::isa(target.triple())?;
    // The addresses of the x87 helpers are a process's own; the text has none.
    let x87 = lower::X87::default();
    let cx =
        lower::Context { plan, config: isa.frontend_config(), own: isa.default_call_conv(), x87 };
    Ok([
        ("call thunk: fn(target, frame)", lower::frame_call(cx)),
        ("callback body: fn(registers, slot)", lower::callback(cx, code::DISPATCH_OFFSET)),
    ])
}

/// The Cranelift IR of the call thunk and of the callback body of a plan.
///
/// # Errors
/// [`Error::Codegen`] and [`Error::Target`] where Cranelift does not know the target.
pub fn clif(target: &Target, plan: &CallPlan) -> Result<String, Error> {
    let mut text = vector_count_note(plan);
    for (title, function) in thunks(target, plan)? {
        let _ = write!(text, "\n; {title}\n{}", function.display());
    }
    Ok(text)
}

/// Both shims of an i686 plan.
fn x86_text(target: &Target, plan: &CallPlan) -> Result<String, Error> {
    let shims = [
        ("call shim: popped = shim(target, frame)", lower::x86::call_shim(plan)?),
        ("callback shim, its slot pushed", lower::x86::callback_shim(plan, 0)?),
    ];
    Ok(shims.into_iter().fold(String::new(), |mut text, (title, code)| {
        let instructions = lower::disassemble(target.triple(), &code);
        let _ = write!(text, "\n; {title}, {} bytes\n{instructions}", code.len());
        text
    }))
}

fn asm_text(target: &Target, plan: &CallPlan) -> Result<String, Error> {
    if let Backend::X86(_) = plan.convention.backend {
        return x86_text(target, plan);
    }
    let mut text = vector_count_note(plan);
    if plan.vector_count.is_some() {
        let stub = lower::disassemble(target.triple(), &code::VECTOR_COUNT_STUB);
        let _ = write!(text, "\n; vector-count stub, one for each target\n{stub}");
    }
    let isa = lower::isa(target.triple())?;
    for (title, function) in thunks(target, plan)? {
        let code = lower::compile(&*isa, function)?;
        let instructions = lower::disassemble(target.triple(), &code);
        let _ = write!(text, "\n; {title}, {} bytes\n{instructions}", code.len());
    }
    Ok(text)
}

fn vector_count_note(plan: &CallPlan) -> String {
    match plan.vector_count {
        Some(count) => format!(
            "; vector count: `target` is a stub that sets al = {count} and goes on to the variadic function\n"
        ),
        None => String::new(),
    }
}
