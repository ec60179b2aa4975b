//! What the ABI tests share: seeded random signatures, values that name themselves, and a callback that checks them.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::cell::RefCell;
use std::ffi::c_void;

use cthunk::abi::{self, CallPlan, Convention, Kind, Signature, Type};
use cthunk::code::{self, Slot};

/// xorshift64*, so that a printed seed replays a case on every machine.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n
    }
}

/// The number of cases and the seed, from `CTHUNK_CASES` and `CTHUNK_SEED`.
pub fn cases(default: usize) -> (usize, u64) {
    let read = |name: &str| std::env::var(name).ok().and_then(|v| v.parse().ok());
    let cases = read("CTHUNK_CASES").map_or(default, |n: u64| n as usize);
    let seed = read("CTHUNK_SEED").unwrap_or(1);
    (cases, seed)
}

/// Every scalar type that a convention sees, with its name in C.
pub const SCALARS: &[(Type, &str)] = &[
    (Type::BOOL, "_Bool"),
    (Type::int(1, true), "signed char"),
    (Type::int(1, false), "unsigned char"),
    (Type::int(2, true), "short"),
    (Type::int(2, false), "unsigned short"),
    (Type::int(4, true), "int"),
    (Type::int(4, false), "unsigned int"),
    (Type::int(8, true), "long long"),
    (Type::int(8, false), "unsigned long long"),
    (Type::F32, "float"),
    (Type::F64, "double"),
    (Type::POINTER, "void *"),
];

/// The scalars that survive the default argument promotions.
pub const PROMOTED: &[(Type, &str)] = &[
    (Type::int(4, true), "int"),
    (Type::int(8, false), "unsigned long long"),
    (Type::F64, "double"),
    (Type::POINTER, "void *"),
];

/// The name of a type in C.
pub fn c_name(ty: &Type) -> &'static str {
    let named = |(known, name): &(Type, &'static str)| (known == ty).then_some(*name);
    SCALARS.iter().find_map(named).unwrap_or("void")
}

/// A random signature of at most `most` arguments.
pub fn signature(random: &mut Random, most: usize) -> Signature {
    let pick = |random: &mut Random| SCALARS[random.below(SCALARS.len())].0;
    Signature {
        arguments: (0..random.below(most + 1)).map(|_| pick(random)).collect(),
        result: match random.below(13) {
            0 => Type::VOID,
            _ => pick(random),
        },
        fixed: None,
    }
}

/// A random signature that ends in variable arguments.
pub fn variadic(random: &mut Random, most: usize) -> Signature {
    let mut signature = signature(random, 5);
    let mut arguments = vec![Type::int(4, true)];
    arguments.extend(signature.arguments.iter().copied());
    signature.fixed = Some(arguments.len());
    let variable = (0..random.below(most + 1)).map(|_| PROMOTED[random.below(PROMOTED.len())].0);
    arguments.extend(variable);
    signature.arguments = arguments.into();
    signature
}

/// Byte `b` of value `v` (arguments from 0; the result is 14) is `0xVB`, V from 1 to F; a `_Bool` is its lowest bit.
pub fn byte(ty: &Type, value: usize, index: usize) -> u8 {
    let v = (value % 15 + 1) as u8;
    match ty.kind {
        Kind::Bool => v & 1,
        _ => v << 4 | index as u8,
    }
}

pub const RESULT: usize = 13;

/// Writes a value that names itself.
pub fn fill(ty: &Type, value: usize, to: &mut [u8]) {
    for (index, to) in to[..ty.size as usize].iter_mut().enumerate() {
        *to = byte(ty, value, index);
    }
}

/// Whether the bytes are those of [`fill`].
pub fn is_named(ty: &Type, value: usize, bytes: &[u8]) -> bool {
    (0..ty.size as usize).all(|index| bytes[index] == byte(ty, value, index))
}

/// A frame with every argument filled in and the rest 0x00 or 0xFF, to show what must not be read.
pub fn frame(signature: &Signature, plan: &CallPlan, rest: u8) -> Vec<u64> {
    let mut words = vec![u64::from_ne_bytes([rest; 8]); plan.frame.size as usize / 8];
    let bytes = bytes_of(&mut words);
    let arguments = signature.arguments.iter().zip(&plan.frame.arguments);
    for (value, (ty, offset)) in arguments.enumerate() {
        fill(ty, value, &mut bytes[*offset as usize..]);
    }
    words
}

