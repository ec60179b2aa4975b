//! The assigner of 64-bit conventions: gives every classified value its registers and slots.

use smallvec::smallvec;

use super::{
    Backend, Bank, CallPlan, Class, Convention, Extension, FrameLayout, Next, Otherwise, Part,
    Parts, Pass, Piece, Place, Reg, Role, Scalar, Signature, Type, Unsupported, Width, x86,
};

/// Plans a call.
///
/// # Errors
/// [`Unsupported`] for a type that the convention does not carry.
pub fn plan(
    signature: &Signature,
    convention: &'static Convention,
) -> Result<CallPlan, Unsupported> {
    if let Backend::X86(rules) = convention.backend {
        return x86::plan(signature, convention, rules);
    }
    let mut assigner =
        Assigner { convention, next: Next::default(), stack_align: convention.stack_align };
    // The hidden pointer of a result is an argument before all others.
    let result = assigner.result(&signature.result)?;
    let mut arguments = Vec::with_capacity(signature.arguments.len());
    for (i, ty) in signature.arguments.iter().enumerate() {
        arguments.push(assigner.argument(ty, signature.role(i))?);
    }
    Ok(CallPlan {
        convention,
        arguments: arguments.into(),
        result,
        stack_bytes: assigner.next.stack.next_multiple_of(WORD),
        stack_align: assigner.stack_align,
        popped: 0,
        next: assigner.next,
        vector_count: (signature.fixed.is_some() && convention.vector_count)
            .then_some(convention.arguments.float.len() as u8),
        frame: FrameLayout::of(signature),
    })
}

/// Bytes of a register and of an ordinary stack slot.
const WORD: u32 = 8;

/// A pointer on its way into a register or slot.
const POINTER: Part = Part {
    offset: 0,
    bytes: 8,
    scalar: Scalar { bank: Bank::Int, width: Width::W64, extension: Extension::None },
};

struct Assigner {
    convention: &'static Convention,
    next: Next,
    stack_align: u32,
}

impl Assigner {
    fn argument(&mut self, ty: &Type, role: Role) -> Result<Pass, Unsupported> {
        if role == Role::Variable && self.convention.variable_on_stack {
            [Bank::Int, Bank::Float].into_iter().for_each(|bank| self.exhaust(bank));
        }
        self.place(ty, (self.convention.classify)(ty, role)?)
    }

    fn place(&mut self, ty: &Type, class: Class) -> Result<Pass, Unsupported> {
        Ok(match class {
            Class::Ignore => Pass::Ignore,
            Class::Registers(parts) => return self.parts(ty, parts),
            Class::Memory { align } => self.memory(ty, align)?,
            Class::Pointer => self.pointer(ty),
        })
    }

    fn result(&mut self, ty: &Type) -> Result<Pass, Unsupported> {
        Ok(match (self.convention.classify)(ty, Role::Result)? {
            Class::Ignore => Pass::Ignore,
            Class::Registers(parts) => result_pieces(&parts.parts, self.convention),
            Class::Memory { .. } | Class::Pointer => match self.convention.indirect_result {
                Some(register) => by_pointer(ty, piece(&POINTER, Place::Register(register))),
                None => self.pointer(ty),
            },
        })
    }

    fn parts(&mut self, ty: &Type, wanted: Parts) -> Result<Pass, Unsupported> {
        let Parts { parts, even, otherwise } = wanted;
        if even {
            self.next.int = self.next.int.next_multiple_of(2);
        }
        if let (&[part], &Otherwise::Slots { align }) = (&parts[..], &otherwise) {
            let found = self.register(part.scalar.bank);
            return Ok(Pass::Pieces(smallvec![self.slot(&part, found, align)]));
        }
        let before = self.next;
        let mut last = None;
        let mut register = |part: &Part| {
            if part.scalar.width != Width::Upper128 {
                last = self.register(part.scalar.bank);
            }
            last
        };
        let found: Vec<Option<Reg>> = parts.iter().map(&mut register).collect();
        let all = found.iter().all(Option::is_some);
        match otherwise {
            Otherwise::Memory { align } if !all => {
                self.next = before;
                self.memory(ty, align)
            }
            Otherwise::Exhaust { align } if !all => {
                parts.iter().for_each(|part| self.exhaust(part.scalar.bank));
                self.memory(ty, align)
            }
            Otherwise::Class(class) if !all => {
                self.next = before;
                self.place(ty, *class)
            }
            Otherwise::Slots { align } => Ok(self.slots(&parts, &found, align)),
            _ => Ok(self.slots(&parts, &found, WORD)),
        }
    }

    /// Each part in its register or in a stack slot, the first one's aligned so.
    fn slots(&mut self, parts: &[Part], found: &[Option<Reg>], align: u32) -> Pass {
        let both = parts.iter().zip(found);
        Pass::Pieces(both.map(|(part, &found)| self.slot(part, found, align)).collect())
    }

    fn slot(&mut self, part: &Part, found: Option<Reg>, align: u32) -> Piece {
        let align = if part.offset == 0 { align } else { WORD };
        let place = found.map_or_else(|| Place::Stack(self.stack(WORD, align)), Place::Register);
        piece(part, place)
    }

    /// A copy on the stack, which is aligned so at the call.
    fn memory(&mut self, ty: &Type, align: u32) -> Result<Pass, Unsupported> {
        if align > CallPlan::MAX_STACK_ALIGN {
            return Err(ty.overaligned(self.convention.name));
        }
        self.stack_align = self.stack_align.max(align);
        Ok(Pass::Stack { offset: self.stack(ty.size, align), size: ty.size })
    }

    fn pointer(&mut self, ty: &Type) -> Pass {
        let register = self.register(Bank::Int).map(Place::Register);
        let place = register.unwrap_or_else(|| Place::Stack(self.stack(WORD, WORD)));
        by_pointer(ty, piece(&POINTER, place))
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

    fn exhaust(&mut self, bank: Bank) {
        let all = self.convention.arguments.of(bank).len() as u8;
        match bank {
            Bank::Int => self.next.int = all,
            Bank::Float => self.next.float = all,
            Bank::X87 => {}
        }
    }

    fn stack(&mut self, size: u32, align: u32) -> u32 {
        let align = align.max(self.convention.slot);
        let offset = self.next.stack.next_multiple_of(align);
        self.next.stack = offset + size.next_multiple_of(align.min(WORD));
        offset
    }
}

fn by_pointer(ty: &Type, pointer: Piece) -> Pass {
    Pass::Pointer { pointer, size: ty.size, align: ty.align }
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
        *next += usize::from(part.scalar.width != Width::Upper128);
        let registers = convention.results.of(part.scalar.bank);
        piece(part, Place::Register(registers[*next - 1]))
    };
    Pass::Pieces(parts.iter().map(&mut place).collect())
}
