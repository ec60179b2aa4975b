//! Library namespaces: `ffi.C` and what `ffi.load` returns.
//!
//! A namespace is a userdata whose metatable's `__index` is a plain table, its cache, so that a name that was used before
//! costs no call. The cache's own `__index` is [`lookup`], which finds the declaration and the symbol and stores functions
//! and constants; variables are looked at each time (their addresses are cached apart).

pub(in crate::lua) mod guest;
pub(in crate::lua) mod search;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{CString, c_int};
use std::mem;
use std::ptr;
use std::rc::Rc;

use super::Libraries;
use crate::code::os::{Library, Symbol};
use crate::ctype::{Constant, Decl, QualType, TypeId};
use crate::lua::call;
use crate::lua::call::task;
use crate::lua::callback;
use crate::lua::object::constant;
use crate::lua::sandbox::region;
use crate::lua::state::rooms::Part;
use crate::lua::state::{Anchor, Cx, LuaError, Outcome, State, c_string, entry, finalizer};
use crate::lua::types::kind::Kind;
use crate::lua::types::scope;
use crate::lua::value::extent::{Access, Reach};
use crate::lua::value::replace::replace;
use crate::lua::value::to_c;
use crate::lua::vm::api::{self, LuaType};

/// The code in which a namespace finds its symbols.
#[derive(Debug)]
pub(in crate::lua) enum Code {
    /// A library of the process.
    Host(Library),
    /// An object file of another platform.
    Guest(Rc<guest::Library>),
    /// All objects that were loaded globally for another platform, in place of its C library.
    GuestGlobals,
}

impl Code {
    fn name(&self) -> &str {
        match self {
            Code::Host(library) => library.name(),
            Code::Guest(library) => &library.name,
            Code::GuestGlobals => "default",
        }
    }

    /// The address of a symbol; `function`: its type, if it is one.
    fn symbol(
        &self,
        cx: &Cx<'_>,
        name: CString,
        function: Option<TypeId>,
    ) -> Result<Symbol, LuaError> {
        cx.state.permit_symbol(name.to_bytes())?;
        let address = match self {
            Code::Host(library) => match Libraries::of(cx.state).exposed.find(&name) {
                Some(exposed) if library.is_default() => exposed,
                _ => library.symbol(&name).map_err(LuaError::new)?,
            },
            Code::Guest(library) => library.symbol(cx, &name, function)?,
            Code::GuestGlobals => guest::global(cx, &name, function)?,
        };
        cx.state.inventory().add_symbol(name, address as usize, ptr::from_ref(self) as usize);
        Ok(address)
    }
}

/// The block of a namespace's userdata: its code, or null once it is closed.
type Block = *const Code;

/// The code of the namespaces of a state, by the address of their blocks. Finalisers may call functions of a namespace that is garbage
/// with them, or that Lua finalises before them when the state closes. So a namespace has its code until Lua collects garbage for
/// the second time, or until the state closes.
#[derive(Default)]
pub(in crate::lua) struct Open(RefCell<BTreeMap<usize, Box<Code>>>);

/// The names of the libraries that are open.
pub(in crate::lua) fn names(state: &State) -> Vec<String> {
    let open = Libraries::of(state).open.0.borrow();
    open.values().map(|code| code.name().to_owned()).collect()
}

/// How many libraries are open.
pub(in crate::lua) fn count(state: &State) -> usize {
    Libraries::of(state).open.0.borrow().len()
}

/// Closes the namespace at `index` for the scripts, and takes back what it gave. Its code stays loaded.
///
/// # Errors
/// It is no namespace; calls are not checked.
pub(in crate::lua) fn revoke(cx: &Cx<'_>, index: c_int) -> Result<(), LuaError> {
    cx.push_anchor(Anchor::Namespaces);
    cx.push_value(index);
    cx.raw_get(-2);
    let known = cx.truth(-1);
    cx.pop(2);
    let block = cx.userdata(index).cast::<Block>();
    if !known || block.is_null() {
        return Err(LuaError::new("not a C library of this ffi table"));
    }
    // SAFETY: it is a namespace, which the stack keeps alive; its code stays in the state's list.
    let code = unsafe { block.replace(ptr::null()) };
    if code.is_null() {
        return Ok(());
    }
    cx.state.revoke_library(code as usize)
}

