//! Operands on the Lua stack: thunks that are Lua C functions.
//!
//! A thunk of this file reads its arguments with the helpers below, which call Lua's C API, and leaves its result on the stack;
//! [`super::thunk_fast`] does both itself. A thunk depends only on the conversion of each value. The function that it calls, and the types for
//! error messages, are in the [`Function`] record, to which the closure's first upvalue leads.

use std::ffi::c_int;
use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, AbiParam, Block, InstBuilder, MemFlagsData, Value, types};
use cranelift_frontend::FunctionBuilder;
use mlua::ffi as sys;

use super::function::Function;
use super::route::{self, Way};
use super::runtime;
use crate::abi::{Kind, Piece, Signature, Type};
use crate::lower::{self, Operand, Operands};
use crate::lua::callback::deferred;
use crate::lua::callback::transition::emit::{self, Across};
use crate::lua::state::options::Options;
use crate::lua::vm::api;
use crate::lua::vm::api::lua_State;

/// How an argument is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::lua) enum Argument {
    /// A Lua number to an integer.
    Integer,
    /// A Lua number to a float.
    Number,
    /// A Lua boolean.
    Boolean,
    /// A Lua integer, or a name, to an enum.
    Enum,
    /// A pointer.
    Pointer,
    /// A pointer that a Lua string converts to.
    Text,
    /// A cdata or a table to a struct, union, complex number or 128-bit integer.
    Aggregate,
    /// For `...`: by its Lua type.
    Variable,
    /// For `...`: a cdata that is passed as it is.
    VariableAggregate,
}

/// How the result is pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::lua) enum Outcome {
    /// Not at all.
    None,
    /// As a Lua integer.
    Integer,
    /// As a Lua integer below 2^63, above as a cdata.
    Unsigned,
    /// As a Lua float.
    Number,
    /// As a boolean.
    Boolean,
    /// By its C type.
    Other,
    /// As a cdata that holds a copy.
    Copy,
}

/// The conversions of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lua) struct Conversions {
    pub arguments: Box<[Argument]>,
    pub result: Outcome,
}

impl Conversions {
    /// Whether only numbers and booleans go to C and come back, none of which a cdata is read for: calls do not depend
    /// on what the policy says of pointers.
    pub fn reach_no_memory(&self, types: &[Type]) -> bool {
        let is_plain = |(argument, ty): (&Argument, &Type)| match argument {
            Argument::Integer | Argument::Enum => ty.size < 8,
            Argument::Number | Argument::Boolean => true,
            _ => false,
        };
        !matches!(self.result, Outcome::Other | Outcome::Copy | Outcome::Unsigned)
            && self.arguments.iter().zip(types).all(is_plain)
    }
}

impl Argument {
    /// For a parameter of this type that is not an enum.
    pub fn of(ty: &Type) -> Argument {
        match ty.kind {
            Kind::Int { .. } => Argument::Integer,
            Kind::Float => Argument::Number,
            Kind::Bool => Argument::Boolean,
            _ if ty.leaves().is_some() => Argument::Aggregate,
            _ => Argument::Pointer,
        }
    }
}

impl Outcome {
    /// For a result of this type that is not an enum.
    pub fn of(ty: &Type, options: &Options) -> Outcome {
        let (signed_boxed, unsigned_boxed) =
            (options.boxed_int64.get(), options.boxed_uint64.get());
        match ty.kind {
            Kind::Void => Outcome::None,
            Kind::Bool => Outcome::Boolean,
            Kind::Float => Outcome::Number,
            Kind::Int { .. } if ty.size < 8 => Outcome::Integer,
            Kind::Int { signed: true } if ty.size == 8 && !signed_boxed => Outcome::Integer,
            Kind::Int { signed: false } if ty.size == 8 && !unsigned_boxed => Outcome::Unsigned,
            // An integer that Lua has no number for.
            Kind::Int { .. } => Outcome::Copy,
            _ if ty.leaves().is_some() => Outcome::Copy,
            _ => Outcome::Other,
        }
    }
}

impl Conversions {
    /// As a part of the shape of a thunk.
    pub fn key(&self, way: Way) -> Box<[u8]> {
        let arguments = self.arguments.iter().map(|&argument| argument as u8);
        arguments.chain([self.result as u8, way as u8]).collect()
    }
}

