//! `ffi.async`: calls of C functions that leave the Lua thread.
//!
//! `ffi.async(f)` is a function that makes the call on a thread of this library, and yields until the call is done. The yielded value is the task; the code
//! that resumes the coroutine decides when. Outside a coroutine the function waits, and makes the callbacks that wait meanwhile. The arguments
//! stay alive until C has returned, even if the coroutine is dropped; a state that closes waits for its calls.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;
use std::slice;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mlua::ffi as sys;

use super::Callees;
use super::contract;
use super::function::{self, Function};
use super::plan_fast;
use super::recipe::Recipe;
use super::runtime;
use super::thunk_api;
use crate::code::locks::{Global, Rank};
use crate::code::os;
use crate::code::{NativeCall, Registers};
use crate::lower;
use crate::lua::callback::dispatch;
use crate::lua::callback::other_thread;
use crate::lua::sandbox::budget;
use crate::lua::state::rooms::Part;
use crate::lua::state::{Anchor, Cx, LuaError, Outcome, State, entry};
use crate::lua::value::cdata;
use crate::lua::value::to_c;
use crate::lua::vm::api::{self, LuaType};
use crate::policy::Permissions;

/// Makes `ffi.async` of its parts, in Lua, as only Lua code can yield on every version.
const WRAPPER: &str = "
    local begin, done, wait, result, yield, inside = ...
    return function(f)
      return function(...)
        local task = begin(f, ...)
        if inside and inside() then
          while not done(task) do yield(task) end
        else
          wait(task)
        end
        return result(task)
      end
    end";

/// A call on its way.
struct Job {
    native: NativeCall,
    target: *const c_void,
    registers: Registers,
    /// Frame and stack arguments, in a userdata that the state keeps.
    stack: *mut u8,
    errno: c_int,
}

// SAFETY: the memory that it leads to belongs to the call until that is done.
unsafe impl Send for Job {}

/// How far a call is.
enum Progress {
    Ready(Job),
    Running,
    Done(Job),
}

/// A call, for the thread that makes it and the one that waits.
struct Shared {
    progress: Mutex<Progress>,
    done: Condvar,
}

/// The block of a task's userdata.
struct Task {
    shared: Cell<*const Shared>,
    record: *const Function,
    recipe: *const Recipe,
    frame: *mut u8,
}

/// The calls of a state that are not done, by the numbers of their tasks. Its table has what each needs.
#[derive(Default)]
pub(in crate::lua) struct Running {
    last: Cell<i64>,
    calls: Mutex<Vec<(i64, Arc<Shared>)>>,
}

