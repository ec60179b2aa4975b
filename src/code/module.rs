//! The compiler: Cranelift's JITModule over the memory of [`super::arena`].

use std::sync::Mutex;

use cranelift_codegen::{self as codegen, ir};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Module, default_libcall_names};
use target_lexicon::Triple;

use super::arena::{Arena, Place, Provider};
use super::host::{self, Host, Processor};
use super::locks::{Global, Rank};
use super::os::Unwind;
use super::{Shape, Thunk, observe};
use crate::abi::CallPlan;
use crate::error::Error;
use crate::lower;

/// The process's executable memory, shared by the module and the stubs.
pub(super) static ARENA: Global<Mutex<Arena>> =
    Global::new(Rank::Arena, Arena::new(Place::NearText));

/// Executable memory below 4 GiB, for 32-bit code.
pub(super) static LOW_ARENA: Global<Mutex<Arena>> =
    Global::new(Rank::LowArena, Arena::new(Place::Low));

/// Compiles functions for the host, one at a time.
pub(super) struct Compiler {
    module: JITModule,
    context: codegen::Context,
    unwind: Unwind,
}

impl Compiler {
    pub fn new() -> Result<Compiler, Error> {
        let isa = lower::isa(&Triple::host(), super::verifies())?;
        let unwind = Unwind::new(&*isa);
        let mut builder = JITBuilder::with_isa(isa, default_libcall_names());
        builder.memory_provider(Box::new(Provider(&ARENA)));
        Ok(Compiler { module: JITModule::new(builder), context: codegen::Context::new(), unwind })
    }

    /// The facts of the host that `lower` needs.
    pub fn context<'p>(&self, plan: &'p CallPlan) -> lower::Context<'p> {
        lower::Context {
            plan,
            config: self.module.isa().frontend_config(),
            own: self.module.isa().default_call_conv(),
            native: host::native(plan.convention),
        }
    }

    /// Compiles, places, and registers one function.
    pub fn compile(&mut self, function: ir::Function, shape: &Shape) -> Result<Thunk, Error> {
        self.context.clear();
        self.context.func = function;
        let id = self
            .module
            .declare_anonymous_function(&self.context.func.signature)
            .map_err(Error::codegen)?;
        self.module.define_function(id, &mut self.context).map_err(Error::codegen)?;
        self.module.finalize_definitions().map_err(Error::codegen)?;
        let written = self.module.get_finalized_function(id);
        let address = ARENA
            .lock()
            .run_address(written)
            .ok_or_else(|| Error::codegen("code outside the arena"))?;
        let code = self.context.compiled_code().ok_or_else(|| Error::codegen("no code"))?;
        Host::flush_instructions(address, code.code_info().total_size as usize);
        let records = self.unwind.register(self.module.isa(), code, address as u64)?;
        let thunk = Thunk { address: address as usize, size: code.code_info().total_size };
        if observe::is_observed() {
            observe::register(shape, thunk.address, thunk.size as usize, records);
        }
        Ok(thunk)
    }
}
