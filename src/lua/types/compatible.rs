//! Which pointers convert to which without a cast.

use super::kind::Kind;
use crate::ctype::{Function, QualType, Quals, Type, TypeId};
use crate::lua::state::State;

/// How the qualifiers of two pointed-to types compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lua) enum Qualifiers {
    /// None may be lost; `void` goes with everything.
    Kept,
    /// They are the same, as below the first pointer level.
    Same,
    /// They do not matter, as in comparisons.
    Ignored,
}

/// Whether a pointer to `from` converts to a pointer to `to`.
pub(in crate::lua) fn compatible(
    state: &State,
    to: QualType,
    from: QualType,
    rule: Qualifiers,
) -> bool {
    const COMPARED: u8 = Quals::CONST.0 | Quals::VOLATILE.0;
    let (to, from) = (state.resolve(to), state.resolve(from));
    let (to_quals, from_quals) = (to.quals().0 & COMPARED, from.quals().0 & COMPARED);
    let (to_kind, from_kind) = (state.value_kind(to), state.value_kind(from));
    match rule {
        Qualifiers::Same if to_quals != from_quals => return false,
        Qualifiers::Kept if to_quals & from_quals != from_quals => return false,
        Qualifiers::Kept if to_kind == Kind::Void || from_kind == Kind::Void => return true,
        _ => {}
    }
    let same_size = || state.size(to) == state.size(from);
    match (to_kind, from_kind) {
        (Kind::Int(_), Kind::Int(_))
        | (Kind::Float(_), Kind::Float(_))
        | (Kind::Complex(_), Kind::Complex(_)) => same_size(),
        (Kind::Pointer(a), Kind::Pointer(b)) | (Kind::Reference(a), Kind::Reference(b)) => {
            compatible(state, a, b, Qualifiers::Same)
        }
        (Kind::Array(a, _), Kind::Array(b, _)) | (Kind::Vector(a, _), Kind::Vector(b, _)) => {
            same_size() && compatible(state, a, b, Qualifiers::Same)
        }
        (Kind::Function, Kind::Function) => callable_as(state, to.id(), from.id()),
        (a, b) => a == b,
    }
}

/// Whether a function of type `from` may be called as one of type `to`. LuaJIT compares the number of parameters; C the types, and so
/// does this where `ffi.option` does not say otherwise, by how they are passed: pointers to different types are alike, so that a
/// comparison of `int *` goes to `qsort`.
fn callable_as(state: &State, to: TypeId, from: TypeId) -> bool {
    if to == from {
        return true;
    }
    let (Some(to), Some(from)) = (function(state, to), function(state, from)) else { return false };
    let any = (to.unprototyped || from.unprototyped) && !from.variadic && !to.variadic;
    let counted = to.params.len() == from.params.len();
    if state.options.counted_functions.get() {
        return counted;
    }
    let convention = |function: &Function| {
        state.machine.target.convention(function.convention, function.variadic).ok()
    };
    let passed = |a: QualType, b: QualType| passed_alike(state, a, b);
    to.variadic == from.variadic
        && convention(&to) == convention(&from)
        && passed(to.result, from.result)
        && (any || counted && to.params.iter().zip(&from.params).all(|(&a, &b)| passed(a, b)))
}

fn function(state: &State, ty: TypeId) -> Option<Function> {
    match state.types.borrow().table().get(ty) {
        Type::Function(function) => Some(Function::clone(function)),
        _ => None,
    }
}

/// Whether values of two types are passed and returned alike.
fn passed_alike(state: &State, a: QualType, b: QualType) -> bool {
    match (state.value_kind(a), state.value_kind(b)) {
        (Kind::Int(a), Kind::Int(b)) => a.size() == b.size(),
        (Kind::Pointer(_) | Kind::Reference(_), Kind::Pointer(_) | Kind::Reference(_)) => true,
        (a, b) => a == b,
    }
}
