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
//! - **Upvalue 1**: the running closure is one that `Cx::push_function` made: its upvalue 1 is the userdata of its state, whose block is the head.

mod anchor;
mod cx;
mod error;
mod guard;
pub(in crate::lua) mod head;
pub(in crate::lua) mod learnt;
pub(in crate::lua) mod links;
pub(in crate::lua) mod machine;
pub(in crate::lua) mod options;
pub(in crate::lua) mod pinned;
pub(in crate::lua) mod recall;
pub(in crate::lua) mod strings;
pub(in crate::lua) mod ways;

use std::cell::{Cell, RefCell};
use std::ffi::{CString, c_void};
use std::mem;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

pub(in crate::lua) use anchor::Anchor;
pub use cx::Cx;
pub use error::LuaError;
pub use guard::guard;
pub(in crate::lua) use guard::{Outcome, entry, finalizer, guard_in};
use mlua::ffi as sys;
use rustc_hash::FxHashMap;

use crate::code::os::Blocked;
use crate::code::{self, ending};
use crate::ctype::{Declarations, QualType, Quals, TypeId};
use crate::lua::call::guest;
use crate::lua::call::recipe::{Recipe, RecipeKey};
use crate::lua::call::task;
use crate::lua::callback::argument_pool::Stock;
use crate::lua::callback::owner::Link;
use crate::lua::callback::{self, CallbackKind};
use crate::lua::embed::Exposed;
use crate::lua::fast::new::{Maker, Texts};
use crate::lua::fast::new_callback::Recent;
use crate::lua::library::clib;
use crate::lua::luajit::TypeEntries;
use crate::lua::sandbox::given::Given;
use crate::lua::sandbox::inventory::Inventory;
use crate::lua::sandbox::region;
use crate::lua::sandbox::watch::Watch;
use crate::lua::types::kind::TypeInfo;
use crate::lua::vm::api::{self, lua_State};
use crate::lua::vm::probe;
use crate::policy::Policy;
use head::Head;
use links::Links;
use machine::{Machine, Runs};
use options::Options;
use pinned::Shelf;
use ways::Ways;

