#!/usr/bin/env bash
# Builds every fuzz target with its seeds and its dictionary into $OUT.
set -euo pipefail
cargo fuzz build --release
fuzz/seed
for source in fuzz/fuzz_targets/*.rs; do
  target=$(basename "$source" .rs)
  find "${CARGO_TARGET_DIR:-fuzz/target}" -path "*/release/$target" -type f -exec cp {} "$OUT/" \;
  (cd "fuzz/seeds/$target" && zip -qr "$OUT/${target}_seed_corpus.zip" .)
done
cp fuzz/seeds/parse.dict "$OUT/"
