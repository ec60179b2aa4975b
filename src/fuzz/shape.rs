//! C types and functions as data: built, shrunk and printed by the fuzzer.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use super::scalar::{self, Scalar};

/// A C type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A scalar.
    Scalar(&'static Scalar),
    /// A struct or union.
    Record(Arc<Record>),
}

/// A struct or union.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// `struct` or `union`
    pub keyword: &'static str,
    /// Its members.
    pub members: Vec<Member>,
    /// The text after the closing brace.
    pub attribute: &'static str,
}

/// A member of a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// Its type, or that of its elements.
    pub shape: Shape,
    /// `[n]`
    pub array: Option<usize>,
    /// The width of a bit-field; one of 0 is unnamed.
    pub bits: Option<usize>,
    /// Whether it is a bit-field without a name.
    pub unnamed: bool,
    /// The text after the declarator.
    pub attribute: &'static str,
}

/// A function to call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Case {
    /// The arguments, those for `...` included.
    pub arguments: Vec<Shape>,
    /// The result; `None` is `void`.
    pub result: Option<Shape>,
    /// For a variadic function the number of its named parameters.
    pub fixed: Option<usize>,
}

impl Member {
    /// A member with nothing but a type.
    pub fn plain(shape: Shape) -> Member {
        Member { shape, array: None, bits: None, unnamed: false, attribute: "" }
    }
}

impl Shape {
    /// The scalars that a value of this type holds, elements of arrays included.
    pub fn scalars(&self) -> usize {
        match self {
            Shape::Scalar(_) => 1,
            Shape::Record(record) => {
                let one = |m: &Member| m.shape.scalars() * m.array.unwrap_or(1);
                record.members.iter().map(one).sum()
            }
        }
    }

    /// Whether the scalar is inside a record.
    pub fn holds(&self, scalar: &str) -> bool {
        match self {
            Shape::Scalar(_) => false,
            Shape::Record(record) => record.members.iter().any(|member| match member.shape {
                Shape::Scalar(inner) => inner.c == scalar,
                Shape::Record(_) => member.shape.holds(scalar),
            }),
        }
    }
}

/// A header that declares these functions as `f0`, `f1` …, and the variable arguments of `f7` as the parameters of
/// `f7_variable`. [`Batch::parse`](super::Batch::parse) and C compilers read it.
pub fn header(cases: &[Case]) -> String {
    let mut printer = Printer { text: scalar::PRELUDE.into(), tags: HashMap::new() };
    for (i, case) in cases.iter().enumerate() {
        printer.case(i, case);
    }
    printer.text
}

/// The declarations of these types, each under its tag, for a table that they are looked up in.
pub(super) fn declarations(shapes: &[Shape]) -> (String, Vec<String>) {
    let mut printer = Printer { text: scalar::PRELUDE.into(), tags: HashMap::new() };
    let names = shapes.iter().map(|shape| printer.shape(shape)).collect();
    (printer.text, names)
}

struct Printer {
    text: String,
    tags: HashMap<Arc<Record>, usize>,
}

impl Printer {
    /// The type's name, declared before it is used.
    fn shape(&mut self, shape: &Shape) -> String {
        match shape {
            Shape::Scalar(scalar) => scalar.c.into(),
            Shape::Record(record) => {
                let number = self.record(record);
                format!("{} t{number}", record.keyword)
            }
        }
    }

    fn record(&mut self, record: &Arc<Record>) -> usize {
        if let Some(&number) = self.tags.get(record) {
            return number;
        }
        let mut body = String::new();
        for (i, member) in record.members.iter().enumerate() {
            let ty = self.shape(&member.shape);
            let name = match (member.bits, member.array) {
                (Some(bits), _) if bits == 0 || member.unnamed => format!(" : {bits}"),
                (Some(bits), _) => format!(" m{i} : {bits}"),
                (None, Some(count)) => format!(" m{i}[{count}]"),
                (None, None) => format!(" m{i}"),
            };
            let _ = write!(body, " {ty}{name}{};", member.attribute);
        }
        let number = self.tags.len();
        let _ =
            writeln!(self.text, "{} t{number} {{{body} }}{};", record.keyword, record.attribute);
        self.tags.insert(record.clone(), number);
        number
    }

    fn case(&mut self, i: usize, case: &Case) {
        let names: Vec<String> = case.arguments.iter().map(|shape| self.shape(shape)).collect();
        let result = case.result.as_ref().map_or("void".into(), |shape| self.shape(shape));
        let (fixed, variable) = names.split_at(case.fixed.unwrap_or(names.len()));
        let mut list = fixed.join(", ");
        if case.fixed.is_some() {
            list += ", ...";
        } else if list.is_empty() {
            list = "void".into();
        }
        let _ = writeln!(self.text, "{result} f{i}({list});");
        if !variable.is_empty() {
            let _ = writeln!(self.text, "void f{i}_variable({});", variable.join(", "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scalar::{DOUBLE, INT};
    use super::*;

    #[test]
    fn a_header_declares_types_once_and_functions_in_order() {
        let pair = Shape::Record(Arc::new(Record {
            keyword: "struct",
            members: vec![
                Member { bits: Some(3), ..Member::plain(Shape::Scalar(&INT)) },
                Member { array: Some(2), ..Member::plain(Shape::Scalar(&DOUBLE)) },
            ],
            attribute: " __attribute__((packed))",
        }));
        let cases = [
            Case { arguments: vec![pair.clone(), pair.clone()], result: None, fixed: None },
            Case {
                arguments: vec![Shape::Scalar(&INT), pair.clone()],
                result: Some(pair),
                fixed: Some(1),
            },
        ];
        let expected = "struct t0 { int m0 : 3; double m1[2]; } __attribute__((packed));
void f0(struct t0, struct t0);
struct t0 f1(int, ...);
void f1_variable(struct t0);
";
        assert_eq!(header(&cases).strip_prefix(scalar::PRELUDE), Some(expected));
        assert_eq!(cases[0].arguments[0].scalars(), 3);
    }
}
