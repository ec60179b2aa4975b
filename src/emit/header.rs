//! The C header for an object of thunks.

use std::fmt::Write;

use super::Function;
use crate::abi::CallPlan;
use crate::target::Target;

/// The text before the functions.
pub(super) fn prelude(target: &Target) -> String {
    format!(
        "/* Made by `cthunk emit` for {target}.

   A frame holds the result and the arguments of one call, each at its offset:
   `f_call(target, frame)` calls `target`, a function of f's type, with them;
   `f_callback` is a function of f's type that calls `f_slot.dispatch(&f_slot, frame)`. */

#ifndef CTHUNK_SLOT
#define CTHUNK_SLOT
struct cthunk_slot {{
    const void *entry, *body;
    void (*dispatch)(struct cthunk_slot *slot, void *frame);
    const void *data, *reserved;
}};
#endif
"
    )
}

/// The text of a function.
pub(super) fn function(function: &Function, plan: &CallPlan) -> String {
    let Function { name, declaration, convention, .. } = function;
    let frame = &plan.frame;
    let mut text = format!("\n// {declaration}; ({})\n", convention.name);
    let _ = write!(
        text,
        "enum {{ {name}_FRAME_SIZE = {}, {name}_FRAME_ALIGN = {}, {name}_RESULT = {}",
        frame.size, frame.align, frame.result
    );
    for (i, offset) in frame.arguments.iter().enumerate() {
        let _ = write!(text, ", {name}_ARGUMENT_{} = {offset}", i + 1);
    }
    let _ = writeln!(text, " }};");
    let _ = writeln!(text, "void {name}_call(const void *target, void *frame);");
    let _ = writeln!(text, "void {name}_callback(void);");
    let _ = writeln!(text, "extern struct cthunk_slot {name}_slot;");
    text
}
