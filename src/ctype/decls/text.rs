//! Parses a text, and keeps its declarations or takes them back.

use super::{Declarations, Entry, Param, Site};
use crate::ctype::diagnostic::{Diagnostic, Diagnostics};
use crate::ctype::lex::Offset;
use crate::ctype::parse::Parser;
use crate::ctype::preprocess::{self, Macro};
use crate::ctype::source::Source;
use crate::ctype::table::{self, FEW, make_room};
use crate::ctype::{Constant, Decl, EnumId, IntKind, Name, QualType, RecordId, TypeId};

/// How much there was before a text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    pub(super) table: table::Mark,
    pub(super) entries: usize,
    parameters: usize,
    pub(super) tags: usize,
}

/// How to take back one change of something older than the text.
#[derive(Clone, Debug)]
pub(in crate::ctype) enum Undo {
    Entry(usize, Entry),
    TagMoved(usize, Site),
    Record(RecordId),
    Enum(EnumId, Option<IntKind>),
    Macro(Box<[u8]>, Option<Option<Macro>>),
    /// The name of this entry was taken away from it.
    Removed(usize),
}

/// The grammar by which a text is read, and its result.
#[derive(Clone, Copy)]
pub struct Goal<T>(fn(Parser<'_>) -> Result<T, Diagnostics>);

impl Goal<()> {
    /// C declarations, which are declared.
    pub const DECLARATIONS: Goal<()> = Goal(|parser| parser.translation_unit());
}

impl Goal<QualType> {
    /// A type name: `"struct x *"`, `"int[4]"`, `"int (*)(double)"`, `"struct { int a; }"`. Its tags must have been declared, as in
    /// LuaJIT; it may complete one.
    pub const TYPE: Goal<QualType> = Goal(|parser| parser.whole_type_name());
}

impl Goal<(Option<Name>, QualType)> {
    /// One declaration with or without its `;`, or a type name: the name, if there is one, and the type. The name is not declared, but
    /// tags are.
    pub const ONE: Goal<(Option<Name>, QualType)> = Goal(|parser| parser.single());
}

impl Goal<(QualType, Constant)> {
    /// A constant expression: its type and value.
    pub const CONSTANT: Goal<(QualType, Constant)> = Goal(|parser| parser.whole_constant());
}

/// The kinds of declarations in a text: of each kind the offset of the first one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// Structs, unions and enums with a body.
    pub types: Option<u32>,
    /// Functions and variables.
    pub symbols: Option<u32>,
    /// Attributes that promise something about the pointers of a function: its [contracts](crate::ctype::Contract).
    pub contracts: Option<u32>,
}

/// A text without errors. What it declares is there, and is taken back unless it is [kept](Parsed::keep).
pub struct Parsed<'d, T> {
    value: T,
    text: &'d [u8],
    pending: Pending<'d>,
}

/// Takes back what the last text declared.
struct Pending<'d>(&'d mut Declarations);

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.0.rollback();
    }
}

impl<T> Parsed<'_, T> {
    /// The kinds of declarations in the text.
    pub fn declared(&self) -> Declared {
        self.pending.0.declared
    }

    /// The function types that occur in what the text declares: in typedefs, variables, members, and the parameters and results of
    /// functions.
    pub fn functions(&self) -> Vec<TypeId> {
        let Declarations { table, names, mark, undo, .. } = &*self.pending.0;
        let changed = undo.iter().filter_map(|undo| match undo {
            Undo::Entry(position, _) => Some(*position),
            _ => None,
        });
        let entries = (mark.entries..names.entries.len()).chain(changed);
        let declared = entries.flat_map(|position| match names.entries[position].decl {
            Decl::Typedef(ty) | Decl::Variable { ty, .. } => vec![ty],
            Decl::Function { ty, .. } => match table.function(ty) {
                Some(function) => {
                    function.params.iter().copied().chain([function.result]).collect()
                }
                None => Vec::new(),
            },
            _ => Vec::new(),
        });
        let completed = undo.iter().filter_map(|undo| match undo {
            Undo::Record(id) => Some(*id),
            _ => None,
        });
        let records = table.records_since(mark.table).chain(completed);
        table.functions_in(declared.collect(), records)
    }

    /// Declares it, and returns what the text stands for.
    pub fn keep(self) -> T {
        self.pending.0.undo.clear();
        std::mem::forget(self.pending);
        self.value
    }

    /// Takes it back, with an error at a byte of the text.
    pub fn refuse(self, offset: u32, message: String) -> Diagnostics {
        let refusal = Diagnostic { refused: true, ..Diagnostic::new(self.text, offset, message) };
        Diagnostics(vec![refusal])
    }
}

