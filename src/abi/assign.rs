//! The one assigner: gives every classified value its registers and slots.

use super::{
    Bank, CallPlan, Class, Convention, FrameLayout, Next, Pass, Piece, Place, Reg, Role, Scalar,
    Signature, Type, Unsupported, Variadic,
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
    let arguments = signature
        .arguments
        .iter()
        .enumerate()
        .map(|(i, ty)| assigner.argument(ty, signature.role(i)))
        .collect::<Result<_, _>>()?;
    Ok(CallPlan {
        convention,
        arguments,
        result: result(&signature.result, convention)?,
        stack_bytes: assigner.next.stack,
        next: assigner.next,
        vector_count: (signature.fixed.is_some() && convention.variadic == Variadic::VectorCount)
            .then_some(convention.arguments.float.len() as u8),
        frame: FrameLayout::of(signature),
    })
}

struct Assigner {
    convention: &'static Convention,
    next: Next,
}

impl Assigner {
    fn argument(&mut self, ty: &Type, role: Role) -> Result<Pass, Unsupported> {
        Ok(match (self.convention.classify)(ty, role)? {
            Class::Ignore => Pass::Ignore,
            Class::Scalar(scalar) => {
                let place = match self.register(scalar.bank) {
                    Some(register) => Place::Register(register),
                    None => Place::Stack(self.slot()),
                };
                whole(ty, scalar, place)
            }
        })
    }

    fn register(&mut self, bank: Bank) -> Option<Reg> {
        let next = match bank {
            Bank::Int => &mut self.next.int,
            Bank::Float => &mut self.next.float,
        };
        let register = self.convention.arguments.of(bank).get(usize::from(*next)).copied()?;
        *next += 1;
        if self.convention.positional {
            let position = *next;
            self.next.int = position;
            self.next.float = position;
        }
        Some(register)
    }

    fn slot(&mut self) -> u32 {
        let offset = self.next.stack;
        self.next.stack += self.convention.slot;
        offset
    }
}

fn result(ty: &Type, convention: &'static Convention) -> Result<Pass, Unsupported> {
    Ok(match (convention.classify)(ty, Role::Result)? {
        Class::Ignore => Pass::Ignore,
        Class::Scalar(scalar) => {
            let register = convention.results.of(scalar.bank)[0];
            whole(ty, scalar, Place::Register(register))
        }
    })
}

/// A value that travels in one piece.
fn whole(ty: &Type, scalar: Scalar, place: Place) -> Pass {
    Pass::Pieces(Box::new([Piece {
        offset: 0,
        bytes: ty.size,
        bank: scalar.bank,
        width: scalar.width,
        extension: scalar.extension,
        place,
    }]))
}
