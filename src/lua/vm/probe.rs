//! Whether the running interpreter keeps its values where the [`Layout`] of its version says.
//!
//! A module may be loaded by an interpreter of another patch release, or by one with other build options. So before the library accesses Lua's memory
//! directly, it pushes known values through the C API and looks for them, with reads that cannot fault.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};

use mlua::ffi as sys;

use super::api::layout::{Boolean, Layout};
use super::api::{self, Results, lua_State};
use crate::code::Peek;

/// The answer for the interpreter: a process has one for the symbols that this library is linked to.
static ANSWER: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 0;
const YES: u8 = 1;
const NO: u8 = 2;

/// Whether Lua's values may be read and written as memory: the version has a layout, the interpreter keeps to it, and the
/// environment does not forbid it (`CTHUNK_SLOW`, set and not `0`).
///
/// # Safety
/// - *Room* for 4.
/// - *Raise* (out of memory).
pub(in crate::lua) unsafe fn accepts(lua: *mut lua_State) -> bool {
    let Some(layout) = &api::LAYOUT else { return false };
    if std::env::var_os("CTHUNK_SLOW").is_some_and(|value| value != "0") {
        return false;
    }
    if ANSWER.load(Ordering::Relaxed) == UNKNOWN {
        // SAFETY: *Room* and *Raise*, kept by the caller.
        let answer = match unsafe { prove(lua, layout) } {
            Ok(()) => YES,
            Err(what) => {
                log::warn!(
                    "this Lua is laid out otherwise ({what}): calls go through its C API, slower"
                );
                NO
            }
        };
        ANSWER.store(answer, Ordering::Relaxed);
    }
    ANSWER.load(Ordering::Relaxed) == YES
}

type Proof = Result<(), &'static str>;

/// The input and output of [`look`].
struct Probe<'l> {
    layout: &'l Layout,
    proof: Proof,
}

const INTEGER: i64 = 0x1122_3344_5566_7788;
const FLOAT: f64 = 1.5;
const LIGHT: usize = 0x1234_5678;
const BLOCK: usize = 48;
const SHORT: &[u8] = b"cthunk";
const LONG: &[u8] = &[b'l'; 200];

/// The arguments of [`look`].
const ARGUMENTS: c_int = 11;

/// # Safety
/// - *Live*.
/// - *Raise*.
unsafe fn prove(lua: *mut lua_State, layout: &Layout) -> Proof {
    let mut probe = Probe { layout, proof: Err("nothing was seen") };
    // SAFETY: *Live*, kept by the caller; the pushes are checked for room. The probe outlives the call.
    unsafe {
        sys::luaL_checkstack(lua, ARGUMENTS + 6, ptr::null());
        sys::lua_pushlightuserdata(lua, (&raw mut probe).cast());
        sys::lua_pushcclosure(lua, api::for_lua(look), 1);
        sys::lua_pushinteger(lua, INTEGER);
        sys::lua_pushnumber(lua, FLOAT);
        sys::lua_pushnil(lua);
        sys::lua_pushboolean(lua, 0);
        sys::lua_pushboolean(lua, 1);
        sys::lua_pushlightuserdata(lua, LIGHT as *mut c_void);
        for text in [SHORT, LONG] {
            sys::lua_pushlstring(lua, text.as_ptr().cast(), text.len());
        }
        for user_values in [0, 1] {
            api::new_userdata(lua, BLOCK, user_values);
            sys::lua_createtable(lua, 0, 0);
            sys::lua_setmetatable(lua, -2);
        }
        sys::lua_createtable(lua, 0, 0);
        sys::lua_call(lua, ARGUMENTS, 0);
    }
    probe.proof
}

/// # Safety
/// - *C function*, as the closure that `prove` pushes: upvalue 1 is its `Probe`, which is alive.
unsafe extern "C-unwind" fn look(lua: *mut lua_State) -> Results {
    // SAFETY: the only closure of this function has the probe as its upvalue.
    unsafe {
        let upvalue = sys::lua_touserdata(lua, sys::lua_upvalueindex(1));
        let probe = &mut *upvalue.cast::<Probe<'_>>();
        probe.proof = match Peek::new() {
            Ok(memory) => {
                let look = Look { lua, at: probe.layout, memory };
                look.reads(upvalue as u64).and_then(|top| look.writes(top))
            }
            Err(_) => Err("memory cannot be read safely here"),
        };
    }
    Results::NONE
}

struct Look<'l> {
    lua: *mut lua_State,
    at: &'l Layout,
    memory: Peek,
}

