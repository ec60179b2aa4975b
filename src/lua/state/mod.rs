//! One Lua state's knowledge of C, and the guard that every C function of the library runs behind.
//!
//! **Borrow rule.** A call of Lua's API that allocates can raise an error (out of memory), or run a finaliser, that is, any Lua code, which may call the
//! library again. Raising jumps over Rust frames. So no [`RefCell`] borrow, lock, or value with a destructor is alive across such a call:
//! small data is copied first (see [`Kind`](crate::lua::types::kind::Kind)). The one exception is a string that is being pushed: it leaks if
//! Lua runs out of memory.
//!
//! **State goes last.** The [`State`] is a box owned by a userdata in the registry. Its finaliser is marked before all others of the library, and Lua
//! runs finalisers in reverse order, so it runs last. A function that is called after it gets a Lua error.
//!
//! # Invariants
//!
//! - **Open**: the state does not close while a reference to it is used. A state closes with its Lua state, so this holds for as long as a function
//!   of that runs.
//! - **Head**: `head` is null, or the head of the Lua state that `lua` is a thread of. It begins with the pointer to its [`State`], which is null
//!   from the time on that the box is dropped.
//! - **One part**: `rooms::Rooms` puts the part of each room in the room's place, and one type is the part of a room.
//! - **Boxed**: what a part has in boxes, it neither moves out of them nor drops before the state closes.
//! - **Upvalue 1**: the running closure is one that `Cx::push_function` made: its upvalue 1 is the userdata of its state, whose block is the head.

mod anchor;
pub(in crate::lua) mod boundary;
mod cx;
mod error;
mod guard;
pub(in crate::lua) mod head;
pub(in crate::lua) mod learnt;
pub(in crate::lua) mod machine;
pub(in crate::lua) mod options;
pub(in crate::lua) mod pinned;
pub(in crate::lua) mod recall;
pub(in crate::lua) mod refusals;
pub(in crate::lua) mod rooms;
pub(in crate::lua) mod strings;
pub(in crate::lua) mod watch;
pub(in crate::lua) mod ways;

use std::cell::{Cell, RefCell};
use std::ffi::{CString, c_void};
use std::mem;
use std::ptr;

pub(in crate::lua) use anchor::Anchor;
pub use cx::Cx;
pub use error::LuaError;
pub use guard::guard;
pub(in crate::lua) use guard::{Outcome, entry, finalizer, guard_in};
use mlua::ffi as sys;

use crate::code;
use crate::code::os::Blocked;
use crate::ctype::{Declarations, QualType, Quals, TypeId};
use crate::lua::vm::api::{self, lua_State};
use crate::lua::vm::probe;
use crate::policy::Policy;
use head::Head;
use machine::{Machine, Runs};
use options::Options;
use refusals::Refusals;
use rooms::{Links, Parts, Rooms};
use watch::Watch;
use ways::Ways;

/// The knowledge of C of a Lua state.
pub struct State {
    head: *const Head,
    /// Where the registry has its userdata.
    owner: *const c_void,
    /// The main thread, for callbacks that C calls outside of any call from Lua.
    pub(super) main: *mut lua_State,
    /// The first thread, by which is known whether Lua runs; null where it is not known.
    first: *mut lua_State,
    /// The last other thread that entered the library since the state has callbacks. The registry keeps it.
    visitor: Cell<*mut lua_State>,
    /// The signals that the thread that opened the state does not take.
    blocked: Blocked,
    /// Types and names. Borrow it only for as long as no Lua function is called.
    pub types: RefCell<Declarations>,
    /// The ids of the types that this module itself needs.
    pub known: Known,
    /// How often a text declared something: parsed type texts of scopes are good until it changes.
    pub(super) declared: Cell<u32>,
    /// The platform of its C code.
    pub(super) machine: Machine,
    /// The permissions and limits of its scripts.
    pub(super) policy: Policy,
    /// The budget of the Lua state, and finalisers that wait for it.
    pub(super) watch: Watch,
    /// The operations that the policy refused.
    pub(super) refusals: Refusals,
    /// The options that `ffi.option` has set.
    pub(super) options: Options,
    /// Whether plain `char` is signed.
    pub(super) char_signed: bool,
    /// The ways that may be fast.
    pub(super) ways: Ways,
    /// The identity of the metatable of ctype objects.
    pub(super) ctype_metatable: Cell<*const c_void>,
    anchors: [u8; Anchor::ALL.len()],
    /// The parts of the later rooms.
    parts: Parts,
    /// The functions of later rooms that earlier rooms call.
    pub(super) links: &'static Links,
}

