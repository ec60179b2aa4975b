//! What the ABI tests share: seeded random C types and signatures, values that name themselves, and a callback that checks
//! them.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::cell::RefCell;
use std::ffi::c_void;
use std::fmt::Write;

use cthunk::Target;
use cthunk::abi::{self, CallPlan, Convention, Signature, Type};
use cthunk::code::{self, Slot};
use cthunk::ctype::{Declarations, FloatKind, QualType, RecordKind, Table, Type as CType};

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

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// The number of cases and the seed, from `CTHUNK_CASES` and `CTHUNK_SEED`.
pub fn cases(default: usize) -> (usize, u64) {
    let read = |name: &str| std::env::var(name).ok().and_then(|v| v.parse().ok());
    let cases = read("CTHUNK_CASES").map_or(default, |n: u64| n as usize);
    let seed = read("CTHUNK_SEED").unwrap_or(1);
    (cases, seed)
}

/// Every scalar type that a convention sees, as C spells it.
pub const SCALARS: &[&str] = &[
    "_Bool",
    "signed char",
    "unsigned char",
    "short",
    "unsigned short",
    "int",
    "unsigned int",
    "long long",
    "unsigned long long",
    "float",
    "double",
    "void *",
];

/// What System V carries besides: x87, vectors, complex numbers …
pub const EXOTIC: &[&str] = &[
    "long double",
    "float _Complex",
    "double _Complex",
    "long double _Complex",
    "__int128",
    "_Float16",
    "__float128",
    "vector8",
    "vector16",
];

/// The vectors of [`EXOTIC`].
const VECTORS: &str = "typedef float vector8 __attribute__((vector_size(8)));
typedef double vector16 __attribute__((vector_size(16)));
";

/// The scalars that survive the default argument promotions.
pub const PROMOTED: &[&str] = &["int", "unsigned long long", "double", "void *"];

/// A scalar inside a value, as the tests fill and check it.
#[derive(Clone, Debug)]
pub struct Part {
    pub offset: usize,
    pub size: usize,
    pub is_bool: bool,
}

/// A C type with its spelling.
#[derive(Clone, Debug)]
pub struct Spelled {
    pub c: String,
    pub ty: Type,
    /// Everything in it that is not padding; of a union, its largest member.
    pub parts: Vec<Part>,
}

/// C types by their spelling, and random structs and unions.
pub struct Types {
    declarations: Declarations,
    /// The structs and unions made so far, as C.
    pub text: String,
    scalars: Vec<&'static str>,
    made: Vec<String>,
    /// How many were made and are not used.
    large: usize,
}

impl Types {
    /// Types that are made of [`SCALARS`].
    pub fn new() -> Types {
        let mut declarations = Declarations::new(&Target::host());
        declarations.cdef(VECTORS.as_bytes(), &[]).unwrap();
        let scalars = SCALARS.to_vec();
        Types { declarations, text: VECTORS.into(), scalars, made: Vec::new(), large: 0 }
    }

    /// The same with [`EXOTIC`].
    pub fn exotic() -> Types {
        let mut types = Types::new();
        types.scalars.extend(EXOTIC);
        types
    }

    /// The type that C spells so.
    pub fn of(&mut self, c: &str) -> Spelled {
        let id = self.declarations.parse_type(c.as_bytes(), &[]).unwrap();
        let table = self.declarations.table();
        let mut parts = Vec::new();
        collect(table, id, 0, &mut parts);
        Spelled { c: c.into(), ty: Type::of(table, id).unwrap(), parts }
    }

    /// Declares so many random structs and unions.
    pub fn make(&mut self, random: &mut Random, count: usize) {
        for _ in 0..count {
            let keyword = random.pick(&["struct", "struct", "struct", "union"]);
            let name = format!("{keyword} t{}", self.made.len() + self.large);
            let mut text = format!("{name} {{");
            for member in 0..1 + random.below(5) {
                let ty = match random.below(4) {
                    0 if !self.made.is_empty() => self.made[random.below(self.made.len())].clone(),
                    // Runs of floats and of chars make the interesting classes.
                    1 => random.pick(&["float", "double", "float", "signed char"]).into(),
                    _ => random.pick(&self.scalars).into(),
                };
                let array = random.pick(&["", "", "", "", "[2]", "[3]"]);
                let _ = write!(text, " {ty} m{member}{array};");
            }
            let attribute = random.pick(&["", "", "", " __attribute__((packed))"]);
            let _ = writeln!(text, " }}{attribute};");
            self.declarations.cdef(text.as_bytes(), &[]).unwrap();
            self.text += &text;
            // Large ones are rare enough as they are, and slow to compile.
            if self.of(&name).parts.len() <= 24 {
                self.made.push(name);
            } else {
                self.large += 1;
            }
        }
    }

