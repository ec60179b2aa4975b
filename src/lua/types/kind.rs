//! Kind, size and alignment of types: small copies that outlive the borrow of the type table.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ptr;

use super::Types;
use crate::ctype::{
    ArrayLen, EnumId, FloatKind, IntKind, QualType, Quals, RecordId, Table, Type, TypeId,
};
use crate::lua::state::rooms::Part;
use crate::lua::state::{LuaError, State};

/// A [`Type`] without its heap parts, and with alignment attributes resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lua) enum Kind {
    /// `void`
    Void,
    /// `_Bool`
    Bool,
    /// An integer.
    Int(IntKind),
    /// A real floating-point type.
    Float(FloatKind),
    /// A complex type, by its part.
    Complex(FloatKind),
    /// `T *`
    Pointer(QualType),
    /// `T &`
    Reference(QualType),
    /// `T [n]`
    Array(QualType, ArrayLen),
    /// A vector of `n` elements.
    Vector(QualType, u32),
    /// A function.
    Function,
    /// A struct or union.
    Record(RecordId),
    /// An enum.
    Enum(EnumId),
}

impl Kind {
    /// # Panics
    /// For [`Type::Aligned`], which [`Table::resolve`] takes off.
    fn of(ty: &Type) -> Kind {
        match *ty {
            Type::Void => Kind::Void,
            Type::Bool => Kind::Bool,
            Type::Int(kind) => Kind::Int(kind),
            Type::Float(kind) => Kind::Float(kind),
            Type::Complex(kind) => Kind::Complex(kind),
            Type::Pointer(to) => Kind::Pointer(to),
            Type::Reference(to) => Kind::Reference(to),
            Type::Array(element, len) => Kind::Array(element, len),
            Type::Vector(element, count) => Kind::Vector(element, count),
            Type::Function(_) => Kind::Function,
            Type::Record(record) => Kind::Record(record),
            Type::Enum(e) => Kind::Enum(e),
            Type::Aligned(..) => unreachable!("resolved types are not aligned ones"),
        }
    }

    /// Whether the values are structs, unions or arrays: Lua sees them by reference.
    pub(in crate::lua) fn is_aggregate(self) -> bool {
        matches!(self, Kind::Record(_) | Kind::Array(..))
    }
}

/// The metatables of a type's cdata: by qualifiers, and whether they have `__gc`.
#[derive(Debug, Default)]
pub(in crate::lua) struct Metatables(pub(in crate::lua) [Metatable; 8]);

impl Metatables {
    pub(in crate::lua) fn get(&self, quals: Quals, finalized: bool) -> &Metatable {
        &self.0[usize::from(quals.0 & 3) << 1 | usize::from(finalized)]
    }
}

const _: () = assert!(Quals::CONST.0 | Quals::VOLATILE.0 == 3);

/// A metatable, once it is made.
#[derive(Debug)]
pub(in crate::lua) struct Metatable {
    pub(in crate::lua) identity: Cell<*const c_void>,
    /// In the registry; 0 before it is made.
    pub(in crate::lua) reference: Cell<c_int>,
}

impl Default for Metatable {
    fn default() -> Metatable {
        Metatable { identity: Cell::new(ptr::null()), reference: Cell::new(0) }
    }
}

/// Facts about a type that the run time asks for again and again. They are found once; those of an incomplete type are found each time.
#[derive(Debug)]
pub(in crate::lua) struct TypeInfo {
    kind: Kind,
    /// The type without alignment attributes, and the qualifiers that they held.
    resolved: QualType,
    layout: Cell<Option<(usize, usize)>>,
    /// The metatables of its cdata; see [`crate::lua::value::cdata`].
    pub(in crate::lua) metatables: Metatables,
    /// The way to make values that the fast path remembers; null: none.
    pub(in crate::lua) maker: Cell<*const c_void>,
}

impl TypeInfo {
    fn new(table: &Table, id: TypeId) -> TypeInfo {
        let resolved = table.resolve(id.into());
        TypeInfo {
            kind: Kind::of(table.get(resolved.id())),
            resolved,
            layout: Cell::new(None),
            metatables: Metatables::default(),
            maker: Cell::new(ptr::null()),
        }
    }
}

impl State {
    /// The facts about a type.
    pub(in crate::lua) fn info(&self, id: TypeId) -> &TypeInfo {
        let known = Types::of(self)
            .infos
            .borrow()
            .get(id.index())
            .and_then(|info| info.as_deref().map(ptr::from_ref));
        let info = known.unwrap_or_else(|| self.add_info(id));
        // SAFETY: *Boxed* (see `state`).
        unsafe { &*info }
    }

