//! The scalars, pointers and arrays inside the values of a type.

use rustc_hash::FxHashSet;

use super::{ArrayLen, Name, QualType, RecordId, RecordKind, Table, Type, TypeId};

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

    /// The function types that occur in some types and in the members of some records, at any depth.
    pub fn functions_in(
        &self,
        mut left: Vec<QualType>,
        records: impl Iterator<Item = RecordId>,
    ) -> Vec<TypeId> {
        let members = |record: RecordId| {
            let body = self.record(record).body.as_ref();
            body.iter().flat_map(|body| body.members.iter().map(|m| m.ty)).collect::<Vec<_>>()
        };
        let mut seen = FxHashSet::default();
        let mut found = Vec::new();
        left.extend(records.flat_map(members));
        while let Some(ty) = left.pop() {
            let ty = self.resolve(ty);
            if !seen.insert(ty.id()) {
                continue;
            }
            match self.get(ty.id()) {
                Type::Pointer(to) | Type::Reference(to) => left.push(*to),
                Type::Array(element, _) | Type::Vector(element, _) => left.push(*element),
                Type::Record(record) => left.extend(members(*record)),
                Type::Function(function) => {
                    found.push(ty.id());
                    left.push(function.result);
                    left.extend(&function.params);
                }
                _ => {}
            }
        }
        found
    }

    /// Whether some of the bytes from `start` to `end` of a value of a type hold a pointer or reference; all bytes of a union with a
    /// pointer do.
    pub fn holds_pointers_within(&self, ty: QualType, start: u64, end: u64) -> bool {
        if start >= end || !self.holds_pointers(ty) {
            return false;
        }
        let size = |ty: QualType| self.layout(ty.id()).map_or(0, |layout| layout.size);
        match self.shape(ty) {
            Type::Array(element, _) => {
                let step = size(*element).max(1);
                let (first, last) = (start / step, (end - 1) / step);
                // An element in the middle is there as a whole.
                last - first > 1
                    || (first..=last).any(|i| {
                        let (start, end) = (start.max(i * step), end.min((i + 1) * step));
                        self.holds_pointers_within(*element, start - i * step, end - i * step)
                    })
            }
            Type::Record(record) if !self.is_pointer_union(*record) => {
                let body = self.record(*record).body.as_ref();
                body.iter().flat_map(|body| &body.members).any(|member| {
                    let from = start.max(member.offset);
                    let to = match self.layout(member.ty.id()) {
                        Some(layout) => end.min(member.offset + layout.size),
                        // A flexible array goes on to the end.
                        None => end,
                    };
                    from < to
                        && self.holds_pointers_within(
                            member.ty,
                            from - member.offset,
                            to - member.offset,
                        )
                })
            }
            _ => true,
        }
    }

    /// The pointer that is `offset` bytes behind the start of a value of a type, unless it is in a union.
    pub fn pointer_at(&self, ty: QualType, offset: u64) -> Option<QualType> {
        match self.shape(ty) {
            Type::Pointer(_) => (offset == 0).then_some(ty),
            Type::Array(element, _) => {
                let step = self.layout(element.id())?.size.max(1);
                self.pointer_at(*element, offset % step)
            }
            Type::Record(record) if self.record(*record).kind == RecordKind::Struct => {
                let members = &self.record(*record).body.as_ref()?.members;
                members.iter().find_map(|member| {
                    let inside = offset.checked_sub(member.offset)?;
                    let size = self.layout(member.ty.id()).map(|layout| layout.size);
                    let is_there = size.is_none_or(|size| inside < size);
                    is_there.then(|| self.pointer_at(member.ty, inside))?
                })
            }
            _ => None,
        }
    }

    /// The pointers and references in a value of a type, with their offsets; `None` where one is in a union, or there are more than 256.
    pub fn pointers_in(&self, ty: QualType) -> Option<Vec<(u64, QualType)>> {
        const MOST: usize = 256;
        let mut found = Vec::new();
        let mut left = vec![(0, ty)];
        while let Some((offset, ty)) = left.pop() {
            if !self.holds_pointers(ty) {
                continue;
            }
            match self.shape(ty) {
                Type::Array(element, ArrayLen::Fixed(count)) if *count <= MOST as u64 => {
                    let step = self.layout(element.id())?.size;
                    left.extend((0..*count).map(|i| (offset + i * step, *element)));
                }
                Type::Array(..) => return None,
                Type::Record(record) if self.is_pointer_union(*record) => return None,
                Type::Record(record) => {
                    let members = &self.record(*record).body.as_ref()?.members;
                    left.extend(members.iter().map(|m| (offset + m.offset, m.ty)));
                }
                _ => found.push((offset, ty)),
            }
            if left.len() > MOST || found.len() > MOST {
                return None;
            }
        }
        Some(found)
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
    fn pointers_are_found_by_their_bytes() {
        let mut types = declared(
            "struct in { char c; char *p; }; struct s { int n; struct in in[3]; long tail; };
             union u { char *p; char bytes[16]; }; struct big { struct in in[1000000]; };",
        );
        for (text, start, end, holds) in [
            ("struct s", 0, 16, false),
            ("struct s", 0, 17, true),
            ("struct s", 8, 16, false),
            ("struct s", 24, 32, false),
            ("struct s", 23, 24, true),
            ("struct s", 39, 41, true),
            ("struct s", 56, 64, false),
            ("union u", 15, 16, true),
            ("struct big", 16, 24, false),
            ("struct big", 16, 15_000_000, true),
            ("int", 0, 4, false),
        ] {
            let ty = types.parse_type(text.as_bytes(), &[]).expect("a type");
            let found = types.table().holds_pointers_within(ty, start, end);
            assert_eq!(found, holds, "{text} {start} {end}");
        }
        let ty = types.parse_type(b"struct s", &[]).expect("a type");
        let at = |offset| types.table().pointer_at(ty, offset).is_some();
        assert_eq!(
            [0, 8, 16, 20, 32, 48, 56].map(at),
            [false, false, true, false, true, true, false]
        );
        let offsets = |pointers: Vec<(u64, _)>| {
            let mut offsets: Vec<u64> = pointers.into_iter().map(|(offset, _)| offset).collect();
            offsets.sort_unstable();
            offsets
        };
        assert_eq!(types.table().pointers_in(ty).map(offsets), Some(vec![16, 32, 48]));
        let ty = types.parse_type(b"union u", &[]).expect("a type");
        assert!(
            types.table().pointers_in(ty).is_none() && types.table().pointer_at(ty, 0).is_none()
        );
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
