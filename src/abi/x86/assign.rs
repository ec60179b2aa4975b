//! The assigner of 32-bit x86: gives each value its registers and slots, by the [`Rules`] of a convention.

use smallvec::smallvec;

use super::{Arguments, Mode, Passed, Pointer, Pops, Results, Rules, SLOT};
use crate::abi::{
    Bank, CallPlan, Convention, Extension, FrameLayout, Kind, Leaf, LeafKind, Next, Pass, Piece,
    Place, Reg, Signature, Type, Unsupported, Width,
};

/// Plans a call.
///
/// # Errors
/// [`Unsupported`] for a type that the convention does not carry.
pub fn plan(
    signature: &Signature,
    convention: &'static Convention,
    rules: &'static Rules,
) -> Result<CallPlan, Unsupported> {
    let mut assigner = Assigner { convention, rules, next: Next::default(), lost: 0 };
    let unsupported = |ty: &Type| unsupported(ty, convention.name);
    let result = &signature.result;
    let result = assigner.result(result).ok_or_else(|| unsupported(result))?;
    let arguments = signature
        .arguments
        .iter()
        .map(|ty| assigner.argument(ty).ok_or_else(|| unsupported(ty)))
        .collect::<Result<_, _>>()?;
    let next = assigner.next;
    Ok(CallPlan {
        convention,
        arguments,
        stack_align: convention.stack_align,
        popped: popped(rules, &result, next.stack),
        result,
        stack_bytes: next.stack,
        next,
        vector_count: None,
        frame: FrameLayout::of(signature),
    })
}

fn unsupported(ty: &Type, convention: &'static str) -> Unsupported {
    let what = match ty.kind {
        Kind::Void => "void",
        Kind::Bool | Kind::Int { .. } | Kind::Pointer => "an integer of this size at this place",
        Kind::Float => "a floating-point number",
        Kind::OtherFloat(_) => "_Float16 or _Float128 by value",
        Kind::Int128(_) => "__int128 by value",
        Kind::Complex(_) => "a complex number at this place",
        Kind::Vector(_) => "a vector by value",
        Kind::Record(_) => "this struct or union at this place",
    };
    Unsupported { what: what.into(), convention }
}

fn popped(rules: &Rules, result: &Pass, stack: u32) -> u32 {
    match (rules.pops, result) {
        (Pops::Arguments, _) => stack,
        (Pops::Pointer, Pass::Pointer { pointer, .. }) => match pointer.place {
            Place::Stack(_) => SLOT,
            Place::Register(_) => 0,
        },
        (Pops::Pointer | Pops::Nothing, _) => 0,
    }
}

/// Whether a type travels by value in every flavour. Types for which a compiler may align the stack do not, nor do types in SSE or MMX
/// registers (for some, compiler options decide).
fn is_carried(ty: &Type) -> bool {
    match ty.kind {
        Kind::Vector(_) | Kind::Int128(_) => false,
        Kind::OtherFloat(_) => is_x87(ty),
        Kind::Record(_) if ty.size <= 2 * SLOT && holds_sse_or_mmx(ty) => false,
        _ => ty.align < 16,
    }
}

/// The scalars that have bytes and a name.
fn values(ty: &Type) -> impl Iterator<Item = &Leaf> {
    ty.leaves().into_iter().flatten().filter(|leaf| leaf.is_value())
}

/// The only one of them.
fn only(ty: &Type) -> Option<&Leaf> {
    let mut values = values(ty);
    values.next().filter(|_| values.next().is_none())
}

/// Whether a `_Float16` or a vector is in it.
fn holds_sse_or_mmx(ty: &Type) -> bool {
    values(ty).any(|leaf| match leaf.kind {
        LeafKind::Vector => true,
        LeafKind::Float => leaf.size < SLOT,
        LeafKind::Int | LeafKind::Pointer | LeafKind::X87 => false,
    })
}