/// Lua's own functions that thunks call. The types make sure that each is a C function, not a Rust shim of mlua-sys.
mod lua_api {
    use super::*;

    pub(super) type ToUserdata =
        unsafe extern "C-unwind" fn(*mut lua_State, c_int) -> *mut std::ffi::c_void;
    pub(super) type GetTop = unsafe extern "C-unwind" fn(*mut lua_State) -> c_int;
    pub(super) type PushNumber = unsafe extern "C-unwind" fn(*mut lua_State, sys::lua_Number);
    pub(super) type PushBoolean = unsafe extern "C-unwind" fn(*mut lua_State, c_int);

    pub(super) const TO_USERDATA: ToUserdata = sys::lua_touserdata;
    pub(super) const GET_TOP: GetTop = sys::lua_gettop;
    pub(super) const PUSH_NUMBER: PushNumber = sys::lua_pushnumber;
    pub(super) const PUSH_BOOLEAN: PushBoolean = sys::lua_pushboolean;
}

/// [`Operands`] on the Lua stack, through the C API.
pub(super) struct LuaOperands<'p> {
    pub(in crate::lua) cx: lower::Context<'p>,
    pub(in crate::lua) signature: &'p Signature,
    pub(in crate::lua) conversions: &'p Conversions,
    pub(in crate::lua) at: Option<Entry>,
    /// The native call, once it has begun.
    across: Option<Across>,
}

/// The values that a thunk has at hand once it has begun.
#[derive(Clone, Copy)]
pub(in crate::lua) struct Entry {
    pub lua: Value,
    pub record: Value,
    pub target: Value,
    /// Where the callee writes a result through a hidden pointer.
    pub result: Option<Value>,
}

impl<'p> LuaOperands<'p> {
    pub fn new(
        cx: lower::Context<'p>,
        signature: &'p Signature,
        conversions: &'p Conversions,
    ) -> LuaOperands<'p> {
        LuaOperands { cx, signature, conversions, at: None, across: None }
    }

    pub(in crate::lua) fn entry(&self) -> Entry {
        self.at.expect("`begin` comes first")
    }

    /// Calls a helper at a fixed address.
    pub(in crate::lua) fn helper(
        &self,
        b: &mut FunctionBuilder<'_>,
        address: usize,
        arguments: &[Value],
        result: Option<ir::Type>,
    ) -> Option<Value> {
        let mut signature = ir::Signature::new(self.cx.own);
        for &argument in arguments {
            let ty = b.func.dfg.value_type(argument);
            signature.params.push(AbiParam::new(ty));
        }
        signature.returns.extend(result.map(AbiParam::new));
        let signature = b.import_signature(signature);
        let callee = b.ins().iconst(self.cx.pointer(), address as i64);
        let call = b.ins().call_indirect(signature, callee, arguments);
        b.inst_results(call).first().copied()
    }

    /// Goes on where `condition` is false; where it is true, calls a helper that raises.
    fn raise_if(
        &self,
        b: &mut FunctionBuilder<'_>,
        condition: Value,
        address: usize,
        arguments: &[Value],
    ) {
        let (cold, warm) = (b.create_block(), b.create_block());
        b.set_cold_block(cold);
        b.ins().brif(condition, cold, &[], warm, &[]);
        self.raising_block(b, cold, address, arguments);
        b.switch_to_block(warm);
    }

    fn raising_block(
        &self,
        b: &mut FunctionBuilder<'_>,
        block: Block,
        address: usize,
        arguments: &[Value],
    ) {
        b.switch_to_block(block);
        let results = self.helper(b, address, arguments, Some(self.cx.pointer()));
        b.ins().return_(results.as_slice());
    }

    /// A field of the record or of the head, `offset` bytes in.
    pub(in crate::lua) fn field(
        &self,
        b: &mut FunctionBuilder<'_>,
        base: Value,
        offset: usize,
    ) -> Value {
        b.ins().load(self.cx.pointer(), trusted(), base, offset as i32)
    }

    fn index(&self, b: &mut FunctionBuilder<'_>, index: usize) -> Value {
        b.ins().iconst(types::I32, index as i64 + 1)
    }
}

pub(in crate::lua) fn trusted() -> MemFlagsData {
    MemFlagsData::trusted()
}