/// Types that conversions and operators name, and that [`TypeId`] has no constant for.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// `const char *`
    pub const_char_ptr: TypeId,
    /// `const void *`
    pub const_void_ptr: TypeId,
}

impl Known {
    fn new(declarations: &mut Declarations) -> Known {
        let table = declarations.table_mut();
        Known {
            const_char_ptr: table.pointer_to(QualType::new(TypeId::CHAR, Quals::CONST)),
            const_void_ptr: table.pointer_to(QualType::new(TypeId::VOID, Quals::CONST)),
        }
    }
}

/// The registry key of the state's userdata is the address of this.
static OWNER: u8 = 0;

/// # Safety
/// - *Room* (see `vm`).
unsafe fn owner_in_registry(lua: *mut lua_State) -> *mut *mut State {
    // SAFETY: *Room*, kept by the caller; the registry keeps the userdata alive after the pop.
    unsafe {
        sys::lua_rawgetp(lua, sys::LUA_REGISTRYINDEX, (&raw const OWNER).cast());
        let owner = sys::lua_touserdata(lua, -1);
        sys::lua_pop(lua, 1);
        owner.cast()
    }
}

impl State {
    /// The state of the table that [`crate::lua::open_raw`] made, if it did and the state is open.
    ///
    /// # Safety
    /// - *Room* (see `vm`).
    /// - *Open*.
    pub(super) unsafe fn opened<'s>(lua: *mut lua_State) -> Option<&'s State> {
        // SAFETY: *Room* and *Open*, kept by the caller; a state's userdata holds its box, or null once it is finalised.
        unsafe { owner_in_registry(lua).as_ref()?.as_ref() }
    }

    /// Makes the state of a Lua state unless it has one. Returns whether it was made.
    ///
    /// # Safety
    /// - *Room* for 4 (see `vm`).
    /// - *Raise* (out of memory).
    pub(super) unsafe fn ensure(lua: *mut lua_State, rooms: &'static Rooms) -> bool {
        // SAFETY: *Room* for 4 and *Raise*, kept by the caller.
        unsafe {
            let made = owner_in_registry(lua).is_null();
            if made {
                let owner = Some((&raw const OWNER).cast());
                State::make(lua, owner, Machine::host(), &Policy::open(), rooms);
            }
            made
        }
    }

    /// Makes a state for the C of `machine`. The registry keeps it under `owner`, or under its head's own address.
    ///
    /// # Safety
    /// - *Room* for 4 (see `vm`).
    /// - *Raise* (out of memory).
    pub(super) unsafe fn make(
        lua: *mut lua_State,
        owner: Option<*const c_void>,
        machine: Machine,
        policy: &Policy,
        rooms: &'static Rooms,
    ) -> *const Head {
        /// # Safety
        /// - Lua alone calls it, with the block of a state's userdata: it holds the head, and that the box, or null.
        unsafe extern "C" fn close(lua: *mut lua_State, block: *mut c_void) {
            // SAFETY: the block holds the head, and that the box, or null.
            unsafe {
                // Where finalisers are Lua's, some may be left.
                if !api::LATE_FINALIZERS
                    && let Some(state) = (*block.cast::<Head>()).state()
                {
                    (state.links.detach)(&Cx::new(lua, state));
                }
                let state = (*block.cast::<Head>()).close();
                if !state.is_null() {
                    drop(Box::from_raw(state));
                }
            }
        }
        // SAFETY: *Room* and *Raise*, kept by the caller. The block holds null until nothing can raise any more.
        unsafe {
            let head = api::new_collected(lua, mem::size_of::<Head>(), close).cast::<Head>();
            head.write(Head::new());
            sys::lua_createtable(lua, 0, 1);
            api::set_collector(lua, close);
            sys::lua_setmetatable(lua, -2);
            let owner = owner.unwrap_or(head.cast_const().cast());
            sys::lua_rawsetp(lua, sys::LUA_REGISTRYINDEX, owner);
            let state = Box::new(State::new(lua, head, owner, machine, policy, rooms));
            (*head).state.set(Box::into_raw(state));
            head
        }
    }

