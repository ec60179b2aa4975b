//! Which declarations of a C text a policy permits: the parser lists the declarations, and this file keeps or refuses the text.

use crate::ctype::{Declarations, Declared, Diagnostics, Goal, Param, Parsed};
use crate::lua::state::{Cx, LuaError};
use crate::lua::types::scope;
use crate::policy::Permissions;

/// Reads a text in the scope of the running library function, as the state's policy permits: what it declares is declared there.
///
/// # Errors
/// All errors of the text, or that the policy does not permit such declarations; then nothing of it is declared.
pub(in crate::lua) fn in_scope<T>(
    cx: &Cx<'_>,
    goal: Goal<T>,
    text: &[u8],
    params: &[Param<'_>],
) -> Result<T, LuaError> {
    let permissions = cx.state.policy.permissions();
    let declared =
        |types: &mut Declarations| under(permissions, types, goal, text, params).map(Parsed::keep);
    scope::enter(cx, scope::of_function(), declared)?.map_err(LuaError::from)
}

/// Reads a text as these permissions allow: what it declares is declared once it is [kept](Parsed::keep).
///
/// # Errors
/// All errors of the text; else the first declaration or contract that there is no permission for. Then nothing of the text is
/// declared.
pub(in crate::lua) fn under<'t, T>(
    permissions: Permissions,
    types: &'t mut Declarations,
    goal: Goal<T>,
    text: &'t [u8],
    params: &[Param<'_>],
) -> Result<Parsed<'t, T>, Diagnostics> {
    let parsed = types.parse(goal, text, params)?;
    let Declared { types, symbols, contracts } = parsed.declared();
    // CALL-2
    let asked = [
        (types, Permissions::DECLARE_TYPES),
        (symbols, Permissions::DECLARE_FUNCTIONS),
        (contracts, Permissions::UNCONTRACTED_POINTERS),
    ];
    let refused = asked.into_iter().filter_map(|(offset, permission)| {
        Some((offset?, permission, permissions.require(permission).err()?))
    });
    match refused.min_by_key(|(offset, ..)| *offset) {
        Some((offset, Permissions::UNCONTRACTED_POINTERS, refusal)) => {
            let message = format!("a contract is the host's word: {refusal}");
            Err(parsed.refuse(offset, message))
        }
        Some((offset, _, refusal)) => Err(parsed.refuse(offset, refusal.to_string())),
        None => Ok(parsed),
    }
}
