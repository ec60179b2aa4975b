//! The attributes and machine modes that have an effect.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::ctype::{CallConv, FloatKind};

/// The meaning of an attribute. The parser accepts and ignores attributes that are not in [`ATTRIBUTES`]: they are about definitions,
/// warnings and optimisation.
#[derive(Clone, Copy)]
pub(super) enum Known {
    Packed,
    Aligned,
    Mode,
    VectorSize,
    /// Clang's `ext_vector_type(n)`, by the number of elements.
    VectorElements,
    MsStruct(bool),
    StorageOrder,
    TransparentUnion,
    CountedBy,
    Convention(CallConv),
    Regparm,
    NonNull,
    Terminated,
    Trusted,
    Nullable,
    Acquires,
    Releases,
    Access,
    /// It changes a type or a call in a way that is not supported, which this says.
    Refused(&'static str),
}

impl Known {
    /// Whether it is a promise about the pointers of a function.
    pub(super) fn is_contract(self) -> bool {
        matches!(
            self,
            Known::NonNull
                | Known::Access
                | Known::Terminated
                | Known::Trusted
                | Known::Nullable
                | Known::Acquires
                | Known::Releases
        )
    }
}

/// The attribute with this name, without underscores around it.
pub(super) fn known(name: &str) -> Option<Known> {
    static BY_NAME: OnceLock<FxHashMap<&str, Known>> = OnceLock::new();
    if let Some(known) = BY_NAME.get() {
        return known.get(name).copied();
    }
    // Another thread that sets it sets the same table.
    let _ = BY_NAME.set(ATTRIBUTES.into_iter().collect());
    known(name)
}

const fn unsupported(name: &'static str) -> (&'static str, Known) {
    (name, Known::Convention(CallConv::Unsupported(name)))
}

const fn preserving(name: &'static str) -> (&'static str, Known) {
    (name, Known::Convention(CallConv::Preserving(name)))
}

const SWIFT: &str = "it moves the parameter to a register of its own";
const HIDDEN: &str = "it adds a parameter";
const SCALABLE: &str = "the size of such a vector depends on the processor";
const SPACE: &str = "pointers to another address space";

static ATTRIBUTES: [(&str, Known); 71] = [
    ("packed", Known::Packed),
    ("aligned", Known::Aligned),
    ("align", Known::Aligned),
    ("mode", Known::Mode),
    ("vector_size", Known::VectorSize),
    ("ext_vector_type", Known::VectorElements),
    ("neon_vector_type", Known::VectorElements),
    ("neon_polyvector_type", Known::VectorElements),
    ("ms_struct", Known::MsStruct(true)),
    ("gcc_struct", Known::MsStruct(false)),
    ("scalar_storage_order", Known::StorageOrder),
    ("transparent_union", Known::TransparentUnion),
    ("counted_by", Known::CountedBy),
    ("counted_by_or_null", Known::CountedBy),
    ("cdecl", Known::Convention(CallConv::Cdecl)),
    ("stdcall", Known::Convention(CallConv::Stdcall)),
    ("fastcall", Known::Convention(CallConv::Fastcall)),
    ("thiscall", Known::Convention(CallConv::Thiscall)),
    ("vectorcall", Known::Convention(CallConv::Vectorcall)),
    ("ms_abi", Known::Convention(CallConv::MsAbi)),
    ("sysv_abi", Known::Convention(CallConv::SysvAbi)),
    ("regparm", Known::Regparm),
    ("nonnull", Known::NonNull),
    ("null_terminated_string_arg", Known::Terminated),
    ("trusted", Known::Trusted),
    ("nullable", Known::Nullable),
    ("acquires", Known::Acquires),
    ("releases", Known::Releases),
    ("access", Known::Access),
    // Callers of these are ordinary callers.
    preserving("preserve_most"),
    preserving("preserve_all"),
    preserving("no_caller_saved_registers"),
    // Other conventions: of GCC, of Clang, of devices.
    unsupported("sseregparm"),
    unsupported("callee_pop_aggregate_return"),
    unsupported("pcs"),
    unsupported("interrupt"),
    unsupported("interrupt_handler"),
    unsupported("signal"),
    unsupported("isr"),
    unsupported("naked"),
    unsupported("preserve_none"),
    unsupported("swiftcall"),
    unsupported("swiftasynccall"),
    unsupported("regcall"),
    unsupported("pascal"),
    unsupported("clrcall"),
    unsupported("intel_ocl_bicc"),
    unsupported("aarch64_vector_pcs"),
    unsupported("aarch64_sve_pcs"),
    unsupported("arm_streaming"),
    unsupported("m68k_rtd"),
    unsupported("riscv_vector_cc"),
    unsupported("riscv_vls_cc"),
    unsupported("device_kernel"),
    unsupported("opencl_kernel"),
    unsupported("sycl_kernel"),
    unsupported("nvptx_kernel"),
    unsupported("amdgpu_kernel"),
    unsupported("device"),
    unsupported("global"),
    // They change a parameter, a type or where values are.
    ("swift_context", Known::Refused(SWIFT)),
    ("swift_async_context", Known::Refused(SWIFT)),
    ("swift_error_result", Known::Refused(SWIFT)),
    ("swift_indirect_result", Known::Refused(SWIFT)),
    ("pass_object_size", Known::Refused(HIDDEN)),
    ("pass_dynamic_object_size", Known::Refused(HIDDEN)),
    ("address_space", Known::Refused(SPACE)),
    ("arm_sve_vector_bits", Known::Refused(SCALABLE)),
    ("riscv_rvv_vector_bits", Known::Refused(SCALABLE)),
    ("altivec", Known::Refused("vectors of another processor")),
    ("matrix_type", Known::Refused("matrices are not")),
];

/// The mode that `mode(…)` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Scalar(ScalarMode),
    /// So many elements.
    Vector(ScalarMode, u32),
    /// An integer of 32 bytes.
    Oct,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScalarMode {
    /// An integer of so many bytes.
    Int(u8),
    Float(FloatKind),
    Complex(FloatKind),
}

static SCALARS: [(&str, ScalarMode); 17] = [
    ("QI", ScalarMode::Int(1)),
    ("HI", ScalarMode::Int(2)),
    ("SI", ScalarMode::Int(4)),
    ("DI", ScalarMode::Int(8)),
    ("TI", ScalarMode::Int(16)),
    ("HF", ScalarMode::Float(FloatKind::F16)),
    ("SF", ScalarMode::Float(FloatKind::F32)),
    ("DF", ScalarMode::Float(FloatKind::F64)),
    ("XF", ScalarMode::Float(FloatKind::F80)),
    ("TF", ScalarMode::Float(FloatKind::F128)),
    ("KF", ScalarMode::Float(FloatKind::F128)),
    ("HC", ScalarMode::Complex(FloatKind::F16)),
    ("SC", ScalarMode::Complex(FloatKind::F32)),
    ("DC", ScalarMode::Complex(FloatKind::F64)),
    ("XC", ScalarMode::Complex(FloatKind::F80)),
    ("TC", ScalarMode::Complex(FloatKind::F128)),
    ("KC", ScalarMode::Complex(FloatKind::F128)),
];

/// A machine mode by its name, without underscores around it, for pointers of so many bytes: `SI`, `V4SI`, `pointer`.
pub(super) fn mode(name: &str, pointer: u8) -> Option<Mode> {
    let scalar = |name: &str| SCALARS.iter().find(|mode| mode.0 == name).map(|mode| mode.1);
    match name {
        "byte" => return Some(Mode::Scalar(ScalarMode::Int(1))),
        "pointer" | "word" | "unwind_word" | "libgcc_cmp_return" | "libgcc_shift_count" => {
            return Some(Mode::Scalar(ScalarMode::Int(pointer)));
        }
        "OI" => return Some(Mode::Oct),
        _ => {}
    }
    let Some(vector) = name.strip_prefix('V') else { return scalar(name).map(Mode::Scalar) };
    let digits = vector.bytes().take_while(u8::is_ascii_digit).count();
    let (count, element) = vector.split_at(digits);
    let count =
        count.parse().ok().filter(|count: &u32| count.is_power_of_two() && *count <= 256)?;
    Some(Mode::Vector(scalar(element)?, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_have_elements_and_a_number_of_them() {
        let vector = |element, count| Some(Mode::Vector(element, count));
        assert_eq!(mode("V16QI", 8), vector(ScalarMode::Int(1), 16));
        assert_eq!(mode("V2SF", 8), vector(ScalarMode::Float(FloatKind::F32), 2));
        assert_eq!(mode("SI", 8), Some(Mode::Scalar(ScalarMode::Int(4))));
        assert_eq!(mode("word", 4), Some(Mode::Scalar(ScalarMode::Int(4))));
        for name in ["V3SI", "V0QI", "VQI", "V4", "V", "V99999999999QI", "V4OI", "QQ", ""] {
            assert_eq!(mode(name, 8), None, "{name}");
        }
    }
}
