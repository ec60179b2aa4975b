/* C that ends the process after it has called a callback. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

void call_and_end(int (*callback)(int), int how) {
  callback(1);
  callback(2);
  switch (how) {
  case 0: abort();
  case 1: exit(3);
  case 2: *(volatile int *)8 = 1; break;
  case 3: raise(SIGABRT); break;
  case 4: break;
  case 5: _exit(4);
  }
}
