//! C types as calling conventions see them: size, alignment, and the scalars inside.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::x86::Mode;
use super::{Bank, CallPlan, Class, Extension, Scalar, Unsupported, Width, aapcs64, x86};
use crate::ctype::{
    ArrayLen, Bits, FloatKind, IntKind, QualType, RecordId, RecordKind, Table, Type as CType,
    UnnamedBits,
};
use crate::error::Error;

/// A C type as a calling convention sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    /// Bytes.
    pub size: u32,
    /// Alignment in bytes.
    pub align: u32,
    /// Whether it is a record with nothing in it that has a name and bytes: Clang's `isEmptyRecord`. Unnamed bit-fields may
    /// give it bytes.
    pub is_empty: bool,
    /// Its kind.
    pub kind: Kind,
    /// Facts for single families of conventions.
    pub quirks: Quirks,
}

/// Facts of a type that only one family of conventions uses: a field for each family, defined in its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quirks {
    /// AAPCS64.
    pub aapcs64: aapcs64::Quirks,
    /// 32-bit x86.
    pub x86: x86::Quirks,
}

impl Quirks {
    /// Of a scalar without attributes, and of `void`.
    const fn plain(align: u32, mode: Mode) -> Quirks {
        Quirks { aapcs64: aapcs64::Quirks { natural_align: align }, x86: x86::Quirks::plain(mode) }
    }

    fn of(table: &Table, ty: QualType) -> Quirks {
        Quirks { aapcs64: aapcs64::Quirks::of(table, ty), x86: x86::Quirks::of(table, ty) }
    }
}

/// The kinds of types that conventions tell apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `void`, as a result.
    Void,
    /// `_Bool`: one byte, 0 or 1.
    Bool,
    /// An integer or enum of at most 64 bits.
    Int {
        /// Whether it extends with its sign.
        signed: bool,
    },
    /// A data or function pointer, or a C++ reference.
    Pointer,
    /// `float` or `double`.
    Float,
    /// `_Float16`, x87 extended precision, IEEE quad: their one leaf.
    OtherFloat(Leaves),
    /// A vector: its one leaf.
    Vector(Leaves),
    /// A struct or union.
    Record(Leaves),
    /// A complex number: its two parts.
    Complex(Leaves),
    /// `__int128`: its two halves.
    Int128(Leaves),
}

/// The scalars inside a value of several parts, in the order of their declaration, which System V's merging rules follow; those of
/// a union may overlap. Unnamed bit-fields are among them, and for an array of no elements one with a size of 0 that is aligned
/// as they would be: it can be misaligned, and is no member of a homogeneous aggregate. Left out of values of more than
/// [`Type::MAX_LEAVES`] bytes, which no convention passes in registers.
pub type Leaves = Arc<[Leaf]>;

/// A scalar inside an aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Leaf {
    /// Bytes from the start of the aggregate.
    pub offset: u32,
    /// Bytes; of a bit-field, those that it touches; 0 of an array of no elements.
    pub size: u32,
    /// Its natural alignment; for an array of no elements, that of the element type; 1 for bit-fields, which are never misaligned.
    pub align: u32,
    /// Its kind.
    pub kind: LeafKind,
    /// Whether it is a member of a union, or inside one.
    pub in_union: bool,
    /// Whether it is a bit-field without a name, which no value is in.
    pub unnamed: bool,
    /// Whether it is in a record inside that [is empty](Type::is_empty), or in an array of such records.
    pub in_empty: bool,
    /// How many records it is the first scalar of.
    pub opens: u8,
    /// How many records it is the last scalar of.
    pub closes: u8,
}

impl Leaf {
    /// Whether bytes of a value are in it.
    pub fn is_value(&self) -> bool {
        self.size > 0 && !self.unnamed
    }
}

/// The kinds of scalars inside aggregates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeafKind {
    /// Integers, booleans, enums, bit-fields.
    Int,
    /// Pointers and references.
    Pointer,
    /// IEEE half, single, double and quad precision.
    Float,
    /// x87 extended precision.
    X87,
    /// Vectors.
    Vector,
}

impl Type {
    /// The size of the largest aggregate that any convention passes in registers (four 16-byte vectors, AAPCS64).
    pub const MAX_LEAVES: u32 = 64;

    const fn new(size: u32, align: u32, kind: Kind, mode: Mode) -> Type {
        Type { size, align, is_empty: false, kind, quirks: Quirks::plain(align, mode) }
    }

