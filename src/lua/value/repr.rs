//! Reads an object in memory to Lua's stack, and writes it from there, without Lua's C API.

use std::ffi::c_void;
use std::mem;
use std::ptr;

use super::cdata::{self, Flags, Header};
use super::scalar::{self, Scalar};
use crate::ctype::{Bits, FloatKind, IntKind, QualType};
use crate::lua::state::Cx;
use crate::lua::types::kind::Kind;
use crate::lua::value::direct;
use crate::lua::vm::api::lua_State;
use crate::lua::vm::memory::Slot;

/// How an object is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::lua) enum Form {
    /// Not known.
    Unknown,
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
    /// A bit-field of a signed integer type that Lua has numbers for.
    SignedBits,
    /// The same of an unsigned one.
    UnsignedBits,
    Pointer,
    /// A struct, union or array.
    Aggregate,
    /// No object: a name of the metatype whose metatable is in place of the metatable.
    Named,
}

impl Form {
    /// The bits of an integer; 0 of what is none.
    pub(in crate::lua) fn integer_bits(self) -> u64 {
        match self {
            Form::I8 | Form::U8 => u8::MAX.into(),
            Form::I16 | Form::U16 => u16::MAX.into(),
            Form::I32 | Form::U32 => u32::MAX.into(),
            Form::I64 | Form::U64 => u64::MAX,
            _ => 0,
        }
    }
}

/// An object in another.
#[derive(Clone, Copy, Debug)]
pub(in crate::lua) struct Place {
    pub(in crate::lua) form: Form,
    /// Whether it may be assigned to.
    pub(in crate::lua) writable: bool,
    /// Whether `ffi.option` may say that it is read in another way.
    pub(in crate::lua) optional: bool,
    bits: Bits,
    /// The bits of its type, for cdata that hold or refer to it; of a name of a metatype, what was declared when it was found.
    pub(in crate::lua) ty: u32,
    /// Bytes from the start of the value; of an element, its size.
    pub(in crate::lua) offset: isize,
    /// The metatable of such cdata.
    pub(in crate::lua) metatable: *const c_void,
}

impl Place {
    /// The same at an offset.
    pub(in crate::lua) fn at(self, offset: isize) -> Place {
        Place { offset, ..self }
    }

    /// Of a number of a form, for [`set_number`] and [`assign_number`]; nothing else is known of it.
    pub(in crate::lua) const fn form(form: Form) -> Place {
        Place { form, ..Place::UNKNOWN }
    }

    /// No object, but a name of the metatype with a metatable, found when so much was declared.
    pub(in crate::lua) fn named(metatable: *const c_void, declared: u32) -> Place {
        Place { form: Form::Named, metatable, ty: declared, ..Place::UNKNOWN }
    }

    /// Whether [`set_number`] writes it.
    pub(in crate::lua) fn is_number(&self) -> bool {
        let bits = matches!(self.form, Form::SignedBits | Form::UnsignedBits);
        let other = matches!(self.form, Form::Aggregate | Form::Named | Form::Unknown);
        !bits && !self.is_boxed() && !other
    }

    /// Whether [`push_boxed`] pushes it.
    pub(in crate::lua) fn is_boxed(&self) -> bool {
        matches!(self.form, Form::Pointer | Form::U64)
    }

    pub(in crate::lua) const UNKNOWN: Place = Place {
        form: Form::Unknown,
        writable: false,
        optional: false,
        bits: Bits { shift: 0, width: 0 },
        ty: 0,
        offset: 0,
        metatable: ptr::null(),
    };
}

/// An object of type `ty` at an offset in another.
pub(in crate::lua) fn of(
    cx: &Cx<'_>,
    ty: QualType,
    offset: isize,
    bits: Option<Bits>,
) -> Option<Place> {
    classify(cx, ty, bits).map(|place| place.at(offset))
}

