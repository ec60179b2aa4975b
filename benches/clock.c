// A clock that stands still, at $CLOCK seconds: Lua seeds the hashes of its strings by the time.
//
//   gcc -O2 -fPIC -shared -o clock.so clock.c; CLOCK=1 LD_PRELOAD=./clock.so lua5.4 FILE
#include <stdlib.h>
#include <time.h>

time_t time(time_t *result) {
  const char *clock = getenv("CLOCK");
  time_t now = clock ? atol(clock) : 0;
  if (result) *result = now;
  return now;
}