/// Whether compilers treat an argument as an aggregate. They treat a `transparent_union` as its first member.
fn is_aggregate(ty: &Type) -> bool {
    matches!(ty.kind, Kind::Record(_) | Kind::Complex(_)) && ty.quirks.x86.passed != Passed::First
}

/// Whether it is one x87 number, as a scalar or as all of a struct.
fn is_x87(ty: &Type) -> bool {
    only(ty).is_some_and(|leaf| leaf.kind == LeafKind::X87)
}

/// Whether it is one `float` or `double`, as all of a struct or union.
fn is_one_float(ty: &Type) -> bool {
    only(ty).is_some_and(|leaf| leaf.kind == LeafKind::Float && leaf.size == ty.size)
}

/// Whether attributes of a struct or of its members ask for more alignment than a slot has.
fn is_overaligned(ty: &Type) -> bool {
    matches!(ty.kind, Kind::Record(_)) && ty.quirks.x86.required_align > SLOT
}

struct Assigner {
    convention: &'static Convention,
    rules: &'static Rules,
    next: Next,
    /// How many of the last argument registers nothing gets.
    lost: usize,
}

impl Assigner {
    /// `None`: not supported.
    fn argument(&mut self, ty: &Type) -> Option<Pass> {
        let aligned = self.rules.natural_alignment && is_overaligned(ty);
        if !is_carried(ty) || aligned {
            return None;
        }
        match ty.kind {
            _ if ty.size == 0 => Some(Pass::Ignore),
            _ if self.leaves_out(ty) => Some(Pass::Pieces(Default::default())),
            Kind::Bool | Kind::Int { .. } | Kind::Pointer | Kind::Record(_)
                if ty.size <= SLOT && !is_aggregate(ty) =>
            {
                let place = self.register().map_or_else(|| self.slot(), Place::Register);
                Some(Pass::Pieces(smallvec![Piece { place, ..word(ty) }]))
            }
            _ => self.larger(ty),
        }
    }

    /// Clang passes no struct or union without a scalar in it, though it may have a byte (`isEmptyRecord`).
    fn leaves_out(&self, ty: &Type) -> bool {
        let clang = self.rules.results == Results::Element;
        clang && ty.is_empty
    }

    fn larger(&mut self, ty: &Type) -> Option<Pass> {
        let registers = ty.size.div_ceil(SLOT) as usize;
        let is_float = ty.quirks.x86.mode == Mode::Float;
        match self.rules.arguments {
            Arguments::Words if !is_float => self.pass_over(registers),
            Arguments::Aggregates if is_aggregate(ty) && !is_one_float(ty) => {
                if ty.quirks.x86.passed == Passed::Members && registers == 1 {
                    self.pass_over(registers);
                } else {
                    self.lost += registers.min(self.free().len());
                }
            }
            Arguments::Pieces if !is_float && registers <= self.free().len() => {
                let pieces = words(ty.size)
                    .map(|piece| Some(Piece { place: Place::Register(self.register()?), ..piece }));
                return Some(Pass::Pieces(pieces.collect::<Option<_>>()?));
            }
            Arguments::Pieces if !is_float => self.pass_over(registers),
            Arguments::AfterThis
                if !self.free().is_empty()
                    && !matches!(ty.kind, Kind::Float | Kind::OtherFloat(_)) =>
            {
                return None;
            }
            _ => {}
        }
        let offset = self.stack(ty.size);
        Some(Pass::Stack { offset, size: ty.size })
    }

    /// `None`: not supported.
    fn result(&mut self, ty: &Type) -> Option<Pass> {
        if !is_carried(ty) {
            return None;
        }
        Some(match ty.kind {
            Kind::Void => Pass::Ignore,
            Kind::Bool | Kind::Int { .. } | Kind::Pointer if ty.size <= SLOT => {
                self.in_registers([word(ty)])
            }
            Kind::Bool | Kind::Int { .. } | Kind::Pointer => self.in_registers(words(ty.size)),
            Kind::Complex(_) if ty.size <= 8 => self.in_registers(words(ty.size)),
            Kind::Float | Kind::OtherFloat(_) => self.in_registers([st0(ty)]),
            Kind::Record(_) => self.aggregate(ty),
            Kind::Complex(_) | Kind::Vector(_) | Kind::Int128(_) => self.hidden_pointer(ty),
        })
    }

