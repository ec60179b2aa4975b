//! Thunks that read their arguments from Lua's stack, and write their results to it, by themselves.
//!
//! A thunk leaves every unusual call (another type, another number of arguments, a closed library) to [`route::elsewhere`], and so to the
//! slow function of its record, before anything has happened. That also notes the types that it accepted.

use std::cell::Cell;
use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, Block, InstBuilder, Value, types};
use cranelift_frontend::FunctionBuilder;

use super::function::Function;
use super::route;
use super::runtime;
use super::thunk_api::{Argument, Entry, LuaOperands, Outcome, trusted};
use crate::abi::{Kind, Piece};
use crate::lower::{self, Operand, Operands};
use crate::lua::value::cdata::Header;
use crate::lua::vm::api::layout::{Boolean, Layout};

/// [`Operands`] on the Lua stack as memory.
pub(super) struct DirectOperands<'p> {
    api: LuaOperands<'p>,
    layout: &'p Layout,
    /// Whether it says which thread calls C; see [`route::Way`].
    announces: bool,
    at: Option<At>,
    /// Whether new blocks are for what is less usual, and lie behind the others.
    aside: Cell<bool>,
}

/// The values that a thunk has at hand, besides its [`Entry`].
#[derive(Clone, Copy)]
struct At {
    /// The slot of the running function.
    function: Value,
    /// Where the call is left to others.
    cold: Block,
}

impl<'p> DirectOperands<'p> {
    pub fn new(api: LuaOperands<'p>, layout: &'p Layout, announces: bool) -> DirectOperands<'p> {
        DirectOperands { api, layout, announces, at: None, aside: Cell::new(false) }
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

    fn block(&self, b: &mut FunctionBuilder<'_>) -> Block {
        let block = b.create_block();
        if self.aside.get() {
            b.set_cold_block(block);
        }
        block
    }

    /// Goes on where `condition` is true, and leaves the call to others where it is not.
    fn check(&self, b: &mut FunctionBuilder<'_>, condition: Value) {
        let next = self.block(b);
        b.ins().brif(condition, next, &[], self.at().cold, &[]);
        b.switch_to_block(next);
    }

