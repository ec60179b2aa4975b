//! C compiled for 32-bit x86 and loaded into this process, and calls both ways by our plans.
#![allow(dead_code, reason = "each test binary uses its part")]

#[path = "../support/needs.rs"]
pub mod needs;

use std::cell::RefCell;
use std::ffi::c_void;
use std::path::Path;
use std::process::Command;

use cthunk::Target;
use cthunk::abi::{self, CallPlan, Convention, Pass, Place, Signature, x86};
use cthunk::code::gate::image::Image;
use cthunk::code::gate::{self, Frame};
use cthunk::code::{self, Slot};
use cthunk::ctype::{Declarations, Type};

/// A compiler of 32-bit code, and the target that its code is called as.
pub struct Compiler {
    pub name: &'static str,
    pub command: &'static [&'static str],
    pub triple: &'static str,
}

pub const COMPILERS: [Compiler; 4] = [
    Compiler {
        name: "gcc-linux",
        command: &["i686-linux-gnu-gcc"],
        triple: "i686-unknown-linux-gnu",
    },
    Compiler {
        name: "gcc-mingw",
        command: &["i686-w64-mingw32-gcc"],
        triple: "i686-pc-windows-gnu",
    },
    Compiler {
        name: "clang-gnu",
        command: &["clang-19", "--target=i686-pc-windows-gnu"],
        triple: "i686-pc-windows-gnullvm",
    },
    Compiler {
        name: "clang-msvc",
        command: &["clang-19", "--target=i686-pc-windows-msvc"],
        triple: "i686-pc-windows-msvc",
    },
];

/// How all of it is compiled.
const FREESTANDING: [&str; 8] = [
    "-O1",
    "-ffreestanding",
    "-fno-stack-protector",
    "-fno-pic",
    "-w",
    "-c",
    "-fomit-frame-pointer",
    "-fno-asynchronous-unwind-tables",
];

/// C for all texts: symbols that freestanding code needs, and a function that calls another one with given stack words and returns the
/// number of bytes that it popped.
const PRELUDE: &str = r#"
#define FASTCALL __attribute__((fastcall))
#define THISCALL __attribute__((thiscall))
#define STDCALL __attribute__((stdcall))
int _fltused;
__attribute__((used)) void *memcpy(void *to, const void *from, unsigned n) {
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
    return start;
}
__attribute__((used)) void *memset(void *to, int c, unsigned n) {
    void *start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
    return start;
}
__asm__(
    ".text\n.globl popped_by, _popped_by\npopped_by:\n_popped_by:\n"
    "push %ebp; mov %esp, %ebp; push %ebx; push %esi\n"
    "mov 12(%ebp), %ecx; mov 16(%ebp), %esi\n"
    "1: test %ecx, %ecx; jz 2f; dec %ecx; push (%esi,%ecx,4); jmp 1b\n"
    "2: mov %esp, %ebx; mov (%esi), %ecx; mov (%esi), %edx; mov (%esi), %eax; call *8(%ebp)\n"
    "mov %esp, %eax; sub %ebx, %eax\n"
    "lea -8(%ebp), %esp; pop %esi; pop %ebx; pop %ebp; ret\n");
"#;

impl Compiler {
    pub fn flavour(name: &str) -> &'static Compiler {
        static ALL: [Compiler; 4] = COMPILERS;
        ALL.iter().find(|compiler| compiler.name == name).unwrap()
    }

    /// Whether it compiles here.
    pub fn is_here(&self) -> bool {
        needs::has(compiles(self.command))
    }

    /// Compiles and loads freestanding C. `name` is unique among the tests.
    pub fn load(&self, name: &str, text: &str, options: &[&str]) -> Guest {
        let image = self.image(name, text, options, |_| None);
        Guest::new(self, image.unwrap_or_else(|e| panic!("{name}: {e}")))
    }

    pub fn image(
        &self,
        name: &str,
        text: &str,
        options: &[&str],
        import: impl FnMut(&str) -> Option<u32>,
    ) -> Result<Image, cthunk::Error> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let source = folder.join(format!("gate_{name}_{}.c", self.name));
        let object = source.with_extension("o");
        std::fs::write(&source, format!("{PRELUDE}{text}")).unwrap();
        let status = Command::new(self.command[0])
            .args(&self.command[1..])
            .args(FREESTANDING)
            .args(options)
            .arg("-o")
            .args([&object, &source])
            .status()
            .unwrap();
        assert!(status.success(), "{}", source.display());
        Image::load(&std::fs::read(object).unwrap(), import)
    }
}

