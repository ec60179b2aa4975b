//! Object files as they are loaded: sections, relocations, imports.

use super::guest::{COMPILERS, Callback, Guest, as_int, gate_is_open, int};

#[test]
fn images_are_relocated_and_imports_resolved_or_named() {
    if !gate_is_open() {
        return;
    }
    let text = "extern int outside(int);
        static int table[3] = {1, 2, 3}; int *pointer = &table[1]; int zeros[100]; const char *const names[] = {\"a\", \"bc\"};
        static int twice(int x) { return x * 2; } int (*function)(int) = twice;
        int use(int x) { zeros[x] += 1; return function(*pointer) + outside(x) + names[1][1] + zeros[x]; }";
    for compiler in COMPILERS.iter().filter(|compiler| compiler.is_here()) {
        let target: cthunk::Target = compiler.triple.parse().unwrap();
        let empty = compiler.load("nothing", "", &[]);
        let callback =
            Callback::new(&empty.function("int outside(int)", &[]), |arguments, result| {
                result.copy_from_slice(&int(as_int(arguments[0]) * 1000));
            });
        let mut asked = Vec::new();
        let image = compiler.image("imports", text, &[], |name| {
            asked.push(name.to_owned());
            name.ends_with("outside").then(|| u32::from_le_bytes(callback.address()))
        });
        let guest = Guest { target, image: image.unwrap() };
        assert!(asked.iter().all(|name| name.trim_start_matches('_') == "outside"), "{asked:?}");
        assert_eq!(as_int(&guest.run("int use(int)", &[&int(5)])), 4 + 5000 + i32::from(b'c') + 1);
        let error = compiler.image("imports", text, &[], |_| None).unwrap_err().to_string();
        assert!(error.contains("undefined symbol '") && error.contains("outside'"), "{error}");
    }
    let error = cthunk::code::gate::image::Image::load(b"no object", |_| None).unwrap_err();
    assert!(error.to_string().starts_with("cannot load the object file: "), "{error}");
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let error = cthunk::code::gate::image::Image::load(&own, |_| None).unwrap_err();
    assert!(error.to_string().contains("not for i386"), "{error}");
}
