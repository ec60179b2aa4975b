// compiler: gcc -std=gnu11
// target: x86_64-unknown-linux-gnu
// Every arithmetic type, its words in any order.
#pragma GCC diagnostic ignored "-Wpragmas"
_Static_assert(sizeof(char) == 1 && sizeof(short) == 2 && sizeof(int) == 4 && sizeof(long) == 8, "");
_Static_assert(sizeof(long long) == 8 && sizeof(__int128) == 16 && sizeof(_Bool) == 1, "");
_Static_assert(sizeof(float) == 4 && sizeof(double) == 8 && sizeof(long double) == 16, "");
_Static_assert(sizeof(float _Complex) == 8 && sizeof(_Complex) == 16 && sizeof(long double _Complex) == 32, "");
_Static_assert(sizeof(_Float32) == 4 && sizeof(_Float64) == 8 && sizeof(_Float128) == 16 && sizeof(_Float64x) == 16 && sizeof(_Float32x) == 8, "");
_Static_assert(sizeof(__float128) == 16 && sizeof(__float80) == 16 && sizeof(_Float16) == 2, "");
_Static_assert(__builtin_types_compatible_p(long int long unsigned, unsigned long long), "");
_Static_assert(__builtin_types_compatible_p(short unsigned int, unsigned short), "");
_Static_assert(__builtin_types_compatible_p(signed, int), "");
_Static_assert(__builtin_types_compatible_p(int signed long, long), "");
_Static_assert(__builtin_types_compatible_p(__int128 unsigned, unsigned __int128), "");
_Static_assert(__builtin_types_compatible_p(double long, long double), "");
_Static_assert(__builtin_types_compatible_p(_Complex double, double _Complex), "");
_Static_assert(!__builtin_types_compatible_p(char, signed char) && !__builtin_types_compatible_p(char, unsigned char), "");
_Static_assert((char)-1 < 0 && (unsigned char)-1 == 255 && (signed char)200 == -56, "");
_Static_assert(_Alignof(long double) == 16 && _Alignof(double _Complex) == 8 && __alignof__(short) == 2, "");
