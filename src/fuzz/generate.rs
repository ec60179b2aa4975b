//! Random functions: first the types, then signatures that use them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::known::{self, Seen};
use super::platform::Platform;
use super::random::Random;
use super::scalar::{FLOATING, INT, NUMBERS, PLAIN, SCALARS, Scalar};
use super::shape::{self, Case, Member, Record, Shape};
use crate::abi::{self, Signature, Type};
use crate::code::has_wide_registers;
use crate::ctype::Declarations;

/// The refusals of a convention, by reason, and their numbers: a campaign did not test these functions.
pub type Refused = BTreeMap<String, usize>;

/// Records that a batch draws from.
const RECORDS: usize = 40;

/// The most scalars of a record.
const MOST_SCALARS: usize = 80;

/// Attempts to find a signature that the convention carries.
const ATTEMPTS: usize = 50;

/// Functions with a type, or of a kind, that compilers disagree on: one in so many each.
const DISPUTED: usize = 120;

/// Random functions that a convention carries.
pub struct Generator {
    platform: &'static Platform,
    random: Random,
    scalars: Vec<Typed>,
    records: Vec<Typed>,
    /// Scalars and records that compilers disagree on.
    disputed: Vec<Typed>,
    refused: Refused,
}

/// The types that a list of arguments uses.
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
    /// Whether compilers disagree on it.
    disputed: bool,
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
            disputed: Vec::new(),
            refused: Refused::new(),
        };
        let processor = platform.convention.architecture;
        let available = |s: &&&Scalar| s.on.is_empty() || s.on.contains(&processor);
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
        let records = generator.carried(&made);
        let (disputed, records): (Vec<_>, _) =
            records.into_iter().partition(|typed| typed.disputed);
        let scalars = generator.scalars.iter().filter(|typed| typed.disputed).cloned();
        generator.disputed = scalars.chain(disputed).collect();
        generator.records = records;
        generator
    }

    /// The refusals so far.
    pub fn refused(&self) -> &Refused {
        &self.refused
    }

    /// The next function; a quarter of all functions are variadic. Few have types on which compilers disagree, and each of these at most one.
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
                Ok(plan)
                    if known::is_disputed_function(convention, &signature, &plan)
                        && !self.random.one_in(DISPUTED) => {}
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

    /// The types of `shapes` that the convention carries as an argument and as a result.
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
            let seen = Seen::new(declarations.table(), id, &ty);
            let disputed = known::is_disputed(self.platform.convention, &seen);
            // Behind an integer, which is what `thiscall` begins with.
            let arguments = [Type::int(4, true), ty.clone()].into();
            let signature = Signature { arguments, result: ty.clone(), fixed: None };
            match abi::plan(&signature, self.platform.convention) {
                Ok(plan) if plan.is_wide() && !has_wide_registers() => {
                    self.refuse("a vector of 32 bytes: this processor has no AVX".into());
                }
                Ok(_) => carried.push(Typed { shape: shape.clone(), ty, disputed }),
                Err(reason) => self.refuse(match shape {
                    Shape::Scalar(scalar) => format!("{}: {}", scalar.c, reason.what),
                    Shape::Record(_) => reason.what,
                }),
            }
        }
        carried
    }

    /// Argument types and a result type. Long lists have plain types, which fill the registers; some of the lists have floating-point numbers
    /// alone.
    fn draw(&mut self, fixed: Option<usize>) -> (Vec<Typed>, Option<Typed>) {
        let kind = match self.random.below(12) {
            0 => Draw::Numbers,
            1 | 2 => Draw::Plain,
            _ => Draw::Any,
        };
        let count = self.random.below(if kind == Draw::Any { 9 } else { 21 });
        let mut result = match self.random.below(13) {
            0 => None,
            _ => Some(self.any(kind)),
        };
        let mut arguments = match fixed {
            None => (0..count).map(|_| self.any(kind)).collect(),
            Some(fixed) => {
                let mut arguments: Vec<Typed> = (1..fixed).map(|_| self.any(kind)).collect();
                // `va_start` wants a last parameter that the default promotions leave as it is.
                arguments.push(self.scalars[0].clone());
                arguments.extend((0..count).map(|_| self.promoted(kind)));
                arguments
            }
        };
        if !self.disputed.is_empty() && self.random.one_in(DISPUTED) {
            let disputed = self.random.pick(&self.disputed).clone();
            let named = fixed.unwrap_or(arguments.len());
            match self.random.below(named + 1) {
                // The last named parameter of a variadic function stays.
                at if at + usize::from(fixed.is_some()) < named => arguments[at] = disputed,
                _ => result = Some(disputed),
            }
        }
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
        if !self.records.is_empty() && self.random.below(5) >= 2 {
            return self.random.pick(&self.records).clone();
        }
        loop {
            let scalar = self.random.pick(&self.scalars);
            if !scalar.disputed {
                return scalar.clone();
            }
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
        if self.random.one_in(10) {
            return self.nothing(made);
        }
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
        // A type without scalars may have an alignment larger than its size (Microsoft's layout): C then has no arrays of it.
        let array = array.filter(|_| shape.scalars() > 0);
        let attribute = match self.random.below(20) {
            0 => " __attribute__((packed))",
            1 => " __attribute__((aligned(16)))",
            _ => "",
        };
        Member { array, attribute, ..Member::plain(shape) }
    }

    /// A member without a value: an unnamed bit-field, an array of no elements, or an empty record.
    fn nothing(&mut self, made: &[Shape]) -> Member {
        let attribute = *self.random.pick(&[
            "",
            "",
            "",
            "",
            " __attribute__((packed))",
            " __attribute__((aligned(8)))",
        ]);
        match self.random.below(6) {
            0..3 => {
                let shape =
                    self.scalar(&["int", "int", "signed char", "short", "long", "long long"]);
                let most = if let Shape::Scalar(scalar) = shape { scalar.bits } else { 0 };
                let bits = match self.random.below(3) {
                    0 => 0,
                    1 => 1 + self.random.below(most),
                    _ => most,
                };
                Member { bits: Some(bits), unnamed: true, ..Member::plain(shape) }
            }
            3 | 4 => {
                let shape = match made.is_empty() || self.random.one_in(2) {
                    true => self.random.pick(&self.scalars).shape.clone(),
                    false => self.random.pick(made).clone(),
                };
                Member { array: Some(0), attribute, ..Member::plain(shape) }
            }
            _ => {
                let keyword = *self.random.pick(&["struct", "union"]);
                let aligned = *self.random.pick(&["", "", " __attribute__((aligned(4)))"]);
                let array = *self.random.pick(&[None, None, Some(2)]);
                Member { array, attribute, ..Member::plain(record(keyword, Vec::new(), aligned)) }
            }
        }
    }

    /// One floating type several times, perhaps in structs of its own: what AAPCS64 and others carry in vector registers.
    fn homogeneous(&mut self) -> Shape {
        let element = self.scalar(FLOATING);
        let count = 1 + self.random.below(5);
        let mut members = match self.random.below(3) {
            0 => vec![Member { array: Some(count), ..Member::plain(element) }],
            1 => {
                let inner = record("struct", vec![Member::plain(element.clone())], "");
                (0..count).map(|i| Member::plain([&element, &inner][i % 2].clone())).collect()
            }
            _ => vec![Member::plain(element); count],
        };
        if self.random.one_in(8) {
            let nothing = self.nothing(&[]);
            members.insert(self.random.below(members.len() + 1), nothing);
        }
        let keyword = *self.random.pick(&["struct", "struct", "union"]);
        record(keyword, members, "")
    }

    /// One of these scalars at random; `int` if the platform does not have it.
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
