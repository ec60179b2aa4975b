//! Metatables of cdata, `ffi.metatype` and `ffi.gc`.

use std::ffi::c_int;

use super::Objects;
use super::arith;
use super::ctypes;
use super::index;
use super::methods;
use super::print;
use crate::ctype::{QualType, TypeId};
use crate::lua::call;
use crate::lua::callback;
use crate::lua::callback::argument_pool;
use crate::lua::callback::dispatch;
use crate::lua::state::rooms::Part;
use crate::lua::state::watch;
use crate::lua::state::{Anchor, Cx, LuaError, Outcome, entry, finalizer};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata::{self, CData, Flags};
use crate::lua::value::operator::Operator;
use crate::lua::value::to_c;
use crate::lua::vm::api::{self, LuaType, lua_CFunction};
use crate::policy::Permissions;

macro_rules! operators {
    ($($operator:ident),*) => {
        [$((Operator::$operator, entry(|cx: &Cx<'_>| arith::operate(cx, Operator::$operator)))),*]
    };
}

const OPERATORS: [(Operator, lua_CFunction); 12] =
    operators!(Add, Sub, Mul, Div, Mod, Pow, Unm, Eq, Lt, Le, Concat, Len);

/// The operators of Lua 5.3 and later.
const INTEGER_OPERATORS: [(Operator, lua_CFunction); 7] =
    operators!(IDiv, And, Or, Xor, Shl, Shr, Not);

const METAMETHODS: [(&[u8], lua_CFunction); 6] = [
    (b"__index", entry(index::index)),
    (b"__newindex", entry(index::new_index)),
    (b"__call", entry(call_cdata)),
    (b"__tostring", entry(print::to_string)),
    (b"__pairs", entry(|cx: &Cx<'_>| iterate(cx, b"__pairs"))),
    (b"__ipairs", entry(|cx: &Cx<'_>| iterate(cx, b"__ipairs"))),
];

/// The functions that look for metamethods of a metatype, where no fast path does.
#[cfg(not(feature = "luau"))]
pub(in crate::lua) fn general() -> impl Iterator<Item = lua_CFunction> {
    let operators = OPERATORS.into_iter().chain(INTEGER_OPERATORS).map(|operator| operator.1);
    METAMETHODS.into_iter().map(|metamethod| metamethod.1).chain(operators)
}

/// Fills the table that every metatable of cdata is copied from.
pub(in crate::lua) fn make_metamethods(cx: &Cx<'_>) {
    cx.push_anchor(Anchor::Metamethods);
    let set = |name: &[u8], function| {
        cx.push_function(function, 0);
        cx.raw_set_name(-2, name);
    };
    for (name, function) in METAMETHODS {
        set(name, function);
    }
    for (operator, function) in OPERATORS {
        set(operator.event(), function);
    }
    if api::INTEGER_OPERATORS {
        for (operator, function) in INTEGER_OPERATORS {
            set(operator.event(), function);
        }
    }
    for (name, value) in [(&b"__metatable"[..], &b"ffi"[..]), (b"__name", b"cdata")] {
        cx.push_bytes(value);
        cx.raw_set_name(-2, name);
    }
    cx.pop(1);
}

/// Pushes a new metatable for the cdata of a type.
pub(in crate::lua) fn push_new_metatable(cx: &Cx<'_>, ty: QualType, finalized: bool) {
    cx.ensure_stack(12);
    cx.new_table(0, 32);
    cx.push_anchor(Anchor::Metamethods);
    // The first keys of a table are found at the first look.
    for name in [b"__index".as_slice(), b"__newindex"] {
        cx.raw_get_name(-1, name);
        cx.raw_set_name(-3, name);
    }
    cx.push_nil();
    while cx.next(-2) {
        cx.push_value(-2);
        cx.insert(-2);
        cx.raw_set(-5);
    }
    cx.pop(1);
    if finalized {
        cx.push_function(finalizer(finalize), 0);
        cx.raw_set_name(-2, b"__gc");
    }
    if cx.state.is_function_pointer(ty) {
        methods::set(cx, ty);
    }
    set_close(cx, ty.id());
}

/// Lets the metatable on top of the stack have `__close` if the metatype has: Lua asks for the field itself, when a
/// variable is declared to be closed.
fn set_close(cx: &Cx<'_>, ty: TypeId) {
    if push_from_metatype(cx, ty.into(), b"__close") {
        cx.pop(1);
        cx.push_function(entry(close), 0);
        cx.raw_set_name(-2, b"__close");
    }
}

/// Pushes the metatable that a type, or what it points to, has as its metatype.
pub(in crate::lua) fn push_metatype(cx: &Cx<'_>, ty: QualType) -> bool {
    let target = match cx.state.kind(ty) {
        Kind::Pointer(to) => to,
        _ => ty,
    };
    cx.push_anchor(Anchor::Metatypes);
    cx.raw_get_integer(-1, cx.state.resolve(target).id().index() as i64);
    let found = cx.type_of(-1) != LuaType::Nil;
    match found {
        true => cx.remove(-2),
        false => cx.pop(2),
    }
    found
}

/// Pushes the metamethod that the metatype of a type, or of what it points to, has for an event.
fn push_from_metatype(cx: &Cx<'_>, ty: QualType, event: &[u8]) -> bool {
    if !push_metatype(cx, ty) {
        return false;
    }
    cx.raw_get_name(-1, event);
    cx.remove(-2);
    let found = cx.type_of(-1) != LuaType::Nil;
    if !found {
        cx.pop(1);
    }
    found
}

/// How many names the metatype of a type has for its values now, methods above all.
pub(in crate::lua) fn name_count(cx: &Cx<'_>, ty: QualType) -> usize {
    if !push_from_metatype(cx, ty, b"__index") {
        return 0;
    }
    let mut count = 0;
    if cx.type_of(-1) == LuaType::Table {
        cx.push_nil();
        while cx.next(-2) {
            cx.pop(1);
            count += 1;
        }
    }
    cx.pop(1);
    count
}

/// Whether the metatype of a type has one of some metamethods.
pub(in crate::lua) fn has(cx: &Cx<'_>, ty: QualType, events: &[&[u8]]) -> bool {
    events.iter().any(|event| {
        let found = push_from_metatype(cx, ty, event);
        if found {
            cx.pop(1);
        }
        found
    })
}

/// Pushes the metamethod that the metatype of the cdata or ctype at `index` has for an event.
pub(in crate::lua) fn push_metamethod(cx: &Cx<'_>, index: c_int, event: &[u8]) -> bool {
    let ty = cdata::at(cx, index).map(|cd| cd.ty).or_else(|| ctypes::at(cx, index));
    ty.is_some_and(|ty| push_from_metatype(cx, ty, event))
}

/// `value[key]` where the type itself has no such key: value at 1, key at 2.
pub(in crate::lua) fn index(cx: &Cx<'_>, ty: QualType) -> Result<Outcome, LuaError> {
    if push_from_metatype(cx, ty, b"__index") {
        if cx.type_of(-1) == LuaType::Function {
            cx.insert(1);
            cx.set_top(3);
            return Ok(Outcome::tail_call(2));
        }
        cx.push_value(2);
        cx.get(-2);
        if cx.type_of(-1) != LuaType::Nil {
            return Ok(Outcome::results(1));
        }
    }
    Err(no_such_key(cx, ty))
}

/// `value[key] = x` where the type itself has no such key.
pub(in crate::lua) fn new_index(cx: &Cx<'_>, ty: QualType) -> Result<Outcome, LuaError> {
    if !push_from_metatype(cx, ty, b"__newindex") {
        return Err(no_such_key(cx, ty));
    }
    if cx.type_of(-1) == LuaType::Function {
        cx.insert(1);
        cx.set_top(4);
        return Ok(Outcome::tail_call(3));
    }
    cx.push_value(2);
    cx.push_value(3);
    cx.set(-3);
    Ok(Outcome::results(0))
}

/// The key at 2 leads nowhere in a value of a type.
pub(in crate::lua) fn no_such_key(cx: &Cx<'_>, ty: QualType) -> LuaError {
    let of = cx.state.referent(ty);
    let ty = cx.state.repr(of);
    LuaError::new(match cx.bytes(2) {
        Some(name) => {
            let name = String::from_utf8_lossy(name);
            let types = cx.state.types.borrow();
            let near = types.table().nearest_member(of, &name);
            let hint = near.map_or(String::new(), |near| format!("; did you mean '{near}'?"));
            format!("'{ty}' has no member named '{name}'{hint}")
        }
        None => format!("'{ty}' cannot be indexed with '{}'", to_c::describe(cx, 2)),
    })
}

/// `__call` of cdata: pointers to functions are called, others have a metamethod or fail.
fn call_cdata(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let cd = cdata::this(cx)?;
    if let Kind::Pointer(to) = cx.state.kind(cd.ty)
        && cx.state.kind(to) == Kind::Function
    {
        let function = cx.state.resolve(to).id();
        if cd.address.is_null() {
            let ty = cx.state.repr(cd.ty);
            return Err(LuaError::new(format!("attempt to call a NULL pointer of type '{ty}'")));
        }
        // SAFETY: the type is a function; that the address is such a function is the script's word.
        unsafe { call::prepare_pointer(cx, function, cd.address.cast_const().cast())? };
        return Ok(Outcome::tail_call(cx.top() - 1));
    }
    if push_from_metatype(cx, cd.ty, b"__call") {
        cx.insert(1);
        return Ok(Outcome::tail_call(cx.top() - 1));
    }
    Err(LuaError::new(format!("'{}' is not callable", cx.state.repr(cd.ty))))
}

fn iterate(cx: &Cx<'_>, event: &[u8]) -> Result<Outcome, LuaError> {
    let cd = cdata::this(cx)?;
    if push_from_metatype(cx, cd.ty, event) {
        cx.insert(1);
        cx.set_top(2);
        return Ok(Outcome::tail_call(1));
    }
    let (ty, event) = (cx.state.repr(cd.ty), String::from_utf8_lossy(event));
    Err(LuaError::new(format!("'{ty}' has no '{event}' metamethod")))
}

/// `__close`, which only metatables of types whose metatype has it contain.
fn close(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let cd = cdata::this(cx)?;
    if !push_from_metatype(cx, cd.ty, b"__close") {
        return Ok(Outcome::results(0));
    }
    cx.insert(1);
    Ok(Outcome::tail_call(cx.top() - 1))
}

/// `ffi.metatype(ct, metatable)`: returns the ctype.
pub(in crate::lua) fn metatype(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let ty = cx.state.resolve(ctypes::argument(cx, 1)?);
    if !matches!(cx.state.kind(ty), Kind::Record(_) | Kind::Complex(_) | Kind::Vector(..)) {
        return Err(LuaError::Argument(1, "invalid C type".into()));
    }
    if cx.type_of(2) != LuaType::Table {
        let got = to_c::describe(cx, 2);
        return Err(LuaError::Argument(2, format!("table expected, got {got}")));
    }
    let key = ty.id().index() as i64;
    cx.push_anchor(Anchor::Metatypes);
    cx.raw_get_integer(-1, key);
    if cx.type_of(-1) != LuaType::Nil {
        return Err(LuaError::new("cannot change a protected metatable"));
    }
    cx.pop(1);
    cx.push_value(2);
    cx.raw_set_integer(-2, key);
    cx.state.info(ty.id()).maker.set(std::ptr::null());
    let pointer = cx.state.pointer_to(ty);
    for holder in [ty.id(), pointer] {
        cdata::for_each_metatable(cx, holder, || set_close(cx, holder));
    }
    ctypes::push(cx, ty);
    Ok(Outcome::results(1))
}

/// `ffi.gc(cdata, finalizer)`: sets, replaces or (nil) removes the finaliser; returns the cdata.
pub(in crate::lua) fn gc(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    if cx.type_of(1) == LuaType::Nil && cx.state.options.null_is_nil.get() {
        // `ffi.gc(C.create(), C.destroy)`, and there was nothing to create.
        cx.set_top(1);
        return Ok(Outcome::results(1));
    }
    let cd = cdata::this(cx)?;
    if !(cd.is_pointer() || cx.state.kind(cd.ty).is_aggregate()) {
        return Err(LuaError::Argument(1, "invalid C type".into()));
    }
    if cx.type_of(2) == LuaType::None {
        return Err(LuaError::Argument(2, "value expected".into()));
    }
    if !is_finalizer(cx, 2) {
        let got = to_c::describe(cx, 2);
        return Err(LuaError::Argument(2, format!("a function or nil expected, got {got}")));
    }
    if cd.is_foreign() && cx.type_of(2) != LuaType::Nil {
        cx.state.permit(Permissions::FOREIGN_FINALIZERS)?;
    }
    cx.set_top(2);
    set_finalizer(cx, 1, &cd);
    Ok(Outcome::results(1))
}

/// Whether the value at `index` is nil or can be called.
fn is_finalizer(cx: &Cx<'_>, index: c_int) -> bool {
    if matches!(cx.type_of(index), LuaType::Nil | LuaType::Function) {
        return true;
    }
    if let Some(cd) = cdata::at(cx, index) {
        return cx.state.is_function_pointer(cd.ty) || has(cx, cd.ty, &[b"__call"]);
    }
    if !cx.get_metatable(index) {
        return false;
    }
    cx.raw_get_name(-1, b"__call");
    let callable = cx.type_of(-1) != LuaType::Nil;
    cx.pop(2);
    callable
}

/// Makes the value on top of the stack, which it pops, the finaliser of the cdata at `index`; nil removes it.
fn set_finalizer(cx: &Cx<'_>, index: c_int, cd: &CData) {
    let finalized = cx.type_of(-1) != LuaType::Nil;
    watch::await_finalizer(cx, cd.has(Flags::FINALIZED), finalized);
    argument_pool::let_go(cx, index);
    if cd.is_pointer() {
        callback::let_go(cx, cd.address.cast());
    }
    cx.push_anchor(Anchor::Finalizers);
    cx.insert(-2);
    match api::LATE_FINALIZERS {
        true => push_token(cx, index, finalized),
        false => cx.push_value(index),
    }
    cx.insert(-2);
    cx.raw_set(-3);
    cx.pop(1);
    cdata::set_finalized(cx, index, cd, finalized);
}

/// Pushes what stands for the cdata at `index` among the finalisers that will run late.
fn push_token(cx: &Cx<'_>, index: c_int, finalized: bool) {
    let block = cx.userdata(index);
    let token = match finalized {
        true => Some(Objects::of(cx.state).late.watch(block, cx.raw_len(index))),
        false => Objects::of(cx.state).late.unwatch(block),
    };
    // A cdata without a finaliser has no token, and -1 is none.
    cx.push_integer(token.map_or(-1, |token| token as i64));
}

/// Calls the finalisers of the cdata that were freed since the last time.
pub(in crate::lua) fn run_late(cx: &Cx<'_>) {
    let top = cx.top();
    while watch::next_dead(cx) {
        call_finalizer(cx);
        cx.set_top(top);
    }
    while let Some(dead) = Objects::of(cx.state).late.next() {
        cx.ensure_stack(8);
        let top = cx.top();
        cx.push_anchor(Anchor::Finalizers);
        cx.push_integer(dead.token as i64);
        cx.raw_get(-2);
        cx.push_integer(dead.token as i64);
        cx.push_nil();
        cx.raw_set(-4);
        if cx.type_of(-1) != LuaType::Nil && cdata::revive(cx, &dead).is_ok() {
            call_finalizer(cx);
        }
        cx.set_top(top);
        Objects::of(cx.state).late.done();
    }
}

/// Gives a new cdata at `index` the finaliser that its metatype has, if any.
pub(in crate::lua) fn finalize_by_metatype(cx: &Cx<'_>, index: c_int, ty: QualType) {
    if matches!(cx.state.kind(ty), Kind::Record(_))
        && let Some(cd) = cdata::at(cx, index)
        && push_from_metatype(cx, ty, b"__gc")
    {
        set_finalizer(cx, index, &cd);
    }
}

/// `__gc` of cdata that have a finaliser.
fn finalize(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.set_top(1);
    cx.push_anchor(Anchor::Finalizers);
    cx.push_value(1);
    cx.raw_get(2);
    if cx.type_of(3) == LuaType::Nil {
        return Ok(Outcome::results(0));
    }
    cx.push_value(1);
    cx.push_nil();
    cx.raw_set(2);
    cx.push_value(1);
    match cx.state.watch.finalizers_wait() {
        true => watch::keep_dead(cx),
        false => call_finalizer(cx),
    }
    Ok(Outcome::results(0))
}

/// Calls the finaliser below the cdata on top of the stack. An error is reported and goes no further: what it would
/// interrupt is any Lua code.
fn call_finalizer(cx: &Cx<'_>) {
    // The scripts of a sandbox do not write to the host's standard error.
    if !cx.protected_call(1) && !cx.state.watch.finalizers_wait() {
        let message = cx.bytes(-1).map_or("no message".into(), String::from_utf8_lossy);
        dispatch::report(format_args!("error in a finaliser: {message}"));
    }
}