    /// Jumps to `done` with what `usual` makes where `condition` is true; goes on aside, until [`DirectOperands::join`], where it is not.
    fn branch(
        &self,
        b: &mut FunctionBuilder<'_>,
        condition: Value,
        done: Block,
        usual: impl FnOnce(&mut FunctionBuilder<'_>) -> Value,
    ) {
        let yes = self.block(b);
        let within = self.aside.replace(true);
        let no = self.block(b);
        b.ins().brif(condition, yes, &[], no, &[]);
        b.switch_to_block(yes);
        self.aside.set(within);
        let value = usual(b);
        b.ins().jump(done, &[value.into()]);
        b.switch_to_block(no);
        self.aside.set(true);
    }

    /// Jumps to `done` with the last of the values that lead there, and begins it.
    fn join(&self, b: &mut FunctionBuilder<'_>, done: Block, value: Value) {
        b.ins().jump(done, &[value.into()]);
        self.aside.set(false);
        b.switch_to_block(done);
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

    fn tag_type(&self) -> ir::Type {
        if self.layout.tag_bytes == 1 { types::I8 } else { types::I32 }
    }

    fn is(&self, b: &mut FunctionBuilder<'_>, tag: Value, wanted: u8) -> Value {
        b.ins().icmp_imm_s(IntCC::Equal, tag, i64::from(wanted))
    }

    /// The address in the header of the userdata in `slot`, whose metatable must be accepted for the parameter at `index`.
    fn cdata(&self, b: &mut FunctionBuilder<'_>, slot: i32, index: usize) -> Value {
        let record = self.api.entry().record;
        let userdata = self.load(b, self.at().function, slot);
        let metatable = self.load(b, userdata, self.layout.metatable);
        let (found, second) = (self.block(b), b.create_block());
        b.set_cold_block(second);
        let accepted = Function::accepted_offset(index) as i32;
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
        let function = self.at().function;
        self.branch(b, is_integer, done, |b| b.ins().load(types::I64, trusted(), function, slot));
        let is_userdata = self.is(b, tag, self.layout.tags.userdata);
        self.check(b, is_userdata);
        let address = self.cdata(b, slot, index);
        let unboxed = b.ins().load(types::I64, trusted(), address, 0);
        self.join(b, done, unboxed);
        Operand::Scalar(value)
    }

    fn number(&self, b: &mut FunctionBuilder<'_>, index: usize, size: u32) -> Operand {
        let slot = self.slot(index);
        let function = self.at().function;
        let tag = self.tag(b, slot);
        let done = b.create_block();
        let value = b.append_block_param(done, types::F64);
        let is_float = self.is(b, tag, self.layout.tags.float);
        self.branch(b, is_float, done, |b| b.ins().load(types::F64, trusted(), function, slot));
        let is_integer = self.is(b, tag, self.layout.tags.integer);
        self.check(b, is_integer);
        let integer = b.ins().load(types::I64, trusted(), function, slot);
        let converted = b.ins().fcvt_from_sint(types::F64, integer);
        self.join(b, done, converted);
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

    /// The bytes of an accepted cdata.
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

    /// A cdata or nil; where `text` is set, a string.
    fn address(&self, b: &mut FunctionBuilder<'_>, index: usize, text: bool) -> Operand {
        let slot = self.slot(index);
        let tags = &self.layout.tags;
        let done = b.create_block();
        let value = b.append_block_param(done, self.pointer());
        let tag = self.tag(b, slot);
        if text {
            self.text(b, tag, slot, done);
        }
        let is_userdata = self.is(b, tag, tags.userdata);
        self.branch(b, is_userdata, done, |b| self.cdata(b, slot, index));
        let is_nil = self.is(b, tag, tags.nil);
        self.check(b, is_nil);
        let null = b.ins().iconst(self.pointer(), 0);
        self.join(b, done, null);
        Operand::Scalar(value)
    }

    /// Jumps to `done` with the bytes of a string; goes on where there is none.
    fn text(&self, b: &mut FunctionBuilder<'_>, tag: Value, slot: i32, done: Block) {
        let Layout { tags, short_text, long_text, long_text_behind, .. } = self.layout;
        let function = self.at().function;
        let string = |b: &mut FunctionBuilder<'_>, tag, wanted, offset: i32, behind: bool| {
            let is_string = self.is(b, tag, wanted);
            self.branch(b, is_string, done, |b| {
                let string = self.load(b, function, slot);
                match behind {
                    true => self.load(b, string, offset),
                    false => b.ins().iadd_imm_s(string, i64::from(offset)),
                }
            });
        };
        let differ = tags.short_string ^ tags.long_string;
        if differ.is_power_of_two() && short_text == long_text && !long_text_behind {
            let either = b.ins().band_imm_s(tag, !i64::from(differ));
            return string(b, either, tags.short_string & !differ, *short_text, false);
        }
        string(b, tag, tags.short_string, *short_text, false);
        string(b, tag, tags.long_string, *long_text, *long_text_behind);
    }

    /// Makes a scalar result the value on top of the stack: over the last argument, if there is one.
    fn push(&self, b: &mut FunctionBuilder<'_>, at: Entry, piece: &Piece, value: Value) {
        let value = lower::narrow(b, piece, value);
        let top = self.load(b, at.lua, self.layout.top);
        let over = !self.api.conversions.arguments.is_empty();
        let slot = if over { -self.layout.value } else { 0 };
        let tags = &self.layout.tags;
        let constant =
            |b: &mut FunctionBuilder<'_>, tag: u8| b.ins().iconst(self.tag_type(), i64::from(tag));
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
            b.ins().store(trusted(), value, top, slot);
        }
        b.ins().store(trusted(), tag, top, slot + self.layout.tag);
        if !over {
            let top = b.ins().iadd_imm_s(top, i64::from(self.layout.value));
            b.ins().store(trusted(), top, at.lua, self.layout.top);
        }
    }

    /// Returns with a cdata where an unsigned result is no Lua integer; goes on where it is one.
    fn push_large(&self, b: &mut FunctionBuilder<'_>, at: Entry, value: Value) {
        let (large, small) = (b.create_block(), b.create_block());
        let is_large = b.ins().icmp_imm_s(IntCC::SignedLessThan, value, 0);
        b.ins().brif(is_large, large, &[], small, &[]);
        b.switch_to_block(large);
        b.set_cold_block(large);
        let helper = runtime::push_copy_fast as *const () as usize;
        self.api.push_other(b, at, value, helper);
        self.finish_with(b, 1);
        b.switch_to_block(small);
    }

    /// Returns so many results.
    fn finish_with(&self, b: &mut FunctionBuilder<'_>, results: i64) {
        let results = b.ins().iconst(self.pointer(), results);
        b.ins().return_(&[results]);
    }

    /// Leaves the call to others, with everything as the caller left it.
    fn cold(&self, b: &mut FunctionBuilder<'_>) {
        let lua = self.api.entry().lua;
        b.switch_to_block(self.at().cold);
        b.set_cold_block(self.at().cold);
        let elsewhere = route::elsewhere as *const () as usize;
        let results = self.api.helper(b, elsewhere, &[lua], Some(self.pointer()));
        b.ins().return_(results.as_slice());
    }
}

impl Operands for DirectOperands<'_> {
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
        let target = self.load(b, record, route::TARGET);
        self.api.at = Some(Entry { lua, record, target, result: None });
        self.at = Some(At { function, cold: b.create_block() });
        let given = b.ins().isub(top, function);
        let bar = self.load(b, record, route::BAR);
        let bar = self.load(b, bar, 0);
        let given = b.ins().iadd(given, bar);
        let expected = self.slot(self.api.conversions.arguments.len());
        let right = b.ins().icmp_imm_s(IntCC::Equal, given, i64::from(expected));
        self.check(b, right);
    }

    fn argument(&mut self, b: &mut FunctionBuilder<'_>, index: usize) -> Operand {
        let ty = &self.api.signature.arguments[index];
        match self.api.conversions.arguments[index] {
            Argument::Integer => self.integer(b, index, ty.size),
            Argument::Number => self.number(b, index, ty.size),
            Argument::Boolean => self.boolean(b, index),
            // Like an integer of fewer bytes: a direct thunk takes no cdata for an enum.
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
        match self.announces {
            // `begin` has seen to it that no other call is in progress.
            true => self.api.cross(b, true),
            false => self.api.entry().target,
        }
    }

    fn finish(&mut self, b: &mut FunctionBuilder<'_>, result: &[(Piece, Value)]) {
        if self.announces {
            self.api.returned(b);
        }
        let at = self.api.entry();
        let is_pointer = self.api.signature.result.kind == Kind::Pointer;
        match (self.api.conversions.result, result) {
            (Outcome::Integer | Outcome::Number | Outcome::Boolean, &[(piece, value)]) => {
                self.push(b, at, &piece, value);
            }
            (Outcome::Unsigned, &[(piece, value)]) => {
                let value = lower::narrow(b, &piece, value);
                self.push_large(b, at, value);
                self.push(b, at, &piece, value);
            }
            (Outcome::Other, &[(_, value)]) if is_pointer => {
                let helper = runtime::push_pointer as *const () as usize;
                self.api.helper(b, helper, &[at.lua, at.record, value], None);
            }
            (Outcome::Copy, pieces) => {
                let helper = runtime::push_copy_fast as *const () as usize;
                self.api.push_copy(b, at, pieces, helper);
            }
            (Outcome::Other, &[(piece, value)]) => {
                let helper = runtime::push_result as *const () as usize;
                let value = lower::narrow(b, &piece, value);
                self.api.push_other(b, at, value, helper);
            }
            (Outcome::None, _) => {}
            (_, pieces) => unreachable!("a scalar result in {} pieces", pieces.len()),
        }
        self.finish_with(b, i64::from(self.api.conversions.result != Outcome::None));
        self.cold(b);
    }
}
