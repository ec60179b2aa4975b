//! libffi as the oracle, for functions that it can describe: `ffi_call` calls the callback, and the call thunk calls a closure of libffi.
//!
//! libffi 3.4, loaded at run time. It knows scalars, complex numbers and plain structs. It does not know unions, bit-fields, packed or
//! over-aligned members, members without size, vectors, and integers of 128 bits.

use std::cell::RefCell;
use std::ffi::{c_int, c_uint, c_void};
use std::mem::transmute;

use super::Oracle;
use super::library::{open, symbol};
use super::thunks::{Checker, call_named};
use crate::abi::{self, Convention};
use crate::code::os;
use crate::ctype::{FloatKind, IntKind, QualType, RecordKind, Table, Type};
use crate::fuzz::batch::{Batch, Prototype, Value};
use crate::fuzz::image::RESULT;
use crate::fuzz::program::{Direction, Outcome};
use crate::fuzz::trouble::Trouble;

/// `ffi_type`
#[repr(C)]
struct FfiType {
    size: usize,
    alignment: u16,
    kind: u16,
    elements: *const *const FfiType,
}

/// `FFI_TYPE_STRUCT`
const STRUCT: u16 = 13;

/// `enum ffi_abi` on x86-64: `FFI_UNIX64` and `FFI_GNUW64`.
static ABIS: [(&Convention, c_int); 2] = [(&abi::SYSV64, 2), (&abi::WIN64, 4)];

/// `ffi_cif`, which has 32 bytes.
type Cif = [u64; 8];

/// More than `sizeof(ffi_closure)`.
const CLOSURE: usize = 256;

type PrepareCif = unsafe extern "C" fn(
    *mut Cif,
    abi: c_int,
    count: c_uint,
    result: *const FfiType,
    arguments: *const *const FfiType,
) -> c_int;
type Call =
    unsafe extern "C" fn(*mut Cif, function: *const c_void, *mut c_void, *const *const c_void);
type ClosureAlloc = unsafe extern "C" fn(usize, *mut *const c_void) -> *mut c_void;
type ClosureFree = unsafe extern "C" fn(*mut c_void);
type Body = unsafe extern "C" fn(*mut Cif, *mut c_void, *const *const c_void, *const c_void);
type PrepareClosure = unsafe extern "C" fn(
    *mut c_void,
    *mut Cif,
    Body,
    data: *const c_void,
    code: *const c_void,
) -> c_int;
type StructOffsets = unsafe extern "C" fn(c_int, *const FfiType, *mut usize) -> c_int;

/// The library's functions.
pub struct Libffi {
    handle: &'static os::Library,
    prepare_cif: PrepareCif,
    call: Call,
    closure_alloc: ClosureAlloc,
    closure_free: ClosureFree,
    prepare_closure: PrepareClosure,
    struct_offsets: StructOffsets,
}

impl Libffi {
    /// Loads `libffi.so.8`.
    ///
    /// # Errors
    /// [`Trouble::Library`]
    pub fn open() -> Result<Libffi, Trouble> {
        let handle = open("libffi.so.8")?;
        let find = |name| symbol(handle, name);
        // SAFETY: the types of libffi 3.4's `ffi.h`.
        unsafe {
            Ok(Libffi {
                handle,
                prepare_cif: transmute::<*const c_void, PrepareCif>(find("ffi_prep_cif")?),
                call: transmute::<*const c_void, Call>(find("ffi_call")?),
                closure_alloc: transmute::<*const c_void, ClosureAlloc>(find("ffi_closure_alloc")?),
                closure_free: transmute::<*const c_void, ClosureFree>(find("ffi_closure_free")?),
                prepare_closure: transmute::<*const c_void, PrepareClosure>(find(
                    "ffi_prep_closure_loc",
                )?),
                struct_offsets: transmute::<*const c_void, StructOffsets>(find(
                    "ffi_get_struct_offsets",
                )?),
            })
        }
    }

    /// A function type, if libffi has words for it.
    fn describe(&self, batch: &Batch, prototype: &Prototype) -> Option<Description> {
        let (_, abi) = ABIS.iter().find(|(of, _)| *of == batch.platform.convention)?;
        let mut types = Types { libffi: self, abi: *abi, made: Vec::new(), lists: Vec::new() };
        let result = types.of(batch.table(), prototype.result.ty)?;
        let arguments = prototype.arguments.iter().map(|a| types.of(batch.table(), a.ty));
        let arguments = arguments.collect::<Option<Box<[_]>>>()?;
        let mut cif = Box::new([0; 8]);
        let count = arguments.len() as c_uint;
        // SAFETY: the types live as long as the description, which owns them.
        let status =
            unsafe { (self.prepare_cif)(&mut *cif, *abi, count, result, arguments.as_ptr()) };
        (status == 0).then_some(Description {
            cif,
            _arguments: arguments,
            _made: types.made,
            _lists: types.lists,
        })
    }