    /// `void`
    pub const VOID: Type = Type::new(0, 1, Kind::Void, Mode::Block);
    /// `_Bool`
    pub const BOOL: Type = Type::new(1, 1, Kind::Bool, Mode::Int);
    /// `float`
    pub const F32: Type = Type::new(4, 4, Kind::Float, Mode::Float);
    /// `double`
    pub const F64: Type = Type::new(8, 8, Kind::Float, Mode::Float);
    /// A pointer of a 64-bit target.
    pub const POINTER: Type = Type::new(8, 8, Kind::Pointer, Mode::Int);

    /// An integer of `size` bytes.
    pub const fn int(size: u32, signed: bool) -> Type {
        Type::new(size, size, Kind::Int { signed }, Mode::Int)
    }

    /// The type `ty` as a convention sees it.
    ///
    /// # Errors
    /// [`Error::IncompleteType`] for a type that cannot be a parameter or a result.
    pub fn of(table: &Table, ty: QualType) -> Result<Type, Error> {
        let incomplete = || Error::incomplete(table, ty);
        let char_signed = table.model().char_signed;
        let kind = match table.shape(ty) {
            CType::Void => return Ok(Type::VOID),
            CType::Array(..) | CType::Function(_) | CType::Aligned(..) => return Err(incomplete()),
            CType::Bool => Kind::Bool,
            CType::Int(IntKind::I128 | IntKind::U128) => Kind::Int128(leaves(table, ty)),
            CType::Int(kind) => Kind::Int { signed: kind.is_signed(char_signed) },
            CType::Enum(id) => Kind::Int { signed: table.enum_base(*id).is_signed(char_signed) },
            CType::Pointer(_) | CType::Reference(_) => Kind::Pointer,
            CType::Float(FloatKind::F32 | FloatKind::F64) => Kind::Float,
            CType::Float(_) => Kind::OtherFloat(leaves(table, ty)),
            CType::Complex(_) => Kind::Complex(leaves(table, ty)),
            CType::Vector(..) => Kind::Vector(leaves(table, ty)),
            CType::Record(record) => Kind::Record(match &table.record(*record).body {
                Some(body) if body.flexible.is_some() => return Err(incomplete()),
                // "… passed to the function using the calling conventions of the first member" (GCC manual)
                Some(body) if body.transparent_union => {
                    body.members.first().map_or_else(|| [].into(), |m| leaves(table, m.ty))
                }
                _ => leaves(table, ty),
            }),
        };
        let layout = table.layout_of(ty).ok_or_else(incomplete)?;
        let size = u32::try_from(layout.size).map_err(|_| incomplete())?;
        let align = layout.align as u32;
        let scalar = matches!(kind, Kind::Bool | Kind::Int { .. } | Kind::Pointer | Kind::Float);
        if scalar && table.resolve(ty) == ty {
            let mode = if kind == Kind::Float { Mode::Float } else { Mode::Int };
            return Ok(Type::new(size, align, kind, mode));
        }
        let is_empty = is_empty_record(table, ty, &mut FxHashSet::default());
        Ok(Type { size, align, is_empty, kind, quirks: Quirks::of(table, ty) })
    }

    /// The scalars inside a value of several parts.
    pub fn leaves(&self) -> Option<&[Leaf]> {
        match &self.kind {
            Kind::Record(leaves)
            | Kind::Complex(leaves)
            | Kind::Int128(leaves)
            | Kind::OtherFloat(leaves)
            | Kind::Vector(leaves) => Some(leaves),
            _ => None,
        }
    }

    /// The refusal of a value in registers of more than 16 bytes.
    pub(super) fn wide_vector(&self, convention: &'static str) -> Unsupported {
        let what = "a vector of more than 32 bytes by value (zmm registers are not carried)";
        Unsupported { what: what.into(), convention }
    }

    /// The refusal of an argument that the stack pointer is not aligned for.
    pub(super) fn overaligned(&self, convention: &'static str) -> Unsupported {
        let what = format!(
            "a stack argument aligned to {} (the stack is aligned to {} at most)",
            self.align,
            CallPlan::MAX_STACK_ALIGN
        );
        Unsupported { what, convention }
    }
}

