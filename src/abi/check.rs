//! The checker of plans: rules that every plan keeps, in every convention.

use std::collections::{BTreeMap, HashSet};

use super::{CallPlan, Leaf, Pass, Piece, Place, Reg, Signature, Type, Width};

/// Checks that pieces tile their values but for padding, that no place is used twice, that places exist and are aligned,
/// and that the frame's slots do not overlap.
///
/// # Errors
/// The first rule that is broken, in words.
pub fn check(signature: &Signature, plan: &CallPlan) -> Result<(), String> {
    if plan.arguments.len() != signature.arguments.len() {
        return Err(format!(
            "{} arguments, {} passes",
            signature.arguments.len(),
            plan.arguments.len()
        ));
    }
    let mut used = Used::default();
    let mut place = |label: &str, pass: &Pass| {
        argument_places(plan, pass)?
            .into_iter()
            .try_for_each(|place| used.take(place).map_err(|e| format!("{label}: {e}")))
    };
    if let Pass::Pointer { .. } = plan.result {
        place("result", &plan.result).map_err(|e| format!("result: {e}"))?;
    }
    for (i, (ty, pass)) in signature.arguments.iter().zip(&plan.arguments).enumerate() {
        let label = format!("argument {}", i + 1);
        tiles(ty, pass).map_err(|e| format!("{label}: {e}"))?;
        place(&label, pass).map_err(|e| format!("{label}: {e}"))?;
    }
    tiles(&signature.result, &plan.result).map_err(|e| format!("result: {e}"))?;
    for piece in plan.result.pieces() {
        if !matches!(piece.place, Place::Register(r) if plan.convention.results.of(r.bank).contains(&r))
        {
            return Err(format!("result in {:?}", piece.place));
        }
    }
    if plan.popped > plan.stack_bytes {
        return Err(format!("{} of {} stack bytes are popped", plan.popped, plan.stack_bytes));
    }
    frame(signature, plan)
}

/// A place that an argument takes: a register, or bytes of the stack from one offset to another.
enum Taken {
    Register(Reg),
    Stack(u32, u32),
}

/// Registers and stack that are taken.
#[derive(Default)]
struct Used {
    registers: HashSet<Reg>,
    /// Where a run of bytes begins, with its end.
    stack: BTreeMap<u32, u32>,
}

impl Used {
    fn take(&mut self, taken: Taken) -> Result<(), String> {
        match taken {
            Taken::Register(register) if !self.registers.insert(register) => {
                Err(format!("{} is used twice", register.name))
            }
            Taken::Register(_) => Ok(()),
            Taken::Stack(from, to) => {
                let before = self.stack.range(..to).next_back();
                if from < to && before.is_some_and(|(_, &end)| end > from) {
                    return Err(format!("stack offset {from} is used twice"));
                }
                self.stack.insert(from, to);
                Ok(())
            }
        }
    }
}

fn tiles(ty: &Type, pass: &Pass) -> Result<(), String> {
    let covered = match pass {
        Pass::Ignore if ty.is_empty => ty.size,
        Pass::Ignore => 0,
        Pass::Stack { size, .. } | Pass::Pointer { size, .. } => *size,
        Pass::Pieces(pieces) => return pieces_tile(ty, pieces),
    };
    if covered != ty.size {
        return Err(format!("{covered} of {} bytes are passed", ty.size));
    }
    Ok(())
}

fn pieces_tile(ty: &Type, pieces: &[Piece]) -> Result<(), String> {
    let mut end = 0;
    for piece in pieces {
        if piece.offset < end || padding(ty, end, piece.offset).is_none() {
            return Err(format!("a piece at byte {}, expected {end}", piece.offset));
        }
        if piece.bytes == 0 || piece.bytes > piece.width.bytes() {
            return Err(format!("{} bytes in {:?}", piece.bytes, piece.width));
        }
        end = piece.offset + piece.bytes;
    }
    if end > ty.size || padding(ty, end, ty.size).is_none() {
        return Err(format!("{end} of {} bytes are passed", ty.size));
    }
    Ok(())
}

