//! `__attribute__((…))`, `[[…]]`, `__declspec(…)`, `_Alignas(…)` and the calling-convention keywords.

mod modify;

use super::attribute_table::{Known, Mode, known, mode};
use super::{Keyword, Parse, Parser, Tok};
use crate::ctype::layout::MAX_ALIGN;
use crate::ctype::{CallConv, Contract, MemberAttributes, Name, RecordAttributes};

/// The attributes of one declaration or type, those that have a meaning here. Most have none, so that these are two
/// null pointers.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes {
    object: Option<Box<ObjectAttributes>>,
    pub(super) function: FunctionAttributes,
}

/// Attributes of types and members.
#[derive(Clone, Debug)]
pub(super) struct ObjectAttributes {
    pub(super) packed: bool,
    /// `aligned(n)` and `_Alignas`, in bytes; the strictest.
    align: Option<u32>,
    /// The last of them, which counts for a record: so has GCC it, where Clang takes the strictest.
    last_align: Option<u32>,
    /// `__declspec(align(n))`, which Microsoft C and Clang apply to a record that is defined after it.
    declspec_align: Option<u32>,
    mode: Option<Mode>,
    /// Bytes.
    vector_size: Option<u64>,
    vector_elements: Option<u32>,
    pub(super) ms_struct: Option<bool>,
    pub(super) transparent_union: bool,
    pub(super) counted_by: Option<Name>,
}

/// Attributes of function types.
#[derive(Clone, Debug, Default)]
pub(super) struct FunctionAttributes(Option<Box<FunctionAttributeList>>);

#[derive(Clone, Debug, Default)]
pub(super) struct FunctionAttributeList {
    pub(super) convention: Option<CallConv>,
    /// `nonnull` without numbers: every pointer.
    pub(super) all_nonnull: bool,
    pub(super) contracts: Vec<Contract>,
}

impl ObjectAttributes {
    const NONE: ObjectAttributes = ObjectAttributes {
        packed: false,
        align: None,
        last_align: None,
        declspec_align: None,
        mode: None,
        vector_size: None,
        vector_elements: None,
        ms_struct: None,
        transparent_union: false,
        counted_by: None,
    };

    fn merge(&mut self, other: &ObjectAttributes) {
        self.packed |= other.packed;
        self.align = self.align.max(other.align);
        self.last_align = other.last_align.or(self.last_align);
        self.declspec_align = self.declspec_align.max(other.declspec_align);
        self.mode = other.mode.or(self.mode);
        self.vector_size = other.vector_size.or(self.vector_size);
        self.vector_elements = other.vector_elements.or(self.vector_elements);
        self.ms_struct = other.ms_struct.or(self.ms_struct);
        self.transparent_union |= other.transparent_union;
        self.counted_by = other.counted_by.or(self.counted_by);
    }
}

impl Attributes {
    pub(super) fn object(&self) -> &ObjectAttributes {
        self.object.as_deref().unwrap_or(&ObjectAttributes::NONE)
    }

    pub(super) fn object_mut(&mut self) -> &mut ObjectAttributes {
        self.object.get_or_insert_with(|| Box::new(ObjectAttributes::NONE))
    }

    pub(super) fn merge(&mut self, other: Attributes) {
        if let Some(object) = &other.object {
            self.object_mut().merge(object);
        }
        self.function.merge(other.function);
    }

    fn align_to(&mut self, align: Option<u32>) {
        let object = self.object_mut();
        object.align = object.align.max(align);
        object.last_align = align.or(object.last_align);
    }

    /// Bytes.
    pub(super) fn alignment(&self) -> Option<u32> {
        let object = self.object();
        object.align.max(object.declspec_align)
    }

    /// Takes the alignment that belongs to a record defined after these attributes.
    pub(super) fn give_declspec_align(&mut self, record: &mut Attributes) {
        if let Some(given) = self.object.as_mut().and_then(|object| object.declspec_align.take()) {
            let record = record.object_mut();
            record.declspec_align = record.declspec_align.max(Some(given));
        }
    }

    pub(super) fn of_record(&self, pack: Option<u32>) -> RecordAttributes {
        let &ObjectAttributes { packed, ms_struct, last_align, declspec_align, .. } = self.object();
        RecordAttributes { packed, align: last_align.max(declspec_align), pack, ms_struct }
    }

    pub(super) fn of_member(&self) -> MemberAttributes {
        MemberAttributes { packed: self.object().packed, align: self.alignment() }
    }
}

impl FunctionAttributeList {
    fn merge(&mut self, other: FunctionAttributeList) {
        self.convention = other.convention.or(self.convention);
        self.all_nonnull |= other.all_nonnull;
        self.contracts.extend(other.contracts);
    }
}

impl FunctionAttributes {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The list, empty at first.
    pub(super) fn list(&mut self) -> &mut FunctionAttributeList {
        self.0.get_or_insert_default()
    }