/// Whether a compiler makes freestanding 32-bit objects here.
pub fn compiles(command: &[&str]) -> needs::Need {
    let package = match command[0] {
        "i686-linux-gnu-gcc" => "gcc-i686-linux-gnu",
        "i686-w64-mingw32-gcc" => "gcc-mingw-w64-i686",
        program => program,
    };
    let text = format!("#include <stdarg.h>\n{PRELUDE}");
    needs::compiles(command, &FREESTANDING, &text, package)
}

/// Loaded code of one compiler.
pub struct Guest {
    pub target: Target,
    pub image: Image,
}

/// A function type with its plan.
pub struct Function {
    pub name: String,
    pub signature: Signature,
    pub convention: &'static Convention,
    pub plan: CallPlan,
}

/// A function as C declares it; variable arguments are of the types `variable`.
pub fn function(target: &Target, declaration: &str, variable: &[&str]) -> Function {
    let mut declarations = Declarations::new(target);
    let (name, ty) = declarations.parse_one(declaration.as_bytes()).unwrap();
    let variable: Vec<_> =
        variable.iter().map(|ty| declarations.parse_type(ty.as_bytes(), &[]).unwrap()).collect();
    let table = declarations.table();
    let ty = match table.get(ty.id()) {
        Type::Pointer(to) => to.id(),
        _ => ty.id(),
    };
    let (signature, convention) = Signature::of(table, target, ty, &variable).unwrap();
    let plan = abi::plan(&signature, convention).unwrap_or_else(|e| panic!("{declaration}: {e}"));
    abi::check(&signature, &plan).unwrap();
    let name = name.map_or(String::new(), |name| table.name(name).to_owned());
    Function { name, signature, convention, plan }
}

impl Guest {
    fn new(compiler: &Compiler, image: Image) -> Guest {
        Guest { target: compiler.triple.parse().unwrap(), image }
    }

    /// A function of the image's target; see [`function`].
    pub fn function(&self, declaration: &str, variable: &[&str]) -> Function {
        function(&self.target, declaration, variable)
    }

    /// The address of a function of the image, by its name in C.
    pub fn address(&self, function: &Function) -> u32 {
        let Function { name, signature, convention, .. } = function;
        let name = match self.target.triple().operating_system {
            target_lexicon::OperatingSystem::Windows => x86::decorate(name, convention, signature),
            _ => name.clone(),
        };
        self.image.symbol(&name).unwrap_or_else(|| panic!("no symbol {name}"))
    }

    /// Calls a function of the image and returns the bytes of its result. The callee pops what the plan says.
    pub fn call(&self, function: &Function, arguments: &[&[u8]]) -> Vec<u8> {
        // SAFETY: the image has this function with this declaration.
        unsafe { call(function, self.address(function), arguments) }
    }

    /// [`Guest::call`] of a declaration.
    pub fn run(&self, declaration: &str, arguments: &[&[u8]]) -> Vec<u8> {
        self.call(&self.function(declaration, &[]), arguments)
    }
}

/// Calls guest code.
///
/// # Safety
/// `target` is a function of this type.
pub unsafe fn call(function: &Function, target: u32, arguments: &[&[u8]]) -> Vec<u8> {
    let layout = &function.plan.frame;
    let shim = code::frame_call(&function.signature, function.convention).unwrap();
    let frame = Frame::new(layout.size, function.plan.stack_bytes).unwrap();
    assert_eq!(arguments.len(), layout.arguments.len(), "{}", function.name);
    // SAFETY: the Frame has the layout's size, and its slots the sizes of the values; the caller's promise.
    unsafe {
        frame.bytes().write_bytes(0xEE, layout.size as usize);
        for (bytes, &at) in arguments.iter().zip(&layout.arguments) {
            frame.bytes().add(at as usize).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        }
        let popped = frame.call(shim, target);
        assert_eq!(popped, function.plan.popped, "{}: bytes popped", function.name);
        let result = frame.bytes().add(layout.result as usize);
        std::slice::from_raw_parts(result, function.signature.result.size as usize).to_vec()
    }
}

