//! The words of arithmetic types: `unsigned long int` in any order.

use super::Keyword;
use crate::ctype::{FloatKind, IntKind, Table, Type, TypeId};
use crate::target::DataModel;

/// The type words of a list of specifiers, in any order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Words {
    pub(super) base: Option<Keyword>,
    signed: Option<bool>,
    short: bool,
    long: u8,
    complex: bool,
}

/// The type that a word makes which stands alone, for the commonest.
pub(super) fn lone_word(word: Keyword, model: &DataModel) -> Option<TypeId> {
    Some(match word {
        Keyword::Void => TypeId::VOID,
        Keyword::Bool => TypeId::BOOL,
        Keyword::Char => TypeId::CHAR,
        Keyword::Short => TypeId::int(IntKind::I16),
        Keyword::Int | Keyword::Signed => TypeId::INT,
        Keyword::Unsigned => TypeId::int(IntKind::U32),
        Keyword::Long => TypeId::int(IntKind::of(model.long.into(), true)?),
        Keyword::Float => TypeId::FLOAT,
        Keyword::Double => TypeId::DOUBLE,
        _ => return None,
    })
}

impl Words {
    pub(super) fn is_empty(self) -> bool {
        self.base.is_none()
            && self.signed.is_none()
            && !self.short
            && self.long == 0
            && !self.complex
    }

    /// Adds a word; false if it cannot join the others.
    pub(super) fn add(&mut self, word: Keyword) -> bool {
        match word {
            Keyword::Signed | Keyword::Unsigned => {
                let signed = word == Keyword::Signed;
                self.signed.replace(signed).is_none_or(|before| before == signed)
            }
            Keyword::Short => !std::mem::replace(&mut self.short, true),
            Keyword::Long => {
                self.long += 1;
                self.long <= 2
            }
            Keyword::Complex => !std::mem::replace(&mut self.complex, true),
            _ => self.base.replace(word).is_none(),
        }
    }

    /// Whether a word and those before it are `_Bool int`.
    pub(super) fn makes_wide_bool(self, word: Keyword) -> bool {
        let bool_and_int = |a, b| (a, b) == (Some(Keyword::Bool), Some(Keyword::Int));
        bool_and_int(self.base, Some(word)) || bool_and_int(Some(word), self.base)
    }

    /// The type that the words make.
    pub(super) fn ty(self, table: &mut Table) -> Option<TypeId> {
        let model = table.model();
        if self.complex {
            let kind = self.real(model)?;
            return Some(table.intern(Type::Complex(kind)));
        }
        let basic = self.integer(model).map(TypeId::int);
        basic.or_else(|| self.real(model).map(TypeId::float)).or(match self.base {
            Some(Keyword::Void) if self.is_plain() => Some(TypeId::VOID),
            // LuaJIT takes `unsigned _Bool`.
            Some(Keyword::Bool) if !self.short && self.long == 0 => Some(TypeId::BOOL),
            _ => None,
        })
    }

    /// Whether the base word stands alone.
    pub(super) fn is_plain(self) -> bool {
        self.signed.is_none() && !self.short && self.long == 0
    }

    fn integer(self, model: &DataModel) -> Option<IntKind> {
        use Keyword as K;
        let size = match (self.base, self.short, self.long) {
            (Some(K::Char), false, 0) if self.signed.is_none() => return Some(IntKind::Char),
            (None | Some(K::Int), false, 0) => 4,
            (None | Some(K::Int), true, 0) => 2,
            (None | Some(K::Int), false, 1) => model.long.into(),
            (None | Some(K::Int), false, 2) => 8,
            (Some(K::Char | K::Int8), false, 0) => 1,
            (Some(K::Int16), false, 0) => 2,
            (Some(K::Int32), false, 0) => 4,
            (Some(K::Int64), false, 0) => 8,
            (Some(K::Int128), false, 0) if model.int128 => 16,
            _ => return None,
        };
        IntKind::of(size, self.signed.unwrap_or(true))
    }

    fn real(self, model: &DataModel) -> Option<FloatKind> {
        use Keyword as K;
        let long_double = model.long_double.0;
        if self.base == Some(K::Double) && self.long == 1 {
            return Some(long_double).filter(|_| self.signed.is_none() && !self.short);
        }
        Some(match self.base {
            _ if !self.is_plain() => return None,
            Some(K::Double | K::Float64) => FloatKind::F64,
            // GNU's plain `_Complex`
            None => FloatKind::F64,
            Some(K::Float | K::Float32) => FloatKind::F32,
            Some(K::Float16) => FloatKind::F16,
            Some(K::Float64x) if long_double == FloatKind::F80 => FloatKind::F80,
            Some(K::Float80) => FloatKind::F80,
            Some(K::Float64x | K::Float128) => FloatKind::F128,
            _ => return None,
        })
    }
}

/// The words of a floating-point type that is one word.
pub(super) fn float_name(word: Keyword) -> Option<Words> {
    use Keyword as K;
    let words = Words { base: Some(word), ..Words::default() };
    matches!(word, K::Float16 | K::Float32 | K::Float64 | K::Float64x | K::Float80 | K::Float128)
        .then_some(words)
}
