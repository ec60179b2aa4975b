//! Object files of 32-bit x86 in memory of the guest: relocatable ELF and COFF objects, and ELF shared objects.
//!
//! The code is freestanding: nothing else is loaded for it, and the caller provides each undefined symbol. Pages are writable first, then
//! each section gets its own protection; no page is ever writable and executable.

use std::collections::HashMap;
use std::ptr::NonNull;

use object::read::elf::{ElfFile32, FileHeader, ProgramHeader};
use object::{
    Architecture, Endianness, Object, ObjectKind, ObjectSection, ObjectSymbol, RelocationFlags,
    RelocationKind, RelocationTarget, SectionFlags, SectionIndex, SectionKind, SymbolSection,
};

use super::memory;
use crate::error::Error;

const PAGE: usize = 4096;

/// A loaded object file; its memory is given back when it is dropped.
#[derive(Debug)]
pub struct Image {
    base: NonNull<u8>,
    size: usize,
    symbols: HashMap<String, u32>,
}

// SAFETY: the memory is the image's own, and `Image` itself only reads its table; users who run its code answer for the code.
unsafe impl Send for Image {}
// SAFETY: as above.
unsafe impl Sync for Image {}

impl Drop for Image {
    fn drop(&mut self) {
        // SAFETY: mapped by `load`; who calls into an image keeps it.
        unsafe { memory::unmap(self.base, self.size) };
    }
}

/// A run of bytes of the file, or of zeros, and its place.
struct Segment<'d> {
    /// From the image's start.
    offset: usize,
    data: &'d [u8],
    size: usize,
    execute: bool,
    write: bool,
}

/// A word to patch.
struct Patch {
    offset: usize,
    relative: bool,
    addend: i64,
    value: Value,
}

/// The value that patches a word.
enum Value {
    /// An offset into the image.
    Own(usize),
    /// A number.
    Absolute(u32),
    /// A symbol of somebody else.
    Import(String),
}

/// The contents of a file, before it has an address.
struct Plan<'d> {
    segments: Vec<Segment<'d>>,
    size: usize,
    patches: Vec<Patch>,
    symbols: HashMap<String, usize>,
}

impl Image {
    /// Loads a file. `import` gives the address of a symbol that the file does not define.
    ///
    /// # Errors
    /// [`Error::Image`]: another format or machine, a relocation that is not understood, a symbol that `import` does not know.
    pub fn load(file: &[u8], mut import: impl FnMut(&str) -> Option<u32>) -> Result<Image, Error> {
        let parsed = object::File::parse(file).map_err(refused)?;
        if parsed.architecture() != Architecture::I386 {
            return Err(refused(format!("it is for {:?}, not for i386", parsed.architecture())));
        }
        let plan = match parsed.kind() {
            ObjectKind::Relocatable => relocatable(&parsed)?,
            ObjectKind::Dynamic => shared(file)?,
            kind => return Err(refused(format!("{kind:?} files are not loaded"))),
        };
        let size = plan.size.next_multiple_of(PAGE).max(PAGE);
        let base = memory::map_data(size)?;
        let start = base.as_ptr() as usize as u32;
        let symbols = plan.symbols.iter();
        let symbols = symbols.map(|(name, at)| (name.clone(), start + *at as u32)).collect();
        let image = Image { base, size, symbols };
        for segment in &plan.segments {
            let bytes = &segment.data[..segment.data.len().min(segment.size)];
            // SAFETY: segments lie inside the new mapping: `size` covers their ends.
            unsafe {
                base.add(segment.offset)
                    .copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len());
            }
        }
        for patch in &plan.patches {
            image.patch(patch, &mut import)?;
        }
        image.protect(&plan.segments)?;
        Ok(image)
    }

    /// Machine code that needs no relocation, and nothing else.
    ///
    /// # Errors
    /// No memory below 4 GiB is left.
    pub fn of_code(code: &[u8]) -> Result<Image, Error> {
        let size = code.len().next_multiple_of(PAGE).max(PAGE);
        let image = Image { base: memory::map_data(size)?, size, symbols: HashMap::new() };
        // SAFETY: as many bytes of the new mapping, whose pages nobody writes after this.
        unsafe {
            image.base.copy_from_nonoverlapping(NonNull::from(code).cast(), code.len());
            memory::protect(image.base, size, true)?;
        }
        Ok(image)
    }

    /// Where it begins.
    pub fn start(&self) -> u32 {
        self.base.as_ptr() as usize as u32
    }

    /// The address of a symbol that the file defines, as the file spells it.
    pub fn symbol(&self, name: &str) -> Option<u32> {
        self.symbols.get(name).copied()
    }

    fn patch(
        &self,
        patch: &Patch,
        import: &mut impl FnMut(&str) -> Option<u32>,
    ) -> Result<(), Error> {
        let start = self.base.as_ptr() as usize as u32;
        let value = match &patch.value {
            Value::Own(offset) => start.wrapping_add(*offset as u32),
            Value::Absolute(value) => *value,
            Value::Import(name) => {
                import(name).ok_or_else(|| refused(format!("undefined symbol '{name}'")))?
            }
        };
        let inside = patch.offset.checked_add(4).is_some_and(|end| end <= self.size);
        if !inside {
            return Err(refused("a relocation outside of the file's sections"));
        }
        let here = start.wrapping_add(patch.offset as u32);
        let value = value.wrapping_add(patch.addend as u32);
        let value = if patch.relative { value.wrapping_sub(here) } else { value };
        // SAFETY: four bytes inside the mapping, which is still writable.
        unsafe { self.base.add(patch.offset).cast::<u32>().write_unaligned(value) };
        Ok(())
    }

    fn protect(&self, segments: &[Segment<'_>]) -> Result<(), Error> {
        for segment in segments.iter().filter(|segment| !segment.write && segment.size > 0) {
            let from = segment.offset / PAGE * PAGE;
            let to = (segment.offset + segment.size).next_multiple_of(PAGE).min(self.size);
            // SAFETY: whole pages of the mapping; segments of different protection share none.
            unsafe { memory::protect(self.base.add(from), to - from, segment.execute)? };
        }
        Ok(())
    }
}

