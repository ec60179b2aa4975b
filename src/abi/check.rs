//! The plan checker: what must hold of every plan, whatever the convention.

use std::collections::HashSet;

use super::{CallPlan, Pass, Piece, Place, Signature, Type};

/// Checks that pieces tile their values, that no place is used twice, that places exist and are aligned,
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
    let mut used = HashSet::new();
    for (i, (ty, pass)) in signature.arguments.iter().zip(&plan.arguments).enumerate() {
        tiles(ty, pass).map_err(|e| format!("argument {}: {e}", i + 1))?;
        for piece in pass.pieces() {
            argument_place(plan, piece).map_err(|e| format!("argument {}: {e}", i + 1))?;
            if !used.insert(piece.place) {
                return Err(format!("argument {}: {:?} is used twice", i + 1, piece.place));
            }
        }
    }
    tiles(&signature.result, &plan.result).map_err(|e| format!("result: {e}"))?;
    for piece in plan.result.pieces() {
        if !matches!(piece.place, Place::Register(r) if plan.convention.results.of(r.bank).contains(&r))
        {
            return Err(format!("result in {:?}", piece.place));
        }
    }
    frame(signature, plan)
}

fn tiles(ty: &Type, pass: &Pass) -> Result<(), String> {
    let mut at = 0;
    for piece in pass.pieces() {
        if piece.offset != at {
            return Err(format!("a piece at byte {}, expected {at}", piece.offset));
        }
        if piece.bytes == 0 || piece.bytes > piece.width.bytes() {
            return Err(format!("{} bytes in {:?}", piece.bytes, piece.width));
        }
        at += piece.bytes;
    }
    if at != ty.size {
        return Err(format!("{at} of {} bytes are passed", ty.size));
    }
    Ok(())
}

fn argument_place(plan: &CallPlan, piece: &Piece) -> Result<(), String> {
    let convention = plan.convention;
    match piece.place {
        Place::Register(r) if r.bank != piece.bank => Err(format!("{} of the wrong bank", r.name)),
        Place::Register(r) if !convention.arguments.of(r.bank).contains(&r) => {
            Err(format!("{} passes no arguments", r.name))
        }
        Place::Stack(offset) if !offset.is_multiple_of(convention.slot) => {
            Err(format!("stack offset {offset} is not aligned"))
        }
        Place::Stack(offset) if offset + convention.slot > plan.stack_bytes => {
            Err(format!("stack offset {offset} beyond {}", plan.stack_bytes))
        }
        _ => Ok(()),
    }
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
    use super::super::{CONVENTIONS, plan};
    use super::*;

    fn ten_doubles() -> Signature {
        Signature { arguments: vec![Type::F64; 10].into(), result: Type::F64, fixed: None }
    }

    #[test]
    fn accepts_every_convention() {
        for convention in CONVENTIONS {
            let plan = plan(&ten_doubles(), convention).unwrap();
            assert_eq!(check(&ten_doubles(), &plan), Ok(()), "{}", convention.name);
        }
    }

    #[test]
    fn a_broken_plan_is_named() {
        let signature = ten_doubles();
        let good = plan(&signature, CONVENTIONS[0]).unwrap();
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
