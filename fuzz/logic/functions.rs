//! C functions of any convention from any bytes.

use cthunk::fuzz::{Batch, Generator, Platform, Random, platform::PLATFORMS, shape};

/// Functions a run.
const COUNT: usize = 4;

/// Records that they may use.
const RECORDS: usize = 4;

/// The functions of these bytes: the first one picks the convention, the others every type.
pub fn functions(data: &[u8], wanted: impl Fn(&Platform) -> bool) -> Option<Batch> {
    let (&first, rest) = data.split_first()?;
    let platforms: Vec<&'static Platform> = PLATFORMS.iter().filter(|p| wanted(p)).collect();
    let platform = platforms[usize::from(first) % platforms.len()];
    let mut generator = Generator::of(platform, Random::of_bytes(rest), RECORDS);
    let cases: Vec<_> = (0..COUNT).map(|_| generator.case()).collect();
    Some(Batch::parse(&shape::header(&cases), platform).expect("generated functions are carried"))
}
