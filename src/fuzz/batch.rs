//! The functions of a header with their plans: the input of executors.

use super::image::Image;
use super::platform::Platform;
use crate::abi::{self, CallPlan, Signature, Type};
use crate::ctype::{Decl, Declarations, Function, QualType, Table};
use crate::error::Error;

/// The functions that a header declares, in order.
#[derive(Debug)]
pub struct Batch {
    /// How they are called.
    pub platform: &'static Platform,
    /// The header.
    pub header: String,
    /// The functions.
    pub prototypes: Vec<Prototype>,
    declarations: Declarations,
}

/// A function to call.
#[derive(Debug)]
pub struct Prototype {
    /// Its name in the header.
    pub name: String,
    /// Its arguments, those for `...` included.
    pub arguments: Vec<Value>,
    /// Its result.
    pub result: Value,
    /// The signature.
    pub signature: Signature,
    /// How it is called.
    pub plan: CallPlan,
}

/// An argument or a result.
#[derive(Debug)]
pub struct Value {
    /// Its type, in the batch's table.
    pub ty: QualType,
    /// Its bytes.
    pub image: Image,
}

impl Batch {
    /// Reads a header: every function that it declares, but `f_variable` gives `f(int, ...)` the types of its variable arguments.
    ///
    /// # Errors
    /// [`Error::Declaration`] for what is no C; [`Error::IncompleteType`] and [`Error::Unsupported`] for a function that the
    /// convention cannot carry.
    pub fn parse(header: &str, platform: &'static Platform) -> Result<Batch, Error> {
        let mut declarations = Declarations::new(&platform.target());
        declarations.cdef(header.as_bytes(), &[])?;
        let table = declarations.table();
        let functions: Vec<(&str, &Function)> = declarations
            .declarations()
            .filter_map(|(name, declaration)| match declaration {
                Decl::Function { ty, .. } => Some((name, table.function(*ty)?)),
                _ => None,
            })
            .collect();
        let variable = |of: &str| {
            let named = |(name, _): &&(&str, &Function)| {
                name.strip_suffix("_variable").is_some_and(|name| name == of)
            };
            functions.iter().find(named).map_or(&[][..], |(_, function)| &function.params)
        };
        let prototypes = functions
            .iter()
            .filter(|(name, _)| !name.ends_with("_variable"))
            .map(|(name, function)| Prototype::new(table, platform, name, function, variable(name)))
            .collect::<Result<_, _>>()?;
        Ok(Batch { platform, header: header.into(), prototypes, declarations })
    }

    /// The types of the functions.
    pub fn table(&self) -> &Table {
        self.declarations.table()
    }

    /// The types of a function's result and arguments, as C prints them.
    pub fn types(&self, prototype: &Prototype) -> Vec<String> {
        let values = std::iter::once(&prototype.result).chain(&prototype.arguments);
        values.map(|value| self.table().repr(value.ty)).collect()
    }

    /// A function as C declares it, the types for `...` in a comment.
    pub fn describe(&self, prototype: &Prototype) -> String {
        let types = self.types(prototype);
        let (result, arguments) = (prototype.result.ty, &types[1..]);
        let fixed = prototype.signature.fixed.unwrap_or(arguments.len());
        let (fixed, variable) = arguments.split_at(fixed);
        let mut list = fixed.join(", ");
        if prototype.is_variadic() {
            list += &format!(", ... /* {} */", variable.join(", "));
        }
        self.table().declare(result, &format!("{}({list})", prototype.name))
    }
}

impl Prototype {
    fn new(
        table: &Table,
        platform: &'static Platform,
        name: &str,
        function: &Function,
        variable: &[QualType],
    ) -> Result<Prototype, Error> {
        let value = |&ty: &QualType| Value { ty, image: Image::of(table, ty) };
        let arguments: Vec<Value> = function.params.iter().chain(variable).map(value).collect();
        let seen = |value: &Value| Type::of(table, value.ty);
        let signature = Signature {
            arguments: arguments.iter().map(seen).collect::<Result<_, _>>()?,
            result: Type::of(table, function.result)?,
            fixed: function.variadic.then_some(function.params.len()),
        };
        let convention = platform.convention_of(function.variadic).unwrap_or(platform.convention);
        let plan = abi::plan(&signature, convention)?;
        let result = value(&function.result);
        Ok(Prototype { name: name.into(), arguments, result, signature, plan })
    }

    /// Whether it has no result.
    pub fn is_void(&self) -> bool {
        self.signature.result == Type::VOID
    }

    /// Whether it takes `...`.
    pub fn is_variadic(&self) -> bool {
        self.signature.fixed.is_some()
    }
}
