//! Types printed as C.

use std::fmt::Write;

use super::{
    Access, ArrayLen, CallConv, Contract, EnumId, FloatKind, Function, IntKind, Member, QualType,
    Quals, RecordAttributes, RecordBody, RecordId, RecordKind, Table, Type, TypeId, UnnamedBits,
};

/// Types can share parts, so that their text may be exponentially longer than what declared them.
const MAX_LENGTH: usize = 1 << 16;

/// As LuaJIT's `lj_ctype_repr`, but with the parameters of functions.
pub(super) fn repr(table: &Table, ty: QualType) -> String {
    Printer::new(table, false).declarator(ty, String::new())
}

/// A declaration that parses back.
pub(super) fn declare(table: &Table, ty: QualType, name: &str) -> String {
    Printer::new(table, true).declarator(ty, name.to_owned())
}

/// A declaration of the type itself: of a struct, union or enum with a tag its definition.
pub(super) fn define(table: &Table, ty: QualType) -> String {
    let defined = Some(table.resolve(ty).id());
    Printer { defined, ..Printer::new(table, true) }.declarator(ty, String::new())
}

struct Printer<'a> {
    table: &'a Table,
    /// Everything that the type needs to parse back, against LuaJIT's short form.
    exact: bool,
    /// The record or enum whose body is printed although it has a tag.
    defined: Option<TypeId>,
    length: usize,
    /// The `#pragma pack` that holds where the text goes on.
    pack: Option<u32>,
}

impl<'a> Printer<'a> {
    fn new(table: &'a Table, exact: bool) -> Printer<'a> {
        Printer { table, exact, defined: None, length: 0, pack: None }
    }

    /// The declaration of `inner`, a declarator that grows from the inside out.
    fn declarator(&mut self, ty: QualType, mut inner: String) -> String {
        let table = self.table;
        let mut ty = ty;
        // A pointer to a function or an array needs parentheses.
        let mut pointer = false;
        loop {
            let quals = ty.quals();
            match table.get(ty.id()) {
                Type::Pointer(to) => {
                    let space = if quals != Quals::NONE && !inner.is_empty() { " " } else { "" };
                    inner = format!("*{}{space}{inner}", quals_text(quals, ""));
                    (ty, pointer) = (*to, true);
                }
                Type::Reference(to) => {
                    inner.insert(0, '&');
                    (ty, pointer) = (*to, true);
                }
                Type::Array(element, len) => {
                    if std::mem::take(&mut pointer) {
                        inner = format!("({inner})");
                    }
                    match len {
                        ArrayLen::Fixed(n) => inner.push_str(&format!("[{n}]")),
                        ArrayLen::Incomplete => inner.push_str("[]"),
                        ArrayLen::Variable => inner.push_str("[?]"),
                    }
                    ty = element.qualified(quals);
                }
                Type::Function(function) => {
                    inner = self.function(function, inner, std::mem::take(&mut pointer));
                    ty = function.result;
                }
                Type::Aligned(to, _) if !self.exact => ty = to.qualified(quals),
                _ => break,
            }
            if inner.len() + self.length > MAX_LENGTH {
                return format!("... {inner}");
            }
        }
        let mut text = quals_text(ty.quals(), " ");
        self.specifier(ty.id(), &mut text);
        if !inner.is_empty() {
            text.push(' ');
            text.push_str(&inner);
        }
        self.length += text.len();
        text
    }

    fn function(&mut self, function: &Function, inner: String, pointer: bool) -> String {
        let mut attributes = convention(function.convention);
        if self.exact {
            attributes.push_str(&contracts(&function.contracts));
        }
        let mut text = match (pointer, attributes.is_empty()) {
            (true, _) => format!("({attributes}{inner})"),
            (false, true) => inner,
            (false, false) => format!("{attributes}{inner}"),
        };
        let mut params = Vec::with_capacity(function.params.len() + 1);
        for (i, &param) in (0..).zip(&function.params) {
            if self.length > MAX_LENGTH {
                break;
            }
            params.push(self.param(param, i, &function.contracts));
        }
        if function.variadic {
            params.push("...".to_owned());
        } else if params.is_empty() && !function.unprototyped {
            params.push("void".to_owned());
        }
        let _ = write!(text, "({})", params.join(", "));
        text
    }

    fn param(&mut self, ty: QualType, index: u32, contracts: &[Contract]) -> String {
        let contracts = if self.exact { contracts } else { &[] };
        let restricted = contracts.contains(&Contract::Restrict { param: index });
        match (self.table.get(ty.id()), at_least(contracts, index)) {
            (Type::Pointer(to), Some(count)) => self.declarator(*to, format!("[static {count}]")),
            _ if restricted => {
                self.declarator(QualType::new(ty.id(), Quals::RESTRICT), String::new())
            }
            _ => self.declarator(ty, String::new()),
        }
    }

    fn specifier(&mut self, id: TypeId, text: &mut String) {
        match self.table.get(id) {
            Type::Void => text.push_str("void"),
            Type::Bool => text.push_str(if self.exact { "_Bool" } else { "bool" }),
            Type::Int(kind) => text.push_str(self.int_text(*kind)),
            Type::Float(kind) => text.push_str(self.float_text(*kind)),
            Type::Complex(FloatKind::F64) if !self.exact => text.push_str("complex"),
            Type::Complex(kind) => {
                let kind = self.float_text(*kind);
                let _ = match self.exact {
                    true => write!(text, "{kind} _Complex"),
                    false => write!(text, "complex {kind}"),
                };
            }
            Type::Vector(element, count) => {
                let size = self.table.layout_of(*element).map_or(0, |l| l.size);
                let size = size.saturating_mul(u64::from(*count));
                let element = self.declarator(*element, String::new());
                let _ = write!(text, "{element} __attribute__((vector_size({size})))");
            }
            Type::Record(record) => self.record(id, *record, text),
            Type::Enum(e) => self.enumeration(id, *e, text),
            Type::Aligned(inner, align) => {
                let inner = self.declarator(*inner, String::new());
                let _ = write!(text, "__typeof__({inner} __attribute__((aligned({align}))))");
            }
            // The loop over declarators took these apart.
            Type::Pointer(_) | Type::Reference(_) | Type::Array(..) | Type::Function(_) => {}
        }
    }

    fn int_text(&self, kind: IntKind) -> &'static str {
        match kind {
            IntKind::Char => "char",
            IntKind::I8 => "signed char",
            IntKind::U8 => "unsigned char",
            IntKind::I16 => "short",
            IntKind::U16 => "unsigned short",
            IntKind::I32 => "int",
            IntKind::U32 => "unsigned int",
            // A program may have declared LuaJIT's names differently.
            IntKind::I64 if self.exact => "long long",
            IntKind::U64 if self.exact => "unsigned long long",
            IntKind::I64 => "int64_t",
            IntKind::U64 => "uint64_t",
            IntKind::I128 => "__int128",
            IntKind::U128 => "unsigned __int128",
        }
    }

