//! Thunks as object files: the call thunk and a callback of each function, for any target with a code generator.
//!
//! For a function `f` the object defines
//! - `f_call`: `void f_call(const void *target, void *frame)` calls `target` with the arguments in the frame, and stores the result in the
//!   frame;
//! - `f_callback`: a function of `f`'s type, which fills a frame and calls `f_slot.dispatch(&f_slot, frame)`;
//! - `f_slot`: a `struct cthunk_slot`; the user sets its `dispatch` and `data`.
//!
//! The header ([`Emitted::header`]) has the offsets of the frame's slots. Addresses are absolute words in the text section, so the object can be
//! linked into executables that are not position-independent. Large values on the stack are
//! copied by `memcpy`.
#![forbid(unsafe_code)]

mod header;

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir;
use cranelift_codegen::{Context, isa::OwnedTargetIsa};
use cranelift_module::{
    DataDescription, FuncId, Linkage, Module, ModuleReloc, ModuleRelocTarget, default_libcall_names,
};
use cranelift_object::{ObjectBuilder, ObjectModule};

pub use crate::code::host::text as stubs;

use crate::abi::{self, Bank, CallPlan, Convention, Signature};
use crate::code;
use crate::ctype::{CallConv, Decl, Declarations};
use crate::error::Error;
use crate::lower;
use crate::target::Target;
use stubs::Callbacks;

/// A function whose thunks are wanted.
#[derive(Clone, Debug)]
pub struct Function {
    /// The prefix of its symbols; a C identifier.
    pub name: String,
    /// As C declares it, for the header.
    pub declaration: String,
    /// The signature; for a variadic function, that of one call.
    pub signature: Signature,
    /// How it is called.
    pub convention: &'static Convention,
    /// Whether it keeps registers that other functions of its convention may change ([`CallConv::Preserving`]).
    pub preserving: bool,
}

/// An object file and its header.
#[derive(Clone, Debug)]
pub struct Emitted {
    /// The object, in the format of the target.
    pub object: Vec<u8>,
    /// C text.
    pub header: String,
}

/// The functions that C text declares; a variadic function stands for a call with its named arguments alone.
///
/// # Errors
/// [`Error::Declaration`], [`Error::IncompleteType`], [`Error::Convention`].
pub fn functions(text: &str, target: &Target) -> Result<Vec<Function>, Error> {
    let mut declarations = Declarations::new(target);
    declarations.cdef(text.as_bytes(), &[])?;
    let table = declarations.table();
    let of_function = |(name, declaration): (&str, &Decl)| match declaration {
        Decl::Function { ty, .. } => {
            Some(Signature::of(table, target, *ty, &[]).map(|(signature, convention)| Function {
                name: name.into(),
                declaration: table.declare((*ty).into(), name),
                signature,
                convention,
                preserving:
                    table.function(*ty).is_some_and(|function| {
                        matches!(function.convention, CallConv::Preserving(_))
                    }),
            }))
        }
        _ => None,
    };
    declarations.declarations().filter_map(of_function).collect()
}

/// The thunks of functions as an object file.
///
/// # Errors
/// [`Error::Unsupported`] from a plan; [`Error::Emit`] for a function whose thunks need the process that makes them;
/// [`Error::Codegen`] where Cranelift has no code generator for the target, and for a plan that breaks a [rule](abi::check).
pub fn emit(functions: &[Function], target: &Target) -> Result<Emitted, Error> {
    let mut writer = Writer::new(target)?;
    let mut header = header::prelude(target);
    for function in functions {
        let plan = abi::plan(&function.signature, function.convention)?;
        // The conventions of the fuzzer's mutants make plans that break rules.
        let broken = |rule| Error::codegen(format!("broken plan of '{}': {rule}", function.name));
        abi::check(&function.signature, &plan).map_err(broken)?;
        writer.function(function, &plan)?;
        header += &header::function(function, &plan);
    }
    let object = writer.module.finish().emit().map_err(Error::codegen)?;
    Ok(Emitted { object, header })
}

struct Writer {
    module: ObjectModule,
    context: Context,
    /// The entries written so far, by their text.
    entries: Vec<(&'static Callbacks, FuncId)>,
}

impl Writer {
    fn new(target: &Target) -> Result<Writer, Error> {
        let isa: OwnedTargetIsa = lower::isa(target.triple(), code::verifies())?;
        let builder = ObjectBuilder::new(isa, "cthunk", default_libcall_names());
        let module = ObjectModule::new(builder.map_err(Error::codegen)?);
        Ok(Writer { module, context: Context::new(), entries: Vec::new() })
    }

