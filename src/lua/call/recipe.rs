//! How the functions of a type are called: everything that the calls of a type have in common, found at the first one.

use super::Callees;
use super::function;
use super::plan_fast;
use super::thunk_api::Conversions;
use crate::abi::{self, CallPlan, Convention, Signature};
use crate::code::NativeCall;
use crate::ctype::{QualType, TypeId};
use crate::lua::state::rooms::Part;
use crate::lua::state::{Cx, LuaError, State};

/// How the functions of a type are called, with variable arguments of certain types.
pub(in crate::lua) struct Recipe {
    pub signature: Signature,
    pub convention: &'static Convention,
    pub conversions: Conversions,
    pub plan: CallPlan,
    pub native: NativeCall,
    /// Whether [`plan_fast`] makes the calls: arguments are read from Lua's stack as memory.
    pub direct: bool,
}

/// The key of a recipe: the function type; the kinds of its variable arguments in 63 bits; whether 64-bit integers are cdata (signed,
/// unsigned); and the types of variable arguments, if the bits are not enough.
pub(in crate::lua) type RecipeKey = (TypeId, u64, [bool; 2], Box<[QualType]>);
/// The key of variable arguments that no number tells apart.
pub(super) const BY_TYPES: u64 = u64::MAX >> 1;

impl Recipe {
    /// `None`: the calls need a thunk.
    pub(in crate::lua) fn new(
        cx: &Cx<'_>,
        ty: TypeId,
        variable: &[QualType],
    ) -> Result<Option<Recipe>, LuaError> {
        let (signature, convention, conversions) = function::shape(cx, ty, variable)?;
        let plan = abi::plan(&signature, convention)?;
        let safe = cx.state.ways.calls
            || cx.state.ways.stack && conversions.reach_no_memory(&signature.arguments);
        let direct = safe && plan_fast::fits(&plan);
        let native = NativeCall::of(&plan);
        Ok(native.map(|native| Recipe { signature, convention, conversions, plan, native, direct }))
    }
}

impl State {
    /// The recipe of a function type, made at the first call. `key`, of 63 bits, tells different variable types apart, or is
    /// [`BY_TYPES`].
    pub(super) fn recipe<'s>(
        cx: &Cx<'s>,
        ty: TypeId,
        key: u64,
        variable: &[QualType],
    ) -> Result<Option<&'s Recipe>, LuaError> {
        let types = if key == BY_TYPES { variable.into() } else { Box::default() };
        let options = &cx.state.options;
        let boxed = [options.boxed_int64.get(), options.boxed_uint64.get()];
        let key = (ty, key, boxed, types);
        let known =
            Callees::of(cx.state).recipes.borrow().get(&key).map(|recipe| &raw const **recipe);
        let recipe = match known {
            Some(recipe) => recipe,
            None => {
                let Some(recipe) = Recipe::new(cx, ty, variable)? else { return Ok(None) };
                let mut recipes = Callees::of(cx.state).recipes.borrow_mut();
                &raw const **recipes.entry(key).or_insert(Box::new(recipe))
            }
        };
        // SAFETY: *Boxed* (see `state`).
        Ok(Some(unsafe { &*recipe }))
    }
}
