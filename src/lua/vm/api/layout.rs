//! Where a Lua version keeps the memory that fast paths and generated code access: the stack, closures, userdata, strings.
//!
//! One table for each version. It is used only after `probe` has confirmed it for the running interpreter.

/// The layout of this build's version; `None`: calls go through the C API.
pub(crate) const LAYOUT: Option<Layout> = {
    #[cfg(feature = "lua53")]
    {
        Some(LUA53)
    }
    #[cfg(feature = "lua54")]
    {
        Some(LUA54)
    }
    #[cfg(feature = "lua55")]
    {
        Some(LUA55)
    }
    #[cfg(feature = "_no_layout")]
    {
        None
    }
};

/// Offsets in bytes and tags, from the `lstate.h` and `lobject.h` of the version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// `lua_State`: the first free slot.
    pub top: i32,
    /// `lua_State`: the running call.
    pub call: i32,
    /// `CallInfo`: the slot of the called function; its arguments follow.
    pub call_function: i32,
    /// `CallInfo`: the end of the slots that the call may use.
    pub call_limit: i32,
    /// `TValue`: bytes in all; the value comes first.
    pub value: i32,
    /// `TValue`: the tag.
    pub tag: i32,
    /// Bytes of the tag: 1 or 4.
    pub tag_bytes: u8,
    /// The tags.
    pub tags: Tags,
    /// `CClosure`: the C function.
    pub closure_function: i32,
    /// `CClosure`: the first upvalue.
    pub closure_upvalues: i32,
    /// `Udata`: the metatable.
    pub metatable: i32,
    /// `Udata`: bytes of the block, a word.
    pub block_size: i32,
    /// `Udata`: the number of user values, 16 bits; `None`: blocks begin at the same offset in all.
    pub user_values: Option<i32>,
    /// `Udata`: the block, where there are no user values.
    pub block: i32,
    /// Bytes that one user value moves the block.
    pub user_value: i32,
    /// `TString`: the bytes of a short string.
    pub short_text: i32,
    /// `TString`: the bytes of a long string, or the pointer to them.
    pub long_text: i32,
    /// Whether `long_text` is a pointer.
    pub long_text_behind: bool,
}

/// The tags of values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tags {
    pub nil: u8,
    pub boolean: Boolean,
    pub light_userdata: u8,
    pub integer: u8,
    pub float: u8,
    pub short_string: u8,
    pub long_string: u8,
    pub table: u8,
    pub userdata: u8,
    pub c_closure: u8,
}

/// How a boolean is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Boolean {
    /// Each value has a tag of its own.
    Tags { no: u8, yes: u8 },
    /// One tag; the value is an `int`.
    #[allow(dead_code, reason = "a build uses the layout of one version")]
    Value { tag: u8 },
}

/// Lua 5.4.
pub(crate) const LUA54: Layout = Layout {
    top: 16,
    call: 32,
    call_function: 0,
    call_limit: 8,
    value: 16,
    tag: 8,
    tag_bytes: 1,
    tags: Tags {
        nil: 0x00,
        boolean: Boolean::Tags { no: 0x01, yes: 0x11 },
        light_userdata: 0x02,
        integer: 0x03,
        float: 0x13,
        short_string: 0x44,
        long_string: 0x54,
        table: 0x45,
        userdata: 0x47,
        c_closure: 0x66,
    },
    closure_function: 24,
    closure_upvalues: 32,
    metatable: 24,
    block_size: 16,
    user_values: Some(10),
    block: 32,
    user_value: 24,
    short_text: 24,
    long_text: 24,
    long_text_behind: false,
};

/// Lua 5.5.1: as 5.4, but the bytes of a long string are behind a pointer, and user values are aligned as a `long double` is (5.5.0 had
/// them as 5.4 has).
#[allow(dead_code, reason = "a build uses the layout of one version")]
pub(crate) const LUA55: Layout = Layout { long_text_behind: true, user_value: 32, ..LUA54 };

/// Lua 5.3: other tags for numbers and booleans, and each userdata has one user value.
#[allow(dead_code, reason = "a build uses the layout of one version")]
pub(crate) const LUA53: Layout = Layout {
    tag_bytes: 4,
    tags: Tags { boolean: Boolean::Value { tag: 0x01 }, integer: 0x13, float: 0x03, ..LUA54.tags },
    metatable: 16,
    block_size: 24,
    user_values: None,
    block: 40,
    user_value: 0,
    ..LUA54
};