    fn call(&self, batch: &Batch, prototype: &Prototype, cif: &mut Cif) -> Result<(), String> {
        let filled = |(number, argument): (usize, &Value)| {
            let mut memory = Memory::of(argument);
            argument.image.fill(number, memory.bytes());
            memory
        };
        let mut values: Vec<Memory> = prototype.arguments.iter().enumerate().map(filled).collect();
        let pointers: Vec<*const c_void> =
            values.iter_mut().map(|memory| memory.bytes().as_ptr().cast()).collect();
        let mut result = Memory::of(&prototype.result);
        Checker::new(prototype).during(batch.platform, |callback| {
            let address = result.bytes().as_mut_ptr().cast();
            // SAFETY: the callback has the type that the cif describes; the result has room for a widened one.
            unsafe { (self.call)(cif, callback, address, pointers.as_ptr()) };
            match prototype.result.image.is_named(RESULT, result.bytes()) {
                true => Ok(()),
                false => Err("libffi got another result from the callback".into()),
            }
        })
    }

    fn closure(&self, batch: &Batch, prototype: &Prototype, cif: &mut Cif) -> Result<(), String> {
        let checks = Checks { prototype, outcome: RefCell::new(Ok(())) };
        let mut code = std::ptr::null();
        // SAFETY: a closure of its own, which is freed after the call; `checks` outlives it.
        unsafe {
            let closure = (self.closure_alloc)(CLOSURE, &mut code);
            let data = (&raw const checks).cast();
            let status = match closure.is_null() {
                true => -1,
                false => (self.prepare_closure)(closure, cif, body, data, code),
            };
            let outcome = match status {
                0 => call_named(prototype, batch.platform, code, || checks.outcome.replace(Ok(()))),
                status => Err(format!("libffi makes no closure: {status}")),
            };
            (self.closure_free)(closure);
            outcome
        }
    }
}

/// Memory for a value of any alignment that libffi knows, at least a register wide.
struct Memory(Vec<u128>);

impl Memory {
    fn of(value: &Value) -> Memory {
        Memory(vec![u128::from_ne_bytes([0xA5; 16]); value.image.bytes.len() / 16 + 1])
    }

    fn bytes(&mut self) -> &mut [u8] {
        let size = size_of_val(&*self.0);
        // SAFETY: any u128 is 16 bytes.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), size) }
    }
}

impl Oracle for Libffi {
    fn name(&self) -> &str {
        "libffi"
    }

    fn step(&self, batch: &Batch, prototype: &Prototype, direction: Direction) -> Outcome {
        if prototype.is_variadic() {
            return Outcome::Skipped("libffi closures take no variable arguments".into());
        }
        let Some(mut description) = self.describe(batch, prototype) else {
            return Outcome::Skipped("libffi has no words for it".into());
        };
        let cif = &mut *description.cif;
        let outcome = match direction {
            Direction::Call => self.closure(batch, prototype, cif),
            Direction::Callback => self.call(batch, prototype, cif),
        };
        outcome.into()
    }
}

/// A closure's data: what it got wrong.
struct Checks<'p> {
    prototype: &'p Prototype,
    outcome: RefCell<Result<(), String>>,
}

/// The code of a closure: checks its arguments and names its result.
///
/// # Safety
/// - `data` are the [`Checks`] of the closure.
/// - `arguments` has an address for each argument of the cif, of a value of its type.
/// - `result` is writable for a value of the result's type, and for a register at least.
unsafe extern "C" fn body(
    _: *mut Cif,
    result: *mut c_void,
    arguments: *const *const c_void,
    data: *const c_void,
) {
    // SAFETY: `Libffi::closure` gave these checks; libffi gives as many arguments as the cif has, and room for a result of at
    // least a register.
    unsafe {
        let checks = &*data.cast::<Checks>();
        for (i, argument) in checks.prototype.arguments.iter().enumerate() {
            let size = argument.image.bytes.len();
            let bytes = std::slice::from_raw_parts((*arguments.add(i)).cast::<u8>(), size);
            if !argument.image.is_named(i, bytes) {
                let words = format!("libffi got another argument {}: {bytes:02x?}", i + 1);
                *checks.outcome.borrow_mut() = Err(words);
            }
        }
        let image = &checks.prototype.result.image;
        let bytes = std::slice::from_raw_parts_mut(result.cast::<u8>(), image.bytes.len());
        image.fill(RESULT, bytes);
    }
}

