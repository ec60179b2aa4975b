//! C types as data. Interning and queries are in [`super::table`].

use std::fmt;
use std::num::NonZeroU32;
use std::ops::Range;

use super::Function;
use super::names::NameIndex;

/// An unqualified type of one [`super::Table`]. Equal types have equal ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub(super) u32);

impl TypeId {
    /// `void`
    pub const VOID: TypeId = TypeId(0);
    /// `_Bool`
    pub const BOOL: TypeId = TypeId(1);
    /// Plain `char`
    pub const CHAR: TypeId = TypeId::int(IntKind::Char);
    /// `int`
    pub const INT: TypeId = TypeId::int(IntKind::I32);
    /// `float`
    pub const FLOAT: TypeId = TypeId::float(FloatKind::F32);
    /// `double`
    pub const DOUBLE: TypeId = TypeId::float(FloatKind::F64);
    /// `void *`
    pub const VOID_POINTER: TypeId = TypeId(18);

    /// The types that every table starts with, in the order of the constants.
    pub(super) const FIRST: [Type; 19] = [
        Type::Void,
        Type::Bool,
        Type::Int(IntKind::Char),
        Type::Int(IntKind::I8),
        Type::Int(IntKind::U8),
        Type::Int(IntKind::I16),
        Type::Int(IntKind::U16),
        Type::Int(IntKind::I32),
        Type::Int(IntKind::U32),
        Type::Int(IntKind::I64),
        Type::Int(IntKind::U64),
        Type::Int(IntKind::I128),
        Type::Int(IntKind::U128),
        Type::Float(FloatKind::F16),
        Type::Float(FloatKind::F32),
        Type::Float(FloatKind::F64),
        Type::Float(FloatKind::F80),
        Type::Float(FloatKind::F128),
        Type::Pointer(QualType(0)),
    ];

    /// The integer type of a kind; the same in every table.
    pub const fn int(kind: IntKind) -> TypeId {
        TypeId(2 + kind as u32)
    }

    /// The real floating-point type of a format; the same in every table.
    pub const fn float(kind: FloatKind) -> TypeId {
        TypeId(13 + kind as u32)
    }

    /// The position in the table, dense from 0: for side tables indexed by type.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A type with its top-level qualifiers, packed into 32 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QualType(u32);

/// Type qualifiers, a bit set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Quals(pub u8);

impl Quals {
    /// None.
    pub const NONE: Quals = Quals(0);
    /// `const`
    pub const CONST: Quals = Quals(1);
    /// `volatile`
    pub const VOLATILE: Quals = Quals(2);
    /// `restrict`
    pub const RESTRICT: Quals = Quals(4);
    /// `_Atomic`
    pub const ATOMIC: Quals = Quals(8);
    const BITS: u32 = 4;

    /// The union of two sets.
    #[must_use]
    pub fn with(self, other: Quals) -> Quals {
        Quals(self.0 | other.0)
    }

    /// Whether every qualifier of `other` is in this set.
    pub fn has(self, other: Quals) -> bool {
        self.0 & other.0 == other.0
    }
}

impl QualType {
    /// `id` with qualifiers.
    pub fn new(id: TypeId, quals: Quals) -> QualType {
        QualType(id.0 << Quals::BITS | u32::from(quals.0))
    }

    /// The type without its top-level qualifiers.
    pub fn id(self) -> TypeId {
        TypeId(self.0 >> Quals::BITS)
    }

    /// The top-level qualifiers.
    pub fn quals(self) -> Quals {
        Quals((self.0 & ((1 << Quals::BITS) - 1)) as u8)
    }

    /// Whether an object of this type may not be assigned to.
    pub fn is_const(self) -> bool {
        self.quals().has(Quals::CONST)
    }

    /// The same type with more qualifiers.
    #[must_use]
    pub fn qualified(self, quals: Quals) -> QualType {
        QualType::new(self.id(), self.quals().with(quals))
    }

    /// The 32 bits, for storage in plain memory.
    pub fn to_bits(self) -> u32 {
        self.0
    }

    /// The inverse of [`QualType::to_bits`].
    pub fn from_bits(bits: u32) -> QualType {
        QualType(bits)
    }
}

impl From<TypeId> for QualType {
    fn from(id: TypeId) -> QualType {
        QualType::new(id, Quals::NONE)
    }
}

impl fmt::Debug for QualType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QualType({}, {:#x})", self.id().0, self.quals().0)
    }
}

/// An integer type by width and signedness, as LuaJIT has them: `long` and `long long` of one width
/// are one type. Plain `char` stays apart from `signed char` and `unsigned char`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IntKind {
    /// Plain `char`; its signedness is the target's.
    Char,
    /// `signed char`
    I8,
    /// `unsigned char`
    U8,
    /// `short`
    I16,
    /// `unsigned short`
    U16,
    /// `int`
    I32,
    /// `unsigned int`
    U32,
    /// 64 bits, signed
    I64,
    /// 64 bits, unsigned
    U64,
    /// `__int128`
    I128,
    /// `unsigned __int128`
    U128,
}

