//! Random C types and what programs do with their objects. Indices stay within the objects, and the bytes that are shown are
//! those that the program set.

use std::fmt::Write;

use crate::draw::Drawer;

/// A type of C.
#[derive(Clone)]
enum Type {
    Scalar(&'static Scalar),
    Array(Box<Type>, usize),
    Record(Box<Record>),
    Enum(String),
}

struct Scalar {
    name: &'static str,
    /// The kind of expression that fits.
    kind: &'static str,
    /// The widest bit-field.
    bits: usize,
}

#[derive(Clone)]
struct Record {
    /// `struct s_1_2`
    name: String,
    union: bool,
    members: Vec<Member>,
}

#[derive(Clone)]
struct Member {
    /// None for a record whose members are those of the outer one.
    name: Option<String>,
    ty: Type,
    bits: Option<usize>,
}

const fn scalar(name: &'static str, kind: &'static str, bits: usize) -> Scalar {
    Scalar { name, kind, bits }
}

static SCALARS: [Scalar; 20] = [
    scalar("int8_t", "int", 8),
    scalar("uint8_t", "byte", 8),
    scalar("int16_t", "int", 16),
    scalar("uint16_t", "byte", 16),
    scalar("int32_t", "i32", 32),
    scalar("uint32_t", "byte", 32),
    scalar("int64_t", "i64", 0),
    scalar("uint64_t", "u64", 0),
    scalar("char", "int", 8),
    scalar("short", "i32", 16),
    scalar("unsigned short", "i32", 16),
    scalar("int", "i32", 32),
    scalar("unsigned", "byte", 32),
    scalar("long", "i64", 0),
    scalar("unsigned long long", "byte", 0),
    scalar("float", "few", 0),
    scalar("double", "num", 0),
    scalar("bool", "bool", 1),
    scalar("size_t", "byte", 0),
    scalar("intptr_t", "int", 0),
];

/// A place in an object: the text after its name, and its type.
struct Place {
    path: String,
    ty: Type,
    bit_field: bool,
}

/// One object and what a program does with it.
pub fn draw(d: &mut Drawer<'_>) {
    let ty = match d.random.below(4) {
        0 => array(d, 2),
        _ => {
            let record = record(d, 2);
            declare(d, &record);
            Type::Record(Box::new(record))
        }
    };
    let object = d.name("o");
    let (base, dimensions) = spelled(&ty);
    let text = format!("{base}{dimensions}");
    let value = initialisers(d, &ty);
    let comma = if value.is_empty() { "" } else { ", " };
    match d.random.below(3) {
        0 => d.define(&object, &format!("ffi.typeof(\"{text}\")({value})")),
        _ => d.define(&object, &format!("ffi.new(\"{text}\"{comma}{value})")),
    }
    for _ in 0..1 + d.random.below(5) {
        operation(d, &object, &text, &ty);
    }
}

fn operation(d: &mut Drawer<'_>, object: &str, text: &str, ty: &Type) {
    let places = places(ty);
    let place = &places[d.random.below(places.len())];
    let at = format!("{object}{}", place.path);
    match d.random.below(14) {
        0 | 1 => {
            let value = value(d, &place.ty, 1);
            d.compared(&format!("{at} = {value} return {}", shown(&at, &place.ty)));
        }
        2 => {
            let value = d.expression("value", 1);
            d.compared(&format!("{at} = {value} return {}", shown(&at, &place.ty)));
        }
        3 | 4 => dump(d, object, ty),
        5 => d.compared(&format!("return bytes({object}, ffi.sizeof({object}))")),
        6 => sizes(d, object, text, ty),
        7 => {
            let init = initialisers(d, ty);
            let comma = if init.is_empty() { "" } else { ", " };
            let size = format!("ffi.sizeof({object})");
            d.compared(&format!(
                "local other = ffi.new(\"{text}\"{comma}{init}) ffi.copy(other, {object}, {size}) \
                 return bytes(other, {size}), ffi.istype(\"{text}\", other), other == {object}"
            ));
        }
        8 => d.compared(&format!(
            "local copy = ffi.new(\"{text}\", {object}) return bytes(copy, ffi.sizeof(copy))"
        )),
        9 if !place.bit_field => {
            let is_aggregate = matches!(place.ty, Type::Array(..) | Type::Record(_));
            let other = &places[d.random.below(places.len())];
            let reference = if is_aggregate { "local r =" } else { "local r = 0 +" };
            let value = value(d, &other.ty, 1);
            d.compared(&format!(
                "{reference} {at} {object}{} = {value} return {}",
                other.path,
                shown("r", &place.ty),
            ));
        }
        10 => pointer(d, object, ty),
        11 => {
            // No double becomes a NaN that LuaJIT takes for another Lua value.
            let byte = *d.random.pick(&["0", "1", "64", "100"]);
            d.compared(&format!(
                "ffi.fill({object}, ffi.sizeof({object}), {byte}) return bytes({object}, ffi.sizeof({object}))"
            ));
        }
        12 => d.compared(&format!("return {object}.no_such_member")),
        _ => arithmetic(d, &at, &place.ty),
    }
}

/// Numbers of C in Lua's operators.
fn arithmetic(d: &mut Drawer<'_>, at: &str, ty: &Type) {
    let Type::Scalar(_) = ty else {
        return d.compared(&format!("return {at} == nil, {at} == {at}, {at} ~= 1, type({at})"));
    };
    let (number, text) = (d.expression("byte", 1), d.expression("str", 1));
    let body = match d.random.below(4) {
        0 => format!("return {at} + 1, {at} * {number} + 0, {at} == {number}, -{at} + 0"),
        1 => format!("return tostring({at}), {at} == {at}, {at} ~= nil, {at} < {number}"),
        2 => format!("return {at} .. {text}"),
        _ => format!("return tonumber({at}), type({at}), ({text}):rep({at} % 3)"),
    };
    d.compared(&body);
}

fn pointer(d: &mut Drawer<'_>, object: &str, ty: &Type) {
    let Type::Array(element, count) = ty else {
        let Type::Record(record) = ty else { return };
        let members = places(ty);
        let place = &members[d.random.below(members.len())];
        let value = value(d, &place.ty, 1);
        return d.compared(&format!(
            "local p = ffi.cast(\"{} *\", {object}) p{path} = {value} \
             return {}, p == {object}, ffi.istype(\"{0}\", p), ffi.istype(\"{0} *\", p)",
            record.name,
            shown(&format!("{object}{}", place.path), &place.ty),
            path = place.path,
        ));
    };
    let (first, second) = (d.random.below(*count), d.random.below(*count));
    let back = first as i64 - second as i64;
    let value = value(d, element, 1);
    d.compared(&format!(
        "local p, q = {object} + {first}, {object} + {second} q[{back}] = {value} \
         return {}, p - q, p == q, p < q, p <= q, q + {back} == p, p - {first} == {object}, p ~= nil",
        shown("p[0]", element),
    ));
}

/// `sizeof`, `offsetof` and their like.
fn sizes(d: &mut Drawer<'_>, object: &str, text: &str, ty: &Type) {
    let mut values =
        format!("ffi.sizeof({object}), ffi.alignof(\"{text}\"), ffi.istype(\"{text}\", {object})");
    if let Type::Record(record) = ty {
        let names = record.members.iter().filter_map(|member| member.name.as_ref());
        for name in names.take(5) {
            write!(values, ", ffi.offsetof(\"{text}\", \"{name}\")").unwrap();
        }
        write!(values, ", tostring(ffi.typeof({object}))").unwrap();
    }
    d.compared(&format!("return {values}"));
}

/// All members, twenty at most.
fn dump(d: &mut Drawer<'_>, object: &str, ty: &Type) {
    let places = places(ty);
    let scalars = places.iter().filter(|place| matches!(place.ty, Type::Scalar(_) | Type::Enum(_)));
    let values: Vec<_> = scalars.take(20).map(|place| format!("{object}{}", place.path)).collect();
    d.compared(&format!("return {}", values.join(", ")));
}

/// An expression that shows what is at a place.
fn shown(at: &str, ty: &Type) -> String {
    match ty {
        Type::Scalar(_) | Type::Enum(_) => at.into(),
        Type::Array(..) | Type::Record(_) => format!("bytes({at}, ffi.sizeof({at}))"),
    }
}

// Types

/// A member's or element's type.
fn inner(d: &mut Drawer<'_>, depth: usize) -> Type {
    match d.random.below(if depth == 0 { 6 } else { 10 }) {
        0..=5 => Type::Scalar(d.random.pick(&SCALARS)),
        6 | 7 => array(d, depth - 1),
        8 => {
            let name = d.name("enum e");
            let tag = name.strip_prefix("enum e").unwrap_or_default().to_owned();
            d.raw(format!("ffi.cdef \"{name} {{ A{tag}, B{tag} = 5, C{tag} }};\""));
            Type::Enum(tag)
        }
        _ => {
            let record = record(d, depth - 1);
            declare(d, &record);
            Type::Record(Box::new(record))
        }
    }
}

fn array(d: &mut Drawer<'_>, depth: usize) -> Type {
    Type::Array(Box::new(inner(d, depth)), 1 + d.random.below(4))
}

fn record(d: &mut Drawer<'_>, depth: usize) -> Record {
    let union = d.random.one_in(5);
    let name = d.name(if union { "union u" } else { "struct s" });
    let mut members = Vec::new();
    for i in 0..1 + d.random.below(5) {
        let name = format!("{}{i}", ["a", "b", "m", "x"][d.random.below(4)]);
        let member = match d.random.below(8) {
            0 => {
                let scalar = &SCALARS[d.random.below(SCALARS.len())];
                let bits = (scalar.bits > 0).then(|| 1 + d.random.below(scalar.bits));
                Member { name: Some(name), ty: Type::Scalar(scalar), bits }
            }
            1 if depth > 0 => {
                let mut inner = record(d, 0);
                for member in &mut inner.members {
                    member.name = member.name.as_ref().map(|inner| format!("{name}{inner}"));
                }
                inner.name = if inner.union { "union".into() } else { "struct".into() };
                Member { name: None, ty: Type::Record(Box::new(inner)), bits: None }
            }
            _ => Member { name: Some(name), ty: inner(d, depth), bits: None },
        };
        members.push(member);
    }
    if union {
        // As above.
        members.retain(|member| !has_double(&member.ty));
    }
    let plain = Member { name: Some("y".into()), ty: Type::Scalar(&SCALARS[4]), bits: None };
    if members.is_empty() {
        members.push(plain);
    }
    Record { name, union, members }
}

fn has_double(ty: &Type) -> bool {
    match ty {
        Type::Scalar(scalar) => matches!(scalar.kind, "num" | "few"),
        Type::Array(element, _) => has_double(element),
        Type::Record(record) => record.members.iter().any(|member| has_double(&member.ty)),
        Type::Enum(_) => false,
    }
}

fn has_bit_field(record: &Record) -> bool {
    record.members.iter().any(|member| match &member.ty {
        Type::Record(inner) if member.name.is_none() => has_bit_field(inner),
        _ => member.bits.is_some(),
    })
}

fn declare(d: &mut Drawer<'_>, record: &Record) {
    let text = body(record);
    let attribute = match d.random.below(12) {
        // LuaJIT has no packed bit-fields.
        0 if !has_bit_field(record) => " __attribute__((packed))",
        1 => " __attribute__((aligned(16)))",
        _ => "",
    };
    d.raw(format!("ffi.cdef \"{text}{attribute};\""));
}

fn body(record: &Record) -> String {
    let mut text = format!("{} {{ ", record.name);
    for member in &record.members {
        let (base, dimensions) = match &member.ty {
            Type::Record(inner) if member.name.is_none() => (body(inner), String::new()),
            ty => spelled(ty),
        };
        let name = member.name.as_deref().unwrap_or_default();
        let bits = member.bits.map_or(String::new(), |bits| format!(" : {bits}"));
        write!(text, "{base} {name}{dimensions}{bits}; ").unwrap();
    }
    text + "}"
}

/// The parts of a declaration before and after its name.
fn spelled(ty: &Type) -> (String, String) {
    match ty {
        Type::Scalar(scalar) => (scalar.name.into(), String::new()),
        Type::Enum(tag) => (format!("enum e{tag}"), String::new()),
        Type::Record(record) => (record.name.clone(), String::new()),
        Type::Array(element, count) => {
            let (base, dimensions) = spelled(element);
            (base, format!("[{count}]{dimensions}"))
        }
    }
}

/// Every place in an object of a type, the object itself left out.
fn places(ty: &Type) -> Vec<Place> {
    let mut places = Vec::new();
    match ty {
        Type::Scalar(_) | Type::Enum(_) => {}
        Type::Array(element, count) => {
            for i in 0..*count {
                add(&mut places, format!("[{i}]"), element, false);
            }
        }
        Type::Record(record) => {
            for member in &record.members {
                let path = member.name.as_ref().map_or(String::new(), |name| format!(".{name}"));
                add(&mut places, path, &member.ty, member.bits.is_some());
            }
        }
    }
    places
}

fn add(into: &mut Vec<Place>, path: String, ty: &Type, bit_field: bool) {
    for inner in places(ty) {
        into.push(Place { path: format!("{path}{}", inner.path), ..inner });
    }
    if !path.is_empty() {
        into.push(Place { path, ty: ty.clone(), bit_field });
    }
}

// Values

/// The arguments that initialise an object.
fn initialisers(d: &mut Drawer<'_>, ty: &Type) -> String {
    match d.random.below(5) {
        0 => String::new(),
        1 => match ty {
            Type::Record(record) if record.members.iter().all(|member| member.name.is_some()) => {
                let count = if record.union { 1 } else { record.members.len() };
                let members = record.members[..count].iter();
                members.map(|member| value(d, &member.ty, 1)).collect::<Vec<_>>().join(", ")
            }
            _ => value(d, ty, 2),
        },
        _ => value(d, ty, 2),
    }
}

/// A value that initialises a type, or is assigned to it.
fn value(d: &mut Drawer<'_>, ty: &Type, depth: usize) -> String {
    if d.random.one_in(25) {
        return d.expression("value", 1);
    }
    match ty {
        Type::Scalar(scalar) => d.expression(scalar.kind, depth.min(1)),
        Type::Enum(tag) => match d.random.below(3) {
            0 => d.random.pick(&["0", "1", "5", "77", "-1"]).to_string(),
            1 => format!("\"{}{tag}\"", d.random.pick(&["A", "B", "C"])),
            _ => format!("ffi.C.{}{tag}", d.random.pick(&["A", "B", "C"])),
        },
        Type::Array(element, count) => elements(d, element, *count, depth),
        Type::Record(record) => members(d, record, depth),
    }
}

fn elements(d: &mut Drawer<'_>, element: &Type, count: usize, depth: usize) -> String {
    if matches!(element, Type::Scalar(scalar) if scalar.bits == 8) && d.random.one_in(4) {
        // Behind the end of a shorter text the memory is undefined.
        return format!("{} .. \"1234\"", d.expression("str", 1));
    }
    let most = if d.random.one_in(10) { count + 1 } else { count };
    let mut text = String::from("{ ");
    for i in 0..d.random.below(most + 1) {
        if i == 0 && count > 1 && d.random.one_in(6) {
            text += "[0] = ";
        }
        write!(text, "{}, ", value(d, element, depth.saturating_sub(1))).unwrap();
    }
    text + "}"
}

fn members(d: &mut Drawer<'_>, record: &Record, depth: usize) -> String {
    let named = d.random.one_in(2);
    let all: Vec<_> = flattened(record);
    let count = if record.union { 1 } else { all.len() };
    let mut text = String::from("{ ");
    for (name, ty) in all.iter().take(d.random.below(count + 1)) {
        let value = value(d, ty, depth.saturating_sub(1));
        match named {
            true => write!(text, "{name} = {value}, ").unwrap(),
            false => write!(text, "{value}, ").unwrap(),
        }
    }
    text + "}"
}

/// The members of a record that have a name, those of unnamed members among them.
fn flattened(record: &Record) -> Vec<(&str, &Type)> {
    let mut all = Vec::new();
    for member in &record.members {
        match (&member.name, &member.ty) {
            (Some(name), ty) => all.push((name.as_str(), ty)),
            (None, Type::Record(inner)) if inner.union => all.extend(flattened(inner).drain(..1)),
            (None, Type::Record(inner)) => all.extend(flattened(inner)),
            (None, _) => {}
        }
    }
    all
}