    fn aggregate(&mut self, ty: &Type) -> Pass {
        let one_register = matches!(ty.size, 1 | 2 | 4 | 8);
        match (self.rules.results, ty.quirks.x86.mode) {
            (Results::Mode, Mode::Float) if is_one_float(ty) || is_x87(ty) => {
                self.in_registers([st0(ty)])
            }
            (Results::Mode, Mode::Float | Mode::Int) if one_register => {
                self.in_registers(words(ty.size))
            }
            (Results::Element, _) if ty.size == 0 => Pass::Ignore,
            (Results::Element, _) if is_one_float(ty) => self.in_registers([st0(ty)]),
            (Results::Element | Results::Size, Mode::Int | Mode::Float) if one_register => {
                self.in_registers(words(ty.size))
            }
            _ => self.hidden_pointer(ty),
        }
    }

    /// The pieces of a result in the result registers: the next one of its bank for each.
    fn in_registers(&self, pieces: impl IntoIterator<Item = Piece>) -> Pass {
        let place = |(i, piece): (usize, Piece)| {
            let register = self.convention.results.of(piece.bank)[i];
            Piece { place: Place::Register(register), ..piece }
        };
        Pass::Pieces(pieces.into_iter().enumerate().map(place).collect())
    }

    fn hidden_pointer(&mut self, ty: &Type) -> Pass {
        let register = match self.rules.pointer {
            Pointer::First => self.register(),
            Pointer::Stack => None,
        };
        let place = register.map_or_else(|| self.slot(), Place::Register);
        let pointer = Piece { place, ..piece(0, SLOT) };
        Pass::Pointer { pointer, size: ty.size, align: ty.align }
    }

    /// The registers that are left.
    fn free(&self) -> &'static [Reg] {
        let all = self.convention.arguments.int;
        &all[usize::from(self.next.int)..all.len() - self.lost]
    }

    fn register(&mut self) -> Option<Reg> {
        let register = *self.free().first()?;
        self.next.int += 1;
        Some(register)
    }

    /// Leaves registers unused.
    fn pass_over(&mut self, registers: usize) {
        self.next.int += registers.min(self.free().len()) as u8;
    }

    fn slot(&mut self) -> Place {
        Place::Stack(self.stack(SLOT))
    }

    /// "Arguments are pushed … padded to 4 bytes", whatever their alignment.
    fn stack(&mut self, size: u32) -> u32 {
        let offset = self.next.stack;
        self.next.stack += size.next_multiple_of(SLOT);
        offset
    }
}

/// A piece of an integer; its place is not decided.
fn piece(offset: u32, bytes: u32) -> Piece {
    let extension = if bytes < SLOT { Extension::Zero } else { Extension::None };
    let place = Place::Stack(0);
    Piece { offset, bytes, bank: Bank::Int, width: Width::W32, extension, place }
}

/// The words of a value.
fn words(size: u32) -> impl Iterator<Item = Piece> {
    (0..size).step_by(SLOT as usize).map(move |offset| piece(offset, (size - offset).min(SLOT)))
}

/// An integer of at most one word.
fn word(ty: &Type) -> Piece {
    let extension = match ty.kind {
        Kind::Int { signed: true } if ty.size < SLOT => Extension::Sign,
        _ => piece(0, ty.size).extension,
    };
    Piece { extension, ..piece(0, ty.size) }
}

/// The top of the x87 stack.
fn st0(ty: &Type) -> Piece {
    let width = match ty.size {
        4 => Width::W32,
        8 => Width::W64,
        _ => Width::W80,
    };
    let bytes = width.bytes();
    Piece { bytes, bank: Bank::X87, width, extension: Extension::None, ..piece(0, bytes) }
}
