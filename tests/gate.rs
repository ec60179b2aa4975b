//! 32-bit x86 code of four compilers, run in this 64-bit process: every convention, calls and callbacks, and row by row what
//! the compilers do not agree on.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

#[path = "gate/callbacks.rs"]
mod callbacks;
#[path = "gate/calls.rs"]
mod calls;
#[path = "gate/disagreements.rs"]
mod disagreements;
#[path = "gate/guest.rs"]
mod guest;
#[path = "gate/image.rs"]
mod image;
#[path = "gate/signals.rs"]
mod signals;
#[path = "gate/stack.rs"]
mod stack;
