//! Thunks that read their arguments from Lua's stack, and write their results to it, by themselves.
//!
//! Whatever they do not find as they want it (another type, another number of arguments, a closed library) they leave to
//! [`Function::slow`], a thunk of [`LuaOperands`], before anything has happened. That one also fills in what is accepted.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, Block, InstBuilder, StackSlot, StackSlotData, StackSlotKind, Value, types,
};
use cranelift_frontend::FunctionBuilder;

use super::api::layout::{Boolean, Layout};
use super::call::{Accepted, Function};
use super::cdata::Header;
use super::helpers;
use super::operands::{Argument, Entry, LuaOperands, Outcome, trusted};
use super::state::Head;
use crate::abi::{Kind, Piece};
use crate::lower::{self, Operand, Operands};

/// [`Operands`] on the Lua stack, in place.
pub(super) struct InPlace<'p> {
    api: LuaOperands<'p>,
    layout: &'p Layout,
    at: Option<At>,
}

/// What a thunk has at hand, besides its [`Entry`].
#[derive(Clone, Copy)]
struct At {
    /// The slot of the running function.
    function: Value,
    /// Where the slow thunk is called.
    cold: Block,
    /// Where the head is during the native call.
    head: StackSlot,
}

impl<'p> InPlace<'p> {
    pub fn new(api: LuaOperands<'p>, layout: &'p Layout) -> InPlace<'p> {
        InPlace { api, layout, at: None }
    }

    fn at(&self) -> At {
        self.at.expect("`begin` comes first")
    }

    fn pointer(&self) -> ir::Type {
        self.api.cx.pointer()
    }

    fn load(&self, b: &mut FunctionBuilder<'_>, base: Value, offset: i32) -> Value {
        b.ins().load(self.pointer(), trusted(), base, offset)
    }

    /// Goes on where `condition` is true, and to the slow thunk where it is not.
    fn check(&self, b: &mut FunctionBuilder<'_>, condition: Value) {
        let next = b.create_block();
        b.ins().brif(condition, next, &[], self.at().cold, &[]);
        b.switch_to_block(next);
    }

    /// Begins a block that is reached where `condition` is true; returns the other.
    fn branch(&self, b: &mut FunctionBuilder<'_>, condition: Value) -> Block {
        let (yes, no) = (b.create_block(), b.create_block());
        b.ins().brif(condition, yes, &[], no, &[]);
        b.switch_to_block(yes);
        no
    }

    /// Bytes from the function's slot to that of the argument at `index`.
    fn slot(&self, index: usize) -> i32 {
        self.layout.value * (index as i32 + 1)
    }

    fn tag(&self, b: &mut FunctionBuilder<'_>, slot: i32) -> Value {
        let at = slot + self.layout.tag;
        let function = self.at().function;
        match self.layout.tag_bytes {
            1 => b.ins().uload8(types::I32, trusted(), function, at),
            _ => b.ins().load(types::I32, trusted(), function, at),
        }
    }

    fn is(&self, b: &mut FunctionBuilder<'_>, tag: Value, wanted: u8) -> Value {
        b.ins().icmp_imm_s(IntCC::Equal, tag, i64::from(wanted))
    }

    fn set_tag(&self, b: &mut FunctionBuilder<'_>, slot: Value, tag: Value) {
        match self.layout.tag_bytes {
            1 => b.ins().istore8(trusted(), tag, slot, self.layout.tag),
            _ => b.ins().store(trusted(), tag, slot, self.layout.tag),
        };
    }

    /// The address in the header of the userdata in `slot`, whose metatable must be accepted for the parameter at `index`.
    fn cdata(&self, b: &mut FunctionBuilder<'_>, slot: i32, index: usize) -> Value {
        let record = self.api.entry().record;
        let userdata = self.load(b, self.at().function, slot);
        let metatable = self.load(b, userdata, self.layout.metatable);
        let (found, second) = (b.create_block(), b.create_block());
        let accepted = Accepted::offset(index) as i32;
        let first = self.load(b, record, accepted);
        let same = b.ins().icmp(IntCC::Equal, metatable, first);
        b.ins().brif(same, found, &[], second, &[]);
        b.switch_to_block(second);
        let other = self.load(b, record, accepted + self.pointer().bytes() as i32);
        let same = b.ins().icmp(IntCC::Equal, metatable, other);
        b.ins().brif(same, found, &[], self.at().cold, &[]);
        b.switch_to_block(found);
        let address = self.layout.block + offset_of!(Header, address) as i32;
        let Some(count) = self.layout.user_values else {
            return self.load(b, userdata, address);
        };
        let count = b.ins().uload16(self.pointer(), trusted(), userdata, count);
        let moved = b.ins().imul_imm_s(count, i64::from(self.layout.user_value));
        let moved = b.ins().iadd(userdata, moved);
        self.load(b, moved, address)
    }

    fn integer(&self, b: &mut FunctionBuilder<'_>, index: usize, size: u32) -> Operand {
        let slot = self.slot(index);
        let tag = self.tag(b, slot);
        let is_integer = self.is(b, tag, self.layout.tags.integer);
        if size < 8 {
            self.check(b, is_integer);
            return Operand::Memory(self.at().function, slot);
        }
        let done = b.create_block();
        let value = b.append_block_param(done, types::I64);
        let boxed = self.branch(b, is_integer);
        b.set_cold_block(boxed);
        let plain = b.ins().load(types::I64, trusted(), self.at().function, slot);
        b.ins().jump(done, &[plain.into()]);
        b.switch_to_block(boxed);
        let is_userdata = self.is(b, tag, self.layout.tags.userdata);
        self.check(b, is_userdata);
        let address = self.cdata(b, slot, index);
        let unboxed = b.ins().load(types::I64, trusted(), address, 0);
        b.ins().jump(done, &[unboxed.into()]);
        b.switch_to_block(done);
        Operand::Scalar(value)
    }

    fn number(&self, b: &mut FunctionBuilder<'_>, index: usize, size: u32) -> Operand {
        let slot = self.slot(index);
        let function = self.at().function;
        let tag = self.tag(b, slot);
        let done = b.create_block();
        let value = b.append_block_param(done, types::F64);
        let is_float = self.is(b, tag, self.layout.tags.float);
        let other = self.branch(b, is_float);
        let float = b.ins().load(types::F64, trusted(), function, slot);
        b.ins().jump(done, &[float.into()]);
        b.switch_to_block(other);
        let is_integer = self.is(b, tag, self.layout.tags.integer);
        self.check(b, is_integer);
        let integer = b.ins().load(types::I64, trusted(), function, slot);
        let converted = b.ins().fcvt_from_sint(types::F64, integer);
        b.ins().jump(done, &[converted.into()]);
        b.switch_to_block(done);
        Operand::Scalar(match size {
            4 => b.ins().fdemote(types::F32, value),
            _ => value,
        })
    }

    /// A Lua float, and nothing that converts to one.
    fn float(&self, b: &mut FunctionBuilder<'_>, index: usize) -> Operand {
        let slot = self.slot(index);
        let tag = self.tag(b, slot);
        let is_float = self.is(b, tag, self.layout.tags.float);
        self.check(b, is_float);
        Operand::Memory(self.at().function, slot)
    }

    /// What an accepted cdata holds.
    fn bytes(&self, b: &mut FunctionBuilder<'_>, index: usize) -> Operand {
        let slot = self.slot(index);
        let tag = self.tag(b, slot);
        let is_userdata = self.is(b, tag, self.layout.tags.userdata);
        self.check(b, is_userdata);
        Operand::Memory(self.cdata(b, slot, index), 0)
    }

    fn boolean(&self, b: &mut FunctionBuilder<'_>, index: usize) -> Operand {
        let slot = self.slot(index);
        let tag = self.tag(b, slot);
        let value = match self.layout.tags.boolean {
            Boolean::Tags { no, yes } => {
                let (no, yes) = (self.is(b, tag, no), self.is(b, tag, yes));
                let either = b.ins().bor(no, yes);
                self.check(b, either);
                yes
            }
            Boolean::Value { tag: wanted } => {
                let is_boolean = self.is(b, tag, wanted);
                self.check(b, is_boolean);
                let value = b.ins().load(types::I32, trusted(), self.at().function, slot);
                b.ins().icmp_imm_s(IntCC::NotEqual, value, 0)
            }
        };
        Operand::Scalar(b.ins().uextend(types::I64, value))
    }

    /// A cdata, nil or light userdata; where `text` is set, a string.
    fn address(&self, b: &mut FunctionBuilder<'_>, index: usize, text: bool) -> Operand {
        let slot = self.slot(index);
        let function = self.at().function;
        let tags = &self.layout.tags;
        let done = b.create_block();
        let value = b.append_block_param(done, self.pointer());
        let tag = self.tag(b, slot);
        if text {
            self.text(b, tag, slot, done);
        }
        let is_userdata = self.is(b, tag, tags.userdata);
        let other = self.branch(b, is_userdata);
        let address = self.cdata(b, slot, index);
        b.ins().jump(done, &[address.into()]);
        b.switch_to_block(other);
        let is_nil = self.is(b, tag, tags.nil);
        let other = self.branch(b, is_nil);
        let null = b.ins().iconst(self.pointer(), 0);
        b.ins().jump(done, &[null.into()]);
        b.switch_to_block(other);
        let is_light = self.is(b, tag, tags.light_userdata);
        self.check(b, is_light);
        let light = self.load(b, function, slot);
        b.ins().jump(done, &[light.into()]);
        b.switch_to_block(done);
        Operand::Scalar(value)
    }

    /// Jumps to `done` with the bytes of a string; goes on where there is none.
    fn text(&self, b: &mut FunctionBuilder<'_>, tag: Value, slot: i32, done: Block) {
        let layout = self.layout;
        let function = self.at().function;
        let kinds = [
            (layout.tags.short_string, layout.short_text, false),
            (layout.tags.long_string, layout.long_text, layout.long_text_behind),
        ];
        for (wanted, offset, behind) in kinds {
            let is_string = self.is(b, tag, wanted);
            let other = self.branch(b, is_string);
            let string = self.load(b, function, slot);
            let bytes = match behind {
                true => self.load(b, string, offset),
                false => b.ins().iadd_imm_s(string, i64::from(offset)),
            };
            b.ins().jump(done, &[bytes.into()]);
            b.switch_to_block(other);
        }
    }

    /// Writes a scalar result to the first free slot.
    fn push(&self, b: &mut FunctionBuilder<'_>, at: Entry, piece: &Piece, value: Value) {
        let value = lower::narrow(b, piece, value);
        let top = self.load(b, at.lua, self.layout.top);
        let tags = &self.layout.tags;
        let constant =
            |b: &mut FunctionBuilder<'_>, tag: u8| b.ins().iconst(types::I32, i64::from(tag));
        let (value, tag) = match (self.api.conversions.result, &tags.boolean) {
            (Outcome::Boolean, Boolean::Tags { no, yes }) => {
                let (no, yes) = (constant(b, *no), constant(b, *yes));
                (None, b.ins().select(value, yes, no))
            }
            (Outcome::Boolean, Boolean::Value { tag }) => {
                let truth = b.ins().icmp_imm_s(IntCC::NotEqual, value, 0);
                (Some(b.ins().uextend(types::I32, truth)), constant(b, *tag))
            }
            (Outcome::Number, _) => {
                let wide = match piece.bytes {
                    4 => b.ins().fpromote(types::F64, value),
                    _ => value,
                };
                (Some(wide), constant(b, tags.float))
            }
            _ => (Some(self.api.widen(b, value)), constant(b, tags.integer)),
        };
        if let Some(value) = value {
            b.ins().store(trusted(), value, top, 0);
        }
        self.set_tag(b, top, tag);
        let top = b.ins().iadd_imm_s(top, i64::from(self.layout.value));
        b.ins().store(trusted(), top, at.lua, self.layout.top);
    }

    /// After the native call: no call is in progress; raises what a callback left. The head is kept across the call in memory,
    /// as nobody waits for it.
    fn returned(&self, b: &mut FunctionBuilder<'_>) -> Entry {
        let pointer = self.pointer();
        let head = b.ins().stack_load(pointer, pointer, self.at().head, 0);
        let raise = helpers::end_and_raise_pending as *const () as usize;
        self.api.raise_pending(b, head, raise, &[head]);
        let current = offset_of!(Head, current) as i32;
        let null = b.ins().iconst(pointer, 0);
        b.ins().store(trusted(), null, head, current);
        Entry { head, ..self.api.entry() }
    }

    /// Calls the slow thunk, with everything as the caller left it.
    fn cold(&self, b: &mut FunctionBuilder<'_>) {
        let Entry { lua, record, .. } = self.api.entry();
        b.switch_to_block(self.at().cold);
        b.set_cold_block(self.at().cold);
        let slow = self.load(b, record, offset_of!(Function, slow) as i32);
        let signature = b.import_signature(self.api.signature());
        let call = b.ins().call_indirect(signature, slow, &[lua]);
        let results = b.inst_results(call).to_vec();
        b.ins().return_(&results);
    }
}

