//! The conventions of 32-bit x86: their table and their assigner.
//!
//! Names and registers are old and common ("i386 psABI", section 2.2; Microsoft's "Argument Passing and Naming Conventions"), but the compilers
//! disagree on every value that is larger than a register. So a convention here is a name and a [`Flavour`], and each pair has a row in the table below.
//! Documents do not say all of it; the rest was read from GCC (`gcc/config/i386/i386.cc`: `function_arg_32`, `function_arg_advance_32`,
//! `ix86_return_in_memory`, `ix86_return_pops_args`; `stor-layout.cc`: `compute_record_mode`) and Clang (`lib/CodeGen/Targets/X86.cpp`,
//! `X86CallingConv.td`). `tests/gate` executes the conventions against code of these compilers.

use smallvec::smallvec;

use super::mode::{Mode, Passed};
use super::{
    Backend, Bank, CallPlan, Class, Convention, Extension, FrameLayout, Kind, Leaf, LeafKind, Next,
    Pass, Piece, Place, Reg, Registers, Signature, Type, Unsupported, Width, registers,
};
use crate::ctype::CallConv;

/// The compiler whose code a convention is shared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// GCC on Linux and other System V systems.
    Linux,
    /// GCC on Windows (MinGW).
    Mingw,
    /// Clang on Windows with the GNU environment (`windows-gnullvm`).
    GnuLlvm,
    /// Clang on Windows as Microsoft's compiler.
    Msvc,
}

/// What a convention does with a value that is not an integer of one register, and with results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Such an argument.
    pub(crate) arguments: Arguments,
    /// The result.
    pub(crate) results: Results,
    /// The hidden pointer of a result.
    pub(crate) pointer: Pointer,
    /// What the callee takes off the stack when it returns, besides the return address.
    pub(crate) pops: Pops,
    /// Whether a struct with an alignment attribute is refused by value, as Microsoft's compiler does (C2719).
    pub(crate) natural_alignment: bool,
}

/// How an argument that is not an integer of one register travels: always on the stack, but for [`Arguments::Pieces`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arguments {
    /// It does not touch the registers.
    Stack,
    /// GCC: it passes over the registers that it would fill, unless its mode is floating point ("fastcall allocates the
    /// first two DWORD or smaller arguments … if it isn't an aggregate type", but `function_arg_advance_32` counts all).
    Words,
    /// GCC's `regparm`: in as many registers as it has words, unless its mode is floating point; where so many are not
    /// left, on the stack, and later arguments too.
    Pieces,
    /// Clang: structs, unless of one floating-point number, pass over the registers that they would fill. The last ones, as the
    /// front end only counts them, and the back end hands out the first that it has left; but before a struct of one word
    /// that travels as its member, the front end puts a padding argument, which fills the first (`NeedsPaddingInReg`).
    Aggregates,
    /// Clang's `thiscall`: before `this` there are only floating-point numbers. (Clang splits larger integers that come
    /// first, and passes structs by pointer: not supported.)
    AfterThis,
}

/// How a result that is not an integer of one register travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Results {
    /// "A function that returns a structure or union" has memory for it (i386 psABI; GCC's `-fpcc-struct-return`).
    Memory,
    /// GCC's `MS_AGGREGATE_RETURN`: what has a mode has a register for it.
    Mode,
    /// Clang: structs and unions of one floating-point number in st0, others of a register's size in registers.
    Element,
    /// "Structs and unions of 1, 2, 4 and 8 bytes" in eax and edx.
    Size,
}

/// Where the hidden pointer of a result goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pointer {
    /// Where a first argument that is a pointer would go.
    First,
    /// On the stack, below all arguments.
    Stack,
}

/// What the callee pops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pops {
    /// Nothing.
    Nothing,
    /// The hidden pointer of a result, if it is on the stack.
    Pointer,
    /// Every stack argument.
    Arguments,
}