/// Upvalues of a namespace's methods, after the state.
mod upvalue {
    /// The namespace.
    pub(super) const NAMESPACE: std::ffi::c_int = 1;
    /// Name → address of variables.
    pub(super) const VARIABLES: std::ffi::c_int = 2;
    /// The scope whose declarations count, or nil.
    pub(super) const SCOPE: std::ffi::c_int = 3;
}

/// Replaces a scope (or nil) on top of the stack by its namespace of some code.
pub(in crate::lua) fn push(cx: &Cx<'_>, code: Code) {
    cx.ensure_stack(8);
    let scope = cx.top();
    // SAFETY: the block holds null until nothing can raise any more.
    let block = unsafe {
        let block = api::new_userdata(cx.lua, mem::size_of::<Block>(), 0).cast::<Block>();
        block.write(ptr::null());
        block
    };
    let namespace = cx.top();
    cx.push_anchor(Anchor::Namespaces);
    cx.push_value(namespace);
    cx.push_bool(true);
    cx.raw_set(-3);
    cx.pop(1);
    cx.new_table(0, 6);
    let metatable = cx.top();
    cx.new_table(0, 0);
    let variables = cx.top();
    let push_method = |function| {
        cx.push_value(namespace);
        cx.push_value(variables);
        cx.push_value(scope);
        cx.push_function(function, 3);
    };
    cx.new_table(0, 0);
    cx.new_table(0, 1);
    push_method(entry(lookup));
    cx.raw_set_name(-2, b"__index");
    cx.set_metatable(-2);
    cx.raw_set_name(metatable, b"__index");
    push_method(entry(assign));
    cx.raw_set_name(metatable, b"__newindex");
    for (name, function) in
        [(&b"__gc"[..], finalizer(collected)), (b"__tostring", entry(to_string))]
    {
        push_method(function);
        cx.raw_set_name(metatable, name);
    }
    for (name, value) in [(&b"__metatable"[..], &b"ffi"[..]), (b"__name", b"C library")] {
        cx.push_bytes(value);
        cx.raw_set_name(metatable, name);
    }
    cx.set_top(metatable);
    cx.set_metatable(namespace);
    let code = Box::new(code);
    // SAFETY: the block is in the userdata on top of the stack. Closing the namespace takes the pointer out before the box is dropped.
    unsafe { block.write(&raw const *code) };
    Libraries::of(cx.state).open.0.borrow_mut().insert(block as usize, code);
    cx.remove(scope);
}

fn block(cx: &Cx<'_>) -> *mut Block {
    cx.userdata(Cx::upvalue(upvalue::NAMESPACE)).cast()
}

/// The library of the running method's namespace.
fn library<'a>(cx: &'a Cx<'_>) -> Result<&'a Code, LuaError> {
    // SAFETY: the upvalue is a namespace, which the running closure keeps alive.
    unsafe { block(cx).as_ref().and_then(|library| library.as_ref()) }
        .ok_or_else(|| LuaError::new("the library is closed"))
}

/// The meaning of a name of the C namespace, as a copy that outlives the borrow of the table.
enum Meaning {
    Function(TypeId, CString),
    Variable(QualType, CString),
    Constant(QualType, Constant),
}

