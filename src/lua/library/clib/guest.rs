//! Code of the guest: object files, and bytes as they are.

use std::borrow::Cow;
use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::rc::Rc;
use std::{fs, io};

use crate::abi::{Signature, x86};
use crate::code::gate::image::Image;
use crate::ctype::{Decl, TypeId};
use crate::lua::callback;
use crate::lua::library::Libraries;
use crate::lua::library::clib::{self, Code};
use crate::lua::state::rooms::Part;
use crate::lua::state::{Cx, LuaError, Outcome, entry};
use crate::lua::types::scope;
use crate::lua::value::cdata;
use crate::lua::value::to_c;
use crate::lua::vm::api::{self, LuaType, lua_CFunction, lua_State};
use crate::policy::Permissions;

/// A loaded object file.
#[derive(Debug)]
pub(in crate::lua) struct Library {
    /// Its path.
    pub(in crate::lua) name: String,
    image: Image,
}

impl Library {
    /// The address of a symbol; `function`: its type, which Windows decorates the name by.
    ///
    /// # Errors
    /// A message that names the symbol and the file.
    pub(in crate::lua) fn symbol(
        &self,
        cx: &Cx<'_>,
        name: &CStr,
        function: Option<TypeId>,
    ) -> Result<*const c_void, LuaError> {
        let name = Symbol::of(cx, name, function)?;
        self.find(&name).ok_or_else(|| {
            LuaError::new(format!(
                "undefined symbol '{}': declared, but not in '{}'",
                name.decorated, self.name
            ))
        })
    }

    fn find(&self, name: &Symbol<'_>) -> Option<*const c_void> {
        let found = self.image.symbol(&name.decorated).or_else(|| self.image.symbol(&name.plain));
        found.map(|address| address as usize as *const c_void)
    }
}

/// A name as C has it and as the platform's linker does.
struct Symbol<'n> {
    plain: Cow<'n, str>,
    decorated: String,
}

impl<'n> Symbol<'n> {
    fn of(cx: &Cx<'_>, name: &'n CStr, function: Option<TypeId>) -> Result<Self, LuaError> {
        let plain = name.to_string_lossy();
        let target = &cx.state.machine.target;
        let decorated = match function {
            _ if !target.is_windows() => plain.clone().into_owned(),
            None => format!("_{plain}"),
            Some(ty) => {
                let types = cx.state.types.borrow();
                let (signature, convention) = Signature::of(types.table(), target, ty, &[])?;
                x86::decorate(&plain, convention, &signature)
            }
        };
        Ok(Symbol { plain, decorated })
    }
}

/// [`Library::symbol`] in the libraries that were loaded for `ffi.C`, the first one first.
///
/// # Errors
/// A message that names the symbol.
pub(in crate::lua) fn global(
    cx: &Cx<'_>,
    name: &CStr,
    function: Option<TypeId>,
) -> Result<*const c_void, LuaError> {
    let name = Symbol::of(cx, name, function)?;
    let libraries = Libraries::of(cx.state).guest_globals.borrow();
    libraries.iter().find_map(|library| library.find(&name)).ok_or_else(|| {
        let machine = &cx.state.machine;
        let why = match (libraries.is_empty(), machine.is_guest()) {
            (false, _) => "not in the libraries that were loaded for `ffi.C`".to_owned(),
            (true, false) => format!("there is no C library for {} here", machine.target),
            (true, true) => format!(
                "there is no C library for {} here; `ffi.load(path, true)` loads one",
                machine.target
            ),
        };
        LuaError::new(format!("undefined symbol '{}': {why}", name.decorated))
    })
}

/// The functions that a table of the guest has in place of the host's.
pub(in crate::lua) const FUNCTIONS: [(&[u8], lua_CFunction); 2] =
    [(b"load", entry(load)), (b"code", entry(code))];

/// The bytes of a regular file: a device or a pipe may have no end.
fn read(path: &str) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    fs::read(path)
}