    /// A random argument or result type: a scalar, or one that [`Types::make`] made.
    pub fn any(&mut self, random: &mut Random) -> Spelled {
        let c = match self.made.len() {
            0 => random.pick(&self.scalars).to_owned(),
            _ if random.below(5) > 2 => random.pick(&self.scalars).to_owned(),
            made => self.made[random.below(made)].clone(),
        };
        self.of(&c)
    }

    /// A random signature of at most `most` arguments.
    pub fn signature(&mut self, random: &mut Random, most: usize) -> Prototype {
        let count = random.below(most + 1);
        let arguments = (0..count).map(|_| self.any(random)).collect();
        let result = if random.below(13) == 0 { self.of("void") } else { self.any(random) };
        Prototype { arguments, result, fixed: None }
    }

    /// A random signature that ends in variable arguments.
    pub fn variadic(&mut self, random: &mut Random, most: usize) -> Prototype {
        let mut prototype = self.signature(random, 5);
        // `va_start` wants a last parameter that the default promotions leave as it is.
        prototype.arguments.push(self.of("int"));
        prototype.fixed = Some(prototype.arguments.len());
        for _ in 0..random.below(most + 1) {
            let variable = match self.made.len() {
                0 => random.pick(PROMOTED).to_owned(),
                _ if random.below(3) > 0 => random.pick(PROMOTED).to_owned(),
                made => self.made[random.below(made)].clone(),
            };
            prototype.arguments.push(self.of(&variable));
        }
        prototype
    }

    /// The prototype with these types.
    pub fn prototype(
        &mut self,
        arguments: &[&str],
        result: &str,
        fixed: Option<usize>,
    ) -> Prototype {
        let arguments = arguments.iter().map(|c| self.of(c)).collect();
        Prototype { arguments, result: self.of(result), fixed }
    }
}

fn collect(table: &Table, ty: QualType, at: usize, parts: &mut Vec<Part>) {
    let size = |ty| table.layout_of(ty).unwrap().size as usize;
    let mut part = |offset, size, is_bool| parts.push(Part { offset, size, is_bool });
    match table.shape(ty) {
        CType::Void => {}
        CType::Array(element, _) => {
            let step = size(*element);
            (0..size(ty) / step).for_each(|i| collect(table, *element, at + i * step, parts));
        }
        CType::Record(record) => {
            let record = table.record(*record);
            let members = &record.body.as_ref().unwrap().members;
            let largest = members.iter().max_by_key(|member| size(member.ty));
            for member in members {
                let is_largest = largest.is_some_and(|l| l.name == member.name);
                if record.kind == RecordKind::Struct || is_largest {
                    collect(table, member.ty, at + member.offset as usize, parts);
                }
            }
        }
        CType::Bool => part(at, 1, true),
        // The bytes behind the ten of an x87 number are padding.
        CType::Float(FloatKind::F80) => part(at, 10, false),
        CType::Complex(FloatKind::F80) => {
            part(at, 10, false);
            part(at + size(ty) / 2, 10, false);
        }
        _ => part(at, size(ty), false),
    }
}

/// A function type to call.
#[derive(Clone, Debug)]
pub struct Prototype {
    pub arguments: Vec<Spelled>,
    pub result: Spelled,
    pub fixed: Option<usize>,
}

impl Prototype {
    pub fn signature(&self) -> Signature {
        Signature {
            arguments: self.arguments.iter().map(|argument| argument.ty.clone()).collect(),
            result: self.result.ty.clone(),
            fixed: self.fixed,
        }
    }

    /// As C would declare it.
    pub fn describe(&self) -> String {
        let mut arguments: Vec<&str> = self.arguments.iter().map(|ty| &*ty.c).collect();
        if let Some(fixed) = self.fixed {
            arguments.insert(fixed, "...");
        }
        format!("{} f({})", self.result.c, arguments.join(", "))
    }
}

/// The number of the result among the values; arguments count from 0.
pub const RESULT: usize = 13;

/// Byte `b` of value `v` is `0xVB`, V from 1 to F; a `_Bool` is the lowest bit of V.
fn byte(part: &Part, value: usize, index: usize) -> u8 {
    let v = (value % 15 + 1) as u8;
    match part.is_bool {
        true => v & 1,
        false => v << 4 | ((part.offset + index) & 15) as u8,
    }
}

/// Writes a value that names itself.
pub fn fill(ty: &Spelled, value: usize, to: &mut [u8]) {
    for part in &ty.parts {
        for index in 0..part.size {
            to[part.offset + index] = byte(part, value, index);
        }
    }
}

