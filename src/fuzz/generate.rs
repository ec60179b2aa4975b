//! Random functions: the types first, then signatures that draw from them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::platform::Platform;
use super::random::Random;
use super::scalar::{FLOATING, INT, NUMBERS, PLAIN, SCALARS, Scalar};
use super::shape::{self, Case, Member, Record, Shape};
use crate::abi::{self, Signature, Type};
use crate::code::has_wide_registers;
use crate::ctype::Declarations;

/// What a convention refused to carry, by its reason, and how often: what a campaign did not test.
pub type Refused = BTreeMap<String, usize>;

/// Records that a batch draws from.
const RECORDS: usize = 40;

/// The most scalars of a record.
const MOST_SCALARS: usize = 80;

/// Attempts to find a signature that the convention carries.
const ATTEMPTS: usize = 50;

/// Random functions that a convention carries.
pub struct Generator {
    platform: &'static Platform,
    random: Random,
    scalars: Vec<Typed>,
    records: Vec<Typed>,
    refused: Refused,
}

/// What a list of arguments is drawn from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Draw {
    /// All types.
    Any,
    /// [`PLAIN`] scalars.
    Plain,
    /// `double` and `float`.
    Numbers,
}

/// A type and what the convention sees of it.
#[derive(Clone)]
struct Typed {
    shape: Shape,
    ty: Type,
}

impl Generator {
    /// The functions of a seed; every generator makes types of its own.
    pub fn new(platform: &'static Platform, seed: u64) -> Generator {
        Generator::of(platform, Random::new(seed), RECORDS)
    }

    /// The functions of a sequence of choices, with so many records to use.
    pub fn of(platform: &'static Platform, random: Random, records: usize) -> Generator {
        let mut generator = Generator {
            platform,
            random,
            scalars: Vec::new(),
            records: Vec::new(),
            refused: Refused::new(),
        };
        let name = platform.convention.name;
        let available = |s: &&&Scalar| {
            !s.except.contains(&name) && (s.only.is_empty() || s.only.contains(&name))
        };
        let scalars: Vec<Shape> =
            SCALARS.iter().filter(available).map(|&s| Shape::Scalar(s)).collect();
        generator.scalars = generator.carried(&scalars);
        let mut made = Vec::new();
        for _ in 0..records {
            let record = generator.record(&made);
            if record.scalars() <= MOST_SCALARS {
                made.push(record);
            }
        }
        generator.records = generator.carried(&made);
        generator
    }

    /// What was refused so far.
    pub fn refused(&self) -> &Refused {
        &self.refused
    }

    /// The next function: a quarter of them are variadic.
    pub fn case(&mut self) -> Case {
        for _ in 0..ATTEMPTS {
            let variadic = self.platform.convention_of(true);
            let fixed = match self.random.one_in(4) && variadic.is_some() {
                true => Some(1 + self.random.below(4)),
                false => None,
            };
            let convention =
                variadic.filter(|_| fixed.is_some()).unwrap_or(self.platform.convention);
            let (arguments, result) = self.draw(fixed);
            let signature = Signature {
                arguments: arguments.iter().map(|typed| typed.ty.clone()).collect(),
                result: result.as_ref().map_or(Type::VOID, |typed| typed.ty.clone()),
                fixed,
            };
            match abi::plan(&signature, convention) {
                Ok(_) => {
                    let arguments = arguments.into_iter().map(|typed| typed.shape).collect();
                    return Case { arguments, result: result.map(|typed| typed.shape), fixed };
                }
                Err(reason) => self.refuse(reason.what),
            }
        }
        Case { arguments: Vec::new(), result: None, fixed: None }
    }

    fn refuse(&mut self, reason: String) {
        *self.refused.entry(reason).or_default() += 1;
    }

    /// Those of the types that can be an argument and a result.
    fn carried(&mut self, shapes: &[Shape]) -> Vec<Typed> {
        let (text, names) = shape::declarations(shapes);
        let mut declarations = Declarations::new(&self.platform.target());
        declarations.cdef(text.as_bytes(), &[]).expect("generated types are C");
        let mut carried = Vec::new();
        for (shape, name) in shapes.iter().zip(names) {
            let Ok(id) = declarations.parse_type(name.as_bytes(), &[]) else {
                self.refuse(format!("{name}: no type of this platform"));
                continue;
            };
            let ty = Type::of(declarations.table(), id).expect("generated types are complete");
            // Behind an integer, which is what `thiscall` begins with.
            let arguments = [Type::int(4, true), ty.clone()].into();
            let signature = Signature { arguments, result: ty.clone(), fixed: None };
            match abi::plan(&signature, self.platform.convention) {
                Ok(plan) if plan.is_wide() && !has_wide_registers() => {
                    self.refuse("a vector of 32 bytes: this processor has no AVX".into());
                }
                Ok(_) => carried.push(Typed { shape: shape.clone(), ty }),
                Err(reason) => self.refuse(match shape {
                    Shape::Scalar(scalar) => format!("{}: {}", scalar.c, reason.what),
                    Shape::Record(_) => reason.what,
                }),
            }
        }
        carried
    }