/// `ffi.load(path [, imports] [, global])`: a freestanding object file. `imports` has what it leaves undefined, by name: pointers of
/// the guest, or Lua functions for functions that are declared. With `global` true its symbols are those of `ffi.C`, too.
fn load(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let path = match (cx.type_of(1), cx.bytes(1)) {
        (LuaType::String, Some(path)) => String::from_utf8_lossy(path).into_owned(),
        _ => {
            let got = to_c::describe(cx, 1);
            return Err(LuaError::Argument(1, format!("string expected, got {got}")));
        }
    };
    cx.state.permit_library(&path)?;
    let file = read(&path).map_err(|error| LuaError::new(format!("{path}: {error}")))?;
    let mut refused = None;
    let image = Image::load(&file, |symbol| {
        import(cx, symbol).unwrap_or_else(|error| {
            refused.get_or_insert(error);
            None
        })
    });
    if let Some(error) = refused {
        return Err(error);
    }
    let image = image.map_err(|error| LuaError::new(format!("{path}: {error}")))?;
    let library = Rc::new(Library { name: path, image });
    let global = if cx.type_of(2) == LuaType::Table { 3 } else { 2 };
    if cx.truth(global) {
        Libraries::of(cx.state).guest_globals.borrow_mut().push(Rc::clone(&library));
    }
    scope::push(cx);
    clib::push(cx, Code::Guest(library));
    Ok(Outcome::results(1))
}

/// The address of a symbol that a file leaves undefined, from the table at index 2.
fn import(cx: &Cx<'_>, symbol: &str) -> Result<Option<u32>, LuaError> {
    let name = match cx.state.machine.target.is_windows() {
        true => undecorated(symbol),
        false => symbol,
    };
    if cx.type_of(2) != LuaType::Table {
        return Ok(None);
    }
    let top = cx.top();
    cx.push_bytes(name.as_bytes());
    cx.raw_get(2);
    let address = import_value(cx, name, top + 1);
    cx.set_top(top);
    let address = address?;
    let narrow = |address: usize| {
        let above = |_| {
            LuaError::new(format!("'{name}' lies above 4 GiB, where 32-bit code cannot reach it"))
        };
        u32::try_from(address).map_err(above)
    };
    address.map(narrow).transpose()
}

fn import_value(cx: &Cx<'_>, name: &str, index: c_int) -> Result<Option<usize>, LuaError> {
    match cx.type_of(index) {
        LuaType::Nil => Ok(None),
        LuaType::Function => {
            let declared = match cx.state.types.borrow().lookup(name.as_bytes()) {
                Some(Decl::Function { ty, .. }) => Some(*ty),
                _ => None,
            };
            let ty = declared.ok_or_else(|| {
                LuaError::new(format!("import '{name}' is a Lua function, but no declared one"))
            })?;
            // SAFETY: a Lua function is at the index; the type is a function.
            let address = unsafe { callback::implicit(cx, ty, index)? };
            Ok(Some(address as usize))
        }
        _ => {
            let mut pointer: *mut u8 = ptr::null_mut();
            // SAFETY: the variable has room for a pointer of the guest.
            unsafe {
                to_c::to_c(cx, index, TypeId::VOID_POINTER.into(), (&raw mut pointer).cast())?
            };
            Ok(Some(pointer as usize))
        }
    }
}

/// A name without what Windows puts around it.
fn undecorated(symbol: &str) -> &str {
    let name = symbol.strip_prefix(['_', '@']).unwrap_or(symbol);
    name.split('@').next().unwrap_or(name)
}

/// `ffi.code(bytes)`: machine code as it is, as a `void *` that keeps it.
fn code(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    /// # Safety
    /// - Lua alone calls it, with a block that holds the box of an image, or null; nothing refers to the code any more.
    unsafe extern "C" fn drop_image(_: *mut lua_State, block: *mut c_void) {
        // SAFETY: the block holds the box, or null; nothing refers to the code any more.
        unsafe {
            let image = ptr::replace(block.cast::<*mut Image>(), ptr::null_mut());
            if !image.is_null() {
                drop(Box::from_raw(image));
            }
        }
    }
    let (LuaType::String, Some(bytes)) = (cx.type_of(1), cx.bytes(1)) else {
        let got = to_c::describe(cx, 1);
        return Err(LuaError::Argument(1, format!("string expected, got {got}")));
    };
    cx.state.permit(Permissions::LOAD)?;
    // SAFETY: a C function has stack slots to spare; the block holds null until nothing can raise any more.
    let block = unsafe {
        let block = api::new_collected(cx.lua, size_of::<*mut Image>(), drop_image);
        let block = block.cast::<*mut Image>();
        block.write(ptr::null_mut());
        cx.new_table(0, 1);
        api::set_collector(cx.lua, drop_image);
        cx.set_metatable(-2);
        block
    };
    let image = Box::new(Image::of_code(bytes)?);
    let address = image.start() as usize as *mut u8;
    // SAFETY: the block is in the userdata on top of the stack.
    unsafe { block.write(Box::into_raw(image)) };
    cdata::push_pointer(cx, TypeId::VOID_POINTER.into(), address, cx.top());
    Ok(Outcome::results(1))
}
