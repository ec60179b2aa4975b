//! Callbacks from 32-bit code.

use super::guest::{Callback, as_int, each, int};

/// A callee of every convention that calls back a function of every convention.
#[test]
fn callbacks_of_every_convention() {
    let keywords = ["", "__stdcall", "__fastcall", "__thiscall"];
    let attribute = ["", "STDCALL", "FASTCALL", "THISCALL"];
    let text: String = (0..4)
        .map(|i| {
            format!(
                "double call{i}(double ({} *f)(void *, long long, float, short), int n) {{
            double s = 0; while (n--) s += f((void *)9, 1LL << 40, 1.5f, -3); return s; }}\n",
                attribute[i]
            )
        })
        .collect();
    each("callbacks", &text, |compiler, guest| {
        for (i, keyword) in keywords.iter().enumerate() {
            let ty = format!("double {keyword} f(void *, long long, float, short)");
            let mut calls = 0;
            let callback = Callback::new(&guest.function(&ty, &[]), |arguments, result| {
                calls += 1;
                let long = (1i64 << 40).to_le_bytes();
                let expected: [&[u8]; 4] =
                    [&int(9), &long, &1.5f32.to_le_bytes(), &(-3i16).to_le_bytes()];
                assert_eq!(arguments, expected);
                result.copy_from_slice(&0.25f64.to_le_bytes());
            });
            let call = format!("double call{i}(void *f, int n)");
            let sum = guest.run(&call, &[&callback.address(), &int(1000)]);
            drop(callback);
            assert_eq!(
                (sum, calls),
                (250f64.to_le_bytes().to_vec(), 1000),
                "{} {ty}",
                compiler.name
            );
        }
    });
}

#[test]
fn callbacks_nested_ten_deep() {
    let text = "int STDCALL descend(int (FASTCALL *f)(int, int), int depth) { return f(depth, depth * 10) + 1; }";
    each("nested", text, |compiler, guest| {
        let ty = guest.function("int __fastcall f(int, int)", &[]);
        let descend = guest.function("int __stdcall descend(void *f, int depth)", &[]);
        let address = std::cell::Cell::new([0; 4]);
        let callback = Callback::new(&ty, |arguments, result| {
            let depth = as_int(arguments[0]);
            assert_eq!(as_int(arguments[1]), depth * 10);
            let below = match depth {
                0 => 100,
                _ => as_int(&guest.call(&descend, &[&address.get(), &int(depth - 1)])),
            };
            result.copy_from_slice(&int(below));
        });
        address.set(callback.address());
        assert_eq!(
            as_int(&guest.call(&descend, &[&address.get(), &int(10)])),
            111,
            "{}",
            compiler.name
        );
    });
}