    pub(super) fn convention(&self) -> Option<CallConv> {
        self.0.as_ref()?.convention
    }

    pub(super) fn all_nonnull(&self) -> bool {
        self.0.as_ref().is_some_and(|list| list.all_nonnull)
    }

    pub(super) fn contracts(&self) -> &[Contract] {
        self.0.as_ref().map_or(&[], |list| &list.contracts)
    }

    pub(super) fn merge(&mut self, other: FunctionAttributes) {
        if let Some(other) = other.0 {
            self.list().merge(*other);
        }
    }
}

/// `__name__` is `name`.
pub(super) fn bare(name: &str) -> &str {
    name.strip_prefix("__").and_then(|name| name.strip_suffix("__")).unwrap_or(name)
}

/// The convention that a keyword names.
pub(super) fn convention(keyword: Keyword) -> Option<CallConv> {
    Some(match keyword {
        Keyword::Cdecl => CallConv::Cdecl,
        Keyword::Stdcall => CallConv::Stdcall,
        Keyword::Fastcall => CallConv::Fastcall,
        Keyword::Thiscall => CallConv::Thiscall,
        Keyword::Vectorcall => CallConv::Vectorcall,
        Keyword::Regcall => CallConv::Unsupported("regcall"),
        Keyword::Pascal => CallConv::Unsupported("pascal"),
        Keyword::Clrcall => CallConv::Unsupported("clrcall"),
        _ => return None,
    })
}

