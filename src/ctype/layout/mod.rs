//! Sizes, alignments and offsets, by the rules of each platform's compiler.
//!
//! Positions inside this module are in bits. Each family of record layout is one file: [`gcc`] (both bit-field rules), [`clang`] (Apple),
//! [`msvc`].

mod clang;
mod gcc;
mod msvc;

use super::{
    ArrayLen, Bits, FloatKind, Layout, MemberAttributes, QualType, Quals, RecordAttributes,
    RecordKind, Table, Type, TypeId,
};
use crate::target::{BitFieldRule, Compiler, DataModel};

/// The largest alignment that an attribute may ask for, in bytes (GCC's limit).
pub(super) const MAX_ALIGN: u32 = 1 << 28;

/// The largest object of a target, in bytes; small enough that sums of a few sizes in bits fit 64 bits.
pub(super) fn max_size(model: &DataModel) -> u64 {
    if model.pointer == 4 { i32::MAX as u64 } else { 1 << 56 }
}

/// The facts of a member's type that layout needs; sizes and alignments in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) size: u64,
    /// The alignment of an object of the type (GCC's `__alignof__`).
    pub(super) align: u64,
    /// The alignment that an `aligned` attribute of a typedef or record, or of what is in it, asked for.
    required: Option<u64>,
    /// i386 System V aligns 64-bit scalars to 4 in records, unless an attribute says otherwise.
    cap: Option<u64>,
    /// The alignment without that of the outermost typedef.
    natural: u64,
    /// The size of the arithmetic type that this is, or is an array of; else 0.
    arithmetic: u64,
    /// False for an array of open length, which has size 0 here.
    pub(super) complete: bool,
}

impl Facts {
    /// `None` for `void`, functions and incomplete types.
    pub(super) fn of(table: &Table, ty: QualType) -> Option<Facts> {
        let mut facts = Facts::of_unqualified(table, ty.id())?;
        if ty.quals().has(Quals::ATOMIC) {
            facts.make_atomic(table.model().compiler);
        }
        Some(facts)
    }

    /// The alignment as a member with no attributes.
    pub(super) fn member_align(&self) -> u64 {
        match self.cap {
            Some(cap) if self.required.is_none() => self.align.min(cap),
            _ => self.align,
        }
    }

    fn scalar(size: u64, align: u64) -> Facts {
        Facts {
            size,
            align,
            required: None,
            cap: None,
            natural: align,
            arithmetic: 0,
            complete: true,
        }
    }

    fn capped(size: u64, align: u64, member_align: u8) -> Facts {
        let cap = Some(u64::from(member_align)).filter(|&cap| cap < align);
        Facts { cap, ..Facts::scalar(size, align) }
    }

    fn arithmetic(self) -> Facts {
        Facts { arithmetic: self.size, ..self }
    }

    fn of_unqualified(table: &Table, id: TypeId) -> Option<Facts> {
        let model = table.model();
        let int =
            |size: u64| Facts::capped(size, size, if size == 8 { model.int64_align } else { 16 });
        Some(match table.get(id) {
            Type::Void | Type::Function(_) => return None,
            Type::Bool => Facts::scalar(1, 1).arithmetic(),
            Type::Int(kind) => int(u64::from(kind.size())).arithmetic(),
            Type::Float(kind) => Facts::float(model, *kind).arithmetic(),
            Type::Complex(kind) => {
                let part = Facts::float(model, *kind);
                Facts { size: 2 * part.size, ..part }
            }
            Type::Pointer(_) | Type::Reference(_) => {
                let size = u64::from(model.pointer);
                Facts::scalar(size, size)
            }
            Type::Array(element, len) => {
                let element = Facts::of(table, *element)?;
                let count = if let ArrayLen::Fixed(n) = *len { n } else { 0 };
                let complete = matches!(len, ArrayLen::Fixed(_));
                Facts {
                    size: element.size.checked_mul(count)?,
                    natural: element.align,
                    complete,
                    ..element
                }
            }
            Type::Vector(element, count) => {
                let size = Facts::of(table, *element)?.size.checked_mul(u64::from(*count))?;
                let align = size.min(u64::from(model.max_vector_align));
                // Without MMX, a vector of 8 bytes is kept as an integer.
                match size {
                    8 => Facts::capped(size, align, model.int64_align),
                    _ => Facts::scalar(size, align),
                }
            }
            Type::Record(id) => {
                let body = table.record(*id).body.as_ref()?;
                let Layout { size, align } = body.layout;
                let required = Some(body.required_align).filter(|&r| r != 0);
                let member_align = u64::from(model.int64_align);
                let capped =
                    member_align < 8 && align > member_align && gcc::is_scalar(table, *id, 0);
                Facts {
                    required,
                    cap: capped.then_some(member_align),
                    ..Facts::scalar(size, align)
                }
            }
            Type::Enum(id) => int(u64::from(table.enum_(*id).base?.size())),
            Type::Aligned(inner, align) => {
                let inner = Facts::of(table, *inner)?;
                let align = u64::from(*align);
                Facts { align, required: Some(align), natural: inner.natural, ..inner }
            }
        })
    }

    fn float(model: &DataModel, kind: FloatKind) -> Facts {
        let (long_double, size, align) = model.long_double;
        match kind {
            FloatKind::F16 => Facts::scalar(2, 2),
            FloatKind::F32 => Facts::scalar(4, 4),
            FloatKind::F64 => Facts::capped(8, 8, model.double_align),
            FloatKind::F80 if long_double == FloatKind::F80 => {
                Facts::scalar(size.into(), align.into())
            }
            FloatKind::F80 | FloatKind::F128 => Facts::scalar(16, 16),
        }
    }

