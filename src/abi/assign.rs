//! The one assigner: gives every classified value its registers and slots.

use super::{
    Bank, CallPlan, Class, Convention, Extension, FrameLayout, Next, Part, Pass, Piece, Place, Reg,
    Role, Scalar, Signature, Type, Unsupported, Variadic, Width,
};

/// Plans a call.
///
/// # Errors
/// [`Unsupported`] for a type that the convention does not carry.
pub fn plan(
    signature: &Signature,
    convention: &'static Convention,
) -> Result<CallPlan, Unsupported> {
    let mut assigner = Assigner { convention, next: Next::default() };
    // The hidden pointer of a result is an argument before all others.
    let result = assigner.result(&signature.result)?;
    let arguments = signature
        .arguments
        .iter()
        .enumerate()
        .map(|(i, ty)| assigner.argument(ty, signature.role(i)))
        .collect::<Result<_, _>>()?;
    Ok(CallPlan {
        convention,
        arguments,
        result,
        stack_bytes: assigner.next.stack,
        next: assigner.next,
        vector_count: (signature.fixed.is_some() && convention.variadic == Variadic::VectorCount)
            .then_some(convention.arguments.float.len() as u8),
        frame: FrameLayout::of(signature),
    })
}

/// A pointer on its way into a register or slot.
const POINTER: Scalar = Scalar { bank: Bank::Int, width: Width::W64, extension: Extension::None };

struct Assigner {
    convention: &'static Convention,
    next: Next,
}

impl Assigner {
    fn argument(&mut self, ty: &Type, role: Role) -> Result<Pass, Unsupported> {
        Ok(match (self.convention.classify)(ty, role)? {
            Class::Ignore => Pass::Ignore,
            Class::Scalar(scalar) => Pass::Pieces(Box::new([self.scalar(scalar, ty.size)])),
            Class::Parts(parts) => match self.parts(&parts) {
                Some(pieces) => Pass::Pieces(pieces),
                None => self.memory(ty)?,
            },
            Class::Memory => self.memory(ty)?,
            Class::Pointer => self.pointer(ty),
        })
    }

    fn result(&mut self, ty: &Type) -> Result<Pass, Unsupported> {
        let whole = |scalar| vec![Part { offset: 0, bytes: ty.size, scalar }];
        Ok(match (self.convention.classify)(ty, Role::Result)? {
            Class::Ignore => Pass::Ignore,
            Class::Scalar(scalar) => result_pieces(&whole(scalar), self.convention),
            Class::Parts(parts) => result_pieces(&parts, self.convention),
            Class::Memory | Class::Pointer => self.pointer(ty),
        })
    }

    fn scalar(&mut self, scalar: Scalar, bytes: u32) -> Piece {
        let place = match self.register(scalar.bank) {
            Some(register) => Place::Register(register),
            None => Place::Stack(self.stack(self.convention.slot, self.convention.slot)),
        };
        piece(&Part { offset: 0, bytes, scalar }, place)
    }

    /// All parts in registers, or none.
    fn parts(&mut self, parts: &[Part]) -> Option<Box<[Piece]>> {
        let before = self.next;
        let mut place =
            |part: &Part| Some(piece(part, Place::Register(self.register(part.scalar.bank)?)));
        let pieces: Option<Box<[Piece]>> = parts.iter().map(&mut place).collect();
        if pieces.is_none() {
            self.next = before;
        }
        pieces
    }

    /// A copy on the stack. One that is aligned to more than the stack pointer is would need a stack of its own alignment.
    fn memory(&mut self, ty: &Type) -> Result<Pass, Unsupported> {
        if ty.align > self.convention.stack_align {
            return Err(ty.unsupported(self.convention.name));
        }
        Ok(Pass::Stack { offset: self.stack(ty.size, ty.align), size: ty.size })
    }

    fn pointer(&mut self, ty: &Type) -> Pass {
        Pass::Pointer { pointer: self.scalar(POINTER, 8), size: ty.size, align: ty.align }
    }

    fn register(&mut self, bank: Bank) -> Option<Reg> {
        let next = match bank {
            Bank::Int => &mut self.next.int,
            Bank::Float => &mut self.next.float,
            Bank::X87 => return None,
        };
        let register = *self.convention.arguments.of(bank).get(usize::from(*next))?;
        *next += 1;
        if self.convention.positional {
            let position = *next;
            self.next.int = position;
            self.next.float = position;
        }
        Some(register)
    }

    fn stack(&mut self, size: u32, align: u32) -> u32 {
        let slot = self.convention.slot;
        let offset = self.next.stack.next_multiple_of(align.max(slot));
        self.next.stack = offset + size.next_multiple_of(slot);
        offset
    }
}

fn piece(part: &Part, place: Place) -> Piece {
    let &Part { offset, bytes, scalar: Scalar { bank, width, extension } } = part;
    Piece { offset, bytes, bank, width, extension, place }
}

/// The parts of a result in the result registers: the next one of its bank for each.
fn result_pieces(parts: &[Part], convention: &Convention) -> Pass {
    let mut used = [0; 3];
    let mut place = |part: &Part| {
        let next = &mut used[part.scalar.bank as usize];
        *next += 1;
        let registers = convention.results.of(part.scalar.bank);
        piece(part, Place::Register(registers[*next - 1]))
    };
    Pass::Pieces(parts.iter().map(&mut place).collect())
}
