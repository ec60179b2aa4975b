//! The shims of random functions, executed.

#[path = "../gate/guest.rs"]
mod guest;
#[path = "machine.rs"]
mod machine;

use cthunk::code::gate::image::Image;
use cthunk::fuzz::platform::PLATFORMS;
use cthunk::fuzz::{Batch, Generator, shape};
use cthunk::lower::x86::{call_shim, callback_shim};
use machine::Machine;

/// Every register and stack word is what the plan says, and after every call and callback the stack pointer is what it was.
#[test]
fn shims_do_what_their_plans_say() {
    let compiler = guest::Compiler::flavour("gcc-linux");
    if !guest::gate_is_open() || !compiler.is_here() {
        return;
    }
    let machine = Machine::new(compiler, "machine_shims");
    let (cases, seed) = (super::option("CTHUNK_CASES", 100), super::option("CTHUNK_SEED", 1));
    let mut executed = 0;
    for platform in PLATFORMS.iter().filter(|platform| platform.is_guest()) {
        let mut generator = Generator::new(platform, seed);
        let cases: Vec<_> = (0..cases).map(|_| generator.case()).collect();
        let batch = Batch::parse(&shape::header(&cases), platform).unwrap();
        for prototype in batch.prototypes.iter().filter(|p| Machine::fits(&p.plan)) {
            let (signature, plan) = (&prototype.signature, &prototype.plan);
            let call = Image::of_code(&call_shim(plan).unwrap()).unwrap();
            let callback = machine.stub(&callback_shim(plan, Machine::DISPATCHER).unwrap());
            let verdicts = [
                ("call", machine.call(signature, plan, &call)),
                ("callback", machine.callback(signature, plan, &callback)),
            ];
            for (shim, verdict) in verdicts {
                let (name, what) = (platform.convention.name, batch.describe(prototype));
                assert_eq!(verdict, Ok(()), "{name} {shim}: {what}, CTHUNK_SEED={seed}");
            }
            executed += 1;
        }
    }
    println!("{executed} functions of 32-bit conventions executed, CTHUNK_SEED={seed}");
    assert!(executed > 0, "no function fits");
}