/// The rows: a convention's name, how arguments travel and in which registers, how results do, where their hidden pointer
/// goes, and what the callee pops.
macro_rules! conventions {
    ($($id:ident = $name:literal $arguments:ident [$($register:literal)*] $results:ident $pointer:ident $pops:ident;)*) => {
        $(
            #[doc = concat!("`", $name, "`; see [`super::x86`].")]
            pub static $id: Convention = Convention {
                name: $name,
                source: "i386, as its compilers have it",
                architecture: "x86",
                default_on: &[],
                keyword: None,
                arguments: Registers { int: registers!(Int: $($register)*), float: &[], x87: &[] },
                results: Registers {
                    int: registers!(Int: "eax" "edx"),
                    float: &[],
                    x87: registers!(X87: "st0"),
                },
                indirect_result: None,
                positional: false,
                slot: SLOT,
                shadow: 0,
                stack_align: 16,
                vector_count: false,
                variable_on_stack: true,
                classify: |_, _| Ok(Class::Memory { align: SLOT }),
                backend: Backend::X86(&Rules {
                    arguments: Arguments::$arguments,
                    results: Results::$results,
                    pointer: Pointer::$pointer,
                    pops: Pops::$pops,
                    natural_alignment: matches!(Results::$results, Results::Size),
                }),
            };
        )*
        /// Every convention of 32-bit x86.
        pub static CONVENTIONS: &[&Convention] = &[$(&$id),*];
    };
}

/// Bytes of a stack slot and of a register.
const SLOT: u32 = 4;

conventions! {
//  static             name                arguments   registers           results  pointer  pops
    CDECL            = "cdecl"             Stack       []                  Memory   First    Pointer;
    STDCALL          = "stdcall"           Stack       []                  Memory   First    Arguments;
    FASTCALL         = "fastcall"          Words       ["ecx" "edx"]       Memory   First    Arguments;
    THISCALL         = "thiscall"          Words       ["ecx"]             Memory   First    Arguments;
    REGPARM1         = "regparm1"          Pieces      ["eax"]             Memory   First    Nothing;
    REGPARM2         = "regparm2"          Pieces      ["eax" "edx"]       Memory   First    Nothing;
    REGPARM3         = "regparm3"          Pieces      ["eax" "edx" "ecx"] Memory   First    Nothing;
    // A variadic function that asks for registers gets none, and then pops nothing.
    VARIADIC         = "variadic"          Stack       []                  Memory   First    Nothing;

    CDECL_MINGW      = "cdecl:mingw"       Stack       []                  Mode     First    Nothing;
    STDCALL_MINGW    = "stdcall:mingw"     Stack       []                  Mode     First    Arguments;
    FASTCALL_MINGW   = "fastcall:mingw"    Words       ["ecx" "edx"]       Mode     First    Arguments;
    THISCALL_MINGW   = "thiscall:mingw"    Words       ["ecx"]             Mode     First    Arguments;
    REGPARM1_MINGW   = "regparm1:mingw"    Pieces      ["eax"]             Mode     First    Nothing;
    REGPARM2_MINGW   = "regparm2:mingw"    Pieces      ["eax" "edx"]       Mode     First    Nothing;
    REGPARM3_MINGW   = "regparm3:mingw"    Pieces      ["eax" "edx" "ecx"] Mode     First    Nothing;

    CDECL_GNULLVM    = "cdecl:gnullvm"     Stack       []                  Element  Stack    Nothing;
    STDCALL_GNULLVM  = "stdcall:gnullvm"   Stack       []                  Element  Stack    Arguments;
    FASTCALL_GNULLVM = "fastcall:gnullvm"  Aggregates  ["ecx" "edx"]       Element  Stack    Arguments;
    THISCALL_GNULLVM = "thiscall:gnullvm"  AfterThis   ["ecx"]             Element  First    Arguments;

    CDECL_MSVC       = "cdecl:msvc"        Stack       []                  Size     Stack    Nothing;
    STDCALL_MSVC     = "stdcall:msvc"      Stack       []                  Size     Stack    Arguments;
    FASTCALL_MSVC    = "fastcall:msvc"     Stack       ["ecx" "edx"]       Size     Stack    Arguments;
    THISCALL_MSVC    = "thiscall:msvc"     AfterThis   ["ecx"]             Size     Stack    Arguments;
}