type Body<'b> = dyn FnMut(&[&[u8]], &mut [u8]) + 'b;

/// A guest function pointer whose body is a closure: it gets the arguments and fills the result in.
pub struct Callback<'b> {
    pub callback: code::Callback,
    _data: Box<Data<'b>>,
}

struct Data<'b> {
    signature: Signature,
    plan: CallPlan,
    body: RefCell<Box<Body<'b>>>,
}

impl<'b> Callback<'b> {
    pub fn new(function: &Function, body: impl FnMut(&[&[u8]], &mut [u8]) + 'b) -> Callback<'b> {
        let (signature, plan) = (function.signature.clone(), function.plan.clone());
        let data = Box::new(Data { signature, plan, body: RefCell::new(Box::new(body)) });
        let shim = code::Body::of(&function.signature, function.convention).unwrap();
        let pointer: *const Data = &*data;
        let callback =
            code::Callback::new(function.convention, &shim, dispatch, pointer.cast(), keep, 0)
                .unwrap();
        Callback { callback, _data: data }
    }

    pub fn address(&self) -> [u8; 4] {
        u32::try_from(self.callback.address() as usize).unwrap().to_le_bytes()
    }
}

impl Drop for Callback<'_> {
    fn drop(&mut self) {
        self.callback.release();
    }
}

/// # Safety
/// - `slot` is in use, and `frame` the Frame that its shim filled in.
unsafe extern "C" fn dispatch(slot: *const Slot, frame: *mut u8) {
    // SAFETY: the callback keeps its data; the shim made the Frame, with slots of the types' sizes.
    unsafe {
        let data = &*(*slot).data.cast::<Data>();
        let layout = &data.plan.frame;
        let arguments: Vec<&[u8]> = data
            .signature
            .arguments
            .iter()
            .zip(&layout.arguments)
            .map(|(ty, &at)| std::slice::from_raw_parts(frame.add(at as usize), ty.size as usize))
            .collect();
        let result = frame.add(layout.result as usize);
        let result = std::slice::from_raw_parts_mut(result, data.signature.result.size as usize);
        // A body that is called again while it runs is another one's turn.
        let body: *mut Box<Body<'_>> = data.body.as_ptr();
        (*body)(&arguments, result);
    }
}

/// # Safety
/// - None: it reads nothing.
unsafe fn keep(_: *const c_void) {}

/// Whether 32-bit code runs here.
pub fn gate_is_open() -> bool {
    needs::has(gate::available().map_err(|error| error.to_string()))
}

pub const ONE: &[u8] = &1i32.to_le_bytes();
pub const TWO: &[u8] = &2i32.to_le_bytes();
pub const LONG: &[u8] = &0x0102_0304_0506_0708i64.to_le_bytes();

pub fn int(value: i32) -> [u8; 4] {
    value.to_le_bytes()
}

pub fn as_int(bytes: &[u8]) -> i32 {
    i32::from_le_bytes(bytes.try_into().unwrap())
}

/// Runs a test for every compiler that is here.
pub fn each(name: &str, text: &str, test: impl Fn(&Compiler, &Guest)) {
    if !gate_is_open() {
        return;
    }
    for compiler in COMPILERS.iter().filter(|compiler| compiler.is_here()) {
        test(compiler, &compiler.load(name, text, &[]));
    }
}

/// Where arguments are, and the hidden pointer of the result before them: registers by name, the stack as `s`.
pub fn places(function: &Function) -> String {
    let hidden = match &function.plan.result {
        Pass::Pointer { pointer, .. } => Some(std::slice::from_ref(pointer)),
        _ => None,
    };
    let arguments = function.plan.arguments.iter().map(|pass| match pass {
        Pass::Pieces(pieces) => &pieces[..],
        _ => &[],
    });
    let names = hidden.into_iter().chain(arguments).map(|pieces| match pieces {
        [] => "s".to_owned(),
        pieces => {
            let name = |piece: &abi::Piece| match piece.place {
                Place::Register(register) => register.name,
                Place::Stack(_) => "s",
            };
            pieces.iter().map(name).collect::<Vec<_>>().join(":")
        }
    });
    names.collect::<Vec<_>>().join(" ")
}