pub fn bytes_of(words: &mut [u64]) -> &mut [u8] {
    let size = words.len() * 8;
    // SAFETY: any u64 is 8 bytes.
    unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), size) }
}

/// A signature as C would declare it.
pub fn describe(signature: &Signature) -> String {
    let mut arguments: Vec<&str> = signature.arguments.iter().map(c_name).collect();
    if let Some(fixed) = signature.fixed {
        arguments.insert(fixed, "...");
    }
    format!("{} f({})", c_name(&signature.result), arguments.join(", "))
}

/// A callback that checks its arguments and gives the named result.
pub struct Checker<'s> {
    signature: &'s Signature,
    plan: &'s CallPlan,
    outcome: RefCell<Result<(), String>>,
}

impl<'s> Checker<'s> {
    pub fn new(signature: &'s Signature, plan: &'s CallPlan) -> Checker<'s> {
        Checker { signature, plan, outcome: RefCell::new(Ok(())) }
    }

    /// Gives `call` the callback's address; says what the callback got wrong, or that it was not called.
    pub fn during(
        &self,
        convention: &'static Convention,
        call: impl FnOnce(*const c_void),
    ) -> Result<(), String> {
        let body = code::callback_body(self.signature, convention).map_err(|e| e.to_string())?;
        let data = (&raw const *self).cast();
        let callback = code::Callback::new(convention, body, dispatch, data, keep)
            .map_err(|e| e.to_string())?;
        *self.outcome.borrow_mut() = Err("the callback was not called".into());
        call(callback.address());
        callback.release();
        self.outcome.replace(Ok(()))
    }

    fn enter(&self, frame: &mut [u8]) {
        let arguments = self.signature.arguments.iter().zip(&self.plan.frame.arguments);
        let wrong = arguments
            .enumerate()
            .find(|(value, (ty, offset))| !is_named(ty, *value, &frame[**offset as usize..]));
        *self.outcome.borrow_mut() = match wrong {
            None => Ok(()),
            Some((value, (ty, offset))) => Err(format!(
                "the callback got another argument {}: {:02x?}",
                value + 1,
                &frame[*offset as usize..][..ty.size as usize]
            )),
        };
        fill(&self.signature.result, RESULT, &mut frame[self.plan.frame.result as usize..]);
    }
}

unsafe extern "C" fn dispatch(slot: *const Slot, frame: *mut u8) {
    // SAFETY: `Checker::during` keeps the checker for as long as its callback is in use, and the body made the Frame.
    unsafe {
        let checker = &*(*slot).data.cast::<Checker>();
        let size = checker.plan.frame.size as usize;
        checker.enter(std::slice::from_raw_parts_mut(frame, size));
    }
}

/// The checker belongs to the test.
unsafe fn keep(_: *const c_void) {}

/// Calls `target` with arguments that name themselves, through our thunk, and checks the result.
///
/// # Safety
/// `target` is a function of this signature and convention.
pub unsafe fn call_named(
    signature: &Signature,
    convention: &'static Convention,
    target: *const c_void,
    rest: u8,
) -> Result<(), String> {
    let plan = abi::plan(signature, convention).map_err(|e| e.to_string())?;
    let thunk = code::frame_call(signature, convention).map_err(|e| e.to_string())?;
    let target = match plan.vector_count {
        Some(_) => code::announce_vectors(target).map_err(|e| e.to_string())?,
        None => target,
    };
    let mut frame = frame(signature, &plan, rest);
    // SAFETY: the caller's promise; the frame is of the plan's layout.
    unsafe { code::invoke(thunk, target, frame.as_mut_ptr().cast()) };
    let result = &bytes_of(&mut frame)[plan.frame.result as usize..];
    match is_named(&signature.result, RESULT, result) {
        true => Ok(()),
        false => Err(format!("the result is {:02x?}", &result[..8])),
    }
}

/// A signature, what is wrong with it, how to see it again, and its plan.
pub fn report(
    signature: &Signature,
    convention: &'static Convention,
    error: &str,
    replay: &str,
) -> String {
    let plan = match abi::plan(signature, convention) {
        Ok(plan) => abi::explain(&plan, &[]),
        Err(error) => error.to_string(),
    };
    format!("{}: {error}\n{replay}\n{plan}", describe(signature))
}
