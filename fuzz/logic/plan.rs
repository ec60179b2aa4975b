//! The plan of any function of any convention passes the checker, and can be explained and drawn.

use cthunk::abi;
use cthunk::explain::{Drawing, svg, text};

use crate::functions::functions;

/// Plans, checks and draws.
pub fn plan(data: &[u8]) {
    let Some(batch) = functions(data, |_| true) else { return };
    for prototype in &batch.prototypes {
        let declaration = batch.describe(prototype);
        let checked = abi::check(&prototype.signature, &prototype.plan);
        assert_eq!(checked, Ok(()), "{declaration}\n{}", batch.header);
        let types = batch.types(prototype);
        assert!(abi::explain(&prototype.plan, &types).lines().count() >= types.len());
        let drawing = Drawing::of(declaration, &prototype.plan, &types);
        assert!(!text(&drawing).is_empty() && svg(&drawing).ends_with("</svg>\n"));
    }
}