/// The convention of a function that asks for `asked`, if the flavour's compiler has it.
pub fn select(flavour: Flavour, asked: CallConv, is_variadic: bool) -> Option<&'static Convention> {
    use CallConv::{Cdecl, Default, Fastcall, Regparm, Stdcall, Thiscall};
    use Flavour::{GnuLlvm, Linux, Mingw, Msvc};
    let convention = match (asked, flavour) {
        (Default | Cdecl | Regparm(0), Linux) => &CDECL,
        (Stdcall, Linux) => &STDCALL,
        (Fastcall, Linux) => &FASTCALL,
        (Thiscall, Linux) => &THISCALL,
        (Regparm(1), Linux) => &REGPARM1,
        (Regparm(2), Linux) => &REGPARM2,
        (Regparm(3), Linux) => &REGPARM3,
        (Default | Cdecl | Regparm(0), Mingw) => &CDECL_MINGW,
        (Stdcall, Mingw) => &STDCALL_MINGW,
        (Fastcall, Mingw) => &FASTCALL_MINGW,
        (Thiscall, Mingw) => &THISCALL_MINGW,
        (Regparm(1), Mingw) => &REGPARM1_MINGW,
        (Regparm(2), Mingw) => &REGPARM2_MINGW,
        (Regparm(3), Mingw) => &REGPARM3_MINGW,
        (Default | Cdecl, GnuLlvm) => &CDECL_GNULLVM,
        (Stdcall, GnuLlvm) => &STDCALL_GNULLVM,
        (Fastcall, GnuLlvm) => &FASTCALL_GNULLVM,
        (Thiscall, GnuLlvm) => &THISCALL_GNULLVM,
        (Default | Cdecl, Msvc) => &CDECL_MSVC,
        (Stdcall, Msvc) => &STDCALL_MSVC,
        (Fastcall, Msvc) => &FASTCALL_MSVC,
        (Thiscall, Msvc) => &THISCALL_MSVC,
        _ => return None,
    };
    if is_variadic { variadic(convention) } else { Some(convention) }
}

/// What a variadic function that asks for `convention` uses: it takes everything from the stack, and its caller pops it. `None`
/// where compilers refuse it.
pub fn variadic(convention: &Convention) -> Option<&'static Convention> {
    match convention.name {
        "cdecl" | "stdcall" => Some(&CDECL),
        "fastcall" | "thiscall" | "regparm1" | "regparm2" | "regparm3" => Some(&VARIADIC),
        "cdecl:gnullvm" | "stdcall:gnullvm" => Some(&CDECL_GNULLVM),
        "cdecl:msvc" | "stdcall:msvc" => Some(&CDECL_MSVC),
        name if name.ends_with(":mingw") => Some(&CDECL_MINGW),
        _ => None,
    }
}

/// The name that a Windows linker knows a C function by: `_f`, `_f@8` (stdcall), `@f@8` (fastcall), where the number is
/// the bytes of the arguments, each rounded up to a slot ("Decorated Names", learn.microsoft.com).
pub fn decorate(name: &str, convention: &Convention, signature: &Signature) -> String {
    let slots = |ty: &Type| ty.size.next_multiple_of(convention.slot);
    let bytes: u32 = signature.arguments.iter().map(slots).sum();
    match convention.name.split(':').next() {
        Some("stdcall") => format!("_{name}@{bytes}"),
        Some("fastcall") => format!("@{name}@{bytes}"),
        _ => format!("_{name}"),
    }
}

/// Plans a call.
///
/// # Errors
/// [`Unsupported`] for a type that the convention does not carry.
pub(super) fn plan(
    signature: &Signature,
    convention: &'static Convention,
    rules: &'static Rules,
) -> Result<CallPlan, Unsupported> {
    let mut assigner = Assigner { convention, rules, next: Next::default(), lost: 0 };
    let unsupported = |ty: &Type| unsupported(ty, convention.name);
    let result = &signature.result;
    let result = assigner.result(result).ok_or_else(|| unsupported(result))?;
    let arguments = signature
        .arguments
        .iter()
        .map(|ty| assigner.argument(ty).ok_or_else(|| unsupported(ty)))
        .collect::<Result<_, _>>()?;
    let next = assigner.next;
    Ok(CallPlan {
        convention,
        arguments,
        stack_align: convention.stack_align,
        popped: popped(rules, &result, next.stack),
        result,
        stack_bytes: next.stack,
        next,
        vector_count: None,
        frame: FrameLayout::of(signature),
    })
}