/// Whether the bytes are those of [`fill`].
pub fn is_named(ty: &Spelled, value: usize, bytes: &[u8]) -> bool {
    let named = |part: &Part| {
        (0..part.size).all(|index| bytes[part.offset + index] == byte(part, value, index))
    };
    ty.parts.iter().all(named)
}

/// A frame with every argument filled in and the rest 0x00 or 0xFF, to show what must not be read.
pub fn frame(prototype: &Prototype, plan: &CallPlan, rest: u8) -> Vec<u128> {
    let words = (plan.frame.size as usize).div_ceil(16);
    let mut words = vec![u128::from_ne_bytes([rest; 16]); words];
    let bytes = bytes_of(&mut words);
    let arguments = prototype.arguments.iter().zip(&plan.frame.arguments);
    for (value, (ty, offset)) in arguments.enumerate() {
        fill(ty, value, &mut bytes[*offset as usize..]);
    }
    words
}

pub fn bytes_of(words: &mut [u128]) -> &mut [u8] {
    let size = size_of_val(words);
    // SAFETY: any u128 is 16 bytes.
    unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), size) }
}

/// A callback that checks its arguments and gives the named result.
pub struct Checker<'s> {
    prototype: &'s Prototype,
    plan: &'s CallPlan,
    outcome: RefCell<Result<(), String>>,
}

impl<'s> Checker<'s> {
    pub fn new(prototype: &'s Prototype, plan: &'s CallPlan) -> Checker<'s> {
        Checker { prototype, plan, outcome: RefCell::new(Ok(())) }
    }

    /// Gives `call` the callback's address; says what the callback got wrong, or that it was not called.
    pub fn during(
        &self,
        convention: &'static Convention,
        call: impl FnOnce(*const c_void),
    ) -> Result<(), String> {
        let signature = self.prototype.signature();
        let body = code::callback_body(&signature, convention).map_err(|e| e.to_string())?;
        let data = (&raw const *self).cast();
        let callback = code::Callback::new(convention, body, dispatch, data, keep)
            .map_err(|e| e.to_string())?;
        *self.outcome.borrow_mut() = Err("the callback was not called".into());
        call(callback.address());
        callback.release();
        self.outcome.replace(Ok(()))
    }

    fn enter(&self, frame: &mut [u8]) {
        let arguments = self.prototype.arguments.iter().zip(&self.plan.frame.arguments);
        let wrong = arguments
            .enumerate()
            .find(|(value, (ty, offset))| !is_named(ty, *value, &frame[**offset as usize..]));
        *self.outcome.borrow_mut() = match wrong {
            None => Ok(()),
            Some((value, (ty, offset))) => Err(format!(
                "the callback got another argument {}: {:02x?}",
                value + 1,
                &frame[*offset as usize..][..ty.ty.size as usize]
            )),
        };
        fill(&self.prototype.result, RESULT, &mut frame[self.plan.frame.result as usize..]);
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
/// `target` is a function of this type and convention.
pub unsafe fn call_named(
    prototype: &Prototype,
    convention: &'static Convention,
    target: *const c_void,
    rest: u8,
) -> Result<(), String> {
    let signature = prototype.signature();
    let plan = abi::plan(&signature, convention).map_err(|e| e.to_string())?;
    abi::check(&signature, &plan)?;
    let thunk = code::frame_call(&signature, convention).map_err(|e| e.to_string())?;
    let target = match plan.vector_count {
        Some(_) => code::announce_vectors(target).map_err(|e| e.to_string())?,
        None => target,
    };
    let mut frame = frame(prototype, &plan, rest);
    // SAFETY: the caller's promise; the frame is of the plan's layout.
    unsafe { code::invoke(thunk, target, frame.as_mut_ptr().cast()) };
    let result = &bytes_of(&mut frame)[plan.frame.result as usize..];
    match is_named(&prototype.result, RESULT, result) {
        true => Ok(()),
        false => {
            let size = prototype.result.ty.size as usize;
            Err(format!("the result is {:02x?}", &result[..size]))
        }
    }
}

/// A prototype, what is wrong with it, how to see it again, and its plan.
pub fn report(
    prototype: &Prototype,
    convention: &'static Convention,
    error: &str,
    replay: &str,
) -> String {
    let plan = match abi::plan(&prototype.signature(), convention) {
        Ok(plan) => abi::explain(&plan, &[]),
        Err(error) => error.to_string(),
    };
    format!("{}: {error}\n{replay}\n{plan}", prototype.describe())
}