    fn float_text(&self, kind: FloatKind) -> &'static str {
        match kind {
            FloatKind::F16 => "_Float16",
            FloatKind::F32 => "float",
            FloatKind::F64 => "double",
            kind if kind == self.table.model().long_double.0 => "long double",
            FloatKind::F80 => "__float80",
            FloatKind::F128 => "__float128",
        }
    }

    /// Whether the body of `ty` is printed here: once, as a record may lead back to itself.
    fn defines(&mut self, ty: TypeId) -> bool {
        self.defined.take_if(|defined| *defined == ty).is_some()
    }

    fn record(&mut self, ty: TypeId, id: RecordId, text: &mut String) {
        let record = self.table.record(id);
        text.push_str(keyword(record.kind));
        text.push(' ');
        let tag = record.tag.map(|tag| self.table.name(tag));
        match (tag, &record.body) {
            (Some(tag), None) => text.push_str(tag),
            (Some(tag), _) if !self.defines(ty) => text.push_str(tag),
            (tag, Some(body)) if self.exact => self.body(tag, body, text),
            _ => {
                let _ = write!(text, "{}", ty.index());
            }
        }
    }

    fn body(&mut self, tag: Option<&str>, body: &RecordBody, text: &mut String) {
        let outer = std::mem::replace(&mut self.pack, body.attributes.pack);
        let repack = self.pack != outer;
        if repack {
            let _ = write!(text, "__pragma(pack(push, {})) ", self.pack.unwrap_or(0));
        }
        text.push_str(&record_attributes(&body.attributes));
        text.extend(tag.into_iter().flat_map(|tag| [tag, " "]));
        text.push_str("{ ");
        let mut unnamed = body.unnamed_bits.iter().peekable();
        for (i, member) in (0..).zip(&body.members) {
            while let Some(bits) = unnamed.next_if(|bits| bits.before <= i) {
                self.unnamed_bits(bits, text);
            }
            self.member(member, text);
        }
        for bits in unnamed {
            self.unnamed_bits(bits, text);
        }
        text.push('}');
        if repack {
            text.push_str(" __pragma(pack(pop))");
        }
        self.pack = outer;
    }

    fn unnamed_bits(&mut self, bits: &UnnamedBits, text: &mut String) {
        let ty = self.declarator(bits.ty, String::new());
        let _ = write!(text, "{ty} : {}; ", bits.width);
    }

    fn member(&mut self, member: &Member, text: &mut String) {
        let name = member.name.map_or("", |name| self.table.name(name));
        text.push_str(&self.declarator(member.ty, name.to_owned()));
        if let Some(bits) = member.bits {
            let _ = write!(text, " : {}", bits.width);
        }
        if member.attributes.packed {
            text.push_str(" __attribute__((packed))");
        }
        if let Some(align) = member.attributes.align {
            let _ = write!(text, " __attribute__((aligned({align})))");
        }
        text.push_str("; ");
    }

    fn enumeration(&mut self, ty: TypeId, id: EnumId, text: &mut String) {
        let declared = self.table.enum_(id);
        text.push_str("enum ");
        let tag = declared.tag.map(|tag| self.table.name(tag));
        match tag {
            Some(tag) if declared.values.is_empty() || !self.defines(ty) => {
                text.push_str(tag);
            }
            tag if self.exact && !declared.values.is_empty() => {
                text.extend(tag.into_iter().flat_map(|tag| [tag, " "]));
                let base = self.table.enum_base(id);
                let _ = write!(text, ": {} {{ ", self.int_text(base));
                for (name, value) in &declared.values {
                    let name = self.table.name(*name);
                    let _ = match base {
                        IntKind::U64 => write!(text, "{name} = {}u, ", *value as u64),
                        _ => write!(text, "{name} = {value}, "),
                    };
                }
                text.push('}');
            }
            _ => {
                let _ = write!(text, "{}", ty.index());
            }
        }
    }
}

