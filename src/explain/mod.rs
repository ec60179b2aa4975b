//! A declaration explained as text: plan, Cranelift IR and machine code, for any target.
#![forbid(unsafe_code)]

mod drawing;
mod svg;
mod text;

use std::fmt::Write;

use crate::abi::{self, Backend, CallPlan, Signature};
use crate::code;
use crate::ctype::{self, Declarations, QualType, Table, Type, TypeId};
use crate::error::Error;
use crate::lower;
use crate::target::Target;

pub use drawing::{Drawing, Group, Row};
pub use svg::svg;
pub use text::text;

/// A stage to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emit {
    /// Registers and stack, drawn.
    Drawing,
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
    if emit == Emit::Layout {
        let (_, ty) = declarations.parse_one(declaration.as_bytes())?;
        return Ok(ctype::layout_text(declarations.table(), ty));
    }
    let call = Call::parse(&mut declarations, declaration, variable, target)?;
    let table = declarations.table();
    let body = match emit {
        Emit::Drawing => return Ok(text(&call.drawing(table))),
        Emit::Plan => call.plan_text(table),
        Emit::Clif => clif(target, &call.plan)?,
        Emit::Asm => asm(target, &call.plan)?,
        Emit::Layout => String::new(),
    };
    Ok(format!("{}\n{body}", call.declaration(table)))
}

/// The drawing of a function's call, for [`text()`] and [`svg()`].
///
/// # Errors
/// As [`explain`].
pub fn drawing(declaration: &str, variable: &[&str], target: &Target) -> Result<Drawing, Error> {
    let mut declarations = Declarations::new(target);
    let call = Call::parse(&mut declarations, declaration, variable, target)?;
    Ok(call.drawing(declarations.table()))
}

/// A declaration explained: a function by a drawing and its plan, another type by its layout. The declaration may use names of
/// `declarations`.
///
/// # Errors
/// As [`explain`].
pub fn overview(
    declarations: &mut Declarations,
    declaration: &str,
    variable: &[&str],
    target: &Target,
) -> Result<String, Error> {
    let (name, ty) = declarations.parse_one(declaration.as_bytes())?;
    let variable = types(declarations, variable)?;
    let table = declarations.table();
    overview_of(table, ty, name.map_or("", |name| table.name(name)), &variable, target)
}

/// [`overview`] of a type. `name` is the name of a function that has the type.
///
/// # Errors
/// As [`explain`].
pub fn overview_of(
    table: &Table,
    ty: QualType,
    name: &str,
    variable: &[QualType],
    target: &Target,
) -> Result<String, Error> {
    match Call::of(table, ty, name, variable, target) {
        Ok(call) => Ok(text(&call.drawing(table)) + &call.plan_text(table)),
        Err(Error::NotAFunction { .. }) => Ok(ctype::layout_text(table, ty)),
        Err(error) => Err(error),
    }
}

fn types(declarations: &mut Declarations, texts: &[&str]) -> Result<Vec<QualType>, Error> {
    let parse = |text: &&str| declarations.parse_type(text.as_bytes(), &[]);
    Ok(texts.iter().map(parse).collect::<Result<_, _>>()?)
}

/// A function with types for its variable arguments.
struct Call {
    name: String,
    function: TypeId,
    variable: Vec<QualType>,
    plan: CallPlan,
}

impl Call {
    fn parse(
        declarations: &mut Declarations,
        declaration: &str,
        variable: &[&str],
        target: &Target,
    ) -> Result<Call, Error> {
        let (name, ty) = declarations.parse_one(declaration.as_bytes())?;
        let variable = types(declarations, variable)?;
        let table = declarations.table();
        Call::of(table, ty, name.map_or("", |name| table.name(name)), &variable, target)
    }

    fn of(
        table: &Table,
        ty: QualType,
        name: &str,
        variable: &[QualType],
        target: &Target,
    ) -> Result<Call, Error> {
        let function =
            function_type(table, ty).ok_or_else(|| Error::NotAFunction { ty: table.repr(ty) })?;
        let (signature, convention) = Signature::of(table, target, function, variable)?;
        let plan = abi::plan(&signature, convention)?;
        Ok(Call { name: name.into(), function, variable: variable.into(), plan })
    }

    fn declaration(&self, table: &Table) -> String {
        table.declare(self.function.into(), &self.name)
    }

    /// The types of the result and of the arguments.
    fn types(&self, table: &Table) -> Vec<String> {
        let Type::Function(function) = table.get(self.function) else { return Vec::new() };
        let types = std::iter::once(&function.result).chain(&function.params);
        types.chain(&self.variable).map(|&ty| table.repr(ty)).collect()
    }

    fn drawing(&self, table: &Table) -> Drawing {
        Drawing::of(self.declaration(table), &self.plan, &self.types(table))
    }

    fn plan_text(&self, table: &Table) -> String {
        let text = abi::explain(&self.plan, &self.types(table));
        match table.get(self.function) {
            Type::Function(function) if function.variadic => {
                text + &abi::explain_variable(&self.plan)
            }
            _ => text,
        }
    }
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

/// The IR of both thunks.
fn thunks(
    target: &Target,
    plan: &CallPlan,
) -> Result<[(&'static str, cranelift_codegen::ir::Function); 2], Error> {
    let config = lower::frontend_config(target.triple())?;
    // The addresses of native code are a process's own; the text has none.
    let native = lower::Native::default();
    let cx = lower::Context { plan, config, own: config.default_call_conv, native };
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

/// The machine code of both.
///
/// # Errors
/// As [`clif`].
pub fn asm(target: &Target, plan: &CallPlan) -> Result<String, Error> {
    if let Backend::X86(_) = plan.convention.backend {
        return x86_text(target, plan);
    }
    let mut text = vector_count_note(plan);
    if plan.vector_count.is_some() {
        let stub = lower::disassemble(target.triple(), &code::VECTOR_COUNT_STUB);
        let _ = write!(text, "\n; vector-count stub, one for each target\n{stub}");
    }
    let isa = lower::isa(target.triple(), code::verifies())?;
    for (title, function) in thunks(target, plan)? {
        let (bytes, instructions) = lower::listing(&*isa, function)?;
        let _ = write!(text, "\n; {title}, {bytes} bytes\n{instructions}");
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