    /// Argument types and a result type; long lists are of plain types, which are what fills registers, some of them of
    /// floating-point numbers alone.
    fn draw(&mut self, fixed: Option<usize>) -> (Vec<Typed>, Option<Typed>) {
        let kind = match self.random.below(12) {
            0 => Draw::Numbers,
            1 | 2 => Draw::Plain,
            _ => Draw::Any,
        };
        let count = self.random.below(if kind == Draw::Any { 9 } else { 21 });
        let result = match self.random.below(13) {
            0 => None,
            _ => Some(self.any(kind)),
        };
        let arguments = match fixed {
            None => (0..count).map(|_| self.any(kind)).collect(),
            Some(fixed) => {
                let mut arguments: Vec<Typed> = (1..fixed).map(|_| self.any(kind)).collect();
                // `va_start` wants a last parameter that the default promotions leave as it is.
                arguments.push(self.scalars[0].clone());
                arguments.extend((0..count).map(|_| self.promoted(kind)));
                arguments
            }
        };
        (arguments, result)
    }

    /// An argument or result type.
    fn any(&mut self, kind: Draw) -> Typed {
        let of = match kind {
            Draw::Any => None,
            Draw::Plain => Some(0..PLAIN.min(self.scalars.len())),
            Draw::Numbers => Some(NUMBERS),
        };
        if let Some(range) = of {
            return self.random.pick(&self.scalars[range]).clone();
        }
        match self.records.is_empty() || self.random.below(5) < 2 {
            true => self.random.pick(&self.scalars).clone(),
            false => self.random.pick(&self.records).clone(),
        }
    }

    /// A type for `...`. On `va_arg` of some records with 32-byte vectors GCC 12 ends with a segmentation fault.
    fn promoted(&mut self, kind: Draw) -> Typed {
        loop {
            let typed = self.any(kind);
            match &typed.shape {
                Shape::Scalar(scalar) if !scalar.promoted => {}
                record if record.holds("vector32") => {}
                _ => return typed,
            }
        }
    }

    /// A struct or union that may hold some of `made`.
    fn record(&mut self, made: &[Shape]) -> Shape {
        if self.random.one_in(4) {
            return self.homogeneous();
        }
        if self.random.one_in(40) {
            return record("struct", Vec::new(), "");
        }
        let count = 1 + self.random.below(5);
        let members = (0..count).map(|_| self.member(made)).collect();
        let keyword = *self.random.pick(&["struct", "struct", "struct", "union"]);
        let attribute = *self.random.pick(&[
            "",
            "",
            "",
            "",
            "",
            "",
            " __attribute__((packed))",
            " __attribute__((packed, aligned(4)))",
            " __attribute__((aligned(16)))",
            " __attribute__((aligned(32)))",
        ]);
        record(keyword, members, attribute)
    }

    fn member(&mut self, made: &[Shape]) -> Member {
        let shape = match self.random.below(4) {
            0 if !made.is_empty() => self.random.pick(made).clone(),
            // Runs of floats and of chars make the interesting classes.
            1 => self.scalar(&["float", "double", "float", "signed char"]),
            _ => self.random.pick(&self.scalars).shape.clone(),
        };
        if let Shape::Scalar(scalar) = shape
            && scalar.bits > 0
            && self.random.one_in(4)
        {
            let least = usize::from(!self.random.one_in(8));
            let bits = least + self.random.below(scalar.bits + 1 - least);
            return Member { bits: Some(bits), ..Member::plain(shape) };
        }
        let array = match self.random.below(8) {
            0 => Some(2),
            1 => Some(3),
            2 if self.random.one_in(4) => Some(1 + self.random.below(24)),
            _ => None,
        };
        let attribute = match self.random.below(20) {
            0 => " __attribute__((packed))",
            1 => " __attribute__((aligned(16)))",
            _ => "",
        };
        Member { array, attribute, ..Member::plain(shape) }
    }

    /// One floating type several times, perhaps in structs of its own: what AAPCS64 and others carry in vector registers.
    fn homogeneous(&mut self) -> Shape {
        let element = self.scalar(FLOATING);
        let count = 1 + self.random.below(5);
        let members = match self.random.below(3) {
            0 => vec![Member { array: Some(count), ..Member::plain(element) }],
            1 => {
                let inner = record("struct", vec![Member::plain(element.clone())], "");
                (0..count).map(|i| Member::plain([&element, &inner][i % 2].clone())).collect()
            }
            _ => vec![Member::plain(element); count],
        };
        let keyword = *self.random.pick(&["struct", "struct", "union"]);
        record(keyword, members, "")
    }

    /// One of these scalars, or `int` where the platform has none of those drawn.
    fn scalar(&mut self, names: &[&str]) -> Shape {
        let name = *self.random.pick(names);
        let found = self.scalars.iter().find(|typed| match typed.shape {
            Shape::Scalar(scalar) => scalar.c == name,
            Shape::Record(_) => false,
        });
        found.map_or(Shape::Scalar(&INT), |typed| typed.shape.clone())
    }
}

fn record(keyword: &'static str, members: Vec<Member>, attribute: &'static str) -> Shape {
    Shape::Record(Arc::new(Record { keyword, members, attribute }))
}