impl Declarations {
    /// Declares a text of C declarations. The values of its `$` come from `params`.
    ///
    /// # Errors
    /// All errors of the text; then nothing of it is declared.
    pub fn cdef(&mut self, text: &[u8], params: &[Param<'_>]) -> Result<(), Diagnostics> {
        self.parse(Goal::DECLARATIONS, text, params).map(Parsed::keep)
    }

    /// [`Goal::TYPE`]
    ///
    /// # Errors
    /// All errors of the text; then nothing of it is declared.
    pub fn parse_type(
        &mut self,
        text: &[u8],
        params: &[Param<'_>],
    ) -> Result<QualType, Diagnostics> {
        self.parse(Goal::TYPE, text, params).map(Parsed::keep)
    }

    /// [`Goal::ONE`]
    ///
    /// # Errors
    /// All errors of the text.
    pub fn parse_one(&mut self, text: &[u8]) -> Result<(Option<Name>, QualType), Diagnostics> {
        self.parse(Goal::ONE, text, &[]).map(Parsed::keep)
    }

    /// [`Goal::CONSTANT`]
    ///
    /// # Errors
    /// All errors of the text; an expression that is not constant.
    pub fn evaluate(
        &mut self,
        text: &[u8],
        params: &[Param<'_>],
    ) -> Result<(QualType, Constant), Diagnostics> {
        self.parse(Goal::CONSTANT, text, params).map(Parsed::keep)
    }

    /// Reads a text as `goal` says, with values from `params` for its `$`. Who asks may look at [what it declares](Parsed::declared)
    /// before it stays.
    ///
    /// # Errors
    /// All errors of the text; then nothing of it is declared.
    pub fn parse<'d, T>(
        &'d mut self,
        goal: Goal<T>,
        text: &'d [u8],
        params: &[Param<'_>],
    ) -> Result<Parsed<'d, T>, Diagnostics> {
        if Offset::try_from(text.len()).is_err() {
            let message = "a text must be shorter than 4 GiB".to_owned();
            return Err(Diagnostics(vec![Diagnostic::new(text, 0, message)]));
        }
        self.mark = Mark {
            table: self.table.mark(),
            entries: self.names.entries.len(),
            parameters: self.parameters.len(),
            tags: self.names.tags.len(),
        };
        self.text += 1;
        self.declared = Declared::default();
        self.reserve(text.len());
        let pending = Pending(self);
        let mut result = goal.0(Parser::new(pending.0, Source::plain(text), params));
        if std::mem::take(&mut pending.0.wants_preprocessor) {
            pending.0.rollback();
            pending.0.declared = Declared::default();
            result = preprocess::expand(pending.0, text).and_then(|expanded| {
                goal.0(Parser::new(pending.0, Source::expanded(text, &expanded), params))
            });
        }
        result.map(|value| Parsed { value, text, pending })
    }

    /// Makes room for what a text of so many bytes declares, at 64 bytes a prototype, so that little has to move while it is read.
    fn reserve(&mut self, text_len: usize) {
        let declarations = (text_len / 64).max(FEW);
        self.table.reserve(declarations);
        self.names.ordinary.reserve(declarations);
        make_room(&mut self.names.entries, declarations);
        make_room(&mut self.parameters, declarations);
    }

    fn rollback(&mut self) {
        while let Some(undo) = self.undo.pop() {
            match undo {
                Undo::Entry(position, entry) => self.names.entries[position] = entry,
                Undo::TagMoved(position, site) => self.names.tags[position].site = site,
                Undo::Record(id) => self.table.undo_record(id),
                Undo::Enum(id, base) => self.table.undo_enum(id, base),
                Undo::Macro(name, old) => {
                    self.replace_macro(name, old);
                }
                Undo::Removed(position) => {
                    let name = self.names.entries[position].name;
                    self.names.ordinary.set(name, Some(position));
                }
            }
        }
        for entry in self.names.entries.drain(self.mark.entries..) {
            self.names.ordinary.set(entry.name, None);
        }
        for entry in self.names.tags.drain(self.mark.tags..) {
            self.names.tag_slots.set(entry.name, None);
        }
        self.parameters.truncate(self.mark.parameters);
        self.table.rollback(self.mark.table);
        let names = self.table.names.len();
        self.names.ordinary.truncate(names);
        self.names.tag_slots.truncate(names);
    }
}

#[cfg(test)]
mod tests {
    use super::{Declarations, Declared, Goal};
    use crate::target::Target;

    fn declarations() -> Declarations {
        let target: Target = "x86_64-unknown-linux-gnu".parse().expect("a target");
        Declarations::new(&target)
    }

    #[test]
    fn a_text_says_what_it_declares() {
        let mut declarations = declarations();
        declarations.cdef(b"#define BODY struct macro { int x; }", &[]).expect("a macro");
        for (text, types, symbols, contracts) in [
            ("typedef int number; struct s; enum { A } *p(void);", Some(35), Some(42), None),
            ("typedef struct s *s; static const int N = 3;", None, None, None),
            ("int v, f(int);", None, Some(4), None),
            ("  BODY;", Some(2), None, None),
            ("enum e : short; extern int late;", Some(5), Some(27), None),
            ("int f(int *p) __attribute__((pure, nonnull));", None, Some(4), Some(35)),
        ] {
            let parsed = declarations.parse(Goal::DECLARATIONS, text.as_bytes(), &[]);
            let declared = parsed.expect("valid C").declared();
            assert_eq!(declared, Declared { types, symbols, contracts }, "{text}");
        }
    }

    #[test]
    fn the_function_types_of_a_text_are_those_of_its_parts() {
        let mut declarations = declarations();
        for (text, count) in [
            ("int f(int);", 0),
            ("int g(int (*)(int), void (*(*)(void))(char));", 3),
            ("typedef int callback(int);", 1),
            ("struct s { struct { long (*in)(void); } nested[2]; struct s *next; };", 1),
            ("extern struct s variable;", 1),
        ] {
            let parsed = declarations.parse(Goal::DECLARATIONS, text.as_bytes(), &[]);
            let parsed = parsed.expect("valid C");
            assert_eq!(parsed.functions().len(), count, "{text}");
            parsed.keep();
        }
    }

    #[test]
    fn a_text_that_is_not_kept_declares_nothing() {
        let mut declarations = declarations();
        let text = b"struct s { int x; }; int f(struct s *);";
        drop(declarations.parse(Goal::DECLARATIONS, text, &[]).expect("valid C"));
        assert!(declarations.lookup(b"f").is_none());
        assert!(declarations.parse_type(b"struct s", &[]).is_err());
        let parsed = declarations.parse(Goal::DECLARATIONS, text, &[]).expect("valid C");
        let error = parsed.refuse(25, "not permitted".into()).to_string();
        assert!(error.starts_with("1:26: not permitted"), "{error}");
        assert!(declarations.lookup(b"f").is_none());
        declarations.parse(Goal::DECLARATIONS, text, &[]).expect("valid C").keep();
        assert!(declarations.lookup(b"f").is_some());
    }
}