/// The scalars of a type, in the order of their declaration.
fn leaves(table: &Table, ty: QualType) -> Leaves {
    let mut found = Found::default();
    let small = |size| size <= u64::from(Type::MAX_LEAVES);
    if table.layout_of(ty).is_some_and(|layout| small(layout.size)) {
        collect(table, ty, At::default(), &mut found);
    }
    found.leaves.into()
}

/// The scalars that were found so far.
#[derive(Default)]
struct Found {
    leaves: Vec<Leaf>,
    /// The records whose scalars are among them, and where. Members of unions and members without size may be many in one place:
    /// 60 unions, each with two members of the one before, have 2^60 scalars.
    records: FxHashSet<(RecordId, At)>,
}

/// Whether a type is a record of nothing but unnamed bit-fields, arrays of no elements, and such records.
/// The records in `seen` are empty; if one is not, the answer is known already.
fn is_empty_record(table: &Table, ty: QualType, seen: &mut FxHashSet<RecordId>) -> bool {
    let CType::Record(record) = *table.shape(ty) else { return false };
    if !seen.insert(record) {
        return true;
    }
    let mut empty = |ty: QualType| {
        let inner = innermost(table, ty);
        matches!(table.shape(inner), CType::Array(..)) || is_empty_record(table, inner, seen)
    };
    let body = table.record(record).body.as_ref();
    body.is_some_and(|body| body.members.iter().all(|member| empty(member.ty)))
}

/// The elements of an array, of the arrays in it, and so on; an array of no elements as it is.
fn innermost(table: &Table, mut ty: QualType) -> QualType {
    while let CType::Array(element, len) = *table.shape(ty)
        && len != ArrayLen::Fixed(0)
    {
        ty = element;
    }
    ty
}

/// Where a leaf is looked for: bytes from the start of the value, and whether a union, and an empty record, is around it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct At {
    offset: u32,
    in_union: bool,
    in_empty: bool,
}

impl At {
    fn plus(self, bytes: u32) -> At {
        At { offset: self.offset + bytes, ..self }
    }

    fn leaf(self, size: u32, align: u32, kind: LeafKind) -> Leaf {
        let At { offset, in_union, in_empty } = self;
        Leaf { offset, size, align, kind, in_union, unnamed: false, in_empty, opens: 0, closes: 0 }
    }
}

fn collect(table: &Table, ty: QualType, at: At, found: &mut Found) {
    let Some(layout) = table.layout_of(ty) else { return };
    let size = layout.size as u32;
    let natural = table.layout_of(table.resolve(ty)).map_or(1, |layout| layout.align as u32);
    let mut leaf = |at: At, size: u32, kind| {
        found.leaves.push(at.leaf(size, natural.min(size.next_power_of_two()), kind));
    };
    match *table.shape(ty) {
        CType::Void | CType::Function(_) | CType::Aligned(..) => {}
        CType::Bool | CType::Enum(_) => leaf(at, size, LeafKind::Int),
        CType::Pointer(_) | CType::Reference(_) => leaf(at, size, LeafKind::Pointer),
        CType::Int(_) if size == 16 => {
            leaf(at, 8, LeafKind::Int);
            leaf(at.plus(8), 8, LeafKind::Int);
        }
        CType::Int(_) => leaf(at, size, LeafKind::Int),
        CType::Float(kind) => leaf(at, float_bytes(kind), float(kind)),
        CType::Complex(kind) => {
            leaf(at, float_bytes(kind), float(kind));
            leaf(at.plus(size / 2), float_bytes(kind), float(kind));
        }
        CType::Vector(..) => leaf(at, size, LeafKind::Vector),
        CType::Array(element, ArrayLen::Fixed(0)) => {
            let align = table.layout_of(element).map_or(1, |layout| layout.align as u32);
            found.leaves.push(at.leaf(0, align, element_kind(table, element)));
        }
        CType::Array(element, ArrayLen::Fixed(count)) => {
            let step = table.layout_of(element).map_or(0, |layout| layout.size as u32);
            // An element without size has at most leaves without one, however many there are.
            let count = if step == 0 { 1 } else { count as u32 };
            (0..count).for_each(|i| collect(table, element, at.plus(i * step), found));
        }
        CType::Array(..) => {}
        CType::Record(record) if found.records.insert((record, at)) => {
            collect_record(table, record, at, found);
        }
        CType::Record(_) => {}
    }
}

fn float(kind: FloatKind) -> LeafKind {
    match kind {
        FloatKind::F80 => LeafKind::X87,
        FloatKind::F16 | FloatKind::F32 | FloatKind::F64 | FloatKind::F128 => LeafKind::Float,
    }
}