    fn function(&mut self, function: &Function, plan: &CallPlan) -> Result<(), Error> {
        let refuse = |reason| Error::Emit { function: function.name.clone(), reason };
        if plan.vector_count.is_some() {
            return Err(refuse(
                "a variadic call of this convention sets al, in a stub for each target",
            ));
        }
        if plan.result.pieces().iter().any(|piece| piece.bank == Bank::X87) {
            return Err(refuse("a result on the x87 stack is taken by a helper of the process"));
        }
        if !plan.is_direct() {
            return Err(refuse(
                "a 32-byte vector, or a stack argument aligned to more than 16, is passed by code of the process",
            ));
        }
        if function.preserving {
            return Err(refuse(
                "by its attribute it keeps registers that a callback does not (preserve_most and the like)",
            ));
        }
        let callbacks = stubs::of(function.convention)
            .ok_or_else(|| refuse("no callback entry is known for its convention"))?;
        let isa = self.module.isa();
        let cx = lower::Context {
            plan,
            config: isa.frontend_config(),
            own: isa.default_call_conv(),
            native: lower::Native::default(),
        };
        self.compile(&format!("{}_call", function.name), Linkage::Export, lower::frame_call(cx))?;
        let body = lower::callback(cx, stubs::slot::DISPATCH);
        let body = self.compile(&format!("{}_body", function.name), Linkage::Local, body)?;
        self.callback(&function.name, callbacks, body)
    }

    fn compile(
        &mut self,
        name: &str,
        linkage: Linkage,
        function: ir::Function,
    ) -> Result<FuncId, Error> {
        self.context.clear();
        self.context.func = function;
        let signature = &self.context.func.signature;
        let id = self.module.declare_function(name, linkage, signature).map_err(Error::codegen)?;
        self.module.define_function(id, &mut self.context).map_err(Error::codegen)?;
        Ok(id)
    }

    /// Machine code that is no thunk; `relocations` are words behind it.
    fn bytes(
        &mut self,
        name: &str,
        linkage: Linkage,
        bytes: &[u8],
        relocations: &[ModuleReloc],
    ) -> Result<FuncId, Error> {
        let signature = self.module.make_signature();
        let id = self.module.declare_function(name, linkage, &signature).map_err(Error::codegen)?;
        self.module.define_function_bytes(id, 16, bytes, relocations).map_err(Error::codegen)?;
        Ok(id)
    }

    /// The slot, and the stub that loads its address.
    fn callback(
        &mut self,
        name: &str,
        callbacks: &'static Callbacks,
        body: FuncId,
    ) -> Result<(), Error> {
        let entry = self.entry(callbacks)?;
        let slot = self
            .module
            .declare_data(&format!("{name}_slot"), Linkage::Export, true, false)
            .map_err(Error::codegen)?;
        let mut data = DataDescription::new();
        data.define(vec![0; stubs::slot::SIZE].into());
        data.set_align(8);
        for (offset, function) in [(stubs::slot::ENTRY, entry), (stubs::slot::BODY, body)] {
            let function = self.module.declare_func_in_data(function, &mut data);
            data.write_function_addr(offset, function);
        }
        self.module.define_data(slot, &data).map_err(Error::codegen)?;
        let mut stub = stubs::bytes(callbacks.stub);
        let relocation = ModuleReloc {
            offset: stub.len() as u32,
            kind: Reloc::Abs8,
            name: ModuleRelocTarget::from(slot),
            addend: 0,
        };
        stub.extend([0; 8]);
        self.bytes(&format!("{name}_callback"), Linkage::Export, &stub, &[relocation])?;
        Ok(())
    }

    fn entry(&mut self, callbacks: &'static Callbacks) -> Result<FuncId, Error> {
        let same = |entry: &&(&Callbacks, FuncId)| std::ptr::eq(entry.0, callbacks);
        if let Some((_, id)) = self.entries.iter().find(same) {
            return Ok(*id);
        }
        let name = format!("cthunk_entry_{}", callbacks.of.name);
        let id = self.bytes(&name, Linkage::Local, &stubs::bytes(callbacks.entry), &[])?;
        self.entries.push((callbacks, id));
        Ok(id)
    }
}