impl Operands for LuaOperands<'_> {
    /// That of [`api::lua_CFunction`].
    fn signature(&self) -> ir::Signature {
        let mut signature = ir::Signature::new(self.cx.own);
        signature.params.push(AbiParam::new(self.cx.pointer()));
        signature.returns.push(AbiParam::new(self.cx.pointer()));
        signature
    }

    fn begin(&mut self, b: &mut FunctionBuilder<'_>, params: &[Value]) {
        let pointer = self.cx.pointer();
        let lua = params[0];
        let upvalue = b.ins().iconst(types::I32, i64::from(sys::lua_upvalueindex(1)));
        let to_userdata = lua_api::TO_USERDATA as usize;
        let record = self
            .helper(b, to_userdata, &[lua, upvalue], Some(pointer))
            .expect("a helper with a result");
        let target = self.field(b, record, route::TARGET as usize);
        self.settle(b, lua, record);
        let null = b.ins().icmp_imm_s(IntCC::Equal, target, 0);
        self.raise_if(b, null, runtime::raise_null as *const () as usize, &[lua, record]);
        let top = self
            .helper(b, lua_api::GET_TOP as usize, &[lua], Some(types::I32))
            .expect("a helper with a result");
        let expected = self.conversions.arguments.len() as i64;
        let wrong = b.ins().icmp_imm_s(IntCC::NotEqual, top, expected);
        self.raise_if(b, wrong, runtime::raise_count as *const () as usize, &[lua, record]);
        self.at = Some(Entry { lua, record, target, result: None });
    }

    fn argument(&mut self, b: &mut FunctionBuilder<'_>, index: usize) -> Operand {
        let Entry { lua, record, .. } = self.entry();
        let ty = &self.signature.arguments[index];
        let number = self.index(b, index);
        let mut read = |address: usize, ty: ir::Type| {
            self.helper(b, address, &[lua, record, number], Some(ty))
                .expect("a helper with a result")
        };
        let value = match self.conversions.arguments[index] {
            Argument::Integer => read(runtime::integer as *const () as usize, types::I64),
            Argument::Number => {
                let value = read(runtime::number as *const () as usize, types::F64);
                match ty.size {
                    4 => b.ins().fdemote(types::F32, value),
                    _ => value,
                }
            }
            Argument::Aggregate => {
                let address = read(runtime::aggregate as *const () as usize, self.cx.pointer());
                return Operand::Memory(address, 0);
            }
            Argument::VariableAggregate => {
                let helper = runtime::variable_aggregate as *const () as usize;
                return Operand::Memory(read(helper, self.cx.pointer()), 0);
            }
            Argument::Boolean | Argument::Enum | Argument::Pointer | Argument::Text => {
                read(runtime::other as *const () as usize, types::I64)
            }
            Argument::Variable => {
                let bits = read(runtime::variable as *const () as usize, types::I64);
                match ty.kind {
                    Kind::Float => b.ins().bitcast(types::F64, MemFlagsData::new(), bits),
                    _ => bits,
                }
            }
        };
        Operand::Scalar(value)
    }

    fn result_memory(&mut self, b: &mut FunctionBuilder<'_>) -> Value {
        let memory = self.result_slot(b);
        let at = self.entry();
        self.at = Some(Entry { result: Some(memory), ..at });
        memory
    }

    fn target(&mut self, b: &mut FunctionBuilder<'_>) -> Value {
        self.cross(b, false)
    }

    fn finish(&mut self, b: &mut FunctionBuilder<'_>, result: &[(Piece, Value)]) {
        self.returned(b);
        let at = self.entry();
        self.push(b, at, result);
        let results = i64::from(self.conversions.result != Outcome::None);
        let results = b.ins().iconst(self.cx.pointer(), results);
        b.ins().return_(&[results]);
    }
}