/// The kind of an array's elements; of records: integers.
fn element_kind(table: &Table, element: QualType) -> LeafKind {
    match *table.shape(element) {
        CType::Array(element, _) => element_kind(table, element),
        CType::Float(kind) | CType::Complex(kind) => float(kind),
        CType::Vector(..) => LeafKind::Vector,
        CType::Pointer(_) | CType::Reference(_) => LeafKind::Pointer,
        _ => LeafKind::Int,
    }
}

/// The bytes of a number that are not padding.
fn float_bytes(kind: FloatKind) -> u32 {
    match kind {
        FloatKind::F16 => 2,
        FloatKind::F32 => 4,
        FloatKind::F64 => 8,
        FloatKind::F80 => 10,
        FloatKind::F128 => 16,
    }
}

fn collect_record(table: &Table, record: RecordId, at: At, found: &mut Found) {
    let record = table.record(record);
    let Some(body) = &record.body else { return };
    let at = At { in_union: at.in_union || record.kind == RecordKind::Union, ..at };
    let start = found.leaves.len();
    let bit_field = |offset: u64, bits: Bits| {
        let (first, _, size) = bits.bytes();
        at.plus((offset + first) as u32).leaf(size as u32, 1, LeafKind::Int)
    };
    let unnamed = |unnamed: &UnnamedBits| {
        let leaf = bit_field(unnamed.offset, unnamed.bits?);
        Some(Leaf { unnamed: true, ..leaf })
    };
    let mut padding = body.unnamed_bits.iter().peekable();
    for (i, member) in (0..).zip(&body.members) {
        while let Some(bits) = padding.next_if(|bits| bits.before <= i) {
            found.leaves.extend(unnamed(bits));
        }
        match member.bits {
            None => {
                let inner = innermost(table, member.ty);
                let in_empty = is_empty_record(table, inner, &mut FxHashSet::default());
                let at = At { in_empty: at.in_empty || in_empty, ..at };
                collect(table, member.ty, at.plus(member.offset as u32), found);
            }
            Some(bits) => found.leaves.push(bit_field(member.offset, bits)),
        }
    }
    found.leaves.extend(padding.filter_map(unnamed));
    if let [first, ..] = &mut found.leaves[start..] {
        first.opens += 1;
    }
    if let [.., last] = &mut found.leaves[start..] {
        last.closes += 1;
    }
}

/// The class of a plain scalar, `None` for other types; the same in every 64-bit convention that promotes small integers to
/// 32 bits.
pub(super) fn scalar(ty: &Type) -> Option<Class> {
    let (bank, signed) = match ty.kind {
        Kind::Void => return Some(Class::Ignore),
        Kind::Bool | Kind::Pointer => (Bank::Int, false),
        Kind::Int { signed } => (Bank::Int, signed),
        Kind::Float => (Bank::Float, false),
        _ => return None,
    };
    let width = if ty.size > 4 { Width::W64 } else { Width::W32 };
    let extension = match (ty.size < width.bytes(), signed) {
        (false, _) => Extension::None,
        (true, false) => Extension::Zero,
        (true, true) => Extension::Sign,
    };
    Some(Class::scalar(Scalar { bank, width, extension }, ty.size))
}

#[cfg(test)]
mod tests {
    use super::Type;
    use crate::ctype::Declarations;
    use crate::target::Target;

    #[test]
    fn sixty_levels_of_doubling_are_looked_at_once() {
        let mut text = String::from("union u0 { int x; }; struct s0 {}; struct z0 { int x[0]; };");
        for i in 1..=60 {
            for kind in ["union u", "struct s", "struct z"] {
                text += &format!("{kind}{i} {{ {kind}{} a, b; }};", i - 1);
            }
        }
        let target: Target = "x86_64-unknown-linux-gnu".parse().expect("a target");
        let mut decls = Declarations::new(&target);
        decls.cdef(text.as_bytes(), &[]).expect("valid C");
        for (name, leaves) in [("union u60", 1), ("struct s60", 0), ("struct z60", 1)] {
            let ty = decls.parse_type(name.as_bytes(), &[]).expect("a type");
            let seen = Type::of(decls.table(), ty).expect("it can be passed");
            assert_eq!(seen.leaves().map(<[_]>::len), Some(leaves), "{name}");
        }
    }
}