impl IntKind {
    /// Bytes.
    pub fn size(self) -> u32 {
        match self {
            IntKind::Char | IntKind::I8 | IntKind::U8 => 1,
            IntKind::I16 | IntKind::U16 => 2,
            IntKind::I32 | IntKind::U32 => 4,
            IntKind::I64 | IntKind::U64 => 8,
            IntKind::I128 | IntKind::U128 => 16,
        }
    }

    /// The integer type of a width in bytes and a sign; `None` if there is none.
    pub fn of(size: u32, signed: bool) -> Option<IntKind> {
        Some(match (size, signed) {
            (1, true) => IntKind::I8,
            (1, false) => IntKind::U8,
            (2, true) => IntKind::I16,
            (2, false) => IntKind::U16,
            (4, true) => IntKind::I32,
            (4, false) => IntKind::U32,
            (8, true) => IntKind::I64,
            (8, false) => IntKind::U64,
            (16, true) => IntKind::I128,
            (16, false) => IntKind::U128,
            _ => return None,
        })
    }

    /// Whether negative values exist; `char_signed` is the target's rule for [`IntKind::Char`].
    pub fn is_signed(self, char_signed: bool) -> bool {
        match self {
            IntKind::Char => char_signed,
            IntKind::I8 | IntKind::I16 | IntKind::I32 | IntKind::I64 | IntKind::I128 => true,
            IntKind::U8 | IntKind::U16 | IntKind::U32 | IntKind::U64 | IntKind::U128 => false,
        }
    }
}

/// A floating-point format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FloatKind {
    /// IEEE binary16, `_Float16`
    F16,
    /// IEEE binary32, `float`
    F32,
    /// IEEE binary64, `double`
    F64,
    /// x87 80-bit extended, in 12 or 16 bytes
    F80,
    /// IEEE binary128
    F128,
}

/// A declared name of the table's interner. Never 0, so that an optional one is as small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(NonZeroU32);

impl Name {
    /// The name at this position of the interner.
    pub(super) fn at(position: usize) -> Name {
        let next = u32::try_from(position + 1).ok().and_then(NonZeroU32::new);
        Name(next.expect("fewer than 2^32 - 1 names"))
    }

    /// Its position in the interner.
    pub(super) fn position(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// A struct or union of the table; two declarations with one body are two records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(pub(super) u32);

/// An enum of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnumId(pub(super) u32);

/// An unqualified C type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// `void`
    Void,
    /// `_Bool`
    Bool,
    /// An integer.
    Int(IntKind),
    /// A real floating-point type. `long double` is the target's format.
    Float(FloatKind),
    /// `float _Complex` and so on.
    Complex(FloatKind),
    /// `T *`
    Pointer(QualType),
    /// `T &`, as LuaJIT accepts it
    Reference(QualType),
    /// `T [n]`
    Array(QualType, ArrayLen),
    /// `T __attribute__((vector_size(n)))`: element type and number of elements
    Vector(QualType, u32),
    /// A function.
    Function(Box<Function>),
    /// A struct or union.
    Record(RecordId),
    /// An enum.
    Enum(EnumId),
    /// An over- or under-aligned typedef: `typedef int aligned_int __attribute__((aligned(16)))`.
    Aligned(QualType, u32),
}

/// The number of elements of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArrayLen {
    /// `[n]`
    Fixed(u64),
    /// `[]`: incomplete, or a flexible array member
    Incomplete,
    /// `[?]`: LuaJIT's variable-length array, its length given at creation
    Variable,
}

/// Size and alignment in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Bytes, a multiple of `align` except in packed and under-aligned types.
    pub size: u64,
    /// A power of two.
    pub align: u64,
}

/// Struct or union.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// `struct`
    Struct,
    /// `union`
    Union,
}

/// A struct or union declaration.
#[derive(Clone, Debug)]
pub struct Record {
    /// Struct or union.
    pub kind: RecordKind,
    /// Its tag; `None` where anonymous.
    pub tag: Option<Name>,
    /// Members and layout once the body has been seen.
    pub body: Option<Box<RecordBody>>,
}