/// How an object is read and written, but for where it is.
pub(in crate::lua) fn classify(cx: &Cx<'_>, ty: QualType, bits: Option<Bits>) -> Option<Place> {
    let ty = cx.state.resolve(ty);
    let char_signed = cx.state.char_signed();
    let form = match (cx.state.value_kind(ty), bits) {
        (Kind::Int(kind), Some(_)) if kind.size() <= 4 => match kind.is_signed(char_signed) {
            true => Form::SignedBits,
            false => Form::UnsignedBits,
        },
        (_, Some(_)) => return None,
        (Kind::Bool, _) => Form::Bool,
        (Kind::Int(kind), _) => match (kind.size(), kind.is_signed(char_signed)) {
            (1, true) => Form::I8,
            (1, false) => Form::U8,
            (2, true) => Form::I16,
            (2, false) => Form::U16,
            (4, true) => Form::I32,
            (4, false) => Form::U32,
            (8, true) => Form::I64,
            (8, false) => Form::U64,
            _ => return None,
        },
        (Kind::Float(FloatKind::F32), _) => Form::F32,
        (Kind::Float(FloatKind::F64), _) => Form::F64,
        (Kind::Pointer(_), _) => Form::Pointer,
        (Kind::Record(_) | Kind::Array(..), _) => Form::Aggregate,
        _ => return None,
    };
    let is_enum = matches!(cx.state.kind(ty), Kind::Enum(_));
    let metatable = match form {
        Form::U64 | Form::Pointer | Form::Aggregate => cdata::metatable(cx, ty),
        _ => ptr::null(),
    };
    // An enum of 64 bits is a number or a cdata by rules of its own.
    (!is_enum || !matches!(form, Form::U64)).then_some(Place {
        form,
        writable: !ty.is_const() && !matches!(form, Form::Aggregate),
        optional: is_enum || matches!(form, Form::I64 | Form::Pointer),
        bits: bits.unwrap_or(Place::UNKNOWN.bits),
        ty: ty.to_bits(),
        offset: 0,
        metatable,
    })
}

/// Writes the Lua value of a number or boolean to a slot of the stack; false where the object is something else.
///
/// # Safety
/// - *Object* (see `value`).
pub(in crate::lua) unsafe fn set(slot: Slot, address: *const u8, place: &Place) -> bool {
    // SAFETY: *Object*, kept by the caller.
    unsafe {
        if let Form::SignedBits | Form::UnsignedBits = place.form {
            let signed = place.form == Form::SignedBits;
            let bits = scalar::load_bit_field(place.bits, signed, address);
            slot.set_integer(bits.to_i64());
            return true;
        }
        set_number(slot, address, place)
    }
}

/// [`set`] of what fills its bytes.
///
/// # Safety
/// - *Object* (see `value`).
#[inline(always)]
pub(in crate::lua) unsafe fn set_number(slot: Slot, address: *const u8, place: &Place) -> bool {
    // SAFETY: *Object*, kept by the caller.
    unsafe {
        match place.form {
            Form::F64 => slot.set_float(load(address)),
            Form::F32 => slot.set_float(load::<f32>(address).into()),
            Form::I32 => slot.set_integer(load::<i32>(address).into()),
            Form::U8 => slot.set_integer(load::<u8>(address).into()),
            Form::I8 => slot.set_integer(load::<i8>(address).into()),
            Form::I16 => slot.set_integer(load::<i16>(address).into()),
            Form::U16 => slot.set_integer(load::<u16>(address).into()),
            Form::U32 => slot.set_integer(load::<u32>(address).into()),
            Form::I64 => slot.set_integer(load(address)),
            Form::Bool => slot.set_boolean(load::<u8>(address) != 0),
            _ => return false,
        }
    }
    true
}

/// Pushes the cdata that a pointer or a 64-bit unsigned integer is in Lua; false where the object is something else.
///
/// # Safety
/// - *Object* (see `value`).
/// - *Layout* and *Room* (see `vm`).
/// - *Raise* (out of memory).
pub(in crate::lua) unsafe fn push_boxed(
    lua: *mut lua_State,
    address: *const u8,
    place: &Place,
) -> bool {
    let header = |flags, address| Header { ty: place.ty, flags, address };
    // SAFETY: *Object*, *Layout*, *Room* and *Raise*, kept by the caller.
    unsafe {
        let push = |header, extra| direct::push_cdata(lua, place.metatable, header, extra, 0);
        match place.form {
            Form::Pointer => {
                push(header(Flags::POINTER, load(address)), 0);
            }
            Form::U64 => {
                let value = load::<u64>(address);
                let block = push(header(0, ptr::null_mut()), mem::size_of::<u64>());
                let bytes = block.add(1).cast::<u8>();
                (*block).address = bytes;
                bytes.cast::<u64>().write(value);
            }
            _ => return false,
        }
    }
    true
}

