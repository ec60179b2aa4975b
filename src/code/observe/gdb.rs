//! GDB's JIT interface (GDB manual, "JIT Compilation Interface"): each piece of code is an object file in memory, with one
//! symbol and its unwind records.

use std::ffi::c_char;
use std::ptr;
use std::sync::Mutex;

use crate::code::host::{Host, Processor};
use crate::code::locks::{Global, Rank};

/// `struct jit_code_entry`
#[repr(C)]
struct Entry {
    next: *mut Entry,
    previous: *mut Entry,
    file: *const c_char,
    size: u64,
}

/// `struct jit_descriptor`
#[repr(C)]
pub struct Descriptor {
    version: u32,
    action: u32,
    relevant: *mut Entry,
    first: *mut Entry,
}

/// `JIT_REGISTER_FN`
const REGISTER: u32 = 1;

/// The descriptor that GDB reads when [`__jit_debug_register_code`] is called.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "GDB looks for this name")]
pub static mut __jit_debug_descriptor: Descriptor =
    Descriptor { version: 1, action: 0, relevant: ptr::null_mut(), first: ptr::null_mut() };

/// GDB has a breakpoint here.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn __jit_debug_register_code() {
    std::hint::black_box(());
}

/// Writers of the descriptor take turns.
static TURN: Global<Mutex<()>> = Global::new(Rank::Gdb, ());

/// Tells GDB of a piece of code, for good.
pub(super) fn register(name: &str, address: usize, size: usize, unwind: &[u8]) {
    let Some(image) = image(name, address, size, unwind) else { return };
    let image: &'static [u8] = Box::leak(image.into_boxed_slice());
    let _turn = TURN.lock();
    // SAFETY: the descriptor is written here only, one thread at a time; entries and images are never freed.
    unsafe {
        let descriptor = &raw mut __jit_debug_descriptor;
        let next = (*descriptor).first;
        let entry = Box::into_raw(Box::new(Entry {
            next,
            previous: ptr::null_mut(),
            file: image.as_ptr().cast(),
            size: image.len() as u64,
        }));
        if !next.is_null() {
            (*next).previous = entry;
        }
        (*descriptor).first = entry;
        (*descriptor).relevant = entry;
        (*descriptor).action = REGISTER;
    }
    __jit_debug_register_code();
}

/// Bytes of the headers of ELF64, a section and a symbol.
const HEADER: usize = 64;
const SECTION: usize = 64;
const SYMBOL: usize = 24;

/// The sections, by index.
const NAMES: &[u8] = b"\0.text\0.eh_frame\0.symtab\0.strtab\0.shstrtab\0";
const SECTIONS: usize = 6;
const TEXT: u16 = 1;
const STRINGS: u32 = 4;
const SECTION_NAMES: u16 = 5;

/// A relocatable ELF64 file whose text is elsewhere: at `address`.
fn image(name: &str, address: usize, size: usize, unwind: &[u8]) -> Option<Vec<u8>> {
    let mut file = elf_header(Host::ELF_MACHINE?);
    let mut place = |bytes: &[u8]| {
        let at = file.len();
        file.extend(bytes);
        file.resize(file.len().next_multiple_of(8), 0);
        (at, bytes.len())
    };
    let frames = place(unwind);
    let symbols = place(&symbols(size));
    let strings = place(&[b"\0", name.as_bytes(), b"\0"].concat());
    let names = place(NAMES);
    let sections = file.len() as u64;
    file[40..48].copy_from_slice(&sections.to_le_bytes());
    let (alloc, alloc_code) = (2, 2 | 4);
    // Type 1: bytes, 2: symbols, 3: strings, 8: no bytes in the file.
    for header in [
        Header::default(),
        Header {
            name: 1,
            kind: 8,
            flags: alloc_code,
            address,
            place: (HEADER, size),
            ..Header::default()
        },
        Header { name: 7, kind: 1, flags: alloc, place: frames, ..Header::default() },
        Header {
            name: 17,
            kind: 2,
            place: symbols,
            link: STRINGS,
            info: 1,
            entry: SYMBOL,
            ..Header::default()
        },
        Header { name: 25, kind: 3, place: strings, ..Header::default() },
        Header { name: 33, kind: 3, place: names, ..Header::default() },
    ] {
        file.extend(header.bytes());
    }
    Some(file)
}

fn elf_header(machine: u16) -> Vec<u8> {
    let mut header = Vec::with_capacity(1024);
    header.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    let relocatable = 1_u16;
    header.extend([relocatable, machine].iter().flat_map(|half| half.to_le_bytes()));
    header.extend(1_u32.to_le_bytes());
    // Entry, program headers, and the section headers, whose place is filled in later.
    header.extend([0; 24]);
    header.extend(0_u32.to_le_bytes());
    let sizes = [HEADER as u16, 0, 0, SECTION as u16, SECTIONS as u16, SECTION_NAMES];
    header.extend(sizes.iter().flat_map(|half| half.to_le_bytes()));
    header
}

/// The empty symbol, and a global function at the start of the text.
fn symbols(size: usize) -> Vec<u8> {
    let global_function = 1 << 4 | 2;
    let mut symbols = vec![0; SYMBOL];
    symbols.extend(1_u32.to_le_bytes());
    symbols.extend([global_function, 0]);
    symbols.extend(TEXT.to_le_bytes());
    symbols.extend(0_u64.to_le_bytes());
    symbols.extend((size as u64).to_le_bytes());
    symbols
}

/// A section header.
#[derive(Default)]
struct Header {
    name: u32,
    kind: u32,
    flags: u64,
    address: usize,
    /// Offset in the file, and bytes.
    place: (usize, usize),
    link: u32,
    info: u32,
    entry: usize,
}

impl Header {
    fn bytes(&self) -> Vec<u8> {
        let (offset, size) = self.place;
        let words = [self.flags, self.address as u64, offset as u64, size as u64];
        let mut bytes = Vec::with_capacity(SECTION);
        bytes.extend([self.name, self.kind].iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend([self.link, self.info].iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend([8, self.entry as u64].iter().flat_map(|word| word.to_le_bytes()));
        bytes
    }
}

#[cfg(test)]
mod tests {
    use object::{Object, ObjectSection, ObjectSymbol};

    use super::*;

    #[test]
    fn the_object_file_names_the_code() {
        let Some(image) = image("int add(int, int)", 0x7000_1000, 35, b"frames..") else { return };
        let file = object::File::parse(&*image).expect("an object file");
        let text = file.section_by_name(".text").expect("text");
        assert_eq!((text.address(), text.size()), (0x7000_1000, 35));
        let frames = file.section_by_name(".eh_frame").expect("frames");
        assert_eq!(frames.data().expect("bytes"), b"frames..");
        let symbol = file.symbols().next().expect("a symbol");
        assert_eq!((symbol.name(), symbol.size()), (Ok("int add(int, int)"), 35));
        assert_eq!(symbol.section_index(), Some(text.index()));
    }
}