/// A complete struct or union.
#[derive(Clone, Debug)]
pub struct RecordBody {
    /// Members in declaration order; unnamed bit-fields are left out, anonymous structs are in.
    pub members: Box<[Member]>,
    /// Size and alignment, tail padding included. A flexible array member counts 0 elements.
    pub layout: Layout,
    /// Whether the last member is a flexible (`[]`) or variable-length (`[?]`) array.
    pub flexible: Option<ArrayLen>,
    /// The alignment in bytes that attributes of the record or its members ask for; 0: none does.
    pub required_align: u64,
    /// `static const` members and the enumerators of enums declared inside, LuaJIT's scoped constants.
    pub constants: Box<[(Name, QualType, Constant)]>,
    /// Whether there are members or constants to look up by name, those of anonymous members included.
    pub(super) has_names: bool,
    /// `__attribute__((transparent_union))`
    pub transparent_union: bool,
    /// The layout attributes of the declaration.
    pub attributes: RecordAttributes,
    /// `members` by name.
    pub(super) by_name: NameIndex,
    /// The unnamed bit-fields, in declaration order.
    pub unnamed_bits: Box<[UnnamedBits]>,
}

/// An unnamed bit-field: padding to C, but an integer to calling conventions.
#[derive(Clone, Copy, Debug)]
pub struct UnnamedBits {
    /// The index of the member that it stands before.
    pub before: u32,
    /// The declared type.
    pub ty: QualType,
    /// Bits.
    pub width: u8,
    /// Bytes from the start of the record to the unit that `bits` counts from.
    pub offset: u64,
    /// Where the bits are; `None` for a width of 0.
    pub bits: Option<Bits>,
}

/// The layout attributes of a whole record; alignments in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordAttributes {
    /// `__attribute__((packed))`
    pub packed: bool,
    /// `aligned(n)` or `__declspec(align(n))`
    pub align: Option<u32>,
    /// `#pragma pack(n)`
    pub pack: Option<u32>,
    /// `ms_struct`, or `gcc_struct` (false)
    pub ms_struct: Option<bool>,
}

/// The layout attributes of one member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemberAttributes {
    /// `__attribute__((packed))`
    pub packed: bool,
    /// `aligned(n)`, `_Alignas` or `__declspec(align(n))`, in bytes
    pub align: Option<u32>,
}

/// A member of a struct or union.
#[derive(Clone, Debug)]
pub struct Member {
    /// `None`: an anonymous struct or union, whose members are the outer record's too.
    pub name: Option<Name>,
    /// Its type.
    pub ty: QualType,
    /// Bytes from the start of the record; for a bit-field, of the storage unit that `bits` counts from.
    pub offset: u64,
    /// Where the bits are, for a bit-field.
    pub bits: Option<Bits>,
    /// `counted_by(name)`: the member that holds the number of elements.
    pub counted_by: Option<Name>,
    /// The layout attributes of the declaration.
    pub attributes: MemberAttributes,
}

/// The place of a bit-field: counted from the member's offset, which is a multiple of the declared type's
/// size unless that unit would not hold all the bits (packed records). All targets are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits {
    /// The least significant bit's position from the member's offset.
    pub shift: u8,
    /// Number of bits, at least 1.
    pub width: u8,
}

impl Bits {
    /// The bytes that hold the field: the first one's distance from the member's offset, the position of the
    /// least significant bit in it, and their number, 1 to 17. Reading more could leave the record.
    pub fn bytes(self) -> (u64, u32, usize) {
        let (first, shift) = (self.shift / 8, u32::from(self.shift % 8));
        (u64::from(first), shift, (shift as usize + usize::from(self.width)).div_ceil(8))
    }
}

/// An enum declaration.
#[derive(Clone, Debug)]
pub struct Enum {
    /// Its tag; `None` where anonymous.
    pub tag: Option<Name>,
    /// The integer type that holds it; `None` until the body has been seen (and no fixed type was given).
    pub base: Option<IntKind>,
    /// Enumerators in declaration order: name and value (unsigned 64-bit values as their bit pattern).
    pub values: Box<[(Name, i64)]>,
    /// `values` by name.
    pub(super) by_name: NameIndex,
}

/// The meaning of an ordinary name.
#[derive(Clone, Debug, PartialEq)]
pub enum Decl {
    /// `typedef`
    Typedef(QualType),
    /// A function: its type, the symbol to look up, the names of its parameters.
    Function {
        /// A [`Type::Function`].
        ty: TypeId,
        /// `__asm__("symbol")`
        symbol: Option<Box<str>>,
        /// Where [`super::Declarations::parameter_names`] finds the names of its parameters.
        params: Range<u32>,
    },
    /// An external variable: its type and the symbol to look up.
    Variable {
        /// The object's type; an array may be incomplete.
        ty: QualType,
        /// `__asm__("symbol")`
        symbol: Option<Box<str>>,
    },
    /// A variable that each C file which says so has for itself: no library exports it.
    Static(QualType),
    /// An enumerator, a `static const`, a `constexpr` or a `#define`.
    Constant {
        /// The C type of the constant.
        ty: QualType,
        /// Its value.
        value: Constant,
    },
}

/// The value of a constant expression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Constant {
    /// A signed or unsigned integer of at most 64 bits, by its bit pattern in two's complement, widened by its type's sign.
    Int(i128),
    /// A floating-point value.
    Float(f64),
}
