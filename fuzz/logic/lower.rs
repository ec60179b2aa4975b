//! Both thunks of any function of any convention pass Cranelift's verifier and compile, if Cranelift has the processor.

use cthunk::explain::{asm, clif};
use cthunk::lower;

use crate::functions::functions;

/// Lowers and compiles.
pub fn lower(data: &[u8]) {
    let compiles = |triple: Option<&str>| match triple {
        None => true,
        Some(triple) => triple.parse().is_ok_and(|triple| lower::isa(&triple, false).is_ok()),
    };
    let Some(batch) = functions(data, |platform| compiles(platform.triple)) else { return };
    let target = batch.platform.target();
    for prototype in &batch.prototypes {
        let code = clif(&target, &prototype.plan).and_then(|_| asm(&target, &prototype.plan));
        if let Err(error) = code {
            panic!("{error}\n{}\n{}", batch.describe(prototype), batch.header);
        }
    }
}
