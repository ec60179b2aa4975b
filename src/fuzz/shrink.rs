//! Smaller functions that may still fail as the original does.

use std::sync::Arc;

use super::scalar::{DOUBLE, INT};
use super::shape::{Case, Member, Record, Shape};

/// The size of a function for its reader. Every candidate costs less than the function that it was made of.
pub fn cost(case: &Case) -> usize {
    let arguments: usize = case.arguments.iter().map(|shape| 2 + shape_cost(shape)).sum();
    let result = case.result.as_ref().map_or(0, |shape| 2 + shape_cost(shape));
    arguments + result + usize::from(case.fixed.is_some())
}

fn shape_cost(shape: &Shape) -> usize {
    match shape {
        Shape::Scalar(scalar) if *scalar == &INT => 1,
        Shape::Scalar(scalar) if *scalar == &DOUBLE => 2,
        Shape::Scalar(_) => 3,
        Shape::Record(record) => {
            let member = |m: &Member| {
                let array = m.array.map_or(0, |count| 1 + count);
                let bits = m.bits.map_or(0, |bits| 1 + bits);
                let odd = usize::from(!m.attribute.is_empty()) + usize::from(m.unnamed);
                2 + shape_cost(&m.shape) + array + bits + odd
            };
            4 + record.members.iter().map(member).sum::<usize>()
                + usize::from(!record.attribute.is_empty())
                + usize::from(record.keyword == "union")
        }
    }
}

/// Everything that is one step smaller, cheapest first.
pub fn candidates(case: &Case) -> Vec<Case> {
    let mut smaller = Vec::new();
    for i in 0..case.arguments.len() {
        // A variadic function keeps its last named parameter.
        if case.fixed == Some(i + 1) {
            continue;
        }
        let mut without = case.clone();
        without.arguments.remove(i);
        without.fixed = case.fixed.map(|fixed| fixed - usize::from(i < fixed));
        smaller.push(without);
        for shape in shapes(&case.arguments[i]) {
            let is_variable = case.fixed.is_some_and(|fixed| i >= fixed);
            if is_variable && matches!(shape, Shape::Scalar(scalar) if !scalar.promoted) {
                continue;
            }
            let mut simpler = case.clone();
            simpler.arguments[i] = shape;
            smaller.push(simpler);
        }
    }
    if case.fixed == Some(case.arguments.len()) {
        smaller.push(Case { fixed: None, ..case.clone() });
    }
    if let Some(result) = &case.result {
        smaller.push(Case { result: None, ..case.clone() });
        smaller.extend(
            shapes(result).into_iter().map(|shape| Case { result: Some(shape), ..case.clone() }),
        );
    }
    let before = cost(case);
    smaller.retain(|candidate| cost(candidate) < before);
    smaller.sort_by_key(cost);
    smaller
}

/// Simpler types in place of a type.
fn shapes(shape: &Shape) -> Vec<Shape> {
    let mut simpler = vec![Shape::Scalar(&INT), Shape::Scalar(&DOUBLE)];
    if let Shape::Record(record) = shape {
        simpler.extend(record.members.iter().map(|member| member.shape.clone()));
        simpler.extend(records(record).into_iter().map(|r| Shape::Record(Arc::new(r))));
    }
    simpler
}

fn records(record: &Record) -> Vec<Record> {
    let mut simpler = vec![
        Record { attribute: "", ..record.clone() },
        Record { keyword: "struct", ..record.clone() },
    ];
    for (i, member) in record.members.iter().enumerate() {
        let mut without = record.clone();
        without.members.remove(i);
        simpler.push(without);
        let mut with = |member: Member| {
            let mut record = record.clone();
            record.members[i] = member;
            simpler.push(record);
        };
        with(Member { array: None, ..member.clone() });
        with(Member { array: member.array.map(|count| count / 2 + 1), ..member.clone() });
        with(Member { bits: None, unnamed: false, ..member.clone() });
        with(Member { unnamed: false, ..member.clone() });
        with(Member { bits: member.bits.map(|bits| bits.div_ceil(2)), ..member.clone() });
        with(Member { attribute: "", ..member.clone() });
        for shape in shapes(&member.shape) {
            // Of other types than integers there are no bit-fields.
            let integer = matches!(&shape, Shape::Scalar(scalar) if scalar.bits > 0);
            let bits = member.bits.filter(|_| integer);
            with(Member { shape, bits, unnamed: member.unnamed && integer, ..member.clone() });
        }
    }
    simpler
}

#[cfg(test)]
mod tests {
    use super::super::scalar::SCALARS;
    use super::*;

    /// The smallest function that a predicate holds for, as a campaign looks for it.
    fn shrink(mut case: Case, shows: impl Fn(&Case) -> bool) -> Case {
        while let Some(smaller) = candidates(&case).into_iter().find(&shows) {
            case = smaller;
        }
        case
    }

    #[test]
    fn only_what_matters_is_left() {
        let float = Shape::Scalar(SCALARS[2]);
        let members = vec![
            Member { array: Some(3), ..Member::plain(float.clone()) },
            Member { bits: Some(5), ..Member::plain(Shape::Scalar(&INT)) },
        ];
        let record = Shape::Record(Arc::new(Record { keyword: "union", members, attribute: "" }));
        let case = Case {
            arguments: vec![record.clone(), float.clone(), Shape::Scalar(&DOUBLE)],
            result: Some(record),
            fixed: Some(2),
        };
        let has_float = |case: &Case| {
            let inside = |shape: &Shape| match shape {
                Shape::Record(record) => record.members.iter().any(|m| m.shape == float),
                Shape::Scalar(_) => false,
            };
            case.arguments.iter().any(inside)
        };
        let smallest = shrink(case.clone(), has_float);
        let member = Member::plain(float.clone());
        let record = Record { keyword: "struct", members: vec![member], attribute: "" };
        assert_eq!(smallest.arguments[0], Shape::Record(Arc::new(record)));
        assert_eq!(smallest.result, None);
        assert!(shrink(case, |_| true).arguments.len() <= 1);
    }
}