impl Look<'_> {
    fn word(&self, base: u64, offset: i32) -> Result<u64, &'static str> {
        let address = base.wrapping_add_signed(offset.into());
        self.memory.read(address as usize, 8).ok_or("a pointer leads nowhere")
    }

    /// The tag and the value of a slot.
    fn slot(&self, slot: u64) -> Result<(u64, u64), &'static str> {
        let tag = slot.wrapping_add_signed(self.at.tag.into());
        let tag = self.memory.read(tag as usize, self.at.tag_bytes.into());
        Ok((tag.ok_or("no tag")?, self.word(slot, 0)?))
    }

    /// Looks at everything; returns the top of the stack.
    fn reads(&self, upvalue: u64) -> Result<u64, &'static str> {
        let at = self.at;
        let size = at.value as u64;
        let state = self.lua as u64;
        let (top, call) = (self.word(state, at.top)?, self.word(state, at.call)?);
        let function = self.word(call, at.call_function)?;
        let limit = self.word(call, at.call_limit)?;
        ensure(top.wrapping_sub(function) == size * (ARGUMENTS as u64 + 1), "the stack")?;
        let room = limit.wrapping_sub(top) / size;
        ensure((sys::LUA_MINSTACK as u64..1000).contains(&room), "the limit of a call")?;
        let (tag, closure) = self.slot(function)?;
        ensure(tag == u64::from(at.tags.c_closure), "the tag of a function")?;
        let code = self.word(closure, at.closure_function)?;
        ensure(code == look as *const () as u64, "the code of a function")?;
        let kept = self.slot(closure.wrapping_add_signed(at.closure_upvalues.into()))?;
        ensure(kept == (u64::from(at.tags.light_userdata), upvalue), "an upvalue")?;
        let argument = |n: c_int| self.slot(function + size * n as u64);
        self.scalars(&argument)?;
        self.strings(&argument)?;
        self.userdata(&argument)?;
        // SAFETY: the argument is a table.
        let table = unsafe { sys::lua_topointer(self.lua, 11) } as u64;
        ensure(argument(11)? == (u64::from(at.tags.table), table), "a table")?;
        Ok(top)
    }

    fn scalars(&self, argument: &dyn Fn(c_int) -> Result<(u64, u64), &'static str>) -> Proof {
        let tags = &self.at.tags;
        ensure(argument(1)? == (u64::from(tags.integer), INTEGER as u64), "an integer")?;
        ensure(argument(2)? == (u64::from(tags.float), FLOAT.to_bits()), "a float")?;
        ensure(argument(3)?.0 == u64::from(tags.nil), "nil")?;
        let booleans = [argument(4)?, argument(5)?];
        ensure(
            match tags.boolean {
                Boolean::Tags { no, yes } => {
                    booleans.map(|b| b.0) == [u64::from(no), u64::from(yes)]
                }
                Boolean::Value { tag } => {
                    booleans.map(|(tag, value)| (tag, value & u64::from(u32::MAX)))
                        == [(u64::from(tag), 0), (u64::from(tag), 1)]
                }
            },
            "a boolean",
        )?;
        ensure(argument(6)? == (u64::from(tags.light_userdata), LIGHT as u64), "a light userdata")
    }

    fn strings(&self, argument: &dyn Fn(c_int) -> Result<(u64, u64), &'static str>) -> Proof {
        let at = self.at;
        // SAFETY: the arguments are strings, which `lua_tolstring` does not change.
        let text = |n| unsafe { sys::lua_tolstring(self.lua, n, ptr::null_mut()) as u64 };
        let (tag, short) = argument(7)?;
        ensure(tag == u64::from(at.tags.short_string), "the tag of a short string")?;
        ensure(short.wrapping_add_signed(at.short_text.into()) == text(7), "a short string")?;
        let (tag, long) = argument(8)?;
        ensure(tag == u64::from(at.tags.long_string), "the tag of a long string")?;
        let found = match at.long_text_behind {
            true => self.word(long, at.long_text)?,
            false => long.wrapping_add_signed(at.long_text.into()),
        };
        ensure(found == text(8), "a long string")
    }

    fn userdata(&self, argument: &dyn Fn(c_int) -> Result<(u64, u64), &'static str>) -> Proof {
        let at = self.at;
        for (n, user_values) in [(9, 0), (10, 1)] {
            let (tag, userdata) = argument(n)?;
            ensure(tag == u64::from(at.tags.userdata), "the tag of a userdata")?;
            // SAFETY: the argument is a userdata with a metatable; there are free slots.
            let (block, metatable) = unsafe {
                let block = sys::lua_touserdata(self.lua, n) as u64;
                sys::lua_getmetatable(self.lua, n);
                let metatable = sys::lua_topointer(self.lua, -1) as u64;
                sys::lua_pop(self.lua, 1);
                (block, metatable)
            };
            ensure(self.word(userdata, at.metatable)? == metatable, "a metatable")?;
            ensure(self.word(userdata, at.block_size)? == BLOCK as u64, "the size of a userdata")?;
            let moved = match at.user_values {
                None => 0,
                Some(count) => {
                    let address = userdata.wrapping_add_signed(count.into());
                    let count = self.memory.read(address as usize, 2);
                    ensure(count == Some(user_values), "the number of user values")?;
                    u64::from(at.user_value as u32) * user_values
                }
            };
            let found = userdata.wrapping_add_signed(at.block.into()) + moved;
            ensure(found == block, "the block of a userdata")?;
        }
        Ok(())
    }

    /// Pushes a value by hand, and asks the C API what is there.
    fn writes(&self, top: u64) -> Proof {
        // SAFETY: `top` was just seen to be the top of the stack, with free slots above it.
        unsafe {
            let slot = top as *mut u8;
            slot.cast::<i64>().write(!INTEGER);
            let tag = slot.offset(self.at.tag as isize);
            match self.at.tag_bytes {
                1 => tag.write(self.at.tags.integer),
                _ => tag.cast::<u32>().write(self.at.tags.integer.into()),
            }
            let top = self.lua.byte_offset(self.at.top as isize).cast::<*mut u8>();
            top.write(slot.offset(self.at.value as isize));
            let seen = sys::lua_gettop(self.lua) == ARGUMENTS + 1
                && api::integer(self.lua, -1) == Some(!INTEGER);
            sys::lua_settop(self.lua, ARGUMENTS);
            ensure(seen, "a written value")
        }
    }
}

fn ensure(holds: bool, what: &'static str) -> Proof {
    if holds { Ok(()) } else { Err(what) }
}
