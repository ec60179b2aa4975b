//! The conventions of 32-bit x86: their table and their assigner.
//!
//! Names and registers are old and common ("i386 psABI", section 2.2; Microsoft's "Argument Passing and Naming Conventions"), but the compilers
//! disagree on every value that is larger than a register. So a convention here is a name and a [`Flavour`], and each pair has a row in the table below.
//! The documents leave rules open; the sources of the compilers have them: GCC (`gcc/config/i386/i386.cc`: `function_arg_32`, `function_arg_advance_32`,
//! `ix86_return_in_memory`, `ix86_return_pops_args`; `stor-layout.cc`: `compute_record_mode`) and Clang (`lib/CodeGen/Targets/X86.cpp`,
//! `X86CallingConv.td`). `tests/gate` executes the conventions against code of these compilers.
//!
//! `assign` obeys the table; `quirks` has facts of types that only these conventions use.

mod assign;
mod quirks;

use super::{Backend, Class, Convention, Registers, Signature, Type, registers};
use crate::ctype::CallConv::{self, Cdecl, Fastcall, Regparm, Stdcall, Thiscall};

pub(super) use assign::plan;
pub use quirks::{Mode, Passed, Quirks};

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

/// A convention's rules for results, and for values that are not integers of one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The compiler.
    pub(crate) flavour: Flavour,
    /// The convention of a variadic function that asks for this one.
    pub(crate) variadic: Variadic,
    /// The rule for an argument that is not an integer of one register.
    pub(crate) arguments: Arguments,
    /// The result.
    pub(crate) results: Results,
    /// The hidden pointer of a result.
    pub(crate) pointer: Pointer,
    /// The bytes that the callee removes from the stack when it returns, besides the return address.
    pub(crate) pops: Pops,
    /// Whether a struct with an alignment attribute is refused by value, as Microsoft's compiler does (C2719).
    pub(crate) natural_alignment: bool,
}

/// How an argument that is not an integer of one register travels: always on the stack, but for [`Arguments::Pieces`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arguments {
    /// The argument uses up no registers.
    Stack,
    /// GCC: it passes over the registers that it would fill, unless its mode is floating point ("fastcall allocates the
    /// first two DWORD or smaller arguments … if it isn't an aggregate type", but `function_arg_advance_32` counts all).
    Words,
    /// GCC's `regparm`: in as many registers as it has words, unless its mode is floating point. If fewer registers are left, the argument
    /// and all later ones are on the stack.
    Pieces,
    /// Clang: a struct, unless of one floating-point number, uses up the registers that it would fill. It uses up the last registers: Clang's
    /// front end only counts them, and its back end gives the first free register to the next argument. Before a struct of one word that
    /// travels as its member, the front end puts a padding argument, which fills the first register (`NeedsPaddingInReg`).
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
    /// GCC's `MS_AGGREGATE_RETURN`: a result that has a machine mode is in a register of that mode.
    Mode,
    /// Clang: structs and unions of one floating-point number in st0, others of a register's size in registers.
    Element,
    /// "Structs and unions of 1, 2, 4 and 8 bytes" in eax and edx.
    Size,
}

/// The place of the hidden pointer of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pointer {
    /// The place of a first argument that is a pointer.
    First,
    /// On the stack, below all arguments.
    Stack,
}

/// The bytes that the callee pops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pops {
    /// Nothing.
    Nothing,
    /// The hidden pointer of a result, if it is on the stack.
    Pointer,
    /// Every stack argument.
    Arguments,
}

/// The convention of variadic functions. All arguments are on the stack, and the caller pops them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variadic {
    /// The compiler's `cdecl`.
    Cdecl,
    /// [`VARIADIC`].
    Plain,
    /// Nothing: the compiler refuses it.
    Refused,
}

