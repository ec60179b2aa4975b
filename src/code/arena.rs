//! Executable memory: a memory file mapped twice, once to write and once to run.
//!
//! No page is ever writable and executable: the writable view is not executable, and the executable view is not writable. Code is position
//! independent within a chunk, so it runs at its address in the executable view.

use std::io;
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use cranelift_jit::{BranchProtection, JITMemoryKind, JITMemoryProvider};
use cranelift_module::ModuleResult;

use super::locks::Global;
use super::os::{self, Near, Views};
use super::{Mode, observe};

/// Address space of a chunk, in bytes; memory is used only as it is written.
const CHUNK: usize = 16 << 20;

/// Packed executable memory that grows by chunks and is never given back.
pub(super) struct Arena {
    chunks: Vec<Chunk>,
    place: Place,
}

/// Where code is mapped to run.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// Near this library's own text.
    NearText,
    /// Below 4 GiB, for 32-bit code.
    Low,
}

struct Chunk {
    write: NonNull<u8>,
    run: NonNull<u8>,
    size: usize,
    used: usize,
    /// The process that fills it: after a fork parent and child share the memory, and only the parent may go on.
    owner: u32,
}

// SAFETY: a chunk's memory belongs to the arena alone, which is used under a lock.
unsafe impl Send for Chunk {}

/// Bytes allocated in an arena, in both views.
#[derive(Clone, Copy)]
pub(super) struct Span {
    /// Where to write them.
    pub write: *mut u8,
    /// Where they run.
    pub run: *const u8,
}

impl Arena {
    /// An empty arena.
    pub const fn new(place: Place) -> Arena {
        Arena { chunks: Vec::new(), place }
    }

    /// Reserves `size` bytes. Every piece of machine code that this crate makes is placed here, so that there is none in
    /// [`Mode::Interpreted`].
    pub fn allocate(&mut self, size: usize, align: usize) -> io::Result<Span> {
        if Mode::current() == Mode::Interpreted {
            let message = "this process makes no machine code (interpreted mode)";
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        let process = std::process::id();
        let fits = |chunk: &&mut Chunk| {
            chunk.owner == process && chunk.used.next_multiple_of(align) + size <= chunk.size
        };
        let chunk = match self.chunks.last_mut().filter(fits) {
            Some(chunk) => chunk,
            None => {
                self.chunks.push(Chunk::map(CHUNK.max(size), process, self.place)?);
                self.chunks.last_mut().expect("just pushed")
            }
        };
        let offset = chunk.used.next_multiple_of(align);
        chunk.used = offset + size;
        // SAFETY: offset + size <= chunk.size, which both views have.
        unsafe {
            Ok(Span {
                write: chunk.write.as_ptr().add(offset),
                run: chunk.run.as_ptr().add(offset),
            })
        }
    }

    /// Where code that was written at `write` runs.
    pub fn run_address(&self, write: *const u8) -> Option<*const u8> {
        self.chunks.iter().rev().find_map(|chunk| {
            let offset = (write as usize).checked_sub(chunk.write.as_ptr() as usize)?;
            // SAFETY: the offset lies inside the chunk.
            (offset < chunk.size).then(|| unsafe { chunk.run.as_ptr().add(offset).cast_const() })
        })
    }
}

impl Chunk {
    fn map(size: usize, owner: u32, place: Place) -> io::Result<Chunk> {
        let near = match place {
            Place::NearText if observe::is_observed() => Near::Observed(caller()),
            Place::NearText => Near::Address(caller()),
            Place::Low => Near::Low,
        };
        let Views { write, run } = os::map_code(size, near)?;
        Ok(Chunk { write, run, size, used: 0, owner })
    }
}

/// An address in the program that calls the code; 0: this library.
static CALLER: AtomicUsize = AtomicUsize::new(0);

/// Says where the code is called from, before any is made: a call from further away than 2 GiB is 2 ns slower.
pub fn called_from(address: usize) {
    CALLER.store(address, Ordering::Relaxed);
}

/// Where the code is called from.
fn caller() -> usize {
    match CALLER.load(Ordering::Relaxed) {
        0 => Arena::run_address as *const () as usize,
        caller => caller,
    }
}

/// The arena as cranelift-jit's memory provider.
pub(super) struct Provider(pub &'static Global<Mutex<Arena>>);

impl JITMemoryProvider for Provider {
    fn allocate(&mut self, size: usize, align: u64, kind: JITMemoryKind) -> io::Result<*mut u8> {
        match kind {
            JITMemoryKind::Executable => {
                self.0.lock().allocate(size, align as usize).map(|span| span.write)
            }
            JITMemoryKind::Writable | JITMemoryKind::ReadOnly => {
                Err(io::Error::new(io::ErrorKind::Unsupported, "thunks have no data"))
            }
        }
    }

    unsafe fn free_memory(&mut self) {}

    /// Nothing to do: the executable view is executable from the start, and the writer of code flushes the instruction cache.
    fn finalize(&mut self, _: BranchProtection) -> ModuleResult<()> {
        Ok(())
    }
}