impl Parser<'_> {
    /// Whether the current token is one that attributes begin with.
    pub(super) fn may_be_attribute(&self) -> bool {
        matches!(self.tok.kind, Tok::Keyword(_)) || self.at("[")
    }

    /// Takes the attribute at the current token, if there is one.
    #[inline]
    pub(super) fn attribute(&mut self, into: &mut Attributes) -> Parse<bool> {
        let token = self.tok.kind;
        match token {
            Tok::Keyword(keyword) => self.attribute_keyword(keyword, into),
            Tok::Punct(_) if self.at("[") => self.bracketed_attributes(into),
            _ => Ok(false),
        }
    }

    /// `[[…]]`, where a `[` stands.
    fn bracketed_attributes(&mut self, into: &mut Attributes) -> Parse<bool> {
        if !self.peek_at("[") {
            return Ok(false);
        }
        self.advance();
        self.advance();
        self.attribute_list(into)?;
        self.expect("]")?;
        self.expect("]")?;
        Ok(true)
    }

    fn attribute_keyword(&mut self, keyword: Keyword, into: &mut Attributes) -> Parse<bool> {
        match keyword {
            Keyword::Attribute => {
                self.advance();
                self.expect("(")?;
                self.expect("(")?;
                self.attribute_list(into)?;
                self.expect(")")?;
                self.expect(")")?;
            }
            Keyword::Declspec => {
                self.advance();
                self.expect("(")?;
                let mut declspec = Attributes::default();
                self.attribute_list(&mut declspec)?;
                if let Some(object) = &mut declspec.object {
                    object.declspec_align = object.align.take();
                    object.last_align = None;
                }
                into.merge(declspec);
                self.expect(")")?;
            }
            Keyword::Alignas => {
                self.advance();
                self.expect("(")?;
                let align = self.alignment_argument()?;
                into.align_to(align);
                self.expect(")")?;
            }
            Keyword::Pragma => self.pragma_operator()?,
            Keyword::Ignored => self.advance(),
            _ => match convention(keyword) {
                Some(convention) => {
                    into.function.list().convention = Some(convention);
                    self.advance();
                }
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    /// Takes every attribute at the current token.
    pub(super) fn attributes(&mut self, into: &mut Attributes) -> Parse<()> {
        while self.attribute(into)? {}
        Ok(())
    }

    /// Attributes with commas, or, in a `__declspec`, only spaces between them.
    fn attribute_list(&mut self, into: &mut Attributes) -> Parse<()> {
        loop {
            while self.eat(",") {}
            let start = self.tok.start;
            let name = match self.tok.kind {
                Tok::Name(_) | Tok::Keyword(_) => self.token_text(self.tok),
                Tok::Punct(_) if self.at(")") || self.at("]") => return Ok(()),
                _ => return Err(self.expected("an attribute")),
            };
            self.advance();
            // `gnu::packed`
            if self.eat("::") {
                continue;
            }
            match known(bare(&name)) {
                Some(Known::Refused(reason)) => {
                    let message = format!("attribute '{}' is not supported: {reason}", bare(&name));
                    return Err(self.error(start, message));
                }
                Some(known) => {
                    if known.is_contract() {
                        self.note_contract(start);
                    }
                    self.known_attribute(known, into)?;
                }
                None if self.at("(") => self.skip_balanced()?,
                None => {}
            }
        }
    }

    fn known_attribute(&mut self, known: Known, into: &mut Attributes) -> Parse<()> {
        match known {
            Known::Packed => into.object_mut().packed = true,
            Known::MsStruct(on) => into.object_mut().ms_struct = Some(on),
            Known::TransparentUnion => into.object_mut().transparent_union = true,
            Known::Convention(convention) => into.function.list().convention = Some(convention),
            Known::NonNull if !self.at("(") => into.function.list().all_nonnull = true,
            Known::Acquires => into.function.list().contracts.push(Contract::Acquires),
            Known::Aligned if !self.at("(") => {
                let biggest = self.decls.table.model().biggest_align;
                into.align_to(Some(biggest.into()));
            }
            _ => {
                self.expect("(")?;
                self.attribute_argument(known, into)?;
                self.expect(")")?;
            }
        }
        if self.at("(") {
            self.skip_balanced()?;
        }
        Ok(())
    }

    fn attribute_argument(&mut self, known: Known, into: &mut Attributes) -> Parse<()> {
        let start = self.tok.start;
        match known {
            Known::Aligned => {
                let align = self.alignment_argument()?;
                into.align_to(align);
            }
            Known::Mode => into.object_mut().mode = Some(self.mode()?),
            Known::VectorSize => {
                let size = self.constant_integer()?;
                match u64::try_from(size) {
                    Ok(size) if size.is_power_of_two() => {
                        into.object_mut().vector_size = Some(size)
                    }
                    _ => return Err(self.error(start, "vector size must be a power of two".into())),
                }
            }
            Known::CountedBy => into.object_mut().counted_by = Some(self.expect_name()?.0),
            Known::Regparm => match self.constant_integer()? {
                count @ 0..=3 => {
                    into.function.list().convention = Some(CallConv::Regparm(count as u8))
                }
                _ => return Err(self.error(start, "regparm takes 0 to 3 registers".into())),
            },
            Known::NonNull
            | Known::Terminated
            | Known::Trusted
            | Known::Nullable
            | Known::Releases => loop {
                let contract = match known {
                    Known::Terminated => Contract::Terminated { param: self.parameter_number()? },
                    Known::Releases => Contract::Releases { param: self.parameter_number()? },
                    Known::Trusted => match self.parameter_or_result()? {
                        Some(param) => Contract::Trusted { param },
                        None => Contract::TrustedResult,
                    },
                    Known::Nullable => match self.parameter_or_result()? {
                        Some(param) => Contract::Nullable { param },
                        None => Contract::NullableResult,
                    },
                    _ => Contract::NonNull { param: self.parameter_number()? },
                };
                into.function.list().contracts.push(contract);
                if !self.eat(",") {
                    break;
                }
            },
            Known::Access => {
                let contract = self.access()?;
                into.function.list().contracts.push(contract);
            }
            Known::VectorElements => {
                let count = self.constant_integer()?;
                match u32::try_from(count) {
                    Ok(count) if count.is_power_of_two() => {
                        into.object_mut().vector_elements = Some(count);
                    }
                    _ => {
                        let message = "number of vector elements must be a power of two".into();
                        return Err(self.error(start, message));
                    }
                }
            }
            Known::StorageOrder => {
                if self.string_literal()? != b"little-endian" {
                    let message =
                        "the bytes of the members would be in another order than the target's";
                    return Err(self.error(start, message.into()));
                }
            }
            Known::Packed
            | Known::Acquires
            | Known::MsStruct(_)
            | Known::TransparentUnion
            | Known::Convention(_)
            | Known::Refused(_) => {}
        }
        Ok(())
    }

    /// The argument of `aligned` or `_Alignas`: a type or a number; 0 means nothing.
    fn alignment_argument(&mut self) -> Parse<Option<u32>> {
        let start = self.tok.start;
        if self.at_type() {
            let ty = self.type_name()?;
            let align = self.decls.table.layout_of(ty).map(|layout| layout.align);
            return match align.and_then(|align| u32::try_from(align).ok()) {
                Some(align) => Ok(Some(align)),
                None => Err(self.error(start, "alignment of an incomplete type".into())),
            };
        }
        match self.constant_integer()? {
            0 => Ok(None),
            align
                if align > 0
                    && align <= i128::from(MAX_ALIGN)
                    && (align as u32).is_power_of_two() =>
            {
                Ok(Some(align as u32))
            }
            align => {
                let message = format!("alignment {align} is not a power of two up to {MAX_ALIGN}");
                Err(self.error(start, message))
            }
        }
    }

    fn mode(&mut self) -> Parse<Mode> {
        let start = self.tok.start;
        let (name, _) = self.expect_name()?;
        let model = self.decls.table.model();
        let name = bare(self.decls.table.name(name));
        match mode(name, model.pointer) {
            Some(mode) => Ok(mode),
            None => {
                let message = format!("unknown machine mode '{name}'");
                Err(self.error_hint(
                    start,
                    message,
                    "such as QI, HI, SI, DI, SF, DF, DC, V4SI, V2DF",
                ))
            }
        }
    }
}
