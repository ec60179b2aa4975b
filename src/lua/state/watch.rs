//! The time and the steps of scripts (TIME-2, TIME-3): what the library charges to the [`Budget`] of a Lua state.
//!
//! Lua calls finalisers while no hook runs, so that nothing would stop one that loops. Where there is a budget, the finalisers of cdata wait in
//! a table, and run when a function of the library is called, or the host lets them run. Finalisers that still wait when the Lua state closes never
//! run.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use crate::lua::state::{Anchor, Cx, LuaError};
use crate::lua::vm::api::{self, lua_State};
use crate::lua::vm::budget::Budget;

/// The budget of a state's Lua state.
#[derive(Debug, Default)]
pub(in crate::lua) struct Watch {
    budget: Option<Arc<Budget>>,
    /// Cdata whose finalisers wait.
    dead: Cell<i64>,
    /// Cdata that have a finaliser, or whose finaliser waits.
    awaited: Cell<i64>,
    /// Places in the table of [`Anchor::Dead`]. There is one for each, as nothing is allocated while Lua collects garbage.
    places: Cell<i64>,
    /// The host lets no more finalisers run.
    closing: Cell<bool>,
}

/// Bytes that count as a step.
const BYTES: usize = 256;

impl Watch {
    /// The budget of the Lua state.
    ///
    /// # Safety
    /// - *Room* (see `vm`).
    pub(in crate::lua) unsafe fn of(lua: *mut lua_State) -> Watch {
        // SAFETY: *Room*, kept by the caller.
        Watch { budget: unsafe { api::budget(lua) }, ..Watch::default() }
    }

    /// Whether finalisers wait for a call of the library.
    pub(in crate::lua) fn finalizers_wait(&self) -> bool {
        self.budget.is_some()
    }

    /// From now on no finaliser is kept for later.
    pub(in crate::lua) fn close(&self) {
        self.closing.set(true);
    }

    /// Whether one waits that may run.
    pub(in crate::lua) fn has_dead(&self) -> bool {
        let may_run = |budget: &Arc<Budget>| budget.spent().is_none();
        self.dead.get() > 0 && self.budget.as_ref().is_some_and(may_run)
    }

    /// Takes so many steps.
    ///
    /// # Errors
    /// The budget is spent.
    pub(in crate::lua) fn charge(&self, steps: usize) -> Result<(), LuaError> {
        match &self.budget {
            None => Ok(()),
            Some(budget) => {
                budget.charge(steps as u64).map_err(|spent| LuaError::new(spent.message()))
            }
        }
    }

    /// How long a function that waits may do so.
    pub(in crate::lua) fn rest(&self) -> Duration {
        self.budget.as_ref().map_or(Duration::MAX, |budget| budget.rest())
    }

    /// Takes the steps for so many bytes that are read or written.
    ///
    /// # Errors
    /// The budget is spent.
    pub(in crate::lua) fn charge_bytes(&self, bytes: usize) -> Result<(), LuaError> {
        self.charge(bytes / BYTES)
    }
}

impl Cx<'_> {
    /// Takes so many steps.
    ///
    /// # Errors
    /// The budget is spent.
    pub(in crate::lua) fn charge(&self, steps: usize) -> Result<(), LuaError> {
        self.state.watch.charge(steps)
    }

    /// Lets a function of the library begin.
    ///
    /// # Errors
    /// The budget is spent.
    pub(in crate::lua) fn go_on(&self) -> Result<(), LuaError> {
        match self.state.watch.budget.as_ref().and_then(|budget| budget.take(1).err()) {
            None => Ok(()),
            Some(spent) => Err(LuaError::new(spent.message())),
        }
    }
}

/// Bytes between two looks at the clock.
const PIECE: usize = 4 << 20;

/// Does with so many bytes what `f` does with a part of them: where it begins, how long it is. `backward`: the last part comes first.
///
/// # Errors
/// The budget is spent; some parts are done.
pub(in crate::lua) fn in_pieces(
    cx: &Cx<'_>,
    bytes: usize,
    backward: bool,
    f: impl Fn(usize, usize),
) -> Result<(), LuaError> {
    if cx.state.watch.budget.is_none() {
        f(0, bytes);
        return Ok(());
    }
    let pieces = bytes.div_ceil(PIECE);
    for i in 0..pieces {
        let begin = PIECE * if backward { pieces - 1 - i } else { i };
        let piece = PIECE.min(bytes - begin);
        cx.state.watch.charge_bytes(piece)?;
        f(begin, piece);
    }
    Ok(())
}

/// Makes a place for a cdata that gets a finaliser, or had one.
pub(in crate::lua) fn await_finalizer(cx: &Cx<'_>, had: bool, has: bool) {
    let watch = &cx.state.watch;
    if !watch.finalizers_wait() || had == has {
        return;
    }
    watch.awaited.set(watch.awaited.get() + if has { 1 } else { -1 });
    let places = watch.places.get();
    if watch.awaited.get() > places {
        cx.push_anchor(Anchor::Dead);
        for place in [2 * places + 1, 2 * places + 2] {
            cx.push_bool(false);
            cx.raw_set_integer(-2, place);
        }
        cx.pop(1);
        watch.places.set(places + 1);
    }
}

/// Keeps a cdata and its finaliser for later. The finaliser is below the cdata, on top of the stack.
pub(in crate::lua) fn keep_dead(cx: &Cx<'_>) {
    let count = cx.state.watch.dead.get();
    if cx.state.watch.closing.get() {
        return;
    }
    cx.push_anchor(Anchor::Dead);
    cx.push_value(-3);
    cx.raw_set_integer(-2, 2 * count + 1);
    cx.push_value(-2);
    cx.raw_set_integer(-2, 2 * count + 2);
    cx.pop(1);
    cx.state.watch.dead.set(count + 1);
}

/// Pushes the finaliser and the cdata that came last; false, with nothing pushed, where none waits.
pub(in crate::lua) fn next_dead(cx: &Cx<'_>) -> bool {
    let count = cx.state.watch.dead.get();
    if !cx.state.watch.has_dead() {
        return false;
    }
    cx.ensure_stack(4);
    cx.push_anchor(Anchor::Dead);
    for place in [2 * count - 1, 2 * count] {
        cx.raw_get_integer(-1, place);
        cx.insert(-2);
        cx.push_bool(false);
        cx.raw_set_integer(-2, place);
    }
    cx.pop(1);
    cx.state.watch.dead.set(count - 1);
    cx.state.watch.awaited.set(cx.state.watch.awaited.get() - 1);
    true
}
