//! The scalars, pointers and arrays inside the values of a type.

use rustc_hash::FxHashSet;

use super::{Name, QualType, RecordId, RecordKind, Table, Type};

impl Table {
    /// Whether values of a type contain pointers or references.
    pub fn holds_pointers(&self, ty: impl Into<QualType>) -> bool {
        self.holds(ty.into(), |ty| matches!(self.shape(ty), Type::Pointer(_) | Type::Reference(_)))
    }

    /// Whether a part of values of a type is `const`, so that they are not assigned to as a whole (C11 6.3.2.1p1).
    pub fn holds_const(&self, ty: impl Into<QualType>) -> bool {
        self.holds(ty.into(), |ty| self.resolve(ty).is_const())
    }

    /// Whether a type or a part of it is one of some.
    fn holds(&self, ty: QualType, is: impl Fn(QualType) -> bool) -> bool {
        let mut seen = FxHashSet::default();
        let mut left = vec![ty];
        while let Some(ty) = left.pop() {
            if is(ty) {
                return true;
            }
            match self.shape(ty) {
                Type::Array(element, _) | Type::Vector(element, _) => left.push(*element),
                Type::Record(record) if seen.insert(*record) => {
                    let body = self.record(*record).body.as_ref();
                    left.extend(body.iter().flat_map(|body| body.members.iter().map(|m| m.ty)));
                }
                _ => {}
            }
        }
        false
    }

    /// Whether a record is a union that contains pointers.
    pub fn is_pointer_union(&self, record: RecordId) -> bool {
        self.record(record).kind == RecordKind::Union
            && self.record(record).body.as_ref().is_some_and(|body| {
                body.members.iter().any(|member| self.holds_pointers(member.ty))
            })
    }

    /// Whether a name leads into a union that contains pointers: the record itself, or an anonymous one inside.
    pub fn is_in_pointer_union(&self, record: RecordId, name: Name) -> bool {
        let mut record = record;
        loop {
            if self.is_pointer_union(record) {
                return self.find_member(record, name).is_some();
            }
            let body = self.record(record).body.as_ref();
            let mut anonymous = body.iter().flat_map(|body| &body.members).filter_map(|member| {
                match (member.name, self.shape(member.ty)) {
                    (None, Type::Record(inner)) => Some(*inner),
                    _ => None,
                }
            });
            match anonymous.find(|inner| self.find_member(*inner, name).is_some()) {
                Some(inner) => record = inner,
                None => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctype::Declarations;
    use crate::target::Target;

    fn declared(text: &str) -> Declarations {
        let mut types =
            Declarations::new(&"x86_64-unknown-linux-gnu".parse::<Target>().expect("a target"));
        types.cdef(text.as_bytes(), &[]).expect("valid C");
        types
    }

    #[test]
    fn pointers_are_found_at_any_depth() {
        let mut types =
            declared("struct a { int x; struct { char *p; } in[2]; }; struct b { int x; };");
        for (text, holds) in [("struct a", true), ("struct b", false), ("int *[3]", true)] {
            let ty = types.parse_type(text.as_bytes(), &[]).expect("a type");
            assert_eq!(types.table().holds_pointers(ty), holds, "{text}");
        }
    }

    #[test]
    fn fifty_levels_of_doubling_are_looked_at_once() {
        let mut text = String::from("struct s0 { char c; };");
        for i in 1..56 {
            text += &format!("struct s{i} {{ struct s{} a, b; }};", i - 1);
        }
        let mut types = declared(&text);
        let ty = types.parse_type(b"struct s55", &[]).expect("a type");
        assert!(!types.table().holds_pointers(ty));
    }

    #[test]
    fn names_lead_into_anonymous_unions() {
        let mut types = declared(
            "struct s { int plain; union { int number; void *pointer; }; union { int a; float b; }; };",
        );
        let ty = types.parse_type(b"struct s", &[]).expect("a type");
        let table = types.table();
        let Type::Record(record) = table.shape(ty) else { panic!("a record") };
        for (name, inside) in [("plain", false), ("number", true), ("pointer", true), ("a", false)]
        {
            let name = table.find_name(name.as_bytes()).expect("a name");
            assert_eq!(table.is_in_pointer_union(*record, name), inside);
        }
    }
}