impl LuaOperands<'_> {
    /// Makes the calls of callbacks that wait for a safe point, if there are any.
    fn settle(&self, b: &mut FunctionBuilder<'_>, lua: Value, record: Value) {
        let head = self.field(b, record, offset_of!(Function, head));
        let waiting = emit::waiting_calls(b, self.cx.pointer(), head);
        let (cold, warm) = (b.create_block(), b.create_block());
        b.set_cold_block(cold);
        b.ins().brif(waiting, cold, &[], warm, &[]);
        b.switch_to_block(cold);
        self.helper(b, deferred::settle_now as *const () as usize, &[lua, head], None);
        b.ins().jump(warm, &[]);
        b.switch_to_block(warm);
    }

    /// Right before the native call, whose target is returned. `outermost`: no C call is in progress.
    pub(super) fn cross(&mut self, b: &mut FunctionBuilder<'_>, outermost: bool) -> Value {
        let at = self.entry();
        let head = self.field(b, at.record, offset_of!(Function, head));
        self.across = Some(Across::begin(b, self.cx.pointer(), at.lua, head, outermost));
        at.target
    }

    /// Right after the native call: raises what a callback has caught.
    pub(super) fn returned(&mut self, b: &mut FunctionBuilder<'_>) {
        let at = self.entry();
        let across = self.across.take().expect("`target` comes before `finish`");
        let head = across.head;
        let caught = across.end(b);
        self.raise_if(b, caught, emit::raise(), &[at.lua, head]);
    }

    /// Pushes the result.
    fn push(&self, b: &mut FunctionBuilder<'_>, at: Entry, result: &[(Piece, Value)]) {
        match (self.conversions.result, result) {
            (Outcome::None, _) => {}
            (Outcome::Copy, pieces) => {
                self.push_copy(b, at, pieces, runtime::push_copy as *const () as usize);
            }
            (_, &[(piece, value)]) => self.push_scalar(b, at, &piece, value),
            (_, pieces) => unreachable!("a scalar result in {} pieces", pieces.len()),
        }
    }

    /// Pushes a result in pieces, or in the memory of `at`, with a helper `fn(lua, record, memory)`.
    pub(in crate::lua) fn push_copy(
        &self,
        b: &mut FunctionBuilder<'_>,
        at: Entry,
        pieces: &[(Piece, Value)],
        helper: usize,
    ) {
        let memory = at.result.unwrap_or_else(|| self.result_slot(b));
        for (piece, value) in pieces {
            lower::store(b, piece, *value, memory, 0);
        }
        self.helper(b, helper, &[at.lua, at.record, memory], None);
    }

    /// Memory for the result in the thunk's frame.
    fn result_slot(&self, b: &mut FunctionBuilder<'_>) -> Value {
        let Type { size, align, .. } = self.signature.result;
        lower::memory(self.cx, b, size.max(8), align)
    }

    fn push_scalar(&self, b: &mut FunctionBuilder<'_>, at: Entry, piece: &Piece, value: Value) {
        let value = lower::narrow(b, piece, value);
        let lua = at.lua;
        match self.conversions.result {
            Outcome::None => {}
            Outcome::Integer => {
                let wide = self.widen(b, value);
                self.helper(b, api::PUSH_INTEGER as usize, &[lua, wide], None);
            }
            Outcome::Number => {
                let wide = match piece.bytes {
                    4 => b.ins().fpromote(types::F64, value),
                    _ => value,
                };
                self.helper(b, lua_api::PUSH_NUMBER as usize, &[lua, wide], None);
            }
            Outcome::Boolean => {
                let wide = b.ins().uextend(types::I32, value);
                self.helper(b, lua_api::PUSH_BOOLEAN as usize, &[lua, wide], None);
            }
            Outcome::Unsigned | Outcome::Other | Outcome::Copy => {
                self.push_other(b, at, value, runtime::push_result as *const () as usize);
            }
        }
    }

    /// Pushes a scalar result with a helper `fn(lua, record, memory)`.
    pub(super) fn push_other(
        &self,
        b: &mut FunctionBuilder<'_>,
        at: Entry,
        value: Value,
        helper: usize,
    ) {
        let address = self.result_slot(b);
        b.ins().store(trusted(), value, address, 0);
        self.helper(b, helper, &[at.lua, at.record, address], None);
    }

    /// An integer result as a Lua integer, by the sign of its C type.
    pub(super) fn widen(&self, b: &mut FunctionBuilder<'_>, value: Value) -> Value {
        if b.func.dfg.value_type(value) == types::I64 {
            return value;
        }
        match self.signature.result.kind {
            Kind::Int { signed: true } => b.ins().sextend(types::I64, value),
            _ => b.ins().uextend(types::I64, value),
        }
    }
}