    /// A lock-free size is aligned to itself; Clang also rounds other sizes up to one.
    fn make_atomic(&mut self, compiler: Compiler) {
        let rounded = self.size.checked_next_power_of_two().unwrap_or(self.size);
        let whole = rounded == self.size || compiler != Compiler::Gcc;
        if self.size != 0 && rounded <= 16 && whole {
            self.size = rounded;
            self.align = self.align.max(rounded);
            self.natural = self.natural.max(rounded);
            self.cap = None;
        }
    }
}

/// A member as it was declared; alignment in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) ty: QualType,
    pub(super) named: bool,
    /// The width of a bit-field.
    pub(super) width: Option<u8>,
    pub(super) attributes: MemberAttributes,
}

/// The attributes of a whole record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) kind: RecordKind,
    pub(super) attributes: RecordAttributes,
}

impl Rules {
    fn is_union(&self) -> bool {
        self.kind == RecordKind::Union
    }

    /// `#pragma pack`, in bits.
    fn pack(&self) -> Option<u64> {
        self.attributes.pack.map(|bytes| u64::from(bytes) * 8)
    }

    /// `aligned(n)` of the record, in bits.
    fn align(&self) -> Option<u64> {
        self.attributes.align.map(|bytes| u64::from(bytes) * 8)
    }
}

/// Where the members of a record are.
#[derive(Debug)]
pub(super) struct Placed {
    /// One entry a field: byte offset, and the bits of a bit-field of width 1 or more.
    pub(super) places: Vec<(u64, Option<Bits>)>,
    pub(super) layout: Layout,
    pub(super) required_align: u64,
}

/// Why a record has no layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unplaceable {
    /// The type of the field at this position is incomplete.
    Incomplete(usize),
    /// The record is larger than the target's address space.
    TooLarge,
}

/// A member on its way to a place; everything in bits.
#[derive(Clone, Copy, Debug)]
struct Slot {
    facts: Facts,
    /// The size of the declared type.
    size: u64,
    named: bool,
    width: Option<u64>,
    /// Whether the member or its record has the attribute `packed`.
    packed: bool,
    align: Option<u64>,
    last: bool,
}

/// A family of rules at work on one record.
trait Engine {
    /// The position of the next member.
    fn place(&mut self, slot: &Slot) -> u64;
    /// Bits used so far.
    fn used(&self) -> u64;
    /// Size and alignment of the whole in bits, and the alignment in bytes that attributes asked for.
    fn finish(self: Box<Self>) -> (u64, u64, u64);
}

/// Lays out a record.
pub(super) fn record(
    table: &Table,
    rules: &Rules,
    fields: &[Field],
) -> Result<Placed, Unplaceable> {
    let model = table.model();
    let mut engine: Box<dyn Engine> = match model.compiler {
        Compiler::Gcc => Box::new(gcc::Gcc::new(model, rules)),
        Compiler::Clang => Box::new(clang::Clang::new(model, rules)),
        Compiler::Msvc => Box::new(msvc::Msvc::new(model, rules)),
    };
    let limit = max_size(model) * 8;
    let mut positions = Vec::with_capacity(fields.len());
    for (i, field) in fields.iter().enumerate() {
        let facts = Facts::of(table, field.ty).ok_or(Unplaceable::Incomplete(i))?;
        let slot = Slot {
            facts,
            size: facts.size * 8,
            named: field.named,
            width: field.width.map(u64::from),
            packed: field.attributes.packed || rules.attributes.packed,
            align: field.attributes.align.map(|a| u64::from(a) * 8),
            last: i + 1 == fields.len(),
        };
        positions.push((engine.place(&slot), slot.size));
        if engine.used() > limit {
            return Err(Unplaceable::TooLarge);
        }
    }
    let (size, align, required_align) = engine.finish();
    if size > limit {
        return Err(Unplaceable::TooLarge);
    }
    let place = |(&(position, unit), field): (&(u64, u64), &Field)| match field.width {
        Some(width @ 1..) => bit_place(position, unit, width),
        _ => (position / 8, None),
    };
    Ok(Placed {
        places: positions.iter().zip(fields).map(place).collect(),
        layout: Layout { size: size / 8, align: align / 8 },
        required_align,
    })
}

/// The storage unit of a bit-field: the aligned one of its type if that holds all bits, else its first byte.
fn bit_place(position: u64, unit: u64, width: u8) -> (u64, Option<Bits>) {
    let in_unit = position % unit;
    let shift = if in_unit + u64::from(width) <= unit { in_unit } else { position % 8 };
    // The largest unit is 128 bits.
    let bits = Bits { shift: shift as u8, width };
    ((position - shift) / 8, Some(bits))
}

fn uses_ms_rule(model: &DataModel, rules: &Rules) -> bool {
    // Clang 19 does not know `gcc_struct`.
    let known = |&ms: &bool| model.ms_struct && (ms || model.compiler != Compiler::Clang);
    let asked = rules.attributes.ms_struct.filter(known);
    asked.unwrap_or(model.bit_fields == BitFieldRule::Ms)
}

fn round_up(value: u64, align: u64) -> u64 {
    value.next_multiple_of(align.max(1))
}