fn meaning(cx: &Cx<'_>, name: &[u8]) -> Result<Meaning, LuaError> {
    let meaning = scope::enter(cx, Cx::upvalue(upvalue::SCOPE), |types| {
        let symbol = |symbol: &Option<Box<str>>| {
            c_string(symbol.as_ref().map_or(name, |symbol| symbol.as_bytes()), "a symbol name")
        };
        Ok(match types.lookup(name) {
            Some(Decl::Function { ty, symbol: s, .. }) => Meaning::Function(*ty, symbol(s)?),
            Some(Decl::Variable { ty, symbol: s }) => Meaning::Variable(*ty, symbol(s)?),
            Some(Decl::Constant { ty, value }) => Meaning::Constant(*ty, *value),
            Some(Decl::Static(_)) => {
                let name = String::from_utf8_lossy(name);
                return Err(LuaError::new(format!(
                    "no library exports '{name}': it is declared 'static'"
                )));
            }
            other => {
                let name = String::from_utf8_lossy(name);
                let hint = match types.nearest_symbol(&name) {
                    _ if other.is_some() => " (the name is a typedef)".to_owned(),
                    Some(near) => format!("; did you mean '{near}'?"),
                    None => String::new(),
                };
                let message = format!("missing declaration for symbol '{name}'{hint}");
                return Err(LuaError::new(message));
            }
        })
    });
    meaning?
}

fn symbol_name<'a>(cx: &'a Cx<'_>, index: c_int) -> Result<&'a [u8], LuaError> {
    cx.bytes(index).ok_or_else(|| {
        let got = to_c::describe(cx, index);
        LuaError::new(format!("a C library is indexed by names, got {got}"))
    })
}

/// The cache's `__index`: the cache at 1, the name at 2.
fn lookup(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let name = symbol_name(cx, 2)?;
    match meaning(cx, name)? {
        Meaning::Function(ty, symbol) => {
            let target = library(cx)?.symbol(cx, symbol, Some(ty))?;
            let keep = Cx::upvalue(upvalue::NAMESPACE);
            let name = String::from_utf8_lossy(name);
            // SAFETY: the type is a function; the symbol is what was declared so, by the script's word.
            unsafe { call::push_function(cx, ty, &name, target, keep)? };
        }
        Meaning::Constant(ty, value) => constant::push(cx, ty, value)?,
        Meaning::Variable(ty, symbol) => {
            let address = variable(cx, symbol)?;
            cx.push_value(Cx::upvalue(upvalue::NAMESPACE));
            if cx.state.checked()
                && let Some(size) = cx.state.size(ty)
            {
                region::push_host(cx, ty, address as usize, size, is_const(cx, ty), cx.top());
            }
            // SAFETY: the symbol is a variable of this type, by the script's word.
            unsafe { to_c::push(cx, ty, address, cx.top())? };
            return Ok(Outcome::results(1));
        }
    }
    cx.push_value(2);
    cx.push_value(-2);
    cx.raw_set(1);
    Ok(Outcome::results(1))
}

/// Whether an object is constant, or an array of such.
fn is_const(cx: &Cx<'_>, ty: QualType) -> bool {
    let ty = cx.state.resolve(ty);
    match cx.state.kind(ty) {
        Kind::Array(element, _) => ty.is_const() || is_const(cx, element),
        _ => ty.is_const(),
    }
}

/// The address of the variable whose name is at 2.
fn variable(cx: &Cx<'_>, symbol: CString) -> Result<*mut u8, LuaError> {
    let variables = Cx::upvalue(upvalue::VARIABLES);
    cx.push_value(2);
    cx.raw_get(variables);
    let known = cx.userdata(-1);
    cx.pop(1);
    if !known.is_null() {
        return Ok(known.cast());
    }
    let address = library(cx)?.symbol(cx, symbol, None)?.cast_mut();
    cx.push_value(2);
    cx.push_light(address);
    cx.raw_set(variables);
    Ok(address.cast())
}

/// `__newindex` of a namespace: the namespace at 1, the name at 2, the value at 3.
fn assign(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let name = symbol_name(cx, 2)?;
    match meaning(cx, name)? {
        Meaning::Variable(ty, symbol) if !cx.state.resolve(ty).is_const() => {
            let address = variable(cx, symbol)?;
            let room = match cx.state.checked() {
                true => cx.state.known_size(ty)?,
                false => usize::MAX,
            };
            let reach = Reach::of_variable(cx, ty, address as usize);
            if cx.state.checked() {
                reach.permit(cx, ty, address as usize, room, Access::writing(cx, ty))?;
            }
            // SAFETY: the symbol is a variable of this type, by the script's word, or the host's.
            unsafe { replace(cx, 3, ty, address, room, reach)? };
            Ok(Outcome::results(0))
        }
        _ => Err(LuaError::new("attempt to write to constant location")),
    }
}

