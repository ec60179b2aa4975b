//! Function types: parameters, the requested convention, contracts of pointers.

use super::QualType;

/// A function type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Function {
    /// The result.
    pub result: QualType,
    /// Parameter types after adjustment: arrays and functions are pointers, top-level qualifiers dropped.
    pub params: Box<[QualType]>,
    /// `...` after the parameters.
    pub variadic: bool,
    /// `f()` before C23: any arguments. Treated as LuaJIT does: no arguments.
    pub unprototyped: bool,
    /// The convention that the declaration asks for.
    pub convention: CallConv,
    /// The contracts of its pointers (`nonnull`, `access`, `[static n]`).
    pub contracts: Box<[Contract]>,
}

/// A function type whose lists are kept somewhere else, to look for it in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FunctionRef<'a> {
    pub(super) result: QualType,
    pub(super) params: &'a [QualType],
    pub(super) variadic: bool,
    pub(super) unprototyped: bool,
    pub(super) convention: CallConv,
    pub(super) contracts: &'a [Contract],
}

impl Function {
    pub(super) fn borrowed(&self) -> FunctionRef<'_> {
        FunctionRef {
            result: self.result,
            params: &self.params,
            variadic: self.variadic,
            unprototyped: self.unprototyped,
            convention: self.convention,
            contracts: &self.contracts,
        }
    }
}

impl FunctionRef<'_> {
    pub(super) fn to_owned(self) -> Function {
        Function {
            result: self.result,
            params: self.params.into(),
            variadic: self.variadic,
            unprototyped: self.unprototyped,
            convention: self.convention,
            contracts: self.contracts.into(),
        }
    }
}

/// A calling-convention keyword or attribute; what it means is the target's matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CallConv {
    /// None given.
    #[default]
    Default,
    /// `__cdecl`
    Cdecl,
    /// `__stdcall`
    Stdcall,
    /// `__fastcall`
    Fastcall,
    /// `__thiscall`
    Thiscall,
    /// `__vectorcall`
    Vectorcall,
    /// `__attribute__((ms_abi))`
    MsAbi,
    /// `__attribute__((sysv_abi))`
    SysvAbi,
    /// `__attribute__((regparm(n)))`
    Regparm(u8),
    /// `preserve_most`, `preserve_all` or `no_caller_saved_registers`: the function keeps more registers than it must, so that
    /// calls of it are ordinary calls.
    Preserving(&'static str),
    /// A convention that no target has here, by its attribute.
    Unsupported(&'static str),
}

impl CallConv {
    /// As a declaration spells it; "default" for none.
    pub fn keyword(self) -> &'static str {
        match self {
            CallConv::Default => "default",
            CallConv::Cdecl => "cdecl",
            CallConv::Stdcall => "stdcall",
            CallConv::Fastcall => "fastcall",
            CallConv::Thiscall => "thiscall",
            CallConv::Vectorcall => "vectorcall",
            CallConv::MsAbi => "ms_abi",
            CallConv::SysvAbi => "sysv_abi",
            CallConv::Regparm(_) => "regparm",
            CallConv::Preserving(name) | CallConv::Unsupported(name) => name,
        }
    }

    /// How such a function is called.
    pub fn as_called(self) -> CallConv {
        match self {
            CallConv::Preserving(_) => CallConv::Default,
            convention => convention,
        }
    }
}

/// A promise about a pointer parameter; parameters are numbered from 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Contract {
    /// `nonnull`
    NonNull {
        /// The parameter.
        param: u32,
    },
    /// `access(mode, param [, size])`
    Access {
        /// The callee's use of the memory.
        mode: Access,
        /// The pointer parameter.
        param: u32,
        /// The parameter that holds the number of elements.
        size: Option<u32>,
    },
    /// `null_terminated_string_arg(param)` (GCC 14)
    Terminated {
        /// The parameter.
        param: u32,
    },
    /// `trusted(param)`: the host's word that the function takes any pointer of the type (ours alone).
    Trusted {
        /// The parameter.
        param: u32,
    },
    /// `nullable(param)`: the function takes NULL, too (ours alone).
    Nullable {
        /// The parameter.
        param: u32,
    },
    /// `nullable(0)`: the function may return NULL (ours alone).
    NullableResult,
    /// `releases(param)`: what the parameter leads to is gone when the function has been called (ours alone).
    Releases {
        /// The parameter.
        param: u32,
    },
    /// `acquires`: the result leads to what the caller has to release (ours alone).
    Acquires,
    /// `trusted(0)`: the host's word that the result leads to a value of its type, of a `char *` to a text with its NUL, and that
    /// this stays there (ours alone).
    TrustedResult,
    /// `T param[static n]`
    AtLeast {
        /// The parameter.
        param: u32,
        /// Elements.
        count: u64,
    },
    /// `T *restrict param`: what the callee reaches through it and writes to, it reaches through no other pointer (C11
    /// 6.7.3.1).
    Restrict {
        /// The parameter.
        param: u32,
    },
}

impl Contract {
    /// The pointer parameter that it is about; `None`: the result.
    pub fn parameter(&self) -> Option<u32> {
        match *self {
            Contract::NonNull { param }
            | Contract::Access { param, .. }
            | Contract::Terminated { param }
            | Contract::Trusted { param }
            | Contract::Nullable { param }
            | Contract::Releases { param }
            | Contract::AtLeast { param, .. }
            | Contract::Restrict { param } => Some(param),
            Contract::NullableResult | Contract::Acquires | Contract::TrustedResult => None,
        }
    }
}

/// The mode of an `access` attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// `read_only`
    ReadOnly,
    /// `write_only`
    WriteOnly,
    /// `read_write`
    ReadWrite,
    /// `none`
    None,
}