impl Running {
    fn any_runs(&self) -> bool {
        self.lock().iter().any(|(_, shared)| !shared.is_done(Duration::ZERO))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(i64, Arc<Shared>)>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Work = Box<dyn FnOnce() + Send>;

/// The threads that wait for work, and their process: after a fork the child has none of them.
static IDLE: Global<Mutex<(u32, Vec<Sender<Work>>)>> =
    Global::new(Rank::IdleThreads, (0, Vec::new()));

/// Looks at the threads that wait for work.
fn idle<R>(f: impl FnOnce(&mut Vec<Sender<Work>>) -> R) -> R {
    let process = std::process::id();
    let (owner, threads) = &mut *IDLE.lock();
    if *owner != process {
        // Their channels are as the parent's threads left them, which may be locked.
        mem::forget(mem::take(threads));
        *owner = process;
    }
    f(threads)
}

/// Bytes of the stack of such a thread.
const STACK: usize = 2 << 20;
/// The bytes of the stack that stack arguments leave for the function.
const RESERVE: usize = 256 << 10;

/// Runs `work` on a thread that has none, or on a new one.
fn run_elsewhere(work: Work) -> std::io::Result<()> {
    let mut work = work;
    while let Some(thread) = idle(Vec::pop) {
        match thread.send(work) {
            Ok(()) => return Ok(()),
            Err(returned) => work = returned.0,
        }
    }
    let (sender, receiver) = channel::<Work>();
    let mut next = Some(work);
    let thread = std::thread::Builder::new().name("cthunk-async".into()).stack_size(STACK);
    thread.spawn(move || {
        while let Some(work) = next.take().or_else(|| receiver.recv().ok()) {
            work();
            idle(|threads| threads.push(sender.clone()));
        }
    })?;
    Ok(())
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the call.
    fn run(&self) {
        let Progress::Ready(mut job) = mem::replace(&mut *self.lock(), Progress::Running) else {
            return;
        };
        // SAFETY: `start` has filled in what the function takes, and the state keeps it until the call is done.
        unsafe {
            let stack = slice::from_raw_parts(job.stack, job.native.stack_bytes());
            job.native.invoke(job.target, &mut job.registers, stack);
        }
        job.errno = os::errno();
        *self.lock() = Progress::Done(job);
        self.done.notify_all();
    }

    /// Whether the call is done; waits for that as long as `patience` says.
    fn is_done(&self, patience: Duration) -> bool {
        let late = |progress: &mut Progress| !matches!(progress, Progress::Done(_));
        let waited = self.done.wait_timeout_while(self.lock(), patience, late);
        !late(&mut waited.unwrap_or_else(PoisonError::into_inner).0)
    }
}

/// Whether a call of `ffi.async` is not done.
pub(in crate::lua) fn any_runs(state: &State) -> bool {
    Callees::of(state).tasks.any_runs()
}

/// Waits for the calls of a closing state: their arguments are in its memory.
pub(in crate::lua) fn close(state: &State) {
    for (_, shared) in Callees::of(state).tasks.lock().drain(..) {
        if !shared.is_done(Duration::from_secs(5)) {
            dispatch::report("a Lua state that closes waits for a call of ffi.async");
            while !shared.is_done(Duration::from_secs(60)) {}
        }
    }
}

/// Lets go of what calls needed that are done, and whose results nobody will ask for any more.
fn let_go(cx: &Cx<'_>) {
    loop {
        let done = {
            let mut calls = Callees::of(cx.state).tasks.lock();
            let over = |(_, shared): &(i64, Arc<Shared>)| {
                Arc::strong_count(shared) == 1 && shared.is_done(Duration::ZERO)
            };
            let position = calls.iter().position(over);
            position.map(|position| calls.swap_remove(position).0)
        };
        let Some(id) = done else { return };
        cx.push_anchor(Anchor::Tasks);
        cx.push_nil();
        cx.raw_set_integer(-2, id);
        cx.pop(1);
    }
}

/// `ffi.async(function)`
pub(in crate::lua) fn async_function(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.state.permit(Permissions::ASYNC)?;
    let is_function = function::function_at(cx, 1).is_some()
        || cdata::at(cx, 1).is_some_and(|cd| cx.state.is_function_pointer(cd.ty));
    if !is_function {
        let got = to_c::describe(cx, 1);
        return Err(LuaError::Argument(1, format!("a C function expected, got {got}")));
    }
    cx.set_top(1);
    cx.ensure_stack(12);
    push_wrapper(cx)?;
    cx.push_value(1);
    match cx.protected_call_for(1, 1) {
        true => Ok(Outcome::results(1)),
        false => Err(LuaError::Value),
    }
}

/// Pushes a function that makes an asynchronous one of a C function.
fn push_wrapper(cx: &Cx<'_>) -> Result<(), LuaError> {
    // SAFETY: *Context*; a chunk that does not load leaves an error message.
    unsafe {
        let (text, name) = (WRAPPER.as_ptr().cast(), c"=ffi.async");
        if sys::luaL_loadbuffer(cx.lua, text, WRAPPER.len(), name.as_ptr()) != sys::LUA_OK {
            return Err(LuaError::Value);
        }
    }
    for part in [entry(begin), entry(done), entry(wait), entry(result)] {
        cx.push_function(part, 0);
    }
    // SAFETY: *Context*.
    unsafe { sys::lua_getglobal(cx.lua, c"coroutine".as_ptr()) };
    let coroutine = cx.top();
    match cx.type_of(coroutine) {
        LuaType::Table => {
            cx.raw_get_name(coroutine, b"yield");
            cx.push_function(entry(is_inside), 0);
        }
        _ => {
            cx.push_nil();
            cx.push_nil();
        }
    }
    cx.remove(coroutine);
    match cx.protected_call_for(6, 1) {
        true => Ok(()),
        false => Err(LuaError::Value),
    }
}

/// Whether a coroutine runs. (Whether it can yield is not asked: where it cannot, the error says so.)
fn is_inside(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    // SAFETY: *Context*.
    let main = unsafe { sys::lua_pushthread(cx.lua) } == 1;
    cx.push_bool(!main);
    Ok(Outcome::results(1))
}

/// `begin(function, ...)`: a task.
fn begin(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.state.permit(Permissions::ASYNC)?;
    let_go(cx);
    let Some(record) = function::record_at(cx, 1) else {
        let got = to_c::describe(cx, 1);
        return Err(LuaError::Argument(1, format!("a C function expected, got {got}")));
    };
    let record: *const Function = record;
    // The arguments from 1 on, the function above them, which keeps its record.
    cx.push_value(1);
    cx.remove(1);
    let count = cx.top() as usize - 1;
    // SAFETY: the closure on top of the stack keeps the record.
    let record = unsafe { &*record };
    let recipe = match record.is_variadic(cx) {
        true => None,
        false => State::recipe(cx, record.ty, 0, &[])?,
    };
    let name = record.name();
    let Some(recipe) = recipe else {
        return Err(LuaError::new(format!("'{name}' cannot leave the Lua thread")));
    };
    let expected = recipe.conversions.arguments.len();
    if count != expected {
        let message =
            format!("wrong number of arguments to '{name}' ({expected} expected, got {count})");
        return Err(LuaError::new(message));
    }
    if record.address().is_null() {
        return Err(LuaError::new(format!(
            "attempt to call '{name}' after its library was closed"
        )));
    }
    // SAFETY: the arguments are those of the recipe.
    unsafe { start(cx, record, recipe)? };
    Ok(Outcome::results(1))
}

/// The most that a Frame is aligned to.
const ALIGN: usize = 64;

/// Pushes a task that makes a call with the arguments from 1 on.
///
/// # Safety
/// - The recipe is one of the record's type, and takes the arguments that are on the stack.
/// - The closure that keeps the record is above them.
unsafe fn start(cx: &Cx<'_>, record: &Function, recipe: &Recipe) -> Result<(), LuaError> {
    let Recipe { plan, native, conversions, signature, .. } = recipe;
    let size = (plan.frame.size as usize).next_multiple_of(ALIGN);
    if native.stack_bytes() > STACK - RESERVE {
        return Err(LuaError::new(format!(
            "the arguments take {} bytes of stack, and a thread of ffi.async has {STACK}",
            native.stack_bytes()
        )));
    }
    budget::ask("call", size + native.stack_bytes(), size)?;
    // SAFETY: the block has room for Frame and stack arguments; offsets are the plan's. Nothing with a destructor is alive
    // where a conversion may raise.
    let frame = unsafe {
        let block = api::new_userdata(cx.lua, ALIGN + size + native.stack_bytes(), 0).cast::<u8>();
        let frame = block.add(block.align_offset(ALIGN));
        frame.write_bytes(0, size);
        let arguments = conversions.arguments.iter().zip(&signature.arguments);
        for (index, ((&argument, ty), &at)) in (1..).zip(arguments.zip(&plan.frame.arguments)) {
            plan_fast::by_helper(cx.lua, record, argument, ty, index, frame.add(at as usize));
        }
        if cx.state.checked() {
            cx.state.permit_target(record.address())?;
            contract::check(cx, record, record.address(), recipe, frame)?;
        }
        frame
    };
    let id = Callees::of(cx.state).tasks.last.get() + 1;
    Callees::of(cx.state).tasks.last.set(id);
    let task = push_task(cx, id, Task { shared: Cell::new(ptr::null()), record, recipe, frame });
    let mut registers = Registers::default();
    // SAFETY: the block has room for Frame and stack arguments.
    let stack = unsafe {
        let stack = slice::from_raw_parts_mut(frame.add(size), native.stack_bytes());
        let bytes = slice::from_raw_parts(frame, size);
        lower::load(plan, bytes, frame as u64, registers.bytes(), stack);
        stack.as_mut_ptr()
    };
    let target = record.address();
    let job = Job { native: *native, target, registers, stack, errno: 0 };
    let shared =
        Arc::new(Shared { progress: Mutex::new(Progress::Ready(job)), done: Condvar::new() });
    // SAFETY: the task is on top of the stack.
    unsafe { (*task).shared.set(Arc::into_raw(Arc::clone(&shared))) };
    let worker = Arc::clone(&shared);
    run_elsewhere(Box::new(move || worker.run()))
        .map_err(|error| LuaError::new(format!("no thread for ffi.async: {error}")))?;
    Callees::of(cx.state).tasks.lock().push((id, shared));
    Ok(())
}

/// Pushes a task. What is on the stack stays alive as long as it, and until the call is done.
fn push_task(cx: &Cx<'_>, id: i64, task: Task) -> *mut Task {
    /// # Safety
    /// - Lua alone calls it, with the block of a task.
    unsafe extern "C" fn collect(_: *mut api::lua_State, block: *mut c_void) {
        // SAFETY: the block is a task's; a call that runs has its own share.
        unsafe {
            let shared = (*block.cast::<Task>()).shared.replace(ptr::null());
            if !shared.is_null() {
                drop(Arc::from_raw(shared));
            }
        }
    }
    let needed = cx.top();
    cx.ensure_stack(8);
    cx.new_table(needed, 0);
    for index in 1..=needed {
        cx.push_value(index);
        cx.raw_set_integer(-2, index.into());
    }
    // SAFETY: there are free stack slots; the block has room for a task, which has no destructor.
    let block = unsafe {
        let block = api::new_collected(cx.lua, mem::size_of::<Task>(), collect).cast::<Task>();
        block.write(task);
        block
    };
    cx.push_anchor(Anchor::Tasks);
    cx.raw_get_integer(-1, METATABLE);
    if cx.type_of(-1) == LuaType::Nil {
        cx.pop(1);
        cx.new_table(0, 2);
        // SAFETY: the table is on top, and there are free stack slots.
        unsafe { api::set_collector(cx.lua, collect) };
        cx.push_bytes(b"ffi");
        cx.raw_set_name(-2, b"__metatable");
        cx.push_value(-1);
        cx.raw_set_integer(-3, METATABLE);
    }
    cx.set_metatable(-3);
    cx.push_value(needed + 1);
    cx.raw_set_integer(-2, id);
    cx.pop(1);
    cx.remove(needed + 1);
    block
}

/// Where the table of tasks has their metatable; tasks are numbered from 1.
const METATABLE: i64 = 0;

/// The task at 1.
fn task<'a>(cx: &'a Cx<'_>) -> Result<(&'a Task, &'a Shared), LuaError> {
    let none = || LuaError::Argument(1, "a task of ffi.async expected".into());
    if cx.type_of(1) != LuaType::Userdata || !cx.get_metatable(1) {
        return Err(none());
    }
    cx.push_anchor(Anchor::Tasks);
    cx.raw_get_integer(-1, METATABLE);
    let ours = cx.identity(-1) == cx.identity(-3);
    cx.pop(3);
    if !ours {
        return Err(none());
    }
    // SAFETY: only tasks have this metatable; the one on the stack lives, and has a share until it is collected.
    unsafe {
        let task = &*cx.userdata(1).cast::<Task>();
        task.shared.get().as_ref().map(|shared| (task, shared)).ok_or_else(none)
    }
}

/// `done(task)`; makes the callbacks that wait.
fn done(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let (_, shared) = task(cx)?;
    other_thread::poll(cx, Duration::ZERO);
    cx.push_bool(shared.is_done(Duration::ZERO));
    Ok(Outcome::results(1))
}

/// `wait(task)`; makes the callbacks that wait meanwhile.
fn wait(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let (_, shared) = task(cx)?;
    while !shared.is_done(Duration::from_millis(1)) {
        other_thread::poll(cx, Duration::ZERO);
    }
    Ok(Outcome::results(0))
}

/// `result(task)`: what the call gave; once.
fn result(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let (task, shared) = task(cx)?;
    let mut registers = Registers::default();
    let errno = match &mut *shared.lock() {
        Progress::Done(job) => {
            mem::swap(&mut registers, &mut job.registers);
            job.errno
        }
        _ => return Err(LuaError::new("the call is not done")),
    };
    // SAFETY: what the call needed is alive until it is let go of, which is after this; the Frame is of the recipe's plan.
    unsafe {
        let (record, recipe) = (&*task.record, &*task.recipe);
        let plan = &recipe.plan;
        let frame = slice::from_raw_parts_mut(task.frame, plan.frame.size as usize);
        lower::store_result(plan, registers.bytes(), frame);
        let value = task.frame.add(plan.frame.result as usize);
        match recipe.conversions.result {
            thunk_api::Outcome::None => cx.push_nil(),
            thunk_api::Outcome::Copy => runtime::push_copy(cx.lua, record, value),
            _ => runtime::push_result(cx.lua, record, value),
        }
        drop(Arc::from_raw(task.shared.replace(ptr::null())));
        let_go(cx);
        os::set_errno(errno);
        Ok(Outcome::results(c_int::from(recipe.conversions.result != thunk_api::Outcome::None)))
    }
}
