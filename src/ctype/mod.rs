//! C declarations: text in, types with exact layouts out.
//!
//! Pure: no host, no Lua, no `unsafe`. The rest of the library uses [`Declarations`]: it parses texts into its [`Table`] of interned types, and
//! remembers the meaning of each name.
//!
//! ```text
//! text ─lex→ tokens ─parse→ types in the Table, names in Declarations ─layout→ sizes and offsets ─print→ C again
//! ```
//!
//! | file | knows |
//! |---|---|
//! | `lex`, `keyword` | from bytes to tokens |
//! | `parse/` | the grammar: specifiers, declarators, records, enums, attributes, constant expressions |
//! | `preprocess/`, `source` | macros, conditionals, continued lines; the place in the text of each byte |
//! | `decls/`, `scope`, `same`, `names_seen` | C's name spaces, redeclaration, the atomic `cdef`; macros, and the visible names |
//! | `predeclared`, `expected` | names that need no declaration; declarations to suggest for names such as `off_t` |
//! | `types`, `function` | types as data |
//! | `table`, `names`, `index` | interned types and names |
//! | `contents` | the scalars, pointers and arrays inside the values of a type |
//! | `layout/` | sizes, alignments and offsets, one file for each compiler family |
//! | `print`, `draw` | types printed as C; the layout of a record as a picture |
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

pub use decls::{Declarations, Declared, Goal, Param, Parsed, Redeclared};
pub use diagnostic::{Diagnostic, Diagnostics, Note, NotePlace};
pub use draw::layout_text;
pub use function::{Access, CallConv, Contract, Function};
pub use scope::ScopeId;
pub use table::{FoundMember, Table};
pub use types::*;
