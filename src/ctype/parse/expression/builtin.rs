//! Operators on types: `sizeof`, `_Alignof`, `offsetof`, `_Generic`, and GCC's built-in functions.

use crate::ctype::parse::value::Operand;
use crate::ctype::parse::{Failed, Keyword, Parse, Parser};
use crate::ctype::{IntKind, Type};

impl Parser<'_> {
    /// The operand of `sizeof`, `_Alignof` or `__alignof__`.
    pub(super) fn size_or_align(&mut self, keyword: Keyword) -> Parse<Operand> {
        let start = self.tok.start;
        let ty = if self.at("(") && self.peek_starts_cast() {
            self.advance();
            let ty = self.type_name()?;
            self.expect(")")?;
            if self.at("{") { self.after_cast_type(ty, start)?.ty } else { ty }
        } else {
            self.nested(|p| p.unary())?.ty
        };
        let table = &self.decls.table;
        let layout = table.layout_of(ty);
        let value = match (keyword, table.shape(ty)) {
            // As GNU C has it.
            (_, Type::Void | Type::Function(_)) => Some(1),
            (Keyword::Sizeof, _) => layout.map(|layout| layout.size),
            (Keyword::PreferredAlignof, _) => table.preferred_align(ty),
            (_, Type::Array(element, _)) => table.layout_of(*element).map(|layout| layout.align),
            _ => layout.map(|layout| layout.align),
        };
        match value {
            Some(value) => Ok(Operand::int(self.word(false), value.into())),
            None if self.is_fallout(ty) => Err(Failed),
            None => {
                let message = format!("'{}' has no size", table.repr(ty));
                Err(self.error(start, message))
            }
        }
    }

    /// `offsetof(type, member.member[i])`
    pub(super) fn offset_of(&mut self) -> Parse<Operand> {
        self.advance();
        self.expect("(")?;
        let mut ty = self.type_name()?;
        self.expect(",")?;
        let mut offset = 0_i128;
        let (name, start) = self.expect_name()?;
        let (member, at) = self.find_member(ty, name, start)?;
        offset += i128::from(at);
        ty = member;
        loop {
            let start = self.tok.start;
            if self.eat(".") {
                let (name, start) = self.expect_name()?;
                let (member, at) = self.find_member(ty, name, start)?;
                offset = offset.wrapping_add(at.into());
                ty = member;
            } else if self.eat("[") {
                let index = self.constant_integer()?;
                self.expect("]")?;
                let Type::Array(element, _) = *self.decls.table.shape(ty) else {
                    return Err(self.error(start, "'[' needs an array".into()));
                };
                let size = self.decls.table.layout_of(element).map_or(0, |layout| layout.size);
                offset = offset.wrapping_add(index.wrapping_mul(size.into()));
                ty = element;
            } else {
                break;
            }
        }
        self.expect(")")?;
        Ok(Operand::int(self.word(false), offset))
    }

    /// `_Generic(expression, type: expression, default: expression)`
    pub(super) fn generic_selection(&mut self) -> Parse<Operand> {
        let start = self.tok.start;
        self.advance();
        self.expect("(")?;
        let control = self.conditional()?;
        let control = self.decayed(control).ty.id();
        let (mut chosen, mut default) = (None, None);
        while self.eat(",") {
            if self.token_text(self.tok) == "default" {
                self.advance();
                self.expect(":")?;
                default = Some(self.conditional()?);
                continue;
            }
            let ty = self.type_name()?;
            self.expect(":")?;
            let operand = self.conditional()?;
            if ty.id() == control {
                chosen = chosen.or(Some(operand));
            }
        }
        self.expect(")")?;
        match chosen.or(default) {
            Some(operand) => Ok(operand),
            None => Err(self.error(start, "_Generic has no choice for this type".into())),
        }
    }

    pub(super) fn types_compatible(&mut self) -> Parse<Operand> {
        self.advance();
        self.expect("(")?;
        let a = self.type_name()?;
        self.expect(",")?;
        let b = self.type_name()?;
        self.expect(")")?;
        let same = self.decls.table.same(a.id().into(), b.id().into());
        Ok(Operand::int(IntKind::I32, same.into()))
    }

    pub(super) fn choose_expression(&mut self) -> Parse<Operand> {
        self.advance();
        self.expect("(")?;
        let condition = self.constant_integer()?;
        self.expect(",")?;
        let then = self.conditional()?;
        self.expect(",")?;
        let otherwise = self.conditional()?;
        self.expect(")")?;
        Ok(if condition != 0 { then } else { otherwise })
    }
}
