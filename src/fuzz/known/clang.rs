//! How Clang 19 classifies types on x86-64: parts of `clang/lib/CodeGen/Targets/X86.cpp` and `CGRecordLayoutBuilder.cpp`, applied to
//! [`Seen`].

use super::seen::Seen;
use crate::abi::{Bank, Class, Part, Role, SYSV64};
use crate::ctype::{ArrayLen, FloatKind, Member, QualType, RecordKind, Type};

/// Bytes of an eightbyte.
const EIGHT: u64 = 8;

/// The class of an eightbyte.
#[derive(Clone, Copy, PartialEq)]
enum Eightbyte {
    Nothing,
    Integer,
    Sse,
    SseUp,
    X87,
    Memory,
}

/// `X86_64ABIInfo::merge`
fn merge(a: [Eightbyte; 2], b: [Eightbyte; 2]) -> [Eightbyte; 2] {
    use Eightbyte::{Integer, Memory, Nothing, Sse, X87};
    [0, 1].map(|i| match (a[i], b[i]) {
        (a, b) if a == b => a,
        (Nothing, class) | (class, Nothing) => class,
        (Memory, _) | (_, Memory) => Memory,
        (Integer, _) | (_, Integer) => Integer,
        (X87, _) | (_, X87) => Memory,
        _ => Sse,
    })
}

/// `X86_64ABIInfo::postMerge`
fn merged(size: u64, classes: [Eightbyte; 2]) -> [Eightbyte; 2] {
    use Eightbyte::{Memory, Sse, SseUp};
    match classes {
        [_, Memory] => [Memory; 2],
        classes if size > 2 * EIGHT && classes != [Sse, SseUp] => [Memory; 2],
        [low, SseUp] if low != Sse => [low, Sse],
        classes => classes,
    }
}