/// A prepared function type and everything that it points to.
struct Description {
    cif: Box<Cif>,
    _arguments: Box<[*const FfiType]>,
    #[expect(clippy::vec_box, reason = "libffi holds their addresses")]
    _made: Vec<Box<FfiType>>,
    _lists: Vec<Box<[*const FfiType]>>,
}

struct Types<'l> {
    libffi: &'l Libffi,
    abi: c_int,
    #[expect(clippy::vec_box, reason = "libffi holds their addresses")]
    made: Vec<Box<FfiType>>,
    lists: Vec<Box<[*const FfiType]>>,
}

impl Types<'_> {
    fn of(&mut self, table: &Table, ty: QualType) -> Option<*const FfiType> {
        let integer = |kind: IntKind| {
            let sign = if kind.is_signed(table.model().char_signed) { "s" } else { "u" };
            Some(format!("ffi_type_{sign}int{}", kind.size() * 8))
        };
        let float = |kind: FloatKind| match kind {
            FloatKind::F32 => Some("float"),
            FloatKind::F64 => Some("double"),
            FloatKind::F80 => Some("longdouble"),
            FloatKind::F16 | FloatKind::F128 => None,
        };
        let name = match *table.shape(ty) {
            Type::Void => Some("ffi_type_void".into()),
            Type::Bool => Some("ffi_type_uint8".into()),
            Type::Int(kind) if kind.size() <= 8 => integer(kind),
            Type::Enum(id) => integer(table.enum_base(id)),
            Type::Pointer(_) => Some("ffi_type_pointer".into()),
            Type::Float(kind) => float(kind).map(|name| format!("ffi_type_{name}")),
            Type::Complex(kind) => float(kind).map(|name| format!("ffi_type_complex_{name}")),
            Type::Record(_) => return self.record(table, ty),
            _ => None,
        }?;
        symbol(self.libffi.handle, &name).ok().map(<*const c_void>::cast)
    }

    /// A struct, if libffi lays it out as C does.
    fn record(&mut self, table: &Table, ty: QualType) -> Option<*const FfiType> {
        let Type::Record(id) = *table.shape(ty) else { return None };
        let record = table.record(id);
        let body = record.body.as_ref()?;
        // Where libffi lays such a record out alike, it classifies it otherwise.
        let has_nothing = !body.unnamed_bits.is_empty()
            || body.members.iter().any(|m| table.layout_of(m.ty).is_none_or(|l| l.size == 0));
        if record.kind == RecordKind::Union || body.members.is_empty() || has_nothing {
            return None;
        }
        let mut elements = Vec::new();
        let mut offsets = Vec::new();
        for member in &body.members {
            if member.bits.is_some() {
                return None;
            }
            let (element, count) = match *table.shape(member.ty) {
                Type::Array(element, _) => {
                    let size = table.layout_of(element)?.size;
                    (element, table.layout_of(member.ty)?.size.checked_div(size)?)
                }
                _ => (member.ty, 1),
            };
            let step = table.layout_of(element)?.size;
            let element = self.of(table, element)?;
            for i in 0..count {
                elements.push(element);
                offsets.push((member.offset + i * step) as usize);
            }
        }
        let layout = table.layout_of(ty)?;
        self.structure(elements, &offsets, (layout.size as usize, layout.align as u16))
    }

    fn structure(
        &mut self,
        mut elements: Vec<*const FfiType>,
        offsets: &[usize],
        layout: (usize, u16),
    ) -> Option<*const FfiType> {
        elements.push(std::ptr::null());
        let list = elements.into_boxed_slice();
        let made =
            Box::new(FfiType { size: 0, alignment: 0, kind: STRUCT, elements: list.as_ptr() });
        let mut found = vec![0; offsets.len()];
        // SAFETY: a struct type whose elements are complete, and room for as many offsets as it has elements.
        let status = unsafe { (self.libffi.struct_offsets)(self.abi, &*made, found.as_mut_ptr()) };
        let same = status == 0 && found == offsets && (made.size, made.alignment) == layout;
        let address: *const FfiType = &*made;
        self.made.push(made);
        self.lists.push(list);
        same.then_some(address)
    }
}
