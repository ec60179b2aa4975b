//! The stages from a declaration to machine code, each by itself: `cargo bench`.

use cthunk::abi::{self, SYSV64, Signature, Type};
use cthunk::ctype::Declarations;
use cthunk::{Target, lower};

fn main() {
    divan::main();
}

fn declarations(count: usize) -> String {
    (0..count)
        .map(|i| match i % 4 {
            0 => format!("struct s{i} {{ int a; double b; const char *c; }};\n"),
            1 => format!("typedef unsigned int t{i};\n"),
            2 => format!("enum {{ E{i} = {i} }};\n"),
            _ => format!("int f{i}(int x, const char *y, double z);\n"),
        })
        .collect()
}

fn signature() -> Signature {
    let arguments = [Type::int(4, true), Type::F64, Type::POINTER, Type::int(1, false)];
    Signature {
        arguments: arguments.iter().cycle().take(10).cloned().collect(),
        result: Type::F64,
        fixed: None,
    }
}

/// `cdef` of a header of so many declarations in a fresh state.
#[divan::bench(args = [1_000, 100_000])]
fn parse(bencher: divan::Bencher<'_, '_>, count: usize) {
    let text = declarations(count);
    let target = Target::host();
    bencher
        .counter(divan::counter::ItemsCount::new(count))
        .with_inputs(|| Declarations::new(&target))
        .bench_values(|mut declarations| declarations.cdef(text.as_bytes(), &[]));
}

#[divan::bench]
fn plan() -> abi::CallPlan {
    abi::plan(&divan::black_box(signature()), &SYSV64).expect("scalars")
}

fn with_context<T>(
    f: impl FnOnce(lower::Context<'_>, &dyn cranelift_codegen::isa::TargetIsa) -> T,
) -> T {
    let plan = plan();
    let isa = lower::isa(Target::host().triple(), false).expect("the host");
    let own = isa.default_call_conv();
    f(
        lower::Context {
            plan: &plan,
            config: isa.frontend_config(),
            own,
            native: lower::Native::default(),
        },
        &*isa,
    )
}

/// From the plan to CLIF.
#[divan::bench]
fn lower_call(bencher: divan::Bencher<'_, '_>) {
    with_context(|cx, _| bencher.bench_local(|| lower::frame_call(cx)));
}

/// From CLIF to bytes.
#[divan::bench]
fn compile_call(bencher: divan::Bencher<'_, '_>) {
    with_context(|cx, isa| {
        bencher
            .with_inputs(|| lower::frame_call(cx))
            .bench_local_values(|function| lower::compile(isa, function));
    });
}
