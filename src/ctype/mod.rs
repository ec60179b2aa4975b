//! C declarations: text in, types with exact layouts out.
//!
//! Pure: no host, no Lua, no `unsafe`. [`Declarations`] is what the rest of the library talks to: it parses
//! texts into its [`Table`] of interned types and remembers what every name stands for.
//!
//! ```text
//! text ─lex→ tokens ─parse→ types in the Table, names in Declarations ─layout→ sizes and offsets ─print→ C again
//! ```
//!
//! | file | what it knows |
//! |---|---|
//! | `lex`, `keyword` | bytes to tokens |
//! | `parse/` | the grammar: specifiers, declarators, records, enums, attributes, constant expressions |
//! | `preprocess/`, `source` | macros, conditionals, continued lines; where the bytes of a text come from |
//! | `decls`, `same`, `names_seen` | the C name spaces, redeclaration, the atomic `cdef`; macros, and what is in sight |
//! | `predeclared`, `expected` | the names that need no declaration; those that programs expect to need none |
//! | `types`, `function` | what a type is, as data |
//! | `table`, `names`, `index` | interned types and names |
//! | `layout/` | sizes, alignments and offsets, one file a compiler family |
//! | `print`, `draw` | types back to C, a record's layout as a picture |
//! | `diagnostic` | errors with a place |
#![forbid(unsafe_code)]

mod contents;
mod decls;
mod diagnostic;
mod draw;
mod expected;
mod function;
mod index;
mod keyword;
mod layout;
mod lex;
mod names;
mod names_seen;
mod parse;
mod predeclared;
mod preprocess;
mod print;
mod same;
mod scope;
mod source;
mod table;
mod types;

pub use decls::{Declarations, Param, Redeclared};
pub use diagnostic::{Diagnostic, Diagnostics, Note, NotePlace};
pub use draw::layout_text;
pub use function::{Access, CallConv, Contract, Function};
pub use scope::ScopeId;
pub use table::{FoundMember, Table};
pub use types::*;