    /// The part that compiled code reads and writes.
    pub(super) fn head(&self) -> &Head {
        // SAFETY: the head lies in the userdata that owns this state.
        unsafe { &*self.head }
    }

    /// # Safety
    /// - *Room* for 2 (see `vm`).
    /// - *Raise* (out of memory).
    unsafe fn new(
        lua: *mut lua_State,
        head: *const Head,
        owner: *const c_void,
        machine: Machine,
        policy: &Policy,
        rooms: &'static Rooms,
    ) -> State {
        // SAFETY: *Room* for 2 and *Raise*, kept by the caller.
        let (stack, first, main, watch) = unsafe {
            let stack = machine.runs == Runs::Host && probe::accepts(lua);
            api::learn_running(lua);
            (stack, api::first_thread(lua), api::main_thread(lua), Watch::of(lua))
        };
        code::called_from(sys::lua_gettop as *const () as usize);
        let mut types = machine.declarations();
        State {
            head,
            owner,
            main,
            ways: Ways::of(stack, machine.runs, policy),
            machine,
            policy: policy.clone(),
            watch,
            refusals: Refusals::default(),
            first,
            visitor: Cell::new(ptr::null_mut()),
            blocked: Blocked::now(),
            known: Known::new(&mut types),
            declared: Cell::new(0),
            options: Options::default(),
            char_signed: types.table().model().char_signed,
            types: RefCell::new(types),
            ctype_metatable: Cell::new(ptr::null()),
            anchors: [0; Anchor::ALL.len()],
            parts: rooms.parts(),
            links: &rooms.links,
        }
    }

    /// Remembers a thread that runs, if it is not the first one: a host resumes coroutines while the first thread runs nothing.
    pub(super) fn notice(&self, lua: *mut lua_State) {
        if lua != self.first && lua != self.visitor.get() {
            // SAFETY: a running C function has free stack slots. May raise (out of memory), at the first time.
            unsafe {
                sys::lua_pushthread(lua);
                let key = (&raw const self.visitor).cast();
                sys::lua_rawsetp(lua, sys::LUA_REGISTRYINDEX, key);
            }
            self.visitor.set(lua);
        }
    }

    /// Whether Lua runs on this thread, which is the state's, as far as can be told from its first thread and the last other one
    /// that entered the library. A signal handler may ask, and is told that it does: a host's own calls of Lua's API, with which it
    /// closes the state for instance, are seen in no thread.
    pub(super) fn runs_lua(&self) -> bool {
        // SAFETY: both live as long as the state, and only this thread runs them.
        let runs = |lua: *mut lua_State| unsafe { !lua.is_null() && api::is_running(lua) };
        self.first.is_null()
            || runs(self.first)
            || runs(self.visitor.get())
            || Blocked::now().exceeds(&self.blocked)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        for close in self.links.close {
            close(self);
        }
    }
}

/// A C string of `text`; an error where it holds a NUL byte.
pub(super) fn c_string(text: &[u8], what: &str) -> Result<CString, LuaError> {
    CString::new(text).map_err(|_| LuaError::new(format!("{what} holds a NUL byte")))
}
