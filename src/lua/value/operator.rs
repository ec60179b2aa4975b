//! The operators of Lua, by their metamethods.

/// The operator that a metamethod computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lua) enum Operator {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// `a / b`
    Div,
    /// `a % b`
    Mod,
    /// `a ^ b`
    Pow,
    /// `-a`
    Unm,
    /// `a // b`
    IDiv,
    /// `a & b`
    And,
    /// `a | b`
    Or,
    /// `a ~ b`
    Xor,
    /// `a << b`
    Shl,
    /// `a >> b`
    Shr,
    /// `~a`
    Not,
    /// `a == b`
    Eq,
    /// `a < b`
    Lt,
    /// `a <= b`
    Le,
    /// `a .. b`
    Concat,
    /// `#a`
    Len,
}

impl Operator {
    /// The metamethod.
    pub(in crate::lua) fn event(self) -> &'static [u8] {
        match self {
            Operator::Add => b"__add",
            Operator::Sub => b"__sub",
            Operator::Mul => b"__mul",
            Operator::Div => b"__div",
            Operator::Mod => b"__mod",
            Operator::Pow => b"__pow",
            Operator::Unm => b"__unm",
            Operator::IDiv => b"__idiv",
            Operator::And => b"__band",
            Operator::Or => b"__bor",
            Operator::Xor => b"__bxor",
            Operator::Shl => b"__shl",
            Operator::Shr => b"__shr",
            Operator::Not => b"__bnot",
            Operator::Eq => b"__eq",
            Operator::Lt => b"__lt",
            Operator::Le => b"__le",
            Operator::Concat => b"__concat",
            Operator::Len => b"__len",
        }
    }

    pub(in crate::lua) fn is_bitwise(self) -> bool {
        matches!(
            self,
            Operator::And
                | Operator::Or
                | Operator::Xor
                | Operator::Shl
                | Operator::Shr
                | Operator::Not
        )
    }

    pub(in crate::lua) fn is_comparison(self) -> bool {
        matches!(self, Operator::Eq | Operator::Lt | Operator::Le)
    }
}
