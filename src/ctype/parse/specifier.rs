//! Declaration specifiers: storage classes, qualifiers, type words.

use super::attribute::Attributes;
use super::words::{Words, float_name, lone_word};
use super::{Failed, Keyword, Offset, Parse, Parser, Tok};
use crate::ctype::expected;
use crate::ctype::{Decl, Name, QualType, Quals, RecordKind, TypeId};
use crate::suggest::did_you_mean;

/// Words that only C++ has.
static CPLUSPLUS: [&str; 9] = [
    "class",
    "namespace",
    "template",
    "using",
    "virtual",
    "public",
    "private",
    "typename",
    "operator",
];

/// The words of types that a name may be meant for.
static TYPE_WORDS: [&str; 12] = [
    "void", "char", "short", "int", "long", "float", "double", "signed", "unsigned", "struct",
    "union", "const",
];

/// The specifiers of one declaration.
#[derive(Debug)]
pub(super) struct Specifiers {
    pub(super) ty: QualType,
    pub(super) storage: Storage,
    pub(super) attributes: Attributes,
    /// The byte where the type stands, for errors.
    pub(super) start: Offset,
    /// A tag or a body was there, so that a declaration without a declarator says something.
    pub(super) tagged: bool,
    /// Where a body ended, if that was the last specifier.
    pub(super) body_end: Option<Offset>,
    /// C23's `auto` stands for the type, which is that of the initialiser; `ty` has only the qualifiers.
    pub(super) inferred: bool,
}

impl Specifiers {
    /// A type and nothing else.
    fn new(ty: QualType, start: Offset) -> Specifiers {
        Specifiers {
            ty,
            storage: Storage::default(),
            attributes: Attributes::default(),
            start,
            tagged: false,
            body_end: None,
            inferred: false,
        }
    }
}

/// Storage classes and function specifiers, those that matter.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Storage {
    pub(super) is_typedef: bool,
    pub(super) is_static: bool,
    pub(super) is_constexpr: bool,
    is_auto: bool,
    /// Another one, such as `extern`.
    other: Option<Keyword>,
}

/// The role of a keyword among specifiers.
enum Class {
    Word,
    Quals(Quals),
    Storage,
    Other,
}

fn classify(keyword: Keyword) -> Class {
    use Keyword as K;
    match keyword {
        K::Const => Class::Quals(Quals::CONST),
        K::Volatile => Class::Quals(Quals::VOLATILE),
        K::Restrict => Class::Quals(Quals::RESTRICT),
        K::Void | K::Bool | K::Char | K::Short | K::Int | K::Long | K::Signed | K::Unsigned => {
            Class::Word
        }
        K::Float
        | K::Double
        | K::Complex
        | K::Int8
        | K::Int16
        | K::Int32
        | K::Int64
        | K::Int128 => Class::Word,
        K::Float16 | K::Float32 | K::Float64 | K::Float64x | K::Float80 | K::Float128 => {
            Class::Word
        }
        K::Typedef | K::Extern | K::Static | K::Register | K::ThreadLocal | K::Constexpr => {
            Class::Storage
        }
        K::Inline | K::Noreturn | K::Auto => Class::Storage,
        _ => Class::Other,
    }
}

