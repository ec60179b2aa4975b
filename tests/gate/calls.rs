//! Calls of functions that all compilers agree on.

use super::guest::{Compiler, LONG, ONE, TWO, as_int, each, gate_is_open, int, places};

#[test]
fn scalars_of_every_kind() {
    let text = "long long mix(signed char a, unsigned short b, _Bool c, long long d, float e, double f, long double g) {
            return a + b + c + d + (long long)(e * 2) + (long long)(f * 4) + (long long)(g * 8); }
        long double STDCALL widen(float a, double b) { return (long double)a + b; }
        float FASTCALL narrow(double a, unsigned char b) { return a + b; }
        signed char negative(void) { return -5; }
        unsigned short large(void) { return 65535; }
        _Bool truth(int a) { return a; }
        const char *text(void) { return \"guest\"; }";
    each("scalars", text, |compiler, guest| {
        let long_double = |value: f64| match compiler.name {
            "clang-msvc" => value.to_le_bytes().to_vec(),
            // 1.5 and 3.75 as x87 numbers: sign and exponent behind a significand with its leading bit.
            _ => {
                let bits = value.to_bits();
                let exponent = (bits >> 52) as u16 - 1023 + 16383;
                let mut bytes = ((bits << 11) | 1 << 63).to_le_bytes().to_vec();
                bytes.extend(exponent.to_le_bytes());
                bytes
            }
        };
        let mix = "long long mix(signed char, unsigned short, _Bool, long long, float, double, long double)";
        let arguments: [&[u8]; 7] = [
            &[0xFF],
            &[0x10, 0x27],
            &[1],
            &(1i64 << 40).to_le_bytes(),
            &1.5f32.to_le_bytes(),
            &(-2.25f64).to_le_bytes(),
            &long_double(1.5),
        ];
        let result = i64::from_le_bytes(guest.run(mix, &arguments).try_into().unwrap());
        assert_eq!(result, -1 + 10000 + 1 + (1 << 40) + 3 - 9 + 12, "{}", compiler.name);
        let widened = guest.run(
            "long double __stdcall widen(float, double)",
            &[&1.5f32.to_le_bytes(), &2.25f64.to_le_bytes()],
        );
        let expected = long_double(3.75);
        assert_eq!(widened[..expected.len()], expected, "{}", compiler.name);
        let narrow = guest.run(
            "float __fastcall narrow(double, unsigned char)",
            &[&0.5f64.to_le_bytes(), &[200]],
        );
        assert_eq!(narrow, 200.5f32.to_le_bytes());
        assert_eq!(guest.run("signed char negative(void)", &[]), [0xFB]);
        assert_eq!(guest.run("unsigned short large(void)", &[]), [0xFF; 2]);
        assert_eq!(guest.run("_Bool truth(int)", &[&int(8)]), [1]);
        let text = guest.run("const char *text(void)", &[]);
        let text = u32::from_le_bytes(text.try_into().unwrap()) as usize as *const std::ffi::c_char;
        // SAFETY: a C string of the image.
        assert_eq!(unsafe { std::ffi::CStr::from_ptr(text) }.to_bytes(), b"guest");
    });
}

#[test]
fn variable_arguments() {
    let text = "#include <stdarg.h>
        struct pair { int a, b; };
        double STDCALL sum(int n, ...) { double s = 0; va_list v; va_start(v, n);
            while (n--) { s += va_arg(v, int); s += va_arg(v, double); s += va_arg(v, long long); s += va_arg(v, struct pair).b; }
            va_end(v); return s; }";
    each("variadic", text, |compiler, guest| {
        let variable = ["int", "double", "long long", "struct { int a, b; }"].repeat(2);
        let sum = guest.function("double __stdcall sum(int n, ...)", &variable);
        assert_eq!(sum.plan.popped, 0, "the caller pops, whatever is asked");
        let group: [&[u8]; 4] = [
            &int(10),
            &0.5f64.to_le_bytes(),
            &(1i64 << 33).to_le_bytes(),
            &[0, 0, 0, 0, 7, 0, 0, 0],
        ];
        let count = int(2);
        let mut arguments: Vec<&[u8]> = vec![&count];
        arguments.extend(group.iter().chain(&group).copied());
        let result = guest.call(&sum, &arguments);
        assert_eq!(
            result,
            (2.0 * (10.0 + 0.5 + (1i64 << 33) as f64 + 7.0)).to_le_bytes(),
            "{}",
            compiler.name
        );
    });
}

#[test]
fn registers_for_arguments() {
    let text = "struct three { char c[3]; };
        __attribute__((regparm(3))) int f(long long a, struct three b, int c) { return a == 0x0102030405060708 && b.c[2] == 3 && c == 1; }
        __attribute__((regparm(3))) int g(int a, int b, long long c, int d) { return a == 1 && b == 2 && c == 0x0102030405060708 && d == 1; }
        __attribute__((regparm(2))) double h(float a, int b, double c, int d) { return a + b + c + d; }";
    if !gate_is_open() {
        return;
    }
    for compiler in ["gcc-linux", "gcc-mingw"].map(Compiler::flavour) {
        if !compiler.is_here() {
            continue;
        }
        let guest = compiler.load("regparm", text, &[]);
        let f = "__attribute__((regparm(3))) int f(long long, struct { char c[3]; }, int)";
        assert_eq!(places(&guest.function(f, &[])), "eax:edx ecx s");
        assert_eq!(as_int(&guest.run(f, &[LONG, &[1, 2, 3], ONE])), 1);
        let g = "__attribute__((regparm(3))) int g(int, int, long long, int)";
        assert_eq!(places(&guest.function(g, &[])), "eax edx s s");
        assert_eq!(as_int(&guest.run(g, &[ONE, TWO, LONG, ONE])), 1);
        let h = "__attribute__((regparm(2))) double h(float, int, double, int)";
        let result = guest.run(h, &[&1.5f32.to_le_bytes(), ONE, &0.25f64.to_le_bytes(), TWO]);
        assert_eq!(result, 4.75f64.to_le_bytes());
    }
}
