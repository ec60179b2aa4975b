#!/usr/bin/env bash
# Builds every fuzz target with its seeds and its dictionary into $OUT.
set -euo pipefail
cargo fuzz build --release
fuzz/seed
for source in fuzz/fuzz_targets/*.rs; do
  target=$(basename "$source" .rs)
  find "${CARGO_TARGET_DIR:-fuzz/target}" -path "*/release/$target" -type f -exec cp {} "$OUT/" \;
  [ ! -d "fuzz/seeds/$target" ] || (cd "fuzz/seeds/$target" && zip -qr "$OUT/${target}_seed_corpus.zip" .)
done
cp fuzz/seeds/parse.dict "$OUT/"
# Scripts ask for all the memory there is, which is an error; freed callbacks keep their description in memory that is not searched.
for target in lua sandbox; do
  cat > "$OUT/$target.options" <<END
[libfuzzer]
malloc_limit_mb = 1000000000
[asan]
allocator_may_return_null = 1
detect_leaks = 0
END
done