/// `struct` or `union`
pub(super) fn keyword(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Struct => "struct",
        RecordKind::Union => "union",
    }
}

fn at_least(contracts: &[Contract], index: u32) -> Option<u64> {
    contracts.iter().find_map(|contract| match *contract {
        Contract::AtLeast { param, count } if param == index => Some(count),
        _ => None,
    })
}

fn quals_text(quals: Quals, separator: &str) -> String {
    const NAMES: [(Quals, &str); 4] = [
        (Quals::CONST, "const"),
        (Quals::VOLATILE, "volatile"),
        (Quals::RESTRICT, "restrict"),
        (Quals::ATOMIC, "_Atomic"),
    ];
    let names: Vec<_> = NAMES.iter().filter(|n| quals.has(n.0)).map(|n| n.1).collect();
    let mut text = names.join(" ");
    if !text.is_empty() {
        text.push_str(separator);
    }
    text
}

/// With a space after it, to stand before a declarator.
fn convention(convention: CallConv) -> String {
    match convention {
        CallConv::Default => String::new(),
        CallConv::Cdecl
        | CallConv::Stdcall
        | CallConv::Fastcall
        | CallConv::Thiscall
        | CallConv::Vectorcall => format!("__{} ", convention.keyword()),
        CallConv::Regparm(count) => format!("__attribute__((regparm({count}))) "),
        CallConv::MsAbi
        | CallConv::SysvAbi
        | CallConv::Preserving(_)
        | CallConv::Unsupported(_) => format!("__attribute__(({})) ", convention.keyword()),
    }
}

fn contracts(contracts: &[Contract]) -> String {
    let mut text = String::new();
    for contract in contracts {
        let _ = match *contract {
            Contract::NonNull { param } => write!(text, "__attribute__((nonnull({}))) ", param + 1),
            Contract::Access { mode, param, size } => {
                let mode = match mode {
                    Access::ReadOnly => "read_only",
                    Access::WriteOnly => "write_only",
                    Access::ReadWrite => "read_write",
                    Access::None => "none",
                };
                let size = size.map_or(String::new(), |size| format!(", {}", size + 1));
                write!(text, "__attribute__((access({mode}, {}{size}))) ", param + 1)
            }
            Contract::Terminated { param } => {
                write!(text, "__attribute__((null_terminated_string_arg({}))) ", param + 1)
            }
            Contract::Trusted { param } => write!(text, "__attribute__((trusted({}))) ", param + 1),
            Contract::TrustedResult => write!(text, "__attribute__((trusted(0))) "),
            Contract::Nullable { param } => {
                write!(text, "__attribute__((nullable({}))) ", param + 1)
            }
            Contract::Releases { param } => {
                write!(text, "__attribute__((releases({}))) ", param + 1)
            }
            Contract::Acquires => write!(text, "__attribute__((acquires)) "),
            Contract::NullableResult => write!(text, "__attribute__((nullable(0))) "),
            Contract::AtLeast { .. } | Contract::Restrict { .. } => Ok(()),
        };
    }
    text
}

fn record_attributes(attributes: &RecordAttributes) -> String {
    let mut items = Vec::new();
    if attributes.packed {
        items.push("packed".to_owned());
    }
    if let Some(align) = attributes.align {
        items.push(format!("aligned({align})"));
    }
    if let Some(ms) = attributes.ms_struct {
        items.push(if ms { "ms_struct" } else { "gcc_struct" }.to_owned());
    }
    let mut text = String::new();
    if !items.is_empty() {
        let _ = write!(text, "__attribute__(({})) ", items.join(", "));
    }
    text
}