/// What a Lua state knows about C.
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
    /// The callbacks that have a slot, in use or freed, by address.
    pub(super) callbacks: RefCell<FxHashMap<usize, code::Callback>>,
    /// Callbacks that are in use.
    pub(super) live_callbacks: Cell<usize>,
    /// The Lua functions of the first callbacks.
    pub(super) functions_in_place: Shelf,
    /// Places of callbacks that were used and are free.
    pub(super) callback_places: RefCell<Vec<i32>>,
    /// The last place that was ever used.
    pub(super) next_callback: Cell<i32>,
    /// The last callback's type; see [`crate::lua::fast::new_callback`].
    pub(super) recent: Cell<Recent>,
    /// The cdata for the arguments of the next callbacks.
    pub(super) stock: Stock,
    /// What callbacks of a function type have in common.
    pub(super) callback_kinds: RefCell<FxHashMap<TypeId, Arc<CallbackKind>>>,
    /// The way of a callback to this state.
    pub(super) link: Arc<Link>,
    /// Types and names. Borrow it only for as long as no Lua function is called.
    pub types: RefCell<Declarations>,
    /// The ids of the types that this module itself needs.
    pub known: Known,
    /// What was found out about types, by type.
    pub(super) infos: RefCell<Vec<Option<Box<TypeInfo>>>>,
    /// How functions are called, by type and the types of variable arguments.
    pub(super) recipes: RefCell<FxHashMap<RecipeKey, Box<Recipe>>>,
    /// How values are made in place: every [`TypeInfo::maker`] that ever was.
    #[allow(clippy::vec_box, reason = "their addresses are kept")]
    pub(super) makers: RefCell<Vec<Box<Maker>>>,
    /// Texts that name types.
    pub(super) texts: Texts,
    /// How often a text declared something: parsed type texts of scopes are good until it changes.
    pub(super) declared: Cell<u32>,
    /// What its C is compiled for.
    pub(super) machine: Machine,
    /// What scripts may do.
    pub(super) policy: Policy,
    /// What it uses, for the host to see.
    pub(super) inventory: Inventory,
    /// The libraries that are open.
    pub(super) libraries: clib::Open,
    /// The budget of the Lua state, and finalisers that wait for it.
    pub(super) watch: Watch,
    /// What the host gives scripts to call.
    pub(super) exposed: Exposed,
    /// What the host and its C functions have given scripts, and scripts to C.
    pub(super) given: Given,
    /// What is known of memory, where accesses are checked.
    pub(super) memory: region::Known,
    /// The calls of `ffi.async`.
    pub(super) tasks: task::Running,
    /// The guest functions that were called, by type.
    pub(super) guest_calls: RefCell<guest::Calls>,
    /// The guest's libraries that `ffi.C` searches, in the order in which they were loaded.
    pub(super) guest_globals: RefCell<Vec<Rc<crate::lua::library::clib::guest::Library>>>,
    /// The numbers of types, for `ffi.typeinfo`.
    pub(super) type_entries: RefCell<TypeEntries>,
    /// What rooms to the right do for those to the left.
    pub(super) links: Links,
    /// What `ffi.option` set.
    pub(super) options: Options,
    /// What is said of the error that a callback caught, if the process ends before it is raised.
    pub(super) last_words: Cell<Option<ending::Held>>,
    /// The callbacks that are running, inside one another.
    pub(super) nested: Cell<u32>,
    /// The finalisers that are called late.
    pub(super) late: api::Late,
    /// Whether plain `char` is signed.
    pub(super) char_signed: bool,
    /// What may be fast.
    pub(super) ways: Ways,
    /// The identity of the metatable of ctype objects.
    pub(super) ctype_metatable: Cell<*const c_void>,
    anchors: [u8; Anchor::ALL.len()],
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
    pub(super) unsafe fn ensure(lua: *mut lua_State) -> bool {
        // SAFETY: *Room* for 4 and *Raise*, kept by the caller.
        unsafe {
            let made = owner_in_registry(lua).is_null();
            if made {
                let owner = Some((&raw const OWNER).cast());
                State::make(lua, owner, Machine::host(), &Policy::open());
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
                    clib::detach_all(&Cx::new(lua, state));
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
            let stack = machine.runs == Runs::Host && probe::in_place(lua);
            let ways = Ways::of(stack, machine.runs, policy);
            api::learn_running(lua);
            let threads = (api::first_thread(lua), api::main_thread(lua));
            let watch = Watch::of(lua);
            let state = State::new(head, owner, threads, ways, machine, policy.clone(), watch);
            let state = Box::new(state);
            state.link.set(&raw const *state);
            (*head).state.set(Box::into_raw(state));
            head
        }
    }

    /// What compiled code reads and writes.
    pub(super) fn head(&self) -> &Head {
        // SAFETY: the head lies in the userdata that owns this state.
        unsafe { &*self.head }
    }

    fn new(
        head: *const Head,
        owner: *const c_void,
        (first, main): (*mut lua_State, *mut lua_State),
        ways: Ways,
        machine: Machine,
        policy: Policy,
        watch: Watch,
    ) -> State {
        code::called_from(sys::lua_gettop as *const () as usize);
        let mut types = machine.declarations();
        State {
            head,
            owner,
            main,
            machine,
            policy,
            inventory: Inventory::default(),
            libraries: clib::Open::default(),
            watch,
            exposed: Exposed::default(),
            given: Given::default(),
            memory: region::Known::default(),
            tasks: task::Running::default(),
            guest_calls: RefCell::default(),
            guest_globals: RefCell::default(),
            first,
            visitor: Cell::new(ptr::null_mut()),
            blocked: Blocked::now(),
            callbacks: RefCell::default(),
            live_callbacks: Cell::new(0),
            functions_in_place: Shelf::default(),
            callback_places: RefCell::default(),
            next_callback: Cell::new(0),
            recent: Cell::default(),
            stock: Stock::default(),
            callback_kinds: RefCell::default(),
            link: Arc::default(),
            known: Known::new(&mut types),
            infos: RefCell::new(Vec::new()),
            recipes: RefCell::default(),
            last_words: Cell::new(None),
            nested: Cell::new(0),
            late: api::Late::new(),
            makers: RefCell::default(),
            texts: Texts::default(),
            declared: Cell::new(0),
            type_entries: RefCell::default(),
            links: Links::default(),
            options: Options::default(),
            char_signed: types.table().model().char_signed,
            types: RefCell::new(types),
            ways,
            ctype_metatable: Cell::new(ptr::null()),
            anchors: [0; Anchor::ALL.len()],
        }
    }

    /// From now on there are callbacks, which C may call at any time. `lua` runs.
    pub(super) fn expect_callbacks(&self, lua: *mut lua_State) {
        self.link.deferred.expect();
        self.head().boundary.expect_callbacks();
        self.notice(lua);
    }

    /// Remembers a thread that runs, if it is not the first one: a host resumes coroutines while the first thread runs nothing.
    fn notice(&self, lua: *mut lua_State) {
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
        callback::turn_away(self);
        task::close(self);
        callback::close(self);
        clib::unload_all(self);
    }
}

/// A C string of `text`; an error where it holds a NUL byte.
pub(super) fn c_string(text: &[u8], what: &str) -> Result<CString, LuaError> {
    CString::new(text).map_err(|_| LuaError::new(format!("{what} holds a NUL byte")))
}
