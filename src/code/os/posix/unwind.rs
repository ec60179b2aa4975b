//! Unwind information of the thunks: an error that unwinds (a Rust panic, an exception of LuaJIT or Luau) passes through them instead of
//! ending the process.

use cranelift_codegen::CompiledCode;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::isa::unwind::UnwindInfo;
use gimli::RunTimeEndian;
use gimli::write::{Address, CommonInformationEntry, EhFrame, EndianVec, FrameTable};

use crate::error::Error;

/// The records that the platform's unwinder was told of.
pub(in crate::code) struct Unwind {
    common: Option<CommonInformationEntry>,
    /// Never freed while the process runs: the unwinder reads them.
    records: Vec<Box<[u8]>>,
}

impl Unwind {
    pub fn new(isa: &dyn TargetIsa) -> Unwind {
        Unwind { common: isa.create_systemv_cie(), records: Vec::new() }
    }

    /// Registers the code at `address`; returns its records.
    pub fn register(
        &mut self,
        isa: &dyn TargetIsa,
        code: &CompiledCode,
        address: u64,
    ) -> Result<&[u8], Error> {
        let info = code.create_unwind_info(isa).map_err(Error::codegen)?;
        let (Some(UnwindInfo::SystemV(info)), Some(common)) = (info, &self.common) else {
            return Ok(&[]);
        };
        let mut table = FrameTable::default();
        let common = table.add_cie(common.clone());
        table.add_fde(common, info.to_fde(Address::Constant(address)));
        let mut section = EhFrame(EndianVec::new(RunTimeEndian::Little));
        table.write_eh_frame(&mut section).map_err(Error::codegen)?;
        let mut bytes = section.0.into_vec();
        // A length of 0 ends the list of records.
        bytes.extend([0; 4]);
        self.records.push(bytes.into());
        let record = self.records.last().map_or(&[][..], |record| record);
        register_frame(record);
        Ok(record)
    }
}

fn register_frame(record: &[u8]) {
    unsafe extern "C" {
        /// libgcc and LLVM's libunwind: Linux Standard Base, "Exception Handling Framework".
        fn __register_frame(begin: *const u8);
    }
    // SAFETY: a complete .eh_frame with its terminator, which `Unwind::records` keeps alive for good.
    unsafe { __register_frame(record.as_ptr()) }
}