impl Seen<'_> {
    /// `X86_64ABIInfo::classify`: whether a member that is no bit-field is not aligned as its type is, be it a record or an array
    /// without scalars.
    pub(super) fn is_unaligned_to_clang(&self) -> bool {
        self.records().iter().any(|record| {
            let members = record.body.members.iter().filter(|member| member.bits.is_none());
            members.into_iter().any(|member| {
                let offset = record.offset + member.offset;
                !offset.is_multiple_of(self.align(member.ty))
            })
        })
    }

    /// Whether it has more than 16 bytes and is in a vector register.
    pub(super) fn is_ymm_to_clang(&self) -> bool {
        self.ty.size > 16 && self.classify(self.c, 0) == [Eightbyte::Sse, Eightbyte::SseUp]
    }

    /// `X86_64ABIInfo::classify`: the class of the first eightbyte, and the common one of all others.
    fn classify(&self, c: QualType, offset: u64) -> [Eightbyte; 2] {
        use Eightbyte::{Integer, Memory, Nothing, Sse, SseUp, X87};
        let one = |class| if offset < EIGHT { [class, Nothing] } else { [Nothing, class] };
        let size = self.size(c);
        match *self.table.shape(c) {
            Type::Float(FloatKind::F128) => [Sse, SseUp],
            Type::Float(FloatKind::F80) => [X87, X87],
            Type::Complex(FloatKind::F80) => one(Memory),
            Type::Complex(FloatKind::F64) => [Sse, Sse],
            Type::Vector(..) if size > EIGHT => [Sse, SseUp],
            Type::Float(_) | Type::Complex(_) | Type::Vector(..) => one(Sse),
            Type::Array(element, _) => self.classify_array(element, size, offset),
            Type::Record(id) => {
                let record = self.table.record(id);
                let members = record.body.iter().flat_map(|body| &body.members);
                let mut classes = [Nothing; 2];
                for member in members {
                    let whole = record.kind == RecordKind::Union || self.size(member.ty) == size;
                    if size > 2 * EIGHT && !whole {
                        return [Memory; 2];
                    }
                    let at = offset + member.offset;
                    let found = match member.bits {
                        Some(_) if at < EIGHT => [Integer, Nothing],
                        Some(_) => [Nothing, Integer],
                        None => self.classify(member.ty, at),
                    };
                    classes = merge(classes, found);
                }
                merged(size, classes)
            }
            _ if size > EIGHT => [Integer; 2],
            _ => one(Integer),
        }
    }

    /// An array of several elements in more than 16 bytes has no class, which is not MEMORY.
    fn classify_array(&self, element: QualType, size: u64, offset: u64) -> [Eightbyte; 2] {
        let step = self.size(element);
        if size > 2 * EIGHT && size != step {
            return [Eightbyte::Nothing; 2];
        }
        let elements = (0..size.checked_div(step).unwrap_or(0)).map(|i| offset + i * step);
        let classes = elements.map(|at| self.classify(element, at));
        merged(size, classes.fold([Eightbyte::Nothing; 2], merge))
    }

    /// Whether bytes of a value are lost that Clang passes in vector registers, as `GetSSETypeAtOffset` looks at one member of a
    /// union only.
    pub(super) fn loses_bytes_in_clang(&self) -> bool {
        let role = Role::Fixed { variadic: false };
        let Ok(Class::Registers(parts)) = (SYSV64.classify)(self.ty, role) else { return false };
        if self.ty.size > 16 {
            return false;
        }
        let quad = self.float_at(self.c, 0) == Some(16) && parts.parts[0].bytes <= 8;
        let lost = |part: &Part| {
            let (from, to) = (part.offset, part.offset + part.bytes);
            let values = self.leaves().iter().filter(|leaf| leaf.is_value());
            let ends = values.filter(|leaf| leaf.offset < to && leaf.offset + leaf.size > from);
            let end = ends.map(|leaf| (leaf.offset + leaf.size).min(to)).max().unwrap_or(from);
            match part.scalar.bank {
                // A quad as the first part is a register of 16 bytes, so that the second part is taken from behind them.
                _ if part.offset > 0 && quad => end > from,
                Bank::Float if part.bytes <= 8 => {
                    u64::from(end - from) > self.sse_bytes(part.offset.into())
                }
                _ => false,
            }
        };
        parts.parts.iter().any(lost)
    }

    /// `X86_64ABIInfo::GetSSETypeAtOffset`: the bytes of the type that an eightbyte is passed as.
    fn sse_bytes(&self, offset: u64) -> u64 {
        let size = u64::from(self.ty.size) - offset;
        let at = |more: u64| self.float_at(self.c, offset + more);
        let first = match at(0) {
            None | Some(8) => return EIGHT,
            Some(first) => first,
        };
        let next = at(first).filter(|_| size > first);
        let next = next.or_else(|| at(4).filter(|_| first == 2 && size > 4));
        match (first, next) {
            (first, None) => first,
            (2, Some(2)) if size <= 4 || at(4).is_none() => 4,
            _ => EIGHT,
        }
    }

    /// `getFPTypeAtOffset`: the bytes of the floating-point number that Clang's LLVM type has there.
    fn float_at(&self, c: QualType, offset: u64) -> Option<u64> {
        let part = |kind| match kind {
            FloatKind::F16 => 2,
            FloatKind::F32 => 4,
            FloatKind::F64 => 8,
            FloatKind::F80 | FloatKind::F128 => 16,
        };
        match *self.table.shape(c) {
            Type::Float(kind) if offset == 0 => Some(part(kind)),
            Type::Complex(kind) if offset.is_multiple_of(part(kind)) && offset < 2 * part(kind) => {
                Some(part(kind))
            }
            Type::Array(element, ArrayLen::Fixed(1..)) => {
                let step = self.size(element);
                (step > 0 && offset < self.size(c))
                    .then(|| self.float_at(element, offset % step))?
            }
            Type::Record(id) => {
                let record = self.table.record(id);
                let members = &record.body.as_ref()?.members;
                let member = match record.kind {
                    RecordKind::Struct => members.iter().rfind(|member| member.offset <= offset)?,
                    RecordKind::Union => self.storage(members)?,
                };
                let inside = offset - member.offset;
                let is_there = member.bits.is_none() && inside < self.size(member.ty);
                is_there.then(|| self.float_at(member.ty, inside))?
            }
            _ => None,
        }
    }

    /// `CGRecordLowering::lowerUnion`: the member whose LLVM type the union has: the most aligned, then the largest.
    fn storage<'m>(&self, members: &'m [Member]) -> Option<&'m Member> {
        let weight = |member: &Member| match member.bits {
            None => (self.llvm_align(member.ty), self.size(member.ty)),
            Some(bits) => {
                let bytes = u64::from(bits.width).div_ceil(8).next_power_of_two();
                (bytes, bytes)
            }
        };
        // The first of equals.
        members.iter().rev().max_by_key(|member| weight(member))
    }

    /// The alignment of a type's LLVM type: a record that is packed somewhere has 1.
    fn llvm_align(&self, c: QualType) -> u64 {
        match *self.table.shape(c) {
            Type::Array(element, _) => self.llvm_align(element),
            Type::Record(id) => {
                let Some(body) = &self.table.record(id).body else { return 1 };
                let plain = || body.members.iter().filter(|member| member.bits.is_none());
                let align = plain().map(|member| self.llvm_align(member.ty)).max().unwrap_or(1);
                let packed = plain().any(|m| !m.offset.is_multiple_of(self.llvm_align(m.ty)));
                let packed = packed || !body.layout.size.is_multiple_of(align);
                if packed { 1 } else { align }
            }
            _ => self.align(self.table.resolve(c)),
        }
    }
}