/// Assigns a Lua value to an object; false where that is not done here.
///
/// # Safety
/// - *Object* (see `value`).
pub(in crate::lua) unsafe fn assign(value: Slot, address: *mut u8, place: &Place) -> bool {
    // SAFETY: *Object*, kept by the caller.
    unsafe {
        match place.form {
            Form::Bool => match value.boolean() {
                Some(truth) => store(address, u8::from(truth)),
                None => return false,
            },
            Form::Pointer => match pointer(value, place) {
                Some(pointer) => store(address, pointer),
                None => return false,
            },
            Form::SignedBits | Form::UnsignedBits => {
                let Some(n) = value.integer().or_else(|| whole(value, place)) else { return false };
                scalar::store_bit_field(place.bits, address, n as u128);
            }
            _ if assign_number(value, address, place) => {}
            _ => match whole(value, place) {
                Some(n) => return store_integer(n, address, place),
                None => return false,
            },
        }
    }
    true
}

/// [`assign`] of a number to a float, of a Lua integer to an integer.
///
/// # Safety
/// - *Object* (see `value`).
#[inline(always)]
pub(in crate::lua) unsafe fn assign_number(value: Slot, address: *mut u8, place: &Place) -> bool {
    // SAFETY: *Object*, kept by the caller.
    unsafe {
        match (place.form, value.integer()) {
            (Form::F64 | Form::F32, integer) => {
                let Some(n) = value.float().or_else(|| integer.map(|n| n as f64)) else {
                    return false;
                };
                match place.form {
                    Form::F64 => store(address, n),
                    _ => store(address, n as f32),
                }
                true
            }
            (_, Some(n)) => store_integer(n, address, place),
            _ => false,
        }
    }
}

/// # Safety
/// - *Object* (see `value`).
#[inline(always)]
unsafe fn store_integer(n: i64, address: *mut u8, place: &Place) -> bool {
    // SAFETY: *Object*, kept by the caller.
    unsafe {
        match place.form {
            Form::I8 | Form::U8 => store(address, n as u8),
            Form::I16 | Form::U16 => store(address, n as u16),
            Form::I32 | Form::U32 => store(address, n as u32),
            Form::I64 | Form::U64 => store(address, n),
            _ => return false,
        }
    }
    true
}

/// A float as an integer of an integer type.
fn whole(value: Slot, place: &Place) -> Option<i64> {
    let n = Scalar::Float(value.float()?);
    Some(match place.form {
        Form::U64 => n.to_bits(IntKind::U64) as i64,
        _ => n.to_i64(),
    })
}

/// The pointer that nil is, or a cdata of exactly the place's type.
fn pointer(value: Slot, place: &Place) -> Option<*mut u8> {
    if value.is_nil() {
        return Some(ptr::null_mut());
    }
    let userdata = value.userdata()?;
    // SAFETY: the metatable says that the userdata is a pointer.
    (userdata.metatable() == place.metatable)
        .then(|| unsafe { (*userdata.block::<Header>()).address })
}

/// # Safety
/// - *Readable*: `address`, as a `T`.
unsafe fn load<T: Copy>(address: *const u8) -> T {
    // SAFETY: *Readable*, kept by the caller.
    unsafe { address.cast::<T>().read_unaligned() }
}

/// # Safety
/// - *Writable*: `address`, as a `T`.
unsafe fn store<T>(address: *mut u8, value: T) {
    // SAFETY: *Writable*, kept by the caller.
    unsafe { address.cast::<T>().write_unaligned(value) }
}
