// compiler: gcc -std=gnu11 -fpreprocessed
// target: x86_64-unknown-linux-gnu
// Output of a preprocessor without -P: line marks, also inside declarations, and pragmas.
# 1 "a.c"
# 1 "/usr/include/header.h" 1 3 4
struct s {
# 12 "/usr/include/header.h" 3 4
  int a;
# 1 "other.h" 1
  int b;
# 14 "/usr/include/header.h" 2
};
#pragma GCC visibility push(default)
int f(int a,
# 20 "/usr/include/header.h"
      int b);
#pragma GCC visibility pop
#pragma once
_Static_assert(sizeof(struct s) == 8, "");
