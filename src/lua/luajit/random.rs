//! `math.random`: the same numbers as LuaJIT from the same seed.
//!
//! A Tausworthe generator with period 2^223: Pierre L'Ecuyer, "Tables of maximally equidistributed combined LFSR generators", 1999,
//! table 3, first entry; the seeding is LuaJIT's.

use super::numbers;
use crate::lua::state::{Cx, LuaError, Outcome};
use crate::lua::vm::api;

/// One of the four shift registers: its length `k`, and the shifts `q` and `s`.
struct Register {
    k: u32,
    q: u32,
    s: u32,
}

const REGISTERS: [Register; 4] = [
    Register { k: 63, q: 31, s: 18 },
    Register { k: 58, q: 19, s: 28 },
    Register { k: 55, q: 24, s: 7 },
    Register { k: 47, q: 21, s: 8 },
];

/// The state of a generator.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Generator([u64; 4]);

impl Generator {
    fn new(seed: f64) -> Generator {
        let mut seed = seed;
        let mut generator = Generator(REGISTERS.map(|register| {
            seed = seed * std::f64::consts::PI + std::f64::consts::E;
            // A register whose upper `k` bits are zero would stay so.
            let smallest = 1 << (64 - register.k);
            let bits = seed.to_bits();
            if bits < smallest { bits + smallest } else { bits }
        }));
        for _ in 0..10 {
            generator.step();
        }
        generator
    }

    fn step(&mut self) -> u64 {
        let mut drawn = 0;
        for (z, Register { k, q, s }) in self.0.iter_mut().zip(REGISTERS) {
            let upper = u64::MAX << (64 - k);
            *z = (((*z << q) ^ *z) >> (k - s)) ^ ((*z & upper) << s);
            drawn ^= *z;
        }
        drawn
    }

    /// At least 0 and less than 1, of 52 random bits.
    fn fraction(&mut self) -> f64 {
        f64::from_bits((self.step() & ((1 << 52) - 1)) | 1.0_f64.to_bits()) - 1.0
    }
}

/// Pushes the userdata that holds a generator, for upvalue 1 of the functions.
pub(super) fn push_generator(cx: &Cx<'_>) {
    // SAFETY: there are free stack slots; the block has the size of a generator.
    unsafe {
        let block = api::new_userdata(cx.lua, size_of::<Generator>(), 0);
        block.cast::<Generator>().write(Generator::new(0.0));
    }
}

/// Works on the generator of the running function.
fn with_generator<T>(cx: &Cx<'_>, work: impl FnOnce(&mut Generator) -> T) -> Result<T, LuaError> {
    let block = cx.userdata(Cx::upvalue(1)).cast::<Generator>();
    if block.is_null() || cx.raw_len(Cx::upvalue(1)) != size_of::<Generator>() {
        return Err(LuaError::new("the random number generator is gone"));
    }
    // SAFETY: the upvalue is the userdata that `push_generator` made (`debug.setupvalue` can put another there, of another size). No
    // one else has a reference: `work` calls no Lua.
    Ok(work(unsafe { &mut *block }))
}

/// `math.random([[m,] n])`
pub(super) fn random(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let fraction = with_generator(cx, Generator::fraction)?;
    match cx.top() {
        0 => cx.push_number(fraction),
        1 => numbers::push(cx, (fraction * numbers::argument(cx, 1)?).floor() + 1.0),
        _ => {
            let (low, high) = (numbers::argument(cx, 1)?, numbers::argument(cx, 2)?);
            numbers::push(cx, (fraction * (high - low + 1.0)).floor() + low);
        }
    }
    Ok(Outcome::results(1))
}

/// `math.randomseed(seed)`
pub(super) fn random_seed(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let seed = numbers::argument(cx, 1)?;
    with_generator(cx, |generator| *generator = Generator::new(seed))?;
    Ok(Outcome::results(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_state_is_luajits() {
        // lj_prng.h: "the precomputed result of random_seed(rs, 0.0)".
        let expected =
            [0xa0d277570a345b8c, 0x764a296c5d4aa64f, 0x51220704070adeaa, 0x2a2717b5a7b7b927];
        assert_eq!(Generator::new(0.0), Generator(expected));
        assert_eq!(Generator::new(0.0).fraction(), 0.794_206_292_431_241);
    }
}