    #[cold]
    fn add_info(&self, id: TypeId) -> *const TypeInfo {
        let info = Box::new(TypeInfo::new(self.types.borrow().table(), id));
        let mut infos = Types::of(self).infos.borrow_mut();
        if infos.len() <= id.index() {
            infos.resize_with(id.index() + 1, || None);
        }
        ptr::from_ref(&**infos[id.index()].insert(info))
    }

    /// The facts about a type whose cdata exist; `None` for other types, and for ids of no type.
    pub(in crate::lua) fn known_info(&self, id: TypeId) -> Option<&TypeInfo> {
        let info = Types::of(self).infos.borrow().get(id.index())?.as_deref().map(ptr::from_ref)?;
        // SAFETY: *Boxed* (see `state`).
        Some(unsafe { &*info })
    }

    /// The type with alignment attributes taken off and the qualifiers under them put on top.
    pub(in crate::lua) fn resolve(&self, ty: QualType) -> QualType {
        self.info(ty.id()).resolved.qualified(ty.quals())
    }

    /// The kind of a type.
    pub(in crate::lua) fn kind(&self, ty: impl Into<QualType>) -> Kind {
        self.info(ty.into().id()).kind
    }

    /// Whether it is a pointer to functions.
    pub(in crate::lua) fn is_function_pointer(&self, ty: QualType) -> bool {
        matches!(self.kind(ty), Kind::Pointer(to) if self.kind(to) == Kind::Function)
    }

    /// Like [`State::kind`], with an enum as the integer that holds it.
    pub(in crate::lua) fn value_kind(&self, ty: impl Into<QualType>) -> Kind {
        match self.kind(ty) {
            Kind::Enum(e) => Kind::Int(self.enum_int(e)),
            other => other,
        }
    }

    /// The integer type of an enum; `unsigned int` while it is incomplete.
    pub(in crate::lua) fn enum_int(&self, e: EnumId) -> IntKind {
        self.types.borrow().table().enum_(e).base.unwrap_or(IntKind::U32)
    }

    /// The type behind a C++ reference, or the type itself.
    pub(in crate::lua) fn referent(&self, ty: QualType) -> QualType {
        match self.kind(ty) {
            Kind::Reference(to) => self.resolve(to),
            _ => self.resolve(ty),
        }
    }

    /// Size and alignment in bytes; `None` for incomplete and variable-length types, `void` and functions. A structure
    /// with a flexible member counts no element.
    fn layout(&self, id: TypeId) -> Option<(usize, usize)> {
        let info = self.info(id);
        if info.layout.get().is_none()
            && let Some(layout) = self.types.borrow().table().layout(id)
            && let Ok(size) = usize::try_from(layout.size)
            && isize::try_from(size).is_ok()
        {
            info.layout.set(Some((size, layout.align as usize)));
        }
        info.layout.get()
    }

    /// Size in bytes, where the type has one; see [`State::layout`].
    pub(in crate::lua) fn size(&self, ty: impl Into<QualType>) -> Option<usize> {
        self.layout(ty.into().id()).map(|(size, _)| size)
    }

    /// Size in bytes, or the error that there is none.
    pub(in crate::lua) fn known_size(&self, ty: impl Into<QualType>) -> Result<usize, LuaError> {
        let ty = ty.into();
        self.size(ty).ok_or_else(|| {
            LuaError::new(format!("size of C type is unknown or too large: '{}'", self.repr(ty)))
        })
    }

    /// Alignment in bytes; 1 where there is none. An array of unknown length has that of its elements.
    pub(in crate::lua) fn align(&self, ty: impl Into<QualType>) -> usize {
        let mut ty = ty.into();
        loop {
            if let Some((_, align)) = self.layout(ty.id()) {
                return align;
            }
            match self.kind(ty) {
                Kind::Array(element, _) => ty = element,
                Kind::Record(record) => return self.record_align(record),
                _ => return 1,
            }
        }
    }

    fn record_align(&self, record: RecordId) -> usize {
        let types = self.types.borrow();
        let body = types.table().record(record).body.as_ref();
        body.map_or(1, |body| body.layout.align as usize)
    }

    /// The type as LuaJIT prints it.
    pub(in crate::lua) fn repr(&self, ty: impl Into<QualType>) -> String {
        self.types.borrow().table().repr(ty.into())
    }

    /// Whether plain `char` is signed.
    pub(in crate::lua) fn char_signed(&self) -> bool {
        self.char_signed
    }

    /// `T *`
    pub(in crate::lua) fn pointer_to(&self, ty: impl Into<QualType>) -> TypeId {
        self.types.borrow_mut().table_mut().pointer_to(ty.into())
    }

    /// The type of the elements of `container`, with the qualifiers that the container gives them.
    pub(in crate::lua) fn member_quals(&self, element: QualType, container: Quals) -> QualType {
        element.qualified(Quals(container.0 & (Quals::CONST.0 | Quals::VOLATILE.0)))
    }
}