fn unsupported(ty: &Type, convention: &'static str) -> Unsupported {
    let what = match ty.kind {
        Kind::Void => "void",
        Kind::Bool | Kind::Int { .. } | Kind::Pointer => "an integer of this size at this place",
        Kind::Float => "a floating-point number",
        Kind::OtherFloat(_) => "_Float16 or _Float128 by value",
        Kind::Int128(_) => "__int128 by value",
        Kind::Complex(_) => "a complex number at this place",
        Kind::Vector(_) => "a vector by value",
        Kind::Record(_) => "this struct or union at this place",
    };
    Unsupported { what: what.into(), convention }
}

fn popped(rules: &Rules, result: &Pass, stack: u32) -> u32 {
    match (rules.pops, result) {
        (Pops::Arguments, _) => stack,
        (Pops::Pointer, Pass::Pointer { pointer, .. }) => match pointer.place {
            Place::Stack(_) => SLOT,
            Place::Register(_) => 0,
        },
        (Pops::Pointer | Pops::Nothing, _) => 0,
    }
}

/// What no flavour carries by value: what a compiler may align the stack for, and what needs SSE or MMX registers, or
/// may, by the compiler's options.
fn is_carried(ty: &Type) -> bool {
    match ty.kind {
        Kind::Vector(_) | Kind::Int128(_) => false,
        Kind::OtherFloat(_) => is_x87(ty),
        Kind::Record(_) if ty.size <= 2 * SLOT && holds_sse_or_mmx(ty) => false,
        _ => ty.align < 16,
    }
}

/// The scalars that have bytes and a name.
fn values(ty: &Type) -> impl Iterator<Item = &Leaf> {
    ty.leaves().into_iter().flatten().filter(|leaf| leaf.is_value())
}

/// The only one of them.
fn only(ty: &Type) -> Option<&Leaf> {
    let mut values = values(ty);
    values.next().filter(|_| values.next().is_none())
}

/// Whether a `_Float16` or a vector is in it.
fn holds_sse_or_mmx(ty: &Type) -> bool {
    values(ty).any(|leaf| match leaf.kind {
        LeafKind::Vector => true,
        LeafKind::Float => leaf.size < SLOT,
        LeafKind::Int | LeafKind::Pointer | LeafKind::X87 => false,
    })
}

/// Whether an argument is of several parts, to a compiler; a `transparent_union` is what its first member is.
fn is_aggregate(ty: &Type) -> bool {
    matches!(ty.kind, Kind::Record(_) | Kind::Complex(_)) && ty.passed != Passed::First
}

/// Whether it is one x87 number, as a scalar or as all of a struct.
fn is_x87(ty: &Type) -> bool {
    only(ty).is_some_and(|leaf| leaf.kind == LeafKind::X87)
}

/// Whether it is one `float` or `double`, as all of a struct or union.
fn is_one_float(ty: &Type) -> bool {
    only(ty).is_some_and(|leaf| leaf.kind == LeafKind::Float && leaf.size == ty.size)
}

/// Whether attributes of a struct or of its members ask for more alignment than a slot has.
fn is_overaligned(ty: &Type) -> bool {
    matches!(ty.kind, Kind::Record(_)) && ty.required > SLOT
}

struct Assigner {
    convention: &'static Convention,
    rules: &'static Rules,
    next: Next,
    /// How many of the last argument registers nothing gets.
    lost: usize,
}

impl Assigner {
    /// `None`: not supported.
    fn argument(&mut self, ty: &Type) -> Option<Pass> {
        let aligned = self.rules.natural_alignment && is_overaligned(ty);
        if !is_carried(ty) || aligned {
            return None;
        }
        match ty.kind {
            _ if ty.size == 0 => Some(Pass::Ignore),
            _ if self.leaves_out(ty) => Some(Pass::Pieces(Default::default())),
            Kind::Bool | Kind::Int { .. } | Kind::Pointer | Kind::Record(_)
                if ty.size <= SLOT && !is_aggregate(ty) =>
            {
                let place = self.register().map_or_else(|| self.slot(), Place::Register);
                Some(Pass::Pieces(smallvec![Piece { place, ..word(ty) }]))
            }
            _ => self.larger(ty),
        }
    }