/// `__gc` of a namespace. What refers to it is garbage, too, but finalisers that run after this one may still use it: it is closed when
/// Lua collects garbage again. A checked state closes no library before itself (CODE-4): what C gave out may lead into it.
fn collected(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    if cx.state.checked() {
        return Ok(Outcome::results(0));
    }
    cx.set_top(0);
    // SAFETY: there are free stack slots.
    unsafe { api::new_userdata(cx.lua, 0, 0) };
    cx.new_table(0, 1);
    cx.push_value(Cx::upvalue(upvalue::NAMESPACE));
    cx.push_function(finalizer(close), 1);
    cx.raw_set_name(-2, b"__gc");
    cx.set_metatable(-2);
    Ok(Outcome::results(0))
}

/// Closes the namespace that is upvalue 1. What still refers to it are functions that a finaliser put where they live on: calls of
/// them are errors from here on.
fn close(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let namespace = Cx::upvalue(upvalue::NAMESPACE);
    detach(cx, namespace);
    // SAFETY: the upvalue is a namespace.
    unsafe { block(cx).write(ptr::null()) };
    let code = Libraries::of(cx.state).open.0.borrow_mut().remove(&(block(cx) as usize));
    unload(cx.state, code);
    Ok(Outcome::results(0))
}

/// Makes the functions of all namespaces refuse to call: the state closes, and unloads the libraries.
pub(in crate::lua) fn detach_all(cx: &Cx<'_>) {
    cx.push_anchor(Anchor::Namespaces);
    cx.push_nil();
    while cx.next(-2) {
        cx.pop(1);
        detach(cx, cx.top());
    }
    cx.pop(1);
}

/// Unloads the libraries of a state that closes.
pub(in crate::lua) fn unload_all(state: &State) {
    unload(state, mem::take(&mut *Libraries::of(state).open.0.borrow_mut()).into_values());
}

fn unload(state: &State, code: impl IntoIterator<Item = Box<Code>>) {
    for code in code {
        // A call that runs in the code must be able to return.
        match task::any_runs(state) || callback::any_runs(state) {
            true => mem::forget(code),
            false => drop(code),
        }
    }
}

/// Makes the functions of the namespace at `index` refuse to call.
fn detach(cx: &Cx<'_>, index: c_int) {
    let top = cx.top();
    if cx.get_metatable(index) {
        cx.raw_get_name(-1, b"__index");
        if cx.type_of(-1) == LuaType::Table {
            cx.push_nil();
            while cx.next(-2) {
                call::detach(cx, -1);
                cx.pop(1);
            }
        }
    }
    cx.set_top(top);
}

fn to_string(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let name = format!("C library: {}", library(cx)?.name());
    cx.push_bytes(name.as_bytes());
    Ok(Outcome::results(1))
}

/// `ffi.load(name [, global])`
pub(in crate::lua) fn load(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    if cx.type_of(1) != LuaType::String {
        let got = to_c::describe(cx, 1);
        return Err(LuaError::Argument(1, format!("string expected, got {got}")));
    }
    let name = c_string(cx.bytes(1).unwrap_or_default(), "a library name")?;
    if name.is_empty() {
        let message = "a library name expected, got an empty string (the program itself is ffi.C)";
        return Err(LuaError::Argument(1, message.into()));
    }
    let name = name.to_str().map_err(|_| LuaError::new("a library name is not UTF-8"))?;
    cx.state.permit_library(name)?;
    let library = search::open(name, cx.truth(2)).map_err(LuaError::new)?;
    scope::push(cx);
    push(cx, Code::Host(library));
    Ok(Outcome::results(1))
}