impl Parser<'_> {
    /// Whether a type name starts at the current token.
    pub(super) fn at_type(&self) -> bool {
        self.starts_type(self.tok.kind)
    }

    pub(super) fn starts_type(&self, token: Tok) -> bool {
        match token {
            Tok::Type(_) => true,
            Tok::Name(name) => self.decls.typedef(name).is_some(),
            Tok::Keyword(keyword) => match classify(keyword) {
                Class::Word | Class::Quals(_) => true,
                Class::Storage => false,
                Class::Other => matches!(
                    keyword,
                    Keyword::Struct
                        | Keyword::Union
                        | Keyword::Enum
                        | Keyword::Typeof
                        | Keyword::TypeofUnqual
                        | Keyword::Atomic
                        | Keyword::Unsupported
                ),
            },
            _ => false,
        }
    }

    /// Declaration specifiers, storage classes included, with a type among them.
    pub(super) fn specifiers(&mut self) -> Parse<Specifiers> {
        self.specifiers_or_auto(false)
    }

    /// Declaration specifiers, where `auto` may stand for the type if `inferring`.
    #[inline]
    pub(super) fn specifiers_or_auto(&mut self, inferring: bool) -> Parse<Specifiers> {
        let mut words = Words::default();
        let quals = if self.eat_keyword(Keyword::Const) { Quals::CONST } else { Quals::NONE };
        let start = self.tok.start;
        // Most lists are one word, perhaps with a `const` before it.
        if let Tok::Keyword(word) = self.tok.kind
            && let Some(ty) = lone_word(word, self.decls.table.model())
        {
            self.advance();
            if !self.may_be_attribute() {
                return Ok(Specifiers::new(QualType::new(ty, quals), start));
            }
            words.add(word);
        }
        self.more_specifiers(inferring, words, quals, Specifiers::new(TypeId::INT.into(), start))
    }

    /// The specifiers after some words and qualifiers.
    #[inline(never)]
    fn more_specifiers(
        &mut self,
        inferring: bool,
        mut words: Words,
        mut quals: Quals,
        mut specifiers: Specifiers,
    ) -> Parse<Specifiers> {
        let mut ty = None;
        loop {
            let start = self.tok.start;
            match self.tok.kind {
                Tok::Keyword(keyword) => match classify(keyword) {
                    Class::Word
                        if specifiers.storage.is_typedef
                            && self.is_named_again(keyword, ty, words) =>
                    {
                        break;
                    }
                    Class::Word => {
                        if words.makes_wide_bool(keyword) {
                            return Err(self.wide_bool());
                        }
                        if ty.is_some() || !words.add(keyword) {
                            return Err(self.bad_specifier());
                        }
                        specifiers.start = start;
                        self.advance();
                    }
                    Class::Quals(qual) => {
                        quals = quals.with(qual);
                        self.advance();
                    }
                    Class::Storage => {
                        specifiers.storage.add(keyword);
                        self.advance();
                    }
                    Class::Other => {
                        if !self.other_specifier(
                            keyword,
                            &mut ty,
                            words,
                            &mut quals,
                            &mut specifiers,
                        )? {
                            break;
                        }
                    }
                },
                Tok::Name(name) if ty.is_none() && words.is_empty() => {
                    specifiers.start = start;
                    match self.decls.typedef(name) {
                        Some(typedef) => {
                            ty = Some(typedef);
                            self.advance();
                        }
                        None if inferring && specifiers.storage.is_auto => break,
                        None => {
                            self.unknown_type();
                            ty = Some(TypeId::INT.into());
                        }
                    }
                }
                Tok::Type(param) if ty.is_none() && words.is_empty() => {
                    ty = Some(param);
                    self.advance();
                }
                _ if self.at("[") => {
                    if !self.attribute(&mut specifiers.attributes)? {
                        break;
                    }
                }
                _ => break,
            }
        }
        let ty = match ty {
            Some(ty) => ty,
            None if inferring && specifiers.storage.is_auto && words.is_empty() => {
                specifiers.inferred = true;
                TypeId::INT.into()
            }
            None => self.words_type(words, specifiers.start, &specifiers)?,
        };
        let ty = self.apply_to_base(ty, &specifiers.attributes)?;
        specifiers.ty = self.table().qualify(ty, quals);
        specifiers.body_end = Some(self.last_end).filter(|&end| self.ends_body(end));
        Ok(specifiers)
    }

    /// Records, enums, `typeof`, `_Atomic`, attributes. False: the keyword is no specifier.
    fn other_specifier(
        &mut self,
        keyword: Keyword,
        ty: &mut Option<QualType>,
        words: Words,
        quals: &mut Quals,
        specifiers: &mut Specifiers,
    ) -> Parse<bool> {
        let start = self.tok.start;
        let is_type = matches!(
            keyword,
            Keyword::Struct
                | Keyword::Union
                | Keyword::Enum
                | Keyword::Typeof
                | Keyword::TypeofUnqual
        );
        if is_type && (ty.is_some() || !words.is_empty()) {
            return Err(self.bad_specifier());
        }
        let found = match keyword {
            Keyword::Struct => self.record(RecordKind::Struct, specifiers)?,
            Keyword::Union => self.record(RecordKind::Union, specifiers)?,
            Keyword::Enum => self.enum_specifier()?,
            Keyword::Typeof => self.nested(|p| p.typeof_specifier())?,
            Keyword::TypeofUnqual => self.nested(|p| p.typeof_specifier())?.id().into(),
            Keyword::Atomic => {
                self.advance();
                *quals = quals.with(Quals::ATOMIC);
                if !self.eat("(") {
                    return Ok(true);
                }
                let inner = self.nested(|p| p.type_name())?;
                self.expect(")")?;
                inner
            }
            Keyword::Unsupported => {
                let text = self.token_text(self.tok);
                return Err(self.error(start, format!("{text} is not supported")));
            }
            Keyword::Ptr32 | Keyword::Ptr64 => {
                self.pointer_size(keyword)?;
                return Ok(true);
            }
            _ => return self.attribute(&mut specifiers.attributes),
        };
        specifiers.tagged |= is_type;
        specifiers.start = start;
        *ty = Some(found);
        Ok(true)
    }

    fn record(&mut self, kind: RecordKind, specifiers: &mut Specifiers) -> Parse<QualType> {
        self.nested(|p| p.record_specifier(kind, &mut specifiers.attributes))
    }

    fn words_type(
        &mut self,
        words: Words,
        start: Offset,
        specifiers: &Specifiers,
    ) -> Parse<QualType> {
        if words.is_empty() {
            if specifiers.storage.is_constexpr {
                return Err(self.error(start, "constexpr needs a type".into()));
            }
            return Err(self.expected("a type"));
        }
        let model = self.decls.table.model();
        if words.base == Some(Keyword::Int128) && !model.int128 {
            return Err(self.error(start, format!("__int128 does not exist on {}", model.name)));
        }
        match words.ty(self.table()) {
            Some(ty) => Ok(ty.into()),
            None => Err(self.error(start, "these type specifiers do not go together".into())),
        }
    }

    /// `__ptr32` and `__ptr64`, which may only say what is so anyway.
    pub(super) fn pointer_size(&mut self, keyword: Keyword) -> Parse<()> {
        let asked = if keyword == Keyword::Ptr32 { 4 } else { 8 };
        if asked != self.decls.table.model().pointer {
            return Err(self.error_here("pointers of another size are not supported".into()));
        }
        self.advance();
        Ok(())
    }

    /// Whether a `}` ends at a byte of the text.
    fn ends_body(&self, end: Offset) -> bool {
        end > 0 && self.lexer.text()[end as usize - 1] == b'}'
    }

    fn bad_specifier(&mut self) -> Failed {
        if self.ends_body(self.last_end) {
            return self.expected("';'");
        }
        let text = self.token_text(self.tok);
        self.error_here(format!("'{text}' cannot join the type before it"))
    }

    /// Whether a word is the name of a typedef for a type that compilers without it have in headers: `typedef float _Float32;`
    fn is_named_again(&self, word: Keyword, ty: Option<QualType>, words: Words) -> bool {
        let complete = ty.is_some() || words.base.is_some() || !words.is_plain();
        complete && float_name(word).is_some()
    }

    fn wide_bool(&mut self) -> Failed {
        let message = "'_Bool int' is no type of C";
        let hint =
            "LuaJIT makes it a bool of 4 bytes, which is not supported; write '_Bool' or 'int'";
        self.error_hint(self.tok.start, message.into(), hint)
    }

    /// Reports a name that is no type, once, and goes on as if it were one.
    fn unknown_type(&mut self) {
        let Tok::Name(name) = self.tok.kind else { return };
        let text = self.decls.table.name(name).to_owned();
        if self.failed.insert(name, self.errors.len()).is_none() {
            let hint = self.hint_for_type(name, &text);
            self.report(self.tok.start, format!("unknown type name '{text}'"), Some(hint), None);
        }
        self.advance();
    }

    /// A hint for an unknown type name.
    fn hint_for_type(&self, name: Name, text: &str) -> String {
        let table = &self.decls.table;
        if let Some(keyword) = self.decls.tag_keyword(name) {
            return format!(
                "write '{keyword} {text}', or declare 'typedef {keyword} {text} {text};'"
            );
        }
        if let Some(typedef) = expected::typedef(table, text) {
            return format!("declare it first: '{typedef}'");
        }
        if CPLUSPLUS.contains(&text) {
            return "this is C++; C declarations are read".to_owned();
        }
        let types = self.decls.visible().filter(|(_, decl)| matches!(decl, Decl::Typedef(_)));
        let names = types.map(|(name, _)| table.name(name));
        let words = TYPE_WORDS.iter().copied();
        did_you_mean(text, names.chain(words))
            .unwrap_or_else(|| format!("declare it first, as in 'typedef struct {text} {text};'"))
    }

    fn typeof_specifier(&mut self) -> Parse<QualType> {
        self.advance();
        self.expect("(")?;
        let ty = if self.at_type() { self.type_name()? } else { self.expression_type()? };
        self.expect(")")?;
        Ok(ty)
    }
}

impl Storage {
    fn add(&mut self, keyword: Keyword) {
        match keyword {
            Keyword::Typedef => self.is_typedef = true,
            Keyword::Static => self.is_static = true,
            Keyword::Constexpr => self.is_constexpr = true,
            Keyword::Auto => self.is_auto = true,
            other => self.other = Some(other),
        }
    }

    /// A storage class or function specifier that no member has.
    pub(super) fn word(&self) -> Option<&'static str> {
        match self.other {
            _ if self.is_typedef => Some("typedef"),
            Some(Keyword::Extern) => Some("extern"),
            Some(Keyword::Register) => Some("register"),
            Some(Keyword::ThreadLocal) => Some("_Thread_local"),
            _ => None,
        }
    }
}