/// Whether the bytes from `from` to `to` are padding.
fn padding(ty: &Type, from: u32, to: u32) -> Option<()> {
    let value = |leaf: &Leaf| leaf.is_value() && leaf.offset < to && leaf.offset + leaf.size > from;
    let filled = match ty.leaves() {
        Some(leaves) => leaves.iter().any(value),
        None => true,
    };
    (from == to || !filled).then_some(())
}

/// The registers and slots that an argument uses, each checked by itself.
fn argument_places(plan: &CallPlan, pass: &Pass) -> Result<Vec<Taken>, String> {
    if let &Pass::Stack { offset, size } = pass {
        return Ok(vec![stack_bytes(plan, offset, size)?]);
    }
    // The upper half of a register is no place of its own.
    let lower = pass.placed().iter().filter(|piece| piece.width != Width::Upper128);
    let place = |piece: &Piece| match piece.place {
        Place::Register(r) if r.bank != piece.bank => Err(format!("{} of the wrong bank", r.name)),
        Place::Register(r) if !is_argument(plan, r) => {
            Err(format!("{} passes no arguments", r.name))
        }
        Place::Register(register) => Ok(Taken::Register(register)),
        Place::Stack(offset) => stack_bytes(plan, offset, plan.convention.slot),
    };
    lower.map(place).collect()
}

fn is_argument(plan: &CallPlan, register: Reg) -> bool {
    let convention = plan.convention;
    convention.arguments.of(register.bank).contains(&register)
        || convention.indirect_result == Some(register)
}

/// The slots of so many bytes.
fn stack_bytes(plan: &CallPlan, offset: u32, size: u32) -> Result<Taken, String> {
    let slot = plan.convention.slot;
    if !offset.is_multiple_of(slot) {
        return Err(format!("stack offset {offset} is not aligned"));
    }
    let end = offset + size.next_multiple_of(slot);
    if size > 0 && end > plan.stack_bytes {
        return Err(format!("stack offset {} beyond {}", end - slot, plan.stack_bytes));
    }
    Ok(Taken::Stack(offset, end))
}

fn frame(signature: &Signature, plan: &CallPlan) -> Result<(), String> {
    let frame = &plan.frame;
    let slots = std::iter::once((&signature.result, frame.result))
        .chain(signature.arguments.iter().zip(frame.arguments.iter().copied()));
    let mut end = 0;
    for (ty, offset) in slots {
        if offset < end || !offset.is_multiple_of(ty.align) {
            return Err(format!("frame slot at {offset} overlaps or is not aligned"));
        }
        end = offset + ty.size;
    }
    if end > frame.size {
        return Err(format!("frame of {} bytes, {end} used", frame.size));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{SYSV64, conventions, plan};
    use super::*;

    fn ten_doubles() -> Signature {
        Signature { arguments: vec![Type::F64; 10].into(), result: Type::F64, fixed: None }
    }

    #[test]
    fn accepts_every_convention() {
        for convention in conventions() {
            let plan = plan(&ten_doubles(), convention).unwrap();
            assert_eq!(check(&ten_doubles(), &plan), Ok(()), "{}", convention.name);
        }
    }

    #[test]
    fn a_broken_plan_is_named() {
        let signature = ten_doubles();
        let good = plan(&signature, &SYSV64).unwrap();
        let broken = |change: &dyn Fn(&mut Piece)| {
            let mut plan = good.clone();
            let Pass::Pieces(pieces) = &mut plan.arguments[9] else {
                panic!("a double is one piece")
            };
            change(&mut pieces[0]);
            check(&signature, &plan).unwrap_err()
        };
        assert!(broken(&|p| p.place = Place::Stack(0)).contains("twice"));
        assert!(broken(&|p| p.place = Place::Stack(4)).contains("not aligned"));
        assert!(broken(&|p| p.place = Place::Stack(80)).contains("beyond"));
        assert!(broken(&|p| p.bytes = 4).contains("4 of 8 bytes"));
        assert!(broken(&|p| p.offset = 1).contains("expected 0"));
        let mut overlapping = good.clone();
        overlapping.frame.arguments[1] = overlapping.frame.arguments[0];
        assert!(check(&signature, &overlapping).unwrap_err().contains("overlaps"));
    }
}
