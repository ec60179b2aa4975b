//! Facts of a type that only i386 conventions use. The main one is the machine mode: GCC treats the whole value as a scalar of this mode, or as
//! a block of bytes.

use rustc_hash::FxHashMap;

use crate::ctype::{QualType, RecordId, RecordKind, Table, Type as CType};

/// The facts of a type that only the conventions of i386 use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quirks {
    /// The machine mode of the whole value.
    pub mode: Mode,
    /// How i386 compilers pass it.
    pub passed: Passed,
    /// The alignment in bytes that attributes of a record or of its members ask for; 0: none does.
    pub required_align: u32,
}

impl Quirks {
    /// Of a scalar without attributes, and of `void`.
    pub(in crate::abi) const fn plain(mode: Mode) -> Quirks {
        Quirks { mode, passed: Passed::Whole, required_align: 0 }
    }

    /// Of a C type.
    pub(in crate::abi) fn of(table: &Table, ty: QualType) -> Quirks {
        let required_align = match *table.shape(ty) {
            CType::Record(id) => table.record(id).body.as_ref().map_or(0, |b| b.required_align),
            _ => 0,
        };
        Quirks {
            mode: Mode::of(table, ty),
            passed: Passed::of(table, ty),
            required_align: required_align as u32,
        }
    }
}

/// The "machine mode" of a value in i386 GCC: of a struct with one member, the member's; otherwise an integer, if one has the size
/// (`compute_record_mode` of GCC's `stor-layout.cc`). Clang's "all fields would be passed in a register" (`shouldReturnTypeInRegister`)
/// means that the mode is not [`Mode::Block`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Bytes.
    Block,
    /// An integer.
    Int,
    /// A real or complex floating-point number, or a vector.
    Float,
}

impl Mode {
    /// The mode of a C type.
    fn of(table: &Table, ty: QualType) -> Mode {
        Mode::find(table, ty, &mut FxHashMap::default())
    }

    /// [`Mode::of`] that remembers the modes of records.
    fn find(table: &Table, ty: QualType, known: &mut FxHashMap<RecordId, Mode>) -> Mode {
        let size = |ty| table.layout_of(ty).map_or(0, |layout| layout.size);
        match *table.shape(ty) {
            CType::Float(_) | CType::Complex(_) | CType::Vector(..) => Mode::Float,
            CType::Array(element, _) => match Mode::find(table, element, known) {
                mode if size(element) == size(ty) => mode,
                Mode::Block => Mode::Block,
                Mode::Int | Mode::Float => Mode::by_size(size(ty)),
            },
            CType::Record(record) => match known.get(&record) {
                Some(&mode) => mode,
                None => {
                    let mode = Mode::of_record(table, record, size(ty), known);
                    known.insert(record, mode);
                    mode
                }
            },
            CType::Void | CType::Function(_) => Mode::Block,
            _ => Mode::Int,
        }
    }

    fn of_record(
        table: &Table,
        record: RecordId,
        whole: u64,
        known: &mut FxHashMap<RecordId, Mode>,
    ) -> Mode {
        let record = table.record(record);
        let members = record.body.iter().flat_map(|body| &body.members);
        let mut all = None;
        for member in members.filter(|member| member.bits.is_none()) {
            let mode = Mode::find(table, member.ty, known);
            match (mode, table.layout_of(member.ty).map_or(0, |l| l.size)) {
                (_, 0) => {}
                (Mode::Block, _) => return Mode::Block,
                (mode, size) if size == whole && record.kind == RecordKind::Struct => {
                    all = Some(mode);
                }
                _ => {}
            }
        }
        all.unwrap_or(Mode::by_size(whole))
    }

    fn by_size(size: u64) -> Mode {
        if matches!(size, 1 | 2 | 4 | 8) { Mode::Int } else { Mode::Block }
    }
}

/// The value that i386 compilers pass for an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Passed {
    /// The value as a whole.
    Whole,
    /// Clang: its members one by one. They are scalars of one or two words, none of them a bit-field, and leave no byte
    /// of it out (`canExpandIndirectArgument` of `clang/lib/CodeGen/Targets/X86.cpp`).
    Members,
    /// The first member of a `transparent_union`, a scalar.
    First,
}

impl Passed {
    /// The value that is passed for a C type.
    fn of(table: &Table, ty: QualType) -> Passed {
        let size = |ty| table.layout_of(ty).map_or(0, |layout| layout.size);
        let CType::Record(record) = *table.shape(ty) else { return Passed::Whole };
        let Some(body) = &table.record(record).body else { return Passed::Whole };
        let is_scalar = |ty| {
            !matches!(table.shape(ty), CType::Array(..) | CType::Record(_) | CType::Vector(..))
        };
        let is_words = |ty| match *table.shape(ty) {
            CType::Complex(_) => matches!(size(ty), 8 | 16),
            _ => is_scalar(ty) && matches!(size(ty), 4 | 8),
        };
        if body.transparent_union {
            let first = body.members.first();
            let alone = first.is_some_and(|first| is_scalar(first.ty));
            return if alone { Passed::First } else { Passed::Whole };
        }
        let bytes: u64 = body.members.iter().map(|member| size(member.ty)).sum();
        let apart = body.unnamed_bits.is_empty()
            && body.members.iter().all(|member| member.bits.is_none() && is_words(member.ty))
            && bytes == size(ty);
        if apart { Passed::Members } else { Passed::Whole }
    }
}