    /// Clang passes no struct or union without a scalar in it, though it may have a byte (`isEmptyRecord`).
    fn leaves_out(&self, ty: &Type) -> bool {
        let clang = self.rules.results == Results::Element;
        clang && ty.is_empty
    }

    fn larger(&mut self, ty: &Type) -> Option<Pass> {
        let registers = ty.size.div_ceil(SLOT) as usize;
        let is_float = ty.mode == Mode::Float;
        match self.rules.arguments {
            Arguments::Words if !is_float => self.pass_over(registers),
            Arguments::Aggregates if is_aggregate(ty) && !is_one_float(ty) => {
                if ty.passed == Passed::Members && registers == 1 {
                    self.pass_over(registers);
                } else {
                    self.lost += registers.min(self.free().len());
                }
            }
            Arguments::Pieces if !is_float && registers <= self.free().len() => {
                let pieces = words(ty.size)
                    .map(|piece| Some(Piece { place: Place::Register(self.register()?), ..piece }));
                return Some(Pass::Pieces(pieces.collect::<Option<_>>()?));
            }
            Arguments::Pieces if !is_float => self.pass_over(registers),
            Arguments::AfterThis
                if !self.free().is_empty()
                    && !matches!(ty.kind, Kind::Float | Kind::OtherFloat(_)) =>
            {
                return None;
            }
            _ => {}
        }
        let offset = self.stack(ty.size);
        Some(Pass::Stack { offset, size: ty.size })
    }

    /// `None`: not supported.
    fn result(&mut self, ty: &Type) -> Option<Pass> {
        if !is_carried(ty) {
            return None;
        }
        Some(match ty.kind {
            Kind::Void => Pass::Ignore,
            Kind::Bool | Kind::Int { .. } | Kind::Pointer if ty.size <= SLOT => {
                self.in_registers([word(ty)])
            }
            Kind::Bool | Kind::Int { .. } | Kind::Pointer => self.in_registers(words(ty.size)),
            Kind::Complex(_) if ty.size <= 8 => self.in_registers(words(ty.size)),
            Kind::Float | Kind::OtherFloat(_) => self.in_registers([st0(ty)]),
            Kind::Record(_) => self.aggregate(ty),
            Kind::Complex(_) | Kind::Vector(_) | Kind::Int128(_) => self.hidden_pointer(ty),
        })
    }

    fn aggregate(&mut self, ty: &Type) -> Pass {
        let one_register = matches!(ty.size, 1 | 2 | 4 | 8);
        match (self.rules.results, ty.mode) {
            (Results::Mode, Mode::Float) if is_one_float(ty) || is_x87(ty) => {
                self.in_registers([st0(ty)])
            }
            (Results::Mode, Mode::Float | Mode::Int) if one_register => {
                self.in_registers(words(ty.size))
            }
            (Results::Element, _) if ty.size == 0 => Pass::Ignore,
            (Results::Element, _) if is_one_float(ty) => self.in_registers([st0(ty)]),
            (Results::Element | Results::Size, Mode::Int | Mode::Float) if one_register => {
                self.in_registers(words(ty.size))
            }
            _ => self.hidden_pointer(ty),
        }
    }

    /// The pieces of a result in the result registers: the next one of its bank for each.
    fn in_registers(&self, pieces: impl IntoIterator<Item = Piece>) -> Pass {
        let place = |(i, piece): (usize, Piece)| {
            let register = self.convention.results.of(piece.bank)[i];
            Piece { place: Place::Register(register), ..piece }
        };
        Pass::Pieces(pieces.into_iter().enumerate().map(place).collect())
    }

    fn hidden_pointer(&mut self, ty: &Type) -> Pass {
        let register = match self.rules.pointer {
            Pointer::First => self.register(),
            Pointer::Stack => None,
        };
        let place = register.map_or_else(|| self.slot(), Place::Register);
        let pointer = Piece { place, ..piece(0, SLOT) };
        Pass::Pointer { pointer, size: ty.size, align: ty.align }
    }