fn refused(reason: impl ToString) -> Error {
    Error::Image { reason: reason.to_string() }
}

/// A relocatable object: sections side by side, those of one protection on pages of their own.
fn relocatable<'d>(file: &object::File<'d>) -> Result<Plan<'d>, Error> {
    let mut plan = Plan { segments: vec![], size: 0, patches: vec![], symbols: HashMap::new() };
    let mut places: HashMap<SectionIndex, usize> = HashMap::new();
    for (execute, write) in [(true, false), (false, false), (false, true)] {
        plan.size = plan.size.next_multiple_of(PAGE);
        for section in file.sections() {
            if protection(&section) != Some((execute, write)) {
                continue;
            }
            let align = usize::try_from(section.align()).unwrap_or(1).clamp(1, PAGE);
            let offset = plan.size.next_multiple_of(align);
            let size = usize::try_from(section.size()).map_err(refused)?;
            let data = section.data().map_err(refused)?;
            places.insert(section.index(), offset);
            plan.size = offset
                .checked_add(size)
                .filter(|end| *end < memory::END)
                .ok_or_else(|| refused("it is too large"))?;
            plan.segments.push(Segment { offset, data, size, execute, write });
        }
    }
    common_symbols(file, &mut plan);
    for symbol in file.symbols() {
        if let (Ok(name), Some(at)) = (symbol.name(), own(&symbol, &places)) {
            plan.symbols.entry(name.to_owned()).or_insert(at);
        }
    }
    for section in file.sections() {
        let Some(&at) = places.get(&section.index()) else { continue };
        for (offset, relocation) in section.relocations() {
            let offset = at + offset as usize;
            plan.patches.push(patch(file, &plan, &places, offset, &relocation)?);
        }
    }
    Ok(plan)
}

/// Memory for the variables that an object file leaves to its linker.
fn common_symbols(file: &object::File<'_>, plan: &mut Plan<'_>) {
    for symbol in file.symbols().filter(ObjectSymbol::is_common) {
        if let Ok(name) = symbol.name() {
            let offset = plan.size.next_multiple_of(16);
            let size = symbol.size() as usize;
            plan.symbols.insert(name.to_owned(), offset);
            plan.size = offset + size;
            plan.segments.push(Segment { offset, data: &[], size, execute: false, write: true });
        }
    }
}

/// Whether a section is executable and writable; `None` for one that is not loaded.
fn protection<'d>(section: &impl ObjectSection<'d>) -> Option<(bool, bool)> {
    let loaded = match section.flags() {
        SectionFlags::Elf { sh_flags } => sh_flags & u64::from(object::elf::SHF_ALLOC) != 0,
        _ => true,
    };
    match section.kind() {
        _ if !loaded => None,
        SectionKind::Text => Some((true, false)),
        SectionKind::ReadOnlyData | SectionKind::ReadOnlyString => Some((false, false)),
        SectionKind::Data | SectionKind::UninitializedData | SectionKind::Common => {
            Some((false, true))
        }
        _ => None,
    }
}

/// The offset of a symbol that is defined in a section.
fn own<'d>(symbol: &impl ObjectSymbol<'d>, places: &HashMap<SectionIndex, usize>) -> Option<usize> {
    match symbol.section() {
        SymbolSection::Section(index) => {
            Some(places.get(&index)?.wrapping_add(symbol.address() as usize))
        }
        _ => None,
    }
}

