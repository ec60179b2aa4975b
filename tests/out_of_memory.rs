//! Where Lua's memory ends. Callbacks: each step is done or is an error, and with more memory everything works again. What a
//! script's number asks for: an error that names it, though the allocator of mlua ends the process where it has no memory.

use mlua::{Function, Lua};

/// Makes a callback and has C sort with another one, which was not called before. The outcomes are in `outcomes`; both functions
/// return whether all is right now.
const SCRIPT: &str = r#"
    local ffi = require "ffi"
    ffi.cdef "void qsort(void *, size_t, size_t, int (*)(const int *, const int *)); int abs(int);"
    local sort, unary, compare_type = ffi.C.qsort, ffi.typeof "int (*)(int)", ffi.typeof "int (*)(const int *, const int *)"
    local array, cast, pcall = ffi.new "int[40]", ffi.cast, pcall
    local compare = cast(compare_type, function(p, q) return p[0] - q[0] end)
    local function next_one(x) return x + 1 end
    outcomes = { made = false, sorted = false, error = false }
    local outcomes = outcomes

    local function make()
      local callback = cast(unary, next_one)
      local right = callback(1) == 2
      callback:free()
      return right
    end
    local function sorted()
      for i = 1, 39 do if array[i - 1] > array[i] then return false end end
      return true
    end
    local function run()
      for i = 0, 39 do array[i] = i * 7 % 40 end
      local _, error
      outcomes.made, error = pcall(make)
      outcomes.error = error
      outcomes.sorted, error = pcall(sort, array, 40, 4, compare)
      if not outcomes.sorted then outcomes.error = error end
    end
    local function all_right()
      run()
      return outcomes.made and outcomes.sorted and make() and sorted()
    end
    return run, all_right
"#;

#[test]
fn sizes_from_scripts_are_asked_for_first() {
    // SAFETY: the script reads no memory that it does not have.
    let lua = unsafe {
        let lua = Lua::new();
        cthunk::lua::preload(&lua).expect("preloads");
        lua
    };
    lua.load(
        r#"
        local ffi = require "ffi"
        ffi.cdef "struct oom_huge { char bytes[1LL << 44]; }; struct oom_tail { int n; int a[?]; };"
        local four, text = ffi.new "char[4]", ffi.cast("const char *", "text")
        local function fails(what, ...)
          local ok, message = pcall(...)
          assert(not ok and message:find(what, 1, true), message)
        end
        for _ = 1, 3 do -- on the fast path, too
          ffi.string(four, 4) ffi.string(text, 4)
          fails("not enough memory for a string of 17592186044416 bytes", ffi.string, four, 2^44)
          fails("not enough memory for a string of 17592186044416 bytes", ffi.string, text, 2^44)
          fails("not enough memory for a string of 17592186044416 bytes", ffi.string, text, 1 << 44)
          fails("not enough memory for a value of 17592186044416 bytes", ffi.new, "char[?]", 1 << 44)
          fails("not enough memory for a value of 4398046511104 bytes", ffi.new, "char[1LL << 42]")
          fails("not enough memory for a value of 17592186044416 bytes", ffi.new, "struct oom_huge")
          fails("not enough memory for a value of 17592186044416 bytes", ffi.typeof "struct oom_huge")
          fails("not enough memory for a value of 17592186044420 bytes", ffi.new, "struct oom_tail", 1 << 42)
          fails("unknown or too large", ffi.new, "int[?]", 1 << 62)
          fails("larger than the address space", ffi.typeof, "int[$][$]", 1 << 40, 1 << 40)
        end
        "#,
    )
    .exec()
    .expect("errors that can be caught");
}

#[test]
fn callbacks_without_memory_are_errors() {
    let (mut failed, mut succeeded) = (0, 0);
    for extra in (0..16_384).step_by(128) {
        // SAFETY: the script uses the C library as it is declared.
        let lua = unsafe {
            let lua = Lua::unsafe_new();
            cthunk::lua::preload(&lua).expect("preloads");
            lua
        };
        let (run, all_right): (Function, Function) = lua.load(SCRIPT).eval().expect("loads");
        lua.gc_collect().expect("collects");
        lua.gc_stop();
        lua.set_memory_limit(lua.used_memory() + extra).expect("mlua's own allocator");
        run.call::<()>(()).expect("the script catches errors");
        lua.set_memory_limit(0).expect("mlua's own allocator");
        let outcome = |name: &str| {
            let value: mlua::Value = lua.load(format!("return outcomes.{name}")).eval().unwrap();
            value
        };
        match outcome("made") == mlua::Value::Boolean(true)
            && outcome("sorted") == mlua::Value::Boolean(true)
        {
            true => succeeded += 1,
            false => {
                failed += 1;
                let error = outcome("error").to_string().expect("a text");
                // Lua says "stack overflow" also where it has no memory for a larger stack.
                let known = ["not enough memory", "stack overflow"];
                assert!(known.iter().any(|text| error.contains(text)), "{extra} bytes: {error}");
            }
        }
        lua.gc_restart();
        for _ in 0..3 {
            assert!(all_right.call::<bool>(()).expect("runs"), "after {extra} bytes");
        }
    }
    println!("{failed} of {} limits were too low", failed + succeeded);
    assert!(failed > 5 && succeeded > 5, "{failed} limits were too low, {succeeded} enough");
}