impl Operands for InPlace<'_> {
    fn signature(&self) -> ir::Signature {
        self.api.signature()
    }

    fn begin(&mut self, b: &mut FunctionBuilder<'_>, params: &[Value]) {
        let layout = self.layout;
        let lua = params[0];
        let call = self.load(b, lua, layout.call);
        let function = self.load(b, call, layout.call_function);
        let top = self.load(b, lua, layout.top);
        let closure = self.load(b, function, 0);
        let upvalue = self.load(b, closure, layout.closure_upvalues);
        // The record is a userdata with no user value.
        let record = b.ins().iadd_imm_s(upvalue, i64::from(layout.block));
        let target = self.load(b, record, offset_of!(Function, target) as i32);
        let head = self.load(b, record, offset_of!(Function, head) as i32);
        self.api.at = Some(Entry { lua, record, target, head, outer: None, result: None });
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, self.pointer().bytes(), 3);
        let kept = b.create_sized_stack_slot(slot);
        self.at = Some(At { function, cold: b.create_block(), head: kept });
        let given = b.ins().isub(top, function);
        if self.api.signature.fixed.is_none() {
            let expected = self.load(b, record, offset_of!(Function, given) as i32);
            let right = b.ins().icmp(IntCC::Equal, given, expected);
            self.check(b, right);
        } else {
            let expected = self.slot(self.api.conversions.arguments.len());
            let right = b.ins().icmp_imm_s(IntCC::Equal, given, i64::from(expected));
            self.check(b, right);
            let open = b.ins().icmp_imm_s(IntCC::NotEqual, target, 0);
            self.check(b, open);
        }
        // A call that Lua code in another call makes, with no callback between them, is the slow thunk's.
        let outer = self.load(b, head, offset_of!(Head, current) as i32);
        let outermost = b.ins().icmp_imm_s(IntCC::Equal, outer, 0);
        self.check(b, outermost);
    }

    fn argument(&mut self, b: &mut FunctionBuilder<'_>, index: usize) -> Operand {
        let ty = &self.api.signature.arguments[index];
        match self.api.conversions.arguments[index] {
            Argument::Integer => self.integer(b, index, ty.size),
            Argument::Number => self.number(b, index, ty.size),
            Argument::Boolean => self.boolean(b, index),
            // Like an integer of fewer bytes: enums take no cdata in place.
            Argument::Enum => {
                let slot = self.slot(index);
                let tag = self.tag(b, slot);
                let is_integer = self.is(b, tag, self.layout.tags.integer);
                self.check(b, is_integer);
                Operand::Memory(self.at().function, slot)
            }
            Argument::Pointer => self.address(b, index, false),
            Argument::Text => self.address(b, index, true),
            Argument::Variable => match ty.kind {
                Kind::Float => self.float(b, index),
                Kind::Pointer => self.address(b, index, true),
                Kind::Int { .. } if ty.size == 8 => self.integer(b, index, 8),
                _ => self.bytes(b, index),
            },
            Argument::Aggregate | Argument::VariableAggregate => self.bytes(b, index),
        }
    }

    fn result_memory(&mut self, b: &mut FunctionBuilder<'_>) -> Value {
        self.api.result_memory(b)
    }

    fn target(&mut self, b: &mut FunctionBuilder<'_>) -> Value {
        let at = self.api.entry();
        b.ins().store(trusted(), at.lua, at.head, offset_of!(Head, current) as i32);
        b.ins().stack_store(self.pointer(), at.head, self.at().head, 0);
        at.target
    }

    fn finish(&mut self, b: &mut FunctionBuilder<'_>, result: &[(Piece, Value)]) {
        let at = self.returned(b);
        let is_pointer = self.api.signature.result.kind == Kind::Pointer;
        match (self.api.conversions.result, result) {
            (Outcome::Integer | Outcome::Number | Outcome::Boolean, &[(piece, value)]) => {
                self.push(b, at, &piece, value);
            }
            (Outcome::Other, &[(_, value)]) if is_pointer => {
                let helper = helpers::push_pointer as *const () as usize;
                self.api.helper(b, helper, &[at.lua, at.record, value], None);
            }
            (Outcome::Copy, pieces) => {
                let helper = helpers::push_copy_in_place as *const () as usize;
                self.api.push_copy(b, at, pieces, helper);
            }
            (_, result) => self.api.push(b, at, result),
        }
        let results = i64::from(self.api.conversions.result != Outcome::None);
        let results = b.ins().iconst(types::I32, results);
        b.ins().return_(&[results]);
        self.cold(b);
    }
}