    /// The registers that are left.
    fn free(&self) -> &'static [Reg] {
        let all = self.convention.arguments.int;
        &all[usize::from(self.next.int)..all.len() - self.lost]
    }

    fn register(&mut self) -> Option<Reg> {
        let register = *self.free().first()?;
        self.next.int += 1;
        Some(register)
    }

    /// Leaves registers unused.
    fn pass_over(&mut self, registers: usize) {
        self.next.int += registers.min(self.free().len()) as u8;
    }

    fn slot(&mut self) -> Place {
        Place::Stack(self.stack(SLOT))
    }

    /// "Arguments are pushed … padded to 4 bytes", whatever their alignment.
    fn stack(&mut self, size: u32) -> u32 {
        let offset = self.next.stack;
        self.next.stack += size.next_multiple_of(SLOT);
        offset
    }
}

/// A piece of an integer; its place is not decided.
fn piece(offset: u32, bytes: u32) -> Piece {
    let extension = if bytes < SLOT { Extension::Zero } else { Extension::None };
    let place = Place::Stack(0);
    Piece { offset, bytes, bank: Bank::Int, width: Width::W32, extension, place }
}

/// The words of a value.
fn words(size: u32) -> impl Iterator<Item = Piece> {
    (0..size).step_by(SLOT as usize).map(move |offset| piece(offset, (size - offset).min(SLOT)))
}

/// An integer of at most one word.
fn word(ty: &Type) -> Piece {
    let extension = match ty.kind {
        Kind::Int { signed: true } if ty.size < SLOT => Extension::Sign,
        _ => piece(0, ty.size).extension,
    };
    Piece { extension, ..piece(0, ty.size) }
}

/// The top of the x87 stack.
fn st0(ty: &Type) -> Piece {
    let width = match ty.size {
        4 => Width::W32,
        8 => Width::W64,
        _ => Width::W80,
    };
    let bytes = width.bytes();
    Piece { bytes, bank: Bank::X87, width, extension: Extension::None, ..piece(0, bytes) }
}

#[cfg(test)]
mod tests {
    use super::super::plan;
    use super::*;

    fn signature(arguments: &[Type], result: Type) -> Signature {
        Signature { arguments: arguments.into(), result, fixed: None }
    }

    #[test]
    fn decorated_names_count_the_slots_of_the_arguments() {
        let int = Type::int(4, true);
        let signature = signature(&[Type::int(1, true), Type::F64], int);
        let name = |convention| decorate("f", convention, &signature);
        assert_eq!(name(&STDCALL_MSVC), "_f@12");
        assert_eq!(name(&FASTCALL_MINGW), "@f@12");
        assert_eq!(name(&CDECL_MSVC), "_f");
        assert_eq!(name(&THISCALL_GNULLVM), "_f");
    }

    #[test]
    fn every_flavour_has_the_conventions_of_its_compiler() {
        use CallConv::{Cdecl, Default, Fastcall, MsAbi, Regparm, Stdcall, Thiscall, Vectorcall};
        for flavour in [Flavour::Linux, Flavour::Mingw, Flavour::GnuLlvm, Flavour::Msvc] {
            for asked in [Default, Cdecl, Stdcall, Fastcall, Thiscall] {
                assert!(select(flavour, asked, false).is_some(), "{flavour:?} {asked:?}");
            }
            for asked in [MsAbi, Vectorcall, Regparm(4)] {
                assert_eq!(select(flavour, asked, false), None, "{flavour:?} {asked:?}");
            }
        }
        assert_eq!(select(Flavour::Linux, Regparm(3), false), Some(&REGPARM3));
        assert_eq!(select(Flavour::Msvc, Regparm(3), false), None);
        assert_eq!(select(Flavour::Msvc, Stdcall, true), Some(&CDECL_MSVC));
        assert_eq!(select(Flavour::Msvc, Fastcall, true), None);
        assert_eq!(select(Flavour::Linux, Fastcall, true), Some(&VARIADIC));
    }

    #[test]
    fn the_callee_pops_what_its_convention_says() {
        let int = || Type::int(4, true);
        let popped = |convention| {
            plan(&signature(&[int(), int(), int()], int()), convention).unwrap().popped
        };
        assert_eq!(popped(&CDECL), 0);
        assert_eq!(popped(&STDCALL), 12);
        assert_eq!(popped(&FASTCALL), 4);
        assert_eq!(popped(&THISCALL_MSVC), 8);
        assert_eq!(popped(&REGPARM3), 0);
    }
}