/// The rows: a convention's name, its compiler, its keyword, the convention of variadic functions, the rule and the registers of arguments, the rule
/// of results, the place of their hidden pointer, the bytes that the callee pops.
macro_rules! conventions {
    ($($id:ident = $name:literal $flavour:ident $keyword:expr, $variadic:ident $arguments:ident [$($register:literal)*] $results:ident $pointer:ident $pops:ident;)*) => {
        $(
            #[doc = concat!("`", $name, "`; see [`super::x86`].")]
            pub static $id: Convention = Convention {
                name: $name,
                source: "i386, as its compilers have it",
                architecture: "x86",
                default_on: &[],
                keyword: $keyword,
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
                    flavour: Flavour::$flavour,
                    variadic: Variadic::$variadic,
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
//  static             name                compiler  keyword             variadic  arguments   registers           results  pointer  pops
    CDECL            = "cdecl"             Linux     Some(Cdecl),        Cdecl     Stack       []                  Memory   First    Pointer;
    STDCALL          = "stdcall"           Linux     Some(Stdcall),      Cdecl     Stack       []                  Memory   First    Arguments;
    FASTCALL         = "fastcall"          Linux     Some(Fastcall),     Plain     Words       ["ecx" "edx"]       Memory   First    Arguments;
    THISCALL         = "thiscall"          Linux     Some(Thiscall),     Plain     Words       ["ecx"]             Memory   First    Arguments;
    REGPARM1         = "regparm1"          Linux     Some(Regparm(1)),   Plain     Pieces      ["eax"]             Memory   First    Nothing;
    REGPARM2         = "regparm2"          Linux     Some(Regparm(2)),   Plain     Pieces      ["eax" "edx"]       Memory   First    Nothing;
    REGPARM3         = "regparm3"          Linux     Some(Regparm(3)),   Plain     Pieces      ["eax" "edx" "ecx"] Memory   First    Nothing;
    // A variadic function that asks for registers gets none, and then pops nothing.
    VARIADIC         = "variadic"          Linux     None,               Refused   Stack       []                  Memory   First    Nothing;

    CDECL_MINGW      = "cdecl:mingw"       Mingw     Some(Cdecl),        Cdecl     Stack       []                  Mode     First    Nothing;
    STDCALL_MINGW    = "stdcall:mingw"     Mingw     Some(Stdcall),      Cdecl     Stack       []                  Mode     First    Arguments;
    FASTCALL_MINGW   = "fastcall:mingw"    Mingw     Some(Fastcall),     Cdecl     Words       ["ecx" "edx"]       Mode     First    Arguments;
    THISCALL_MINGW   = "thiscall:mingw"    Mingw     Some(Thiscall),     Cdecl     Words       ["ecx"]             Mode     First    Arguments;
    REGPARM1_MINGW   = "regparm1:mingw"    Mingw     Some(Regparm(1)),   Cdecl     Pieces      ["eax"]             Mode     First    Nothing;
    REGPARM2_MINGW   = "regparm2:mingw"    Mingw     Some(Regparm(2)),   Cdecl     Pieces      ["eax" "edx"]       Mode     First    Nothing;
    REGPARM3_MINGW   = "regparm3:mingw"    Mingw     Some(Regparm(3)),   Cdecl     Pieces      ["eax" "edx" "ecx"] Mode     First    Nothing;

    CDECL_GNULLVM    = "cdecl:gnullvm"     GnuLlvm   Some(Cdecl),        Cdecl     Stack       []                  Element  Stack    Nothing;
    STDCALL_GNULLVM  = "stdcall:gnullvm"   GnuLlvm   Some(Stdcall),      Cdecl     Stack       []                  Element  Stack    Arguments;
    FASTCALL_GNULLVM = "fastcall:gnullvm"  GnuLlvm   Some(Fastcall),     Refused   Aggregates  ["ecx" "edx"]       Element  Stack    Arguments;
    THISCALL_GNULLVM = "thiscall:gnullvm"  GnuLlvm   Some(Thiscall),     Refused   AfterThis   ["ecx"]             Element  First    Arguments;

    CDECL_MSVC       = "cdecl:msvc"        Msvc      Some(Cdecl),        Cdecl     Stack       []                  Size     Stack    Nothing;
    STDCALL_MSVC     = "stdcall:msvc"      Msvc      Some(Stdcall),      Cdecl     Stack       []                  Size     Stack    Arguments;
    FASTCALL_MSVC    = "fastcall:msvc"     Msvc      Some(Fastcall),     Refused   Stack       ["ecx" "edx"]       Size     Stack    Arguments;
    THISCALL_MSVC    = "thiscall:msvc"     Msvc      Some(Thiscall),     Refused   AfterThis   ["ecx"]             Size     Stack    Arguments;
}

fn rules(convention: &Convention) -> Option<&'static Rules> {
    match convention.backend {
        Backend::X86(rules) => Some(rules),
        _ => None,
    }
}

/// The convention of a function that asks for `asked`, if the flavour's compiler has it.
pub fn select(flavour: Flavour, asked: CallConv, is_variadic: bool) -> Option<&'static Convention> {
    let named = |asked| {
        let of_flavour = |c: &&Convention| rules(c).is_some_and(|rules| rules.flavour == flavour);
        let asks = |c: &&&Convention| c.keyword == Some(asked) && of_flavour(c);
        CONVENTIONS.iter().find(asks).copied()
    };
    let convention = match asked {
        CallConv::Default => named(Cdecl),
        // For compilers that have `regparm`.
        Regparm(0) => named(Regparm(1)).and_then(|_| named(Cdecl)),
        asked => named(asked),
    }?;
    if is_variadic { variadic(convention) } else { Some(convention) }
}

/// The convention of a variadic function that asks for `convention`. `None` if compilers refuse such a function.
pub fn variadic(convention: &Convention) -> Option<&'static Convention> {
    let rules = rules(convention)?;
    match rules.variadic {
        Variadic::Cdecl => select(rules.flavour, Cdecl, false),
        Variadic::Plain => Some(&VARIADIC),
        Variadic::Refused => None,
    }
}

/// The name that a Windows linker knows a C function by: `_f`, `_f@8` (stdcall), `@f@8` (fastcall), where the number is
/// the bytes of the arguments, each rounded up to a slot ("Decorated Names", learn.microsoft.com).
pub fn decorate(name: &str, convention: &Convention, signature: &Signature) -> String {
    let slots = |ty: &Type| ty.size.next_multiple_of(convention.slot);
    let bytes: u32 = signature.arguments.iter().map(slots).sum();
    match convention.keyword {
        Some(Stdcall) => format!("_{name}@{bytes}"),
        Some(Fastcall) => format!("@{name}@{bytes}"),
        _ => format!("_{name}"),
    }
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
        use CallConv::{Default, MsAbi, Vectorcall};
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
