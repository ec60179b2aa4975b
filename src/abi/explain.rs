//! A plan as text.

use std::fmt::Write;

use super::{Bank, CallPlan, Class, Extension, Pass, Piece, Place, Role, Type, Width};

/// The plan as a table: one line a piece, then what is common to the call.
///
/// `types` are the C types of the result and of the arguments, in this order; they may be missing.
pub fn explain(plan: &CallPlan, types: &[String]) -> String {
    let mut text = format!("convention {}: {}\n", plan.convention.name, plan.convention.source);
    let width = types.iter().map(|ty| ty.chars().count()).max().unwrap_or(0);
    let mut row = |label: &str, index: usize, pass: &Pass| {
        let ty = types.get(index).map_or("", String::as_str);
        for place in places(plan, pass) {
            let line = format!("  {label:<12} {ty:<width$}  {place}");
            let _ = writeln!(text, "{}", line.trim_end());
        }
    };
    for (i, pass) in plan.arguments.iter().enumerate() {
        row(&format!("argument {}", i + 1), i + 1, pass);
    }
    row("result", 0, &plan.result);
    if let Some(count) = plan.vector_count {
        let _ = writeln!(
            text,
            "  vector count al = {count}: upper bound on the vector registers used, set by every call of a variadic function"
        );
    }
    stack(&mut text, plan);
    let _ = writeln!(
        text,
        "  frame        {} bytes, {}-aligned: result +{}{}",
        plan.frame.size,
        plan.frame.align,
        plan.frame.result,
        plan.frame.arguments.iter().enumerate().fold(String::new(), |list, (i, offset)| format!(
            "{list}, argument {} +{offset}",
            i + 1
        ))
    );
    text
}

fn stack(text: &mut String, plan: &CallPlan) {
    let convention = plan.convention;
    let shadow = match convention.shadow {
        0 => String::new(),
        bytes => format!("{bytes} bytes of shadow space, then "),
    };
    let _ = writeln!(
        text,
        "  stack        {shadow}{} bytes of arguments, {}-aligned at the call, {}",
        plan.stack_bytes,
        plan.stack_align,
        popped(plan)
    );
}

fn popped(plan: &CallPlan) -> String {
    match plan.popped {
        0 => "popped by the caller".into(),
        all if all == plan.stack_bytes => "popped by the callee".into(),
        part => format!("{part} of them popped by the callee"),
    }
}

/// The places that variable arguments of a plan can get, as text.
pub fn explain_variable(plan: &CallPlan) -> String {
    format!(
        "  ...          default argument promotions, then integers and pointers in: {}; doubles in: {}\n",
        free(plan, &Type::POINTER),
        free(plan, &Type::F64)
    )
}

/// Where variable arguments of a type go, first to last.
fn free(plan: &CallPlan, ty: &Type) -> String {
    let bank = match (plan.convention.classify)(ty, Role::Variable) {
        Ok(Class::Registers(parts)) => parts.parts.first().map(|part| part.scalar.bank),
        _ => None,
    };
    let registers = match bank {
        Some(bank @ Bank::Int) => &plan.convention.arguments.of(bank)[usize::from(plan.next.int)..],
        Some(bank) => &plan.convention.arguments.of(bank)[usize::from(plan.next.float)..],
        None => &[],
    };
    registers.iter().map(|r| r.name).chain(["the stack"]).collect::<Vec<_>>().join(", ")
}

fn places(plan: &CallPlan, pass: &Pass) -> Vec<String> {
    match pass {
        Pass::Ignore => vec!["nothing".into()],
        Pass::Pieces(pieces) if pieces.is_empty() => vec!["nothing".into()],
        Pass::Pieces(pieces) => pieces.iter().map(|piece| describe(plan, piece)).collect(),
        Pass::Stack { offset, size } => {
            vec![format!("[sp+{}]  a copy of all {size} bytes", plan.convention.shadow + offset)]
        }
        Pass::Pointer { pointer, size, align } => {
            let place = place_name(plan, pointer);
            vec![format!(
                "{place:<8} pointer to {size} bytes in memory of the caller, {align}-aligned"
            )]
        }
    }
}

fn place_name(plan: &CallPlan, piece: &Piece) -> String {
    match piece.place {
        Place::Register(register) if piece.width == Width::Upper128 => {
            format!("{}, upper half", register.name.replace('x', "y"))
        }
        Place::Register(register) => register.name.into(),
        Place::Stack(offset) => format!("[sp+{}]", plan.convention.shadow + offset),
    }
}

fn describe(plan: &CallPlan, piece: &Piece) -> String {
    let place = place_name(plan, piece);
    let bits = piece.width.bytes() * 8;
    let extension = match piece.extension {
        Extension::None => String::new(),
        Extension::Zero => format!(", zero-extended to {bits} bits"),
        Extension::Sign => format!(", sign-extended to {bits} bits"),
        Extension::Ones => format!(", the rest of {bits} bits ones"),
    };
    let upper = match (piece.bank, piece.width) {
        (Bank::Int, Width::W32) if plan.convention.architecture != "x86" => {
            ", upper half undefined"
        }
        _ => "",
    };
    format!("{place:<8} bytes {}..{}{extension}{upper}", piece.offset, piece.offset + piece.bytes)
}
