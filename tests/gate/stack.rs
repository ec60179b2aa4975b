//! The stack pointer is the same after every call and every callback, whoever pops the arguments.

use super::guest::{COMPILERS, Callback, ONE, TWO, as_int, each, gate_is_open, int};

/// Callees that pop and callees that do not, compiled with frame pointers and without, and callers of callbacks alike: the stack
/// pointer after a call is measured by code of its own, and by ours after every call.
#[test]
fn the_stack_is_balanced_with_frame_pointers_and_without() {
    let kinds = [
        ("", ""),
        ("__stdcall", "STDCALL"),
        ("__fastcall", "FASTCALL"),
        ("__thiscall", "THISCALL"),
    ];
    let text: String = (0..)
        .zip(kinds)
        .map(|(i, (_, attribute))| {
            format!(
                "long long {attribute} f{i}(void *a, long long b, int c, double d) {{ return (int)a + b + c + d; }}
                int call{i}(int ({attribute} *f)(void *, long long, int, double), int n) {{
                    volatile char room[100]; int sum = 0; room[n % 100] = 1;
                    while (n--) sum += f((void *)1, 2, n, 0.5); return sum; }}\n"
            )
        })
        .collect();
    for option in ["-fomit-frame-pointer", "-fno-omit-frame-pointer"] {
        for compiler in COMPILERS.iter().filter(|compiler| gate_is_open() && compiler.is_here()) {
            let guest = compiler.load(&format!("balance{option}"), &text, &[option]);
            let words = cthunk::code::gate::memory::allocate(64).unwrap();
            let pointer = (words.as_ptr() as usize as u32).to_le_bytes();
            for (i, (keyword, _)) in kinds.iter().enumerate() {
                let what = format!("{} {option} {keyword}", compiler.name);
                let rest = "(void *a, long long b, int c, double d)";
                let function = guest.function(&format!("long long {keyword} f{i}{rest}"), &[]);
                let popped_by = "int popped_by(void *f, int n, int *words)";
                let f = guest.address(&function).to_le_bytes();
                let popped = as_int(&guest.run(popped_by, &[&f, &int(8), &pointer]));
                assert_eq!(popped, function.plan.popped as i32, "{what}");
                let arguments: [&[u8]; 4] =
                    [ONE, &(1i64 << 40).to_le_bytes(), TWO, &4f64.to_le_bytes()];
                for _ in 0..100 {
                    // The shim says how many bytes were popped; `call` compares them with the plan.
                    let sum = guest.call(&function, &arguments);
                    assert_eq!(sum, ((1i64 << 40) + 7).to_le_bytes(), "{what}");
                }
                let ty = guest.function(&format!("int {keyword} f{rest}"), &[]);
                let callback =
                    Callback::new(&ty, |arguments, result| result.copy_from_slice(arguments[2]));
                let popped =
                    as_int(&guest.run(popped_by, &[&callback.address(), &int(8), &pointer]));
                assert_eq!(popped, ty.plan.popped as i32, "{what}: callback");
                let call = format!("int call{i}(void *f, int n)");
                let sum = guest.run(&call, &[&callback.address(), &int(100)]);
                assert_eq!(as_int(&sum), 4950, "{what}");
            }
            // SAFETY: allocated above; nothing uses it any more.
            unsafe { cthunk::code::gate::memory::free(words, 64) };
        }
    }
}

/// The stack pointer before and after a callback, measured by code that pushes the words itself.
#[test]
fn callbacks_pop_what_their_convention_says() {
    let types = [
        ("int f(int, int, int)", [0, 0, 0, 0]),
        ("int __stdcall f(int, int, int)", [12; 4]),
        ("int __fastcall f(int, int, int)", [4; 4]),
        ("int __thiscall f(void *, int, int)", [8; 4]),
        ("int __fastcall f(long long, int)", [12, 12, 8, 8]),
        ("struct { int a[4]; } f(int)", [4, 0, 0, 0]),
        ("struct { int a[4]; } __stdcall f(int)", [8; 4]),
    ];
    each("popped", "", |compiler, guest| {
        let which = COMPILERS.iter().position(|c| c.name == compiler.name).unwrap();
        let popped_by = guest.function("int popped_by(void *f, int n, int *words)", &[]);
        let memory = cthunk::code::gate::memory::allocate(64).unwrap();
        let address = memory.as_ptr() as usize as u32;
        // Whatever the function takes for its hidden pointer leads to memory.
        let words = [address; 8];
        // SAFETY: 64 bytes of our own.
        unsafe { memory.cast::<[u32; 8]>().add(1).write(words) };
        for (ty, popped) in types {
            let callback = Callback::new(&guest.function(ty, &[]), |_, _| {});
            let words = (address + 32).to_le_bytes();
            let result = guest.call(&popped_by, &[&callback.address(), &int(8), &words]);
            assert_eq!(as_int(&result), popped[which], "{} {ty}", compiler.name);
        }
        // SAFETY: allocated above; nothing uses it any more.
        unsafe { cthunk::code::gate::memory::free(memory, 64) };
    });
}
