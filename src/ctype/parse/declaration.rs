//! External declarations.

use super::attribute::Attributes;
use super::declarator::{Declarator, Naming};
use super::specifier::Specifiers;
use super::words::float_name;
use super::{Keyword, Offset, Parse, Parser, Tok};
use crate::ctype::decls::Conflict;
use crate::ctype::{ArrayLen, Decl, Name, QualType, Type};

impl Parser<'_> {
    /// One declaration of a text, or one item of another kind that may stand among them.
    pub(super) fn external_declaration(&mut self) -> Parse<()> {
        // Enumerators that stand in no record are no record's constants.
        self.scoped.clear();
        let token = self.tok.kind;
        match token {
            Tok::Directive => return self.directive(),
            Tok::Keyword(Keyword::StaticAssert) => return self.static_assert(),
            Tok::Keyword(Keyword::Asm) => {
                self.asm_label()?;
                return self.end_of_declaration();
            }
            Tok::Keyword(Keyword::Extern) if self.peek() == Tok::Str => return self.linkage(),
            Tok::Punct(_) if self.eat(";") => return Ok(()),
            _ => {}
        }
        let specifiers = self.specifiers_or_auto(true)?;
        let stands_alone = specifiers.tagged || !specifiers.attributes.function.is_empty();
        if stands_alone && self.at_end_of_declaration() {
            return self.end_of_declaration();
        }
        let mut first = None;
        loop {
            if self.known_float(&specifiers)? {
                if !self.eat(",") {
                    return self.end_of_declaration();
                }
                continue;
            }
            let attributes = &specifiers.attributes.function;
            let declarator = self.declarator(specifiers.ty, Naming::Required, attributes)?;
            first = first.or(declarator.name.map(|name| name.0));
            if !self.at(",") && !self.at("=") && !self.may_be_attribute() && !self.at("{") {
                self.check_end_of_body(&specifiers, first)?;
            }
            if self.init_declarator(&specifiers, declarator)? {
                return Ok(());
            }
            if !self.eat(",") {
                if self.at_end_of_declaration() {
                    return self.end_of_declaration();
                }
                self.separated = true;
                return self.end_after_body(&specifiers, first);
            }
        }
    }

    /// A typedef of a floating-point type that needs none here (`typedef float _Float32;`), as headers have it for compilers without it.
    fn known_float(&mut self, specifiers: &Specifiers) -> Parse<bool> {
        let Tok::Keyword(keyword) = self.tok.kind else { return Ok(false) };
        let Some(words) = float_name(keyword).filter(|_| specifiers.storage.is_typedef) else {
            return Ok(false);
        };
        let (start, name) = (self.tok.start, self.token_text(self.tok));
        let known = words.ty(self.table());
        self.advance();
        let mut attributes = Attributes::default();
        self.attributes(&mut attributes)?;
        let ty = self.apply_to_base(specifiers.ty, &attributes)?;
        if known.map(QualType::from) == Some(ty) {
            return Ok(true);
        }
        let message = format!("'{name}' is a type, and not '{}'", self.decls.table.repr(ty));
        Err(self.error(start, message))
    }

    /// The `;` of a declaration whose first declarator has this name. If the name is a type's and stands behind a body, the `;` is
    /// missing there.
    pub(super) fn end_after_body(
        &mut self,
        specifiers: &Specifiers,
        first: Option<Name>,
    ) -> Parse<()> {
        self.check_end_of_body(specifiers, first)?;
        self.expect(";")
    }

    /// Refuses the name of a type where a `;` should end the declaration of a body.
    fn check_end_of_body(&mut self, specifiers: &Specifiers, first: Option<Name>) -> Parse<()> {
        let is_type = first.is_some_and(|first| self.decls.typedef(first).is_some());
        match specifiers.body_end {
            Some(end) if is_type && !self.at_end_of_declaration() && !self.at(";") => {
                Err(self.error(end, "expected ';' after '}'".into()))
            }
            _ => Ok(()),
        }
    }

    /// Whether a declaration may end here: the only one of a text needs no semicolon (LuaJIT, "ffi.cdef").
    fn at_end_of_declaration(&self) -> bool {
        self.at(";") || self.tok.kind == Tok::End && !self.separated
    }

    fn end_of_declaration(&mut self) -> Parse<()> {
        if self.tok.kind == Tok::End && self.at_end_of_declaration() {
            return Ok(());
        }
        self.separated = true;
        self.expect(";")
    }

    /// `extern "C"` with one declaration or a block of them.
    fn linkage(&mut self) -> Parse<()> {
        self.advance();
        let start = self.tok.start;
        if self.string_literal()? != b"C" {
            return Err(self.error(start, "only extern \"C\" is understood".into()));
        }
        if !self.eat("{") {
            return self.nested(|p| p.external_declaration());
        }
        self.nested(|p| {
            while !p.at("}") {
                if p.tok.kind == Tok::End {
                    return Err(p.expected("'}'"));
                }
                let start = p.checkpoint();
                if p.external_declaration().is_err() {
                    p.recover(start, true);
                }
            }
            p.expect("}")
        })
    }

    /// Parses the part behind a declarator: asm label, attributes, initialiser, body. Returns true if a body has ended the declaration.
    fn init_declarator(&mut self, specifiers: &Specifiers, declarator: Declarator) -> Parse<bool> {
        let Declarator { name, mut ty, mut attributes, .. } = declarator;
        let Some((name, start)) = name else {
            return Err(self.expected("a name"));
        };
        self.attributes(&mut attributes)?;
        let symbol = if self.at_keyword(Keyword::Asm) { Some(self.asm_label()?) } else { None };
        self.attributes(&mut attributes)?;
        ty = self.apply_attributes(ty, specifiers, &attributes)?;

        if specifiers.storage.is_typedef {
            self.declare(name, Decl::Typedef(ty), start)?;
            return Ok(false);
        }
        if let Type::Function(_) = self.decls.table.get(ty.id()) {
            self.note_symbol(start);
            let names = &self.piles.declared_names;
            let declared = self.decls.declare_function(name, ty.id(), symbol, names, start);
            self.no_conflict(name, declared, start)?;
            let has_body = self.at("{");
            if has_body {
                self.skip_balanced()?;
            }
            return Ok(has_body);
        }
        let decl = match self.object(specifiers, ty, symbol)? {
            Decl::Variable { ty, symbol: None } if specifiers.storage.is_static => Decl::Static(ty),
            decl => decl,
        };
        if let Decl::Variable { .. } = decl {
            self.note_symbol(start);
        }
        if *self.decls.table.shape(ty) == Type::Void {
            return Err(self.error(start, "variable of type void".into()));
        }
        self.declare(name, decl, start)?;
        Ok(false)
    }

    /// The declared type with the attributes that stand after the declarator, and an alignment of a typedef.
    fn apply_attributes(
        &mut self,
        ty: QualType,
        specifiers: &Specifiers,
        trailing: &Attributes,
    ) -> Parse<QualType> {
        let mut ty = ty;
        if !trailing.function.is_empty() {
            ty = self.slide(ty, &trailing.function);
        }
        ty = self.apply_to_base(ty, trailing)?;
        let align = specifiers.attributes.alignment().max(trailing.alignment());
        Ok(match align {
            Some(align) if specifiers.storage.is_typedef => self.aligned(ty, align),
            _ => ty,
        })
    }

    /// A variable with its initialiser; `static const` and `constexpr` numbers are constants.
    fn object(
        &mut self,
        specifiers: &Specifiers,
        ty: QualType,
        symbol: Option<Box<str>>,
    ) -> Parse<Decl> {
        if specifiers.inferred {
            return self.inferred_object(specifiers, ty);
        }
        if !self.eat("=") {
            return Ok(Decl::Variable { ty, symbol });
        }
        if is_constant(specifiers, ty) && self.is_arithmetic(ty) && !self.at("{") {
            let start = self.tok.start;
            let operand = self.initial_value()?;
            let value = self.convert(operand, ty, start)?.value;
            return Ok(value
                .constant()
                .map_or(Decl::Variable { ty, symbol }, |value| Decl::Constant { ty, value }));
        }
        let mut ty = ty;
        if let Type::Array(element, ArrayLen::Incomplete) = *self.decls.table.get(ty.id()) {
            let start = self.checkpoint();
            // An initialiser that the parser cannot count leaves the length open.
            let length = self.initial_length(element).unwrap_or(None);
            self.rewind(start);
            if let Some(length) = length {
                let length = ArrayLen::Fixed(length);
                ty = self.build_array(element, length, self.tok.start)?;
            }
        }
        self.skip_initializer()?;
        Ok(Decl::Variable { ty, symbol })
    }

    /// The number of elements of an array, by its initialiser: a string, or a list of one value for each element. `None` where that
    /// cannot be told.
    fn initial_length(&mut self, element: QualType) -> Parse<Option<u64>> {
        let characters = self.is_arithmetic(element);
        if characters && self.at("{") && self.peek() == Tok::Str {
            self.advance();
        }
        if characters && self.tok.kind == Tok::Str {
            // With its NUL, and in the units of its prefix.
            let literal = self.expression_type()?;
            return Ok(match *self.decls.table.get(literal.id()) {
                Type::Array(_, ArrayLen::Fixed(count)) => Some(count),
                _ => None,
            });
        }
        if self.at("{") { self.list_length(element) } else { Ok(None) }
    }

    /// The number of values of a list in braces.
    fn list_length(&mut self, element: QualType) -> Parse<Option<u64>> {
        self.advance();
        let scalar = !matches!(self.decls.table.shape(element), Type::Array(..) | Type::Record(_));
        let (mut next, mut length) = (0_u64, 0_u64);
        while !self.at("}") {
            if self.at("[") {
                self.advance();
                let start = self.tok.start;
                let Ok(index) = u64::try_from(self.constant_integer()?) else {
                    return Err(self.error(start, "element before the first one".into()));
                };
                self.expect("]")?;
                self.expect("=")?;
                next = index;
            } else if !scalar && !self.at("{") {
                // The values of one element need no braces of their own.
                return Ok(None);
            }
            while !self.at(",") && !self.at("}") {
                match self.tok.kind {
                    Tok::End | Tok::Bad(_) => return Err(self.expected("'}'")),
                    _ if self.at("{") || self.at("(") || self.at("[") => self.skip_balanced()?,
                    _ => self.advance(),
                }
            }
            next = next.saturating_add(1);
            length = length.max(next);
            self.eat(",");
        }
        Ok(Some(length))
    }

    /// An object whose type is that of its initialiser.
    fn inferred_object(&mut self, specifiers: &Specifiers, declared: QualType) -> Parse<Decl> {
        if declared != specifiers.ty {
            return Err(self.error(specifiers.start, "'auto' declares plain names only".into()));
        }
        self.expect("=")?;
        let operand = self.initial_value()?;
        let ty = QualType::new(operand.ty.id(), declared.quals());
        let value = operand.value.constant().filter(|_| is_constant(specifiers, ty));
        Ok(match value {
            Some(value) if self.is_arithmetic(ty) => Decl::Constant { ty, value },
            _ => Decl::Variable { ty, symbol: None },
        })
    }

    /// To the `,` or `;` after an initialiser that does not matter.
    pub(super) fn skip_initializer(&mut self) -> Parse<()> {
        while !self.at(",") && !self.at(";") {
            match self.tok.kind {
                Tok::End | Tok::Bad(_) => return Err(self.expected("';'")),
                _ if self.at("{") || self.at("(") || self.at("[") => self.skip_balanced()?,
                _ if self.at("}") || self.at(")") => return Err(self.expected("';'")),
                _ => self.advance(),
            }
        }
        Ok(())
    }

    /// `__asm__("symbol")`
    pub(super) fn asm_label(&mut self) -> Parse<Box<str>> {
        self.advance();
        while matches!(self.tok.kind, Tok::Keyword(Keyword::Volatile | Keyword::Inline)) {
            self.advance();
        }
        self.expect("(")?;
        let start = self.tok.start;
        let text = self.string_literal()?;
        self.expect(")")?;
        match String::from_utf8(text) {
            Ok(text) => Ok(text.into()),
            Err(_) => Err(self.error(start, "symbol name that is not UTF-8".into())),
        }
    }

    /// `_Static_assert(condition, "message");`
    pub(super) fn static_assert(&mut self) -> Parse<()> {
        self.advance();
        self.expect("(")?;
        let start = self.tok.start;
        let errors = self.errors.len();
        let holds = self.constant_integer()? != 0;
        let message = if self.eat(",") { Some(self.string_literal()?) } else { None };
        self.expect(")")?;
        // After an error a size may be wrong for that reason alone.
        if !holds && errors == 0 {
            let reason =
                message.map_or(String::new(), |m| format!(": {}", String::from_utf8_lossy(&m)));
            self.error(start, format!("static assertion failed{reason}"));
        }
        self.end_of_declaration()
    }

    pub(super) fn declare(&mut self, name: Name, decl: Decl, start: Offset) -> Parse<()> {
        let declared = self.decls.declare(name, decl, start);
        self.no_conflict(name, declared, start)
    }

    fn no_conflict(
        &mut self,
        name: Name,
        declared: Result<(), Conflict>,
        start: Offset,
    ) -> Parse<()> {
        match declared {
            Ok(()) => Ok(()),
            Err(conflict) => {
                let name = self.decls.table.name(name);
                let message = format!("conflicting declaration of '{name}'");
                Err(self.conflict(start, message, conflict))
            }
        }
    }

    /// For `explain`: a declaration whose name is not declared, or a type name.
    pub(super) fn one_declaration(&mut self) -> Parse<(Option<Name>, QualType)> {
        let specifiers = self.specifiers()?;
        let attributes = &specifiers.attributes.function;
        let declarator = self.declarator(specifiers.ty, Naming::Optional, attributes)?;
        let Declarator { name, ty, mut attributes, .. } = declarator;
        self.attributes(&mut attributes)?;
        if self.at_keyword(Keyword::Asm) {
            self.asm_label()?;
            self.attributes(&mut attributes)?;
        }
        let ty = self.apply_attributes(ty, &specifiers, &attributes)?;
        self.eat(";");
        if self.tok.kind != Tok::End {
            return Err(self.expected("the end of the declaration"));
        }
        Ok((name.map(|name| name.0), ty))
    }
}

/// Whether an object with a known value is that value.
fn is_constant(specifiers: &Specifiers, ty: QualType) -> bool {
    let storage = specifiers.storage;
    storage.is_constexpr || storage.is_static && ty.is_const()
}