fn patch(
    file: &object::File<'_>,
    plan: &Plan<'_>,
    places: &HashMap<SectionIndex, usize>,
    offset: usize,
    relocation: &object::Relocation,
) -> Result<Patch, Error> {
    let relative = match (relocation.kind(), relocation.size()) {
        (RelocationKind::Absolute, 32) => false,
        (RelocationKind::Relative | RelocationKind::PltRelative, 32) => true,
        other => {
            return Err(refused(format!(
                "relocation {other:?} ({:?}) is not supported: compile with -fno-pic",
                relocation.flags()
            )));
        }
    };
    let value = match relocation.target() {
        RelocationTarget::Symbol(index) => {
            let symbol = file.symbol_by_index(index).map_err(refused)?;
            let name = symbol.name().unwrap_or_default();
            match (symbol.section(), own(&symbol, places)) {
                (_, Some(at)) => Value::Own(at),
                (SymbolSection::Absolute, _) => Value::Absolute(symbol.address() as u32),
                (SymbolSection::Common, _) => Value::Own(plan.symbols[name]),
                _ => Value::Import(name.to_owned()),
            }
        }
        RelocationTarget::Section(index) => {
            let at = places
                .get(&index)
                .ok_or_else(|| refused("a relocation to a section that is not loaded"))?;
            Value::Own(*at)
        }
        _ => Value::Absolute(0),
    };
    let implicit = match relocation.has_implicit_addend() {
        true => stored(plan, offset)?,
        false => 0,
    };
    Ok(Patch { offset, relative, addend: relocation.addend() + implicit, value })
}

/// The word that the file has at an offset of the image.
fn stored(plan: &Plan<'_>, offset: usize) -> Result<i64, Error> {
    let word = plan.segments.iter().find_map(|segment| {
        let at = offset.checked_sub(segment.offset)?;
        segment.data.get(at..at.checked_add(4)?)?.try_into().ok().map(i32::from_le_bytes)
    });
    word.map(i64::from).ok_or_else(|| refused("a relocation outside of the file's sections"))
}

/// An ELF shared object: its segments as they are, and its dynamic relocations.
fn shared(file: &[u8]) -> Result<Plan<'_>, Error> {
    use object::elf::{
        PF_W, PF_X, PT_LOAD, R_386_32, R_386_GLOB_DAT, R_386_JMP_SLOT, R_386_PC32, R_386_RELATIVE,
    };
    let elf = ElfFile32::<Endianness>::parse(file).map_err(refused)?;
    let endian = elf.endian();
    let mut plan = Plan { segments: vec![], size: 0, patches: vec![], symbols: HashMap::new() };
    for header in elf.elf_header().program_headers(endian, file).map_err(refused)? {
        if header.p_type(endian) != PT_LOAD {
            continue;
        }
        let data =
            header.data(endian, file).map_err(|()| refused("a segment outside of the file"))?;
        let (offset, size) = (header.p_vaddr(endian) as usize, header.p_memsz(endian) as usize);
        let flags = header.p_flags(endian);
        plan.size = plan.size.max(offset.saturating_add(size));
        let (execute, write) = (flags & PF_X != 0, flags & PF_W != 0);
        if execute && write {
            return Err(refused("a segment is writable and executable"));
        }
        plan.segments.push(Segment { offset, data, size, execute, write });
    }
    if plan.size >= memory::END / 2 {
        return Err(refused("it is too large"));
    }
    let symbols = elf.dynamic_symbols().filter(|symbol| symbol.is_definition());
    plan.symbols
        .extend(symbols.filter_map(|symbol| {
            Some((symbol.name().ok()?.to_owned(), symbol.address() as usize))
        }));
    for (offset, relocation) in elf.dynamic_relocations().into_iter().flatten() {
        let RelocationFlags::Elf { r_type } = relocation.flags() else { continue };
        let offset = offset as usize;
        let value = match relocation.target() {
            RelocationTarget::Symbol(index) => {
                let symbol = elf.dynamic_symbol_table().and_then(|table| {
                    object::ObjectSymbolTable::symbol_by_index(&table, index).ok()
                });
                let symbol = symbol.ok_or_else(|| refused("a relocation to no symbol"))?;
                match symbol.is_definition() {
                    true => Value::Own(symbol.address() as usize),
                    false => Value::Import(symbol.name().unwrap_or_default().to_owned()),
                }
            }
            _ => Value::Own(0),
        };
        let (relative, addend) = match r_type {
            R_386_RELATIVE | R_386_32 => (false, stored(&plan, offset)?),
            R_386_GLOB_DAT | R_386_JMP_SLOT => (false, 0),
            R_386_PC32 => (true, stored(&plan, offset)?),
            _ => {
                return Err(refused(format!(
                    "dynamic relocation of type {r_type} is not supported"
                )));
            }
        };
        plan.patches.push(Patch { offset, relative, addend, value });
    }
    Ok(plan)
}
