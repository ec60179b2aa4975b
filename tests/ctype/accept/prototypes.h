// compiler: gcc -std=gnu11
// target: x86_64-unknown-linux-gnu
// Parameters: arrays and functions are pointers, names shadow types, lengths of other parameters.
int array_parameter(int a[10], int b[], int c[restrict static 3], int d[const *], int e[volatile 2][3]);
_Static_assert(__builtin_types_compatible_p(__typeof__(array_parameter), int(int *, int *, int *, int *, int (*)[3])), "");
int function_parameter(int f(int), int (g)(void), int (*h)[2]);
_Static_assert(__builtin_types_compatible_p(__typeof__(function_parameter), int(int (*)(int), int (*)(void), int (*)[2])), "");
void variable_length(int n, int m, double a[n][m], double b[n * m], int (*c)[*]); void void_only(void); void anything(); void variadic(int, ...);
_Static_assert(__builtin_types_compatible_p(__typeof__(void_only), void(void)), "");
void qualified(const int a, volatile int b, register int c);
_Static_assert(__builtin_types_compatible_p(__typeof__(qualified), void(int, int, int)), "");
typedef int T; void shadow(int T), unshadowed(T); void parenthesised_type(int (T)); void both(const T, unsigned T);
_Static_assert(__builtin_types_compatible_p(__typeof__(shadow), void(int)), "");
_Static_assert(__builtin_types_compatible_p(__typeof__(parenthesised_type), void(int (*)(T))), "");
struct T { int T; T other; }; struct T T_value; enum T_enum { T_first = sizeof(T) };
_Static_assert(sizeof(struct T) == 8 && T_first == 4, "");
void nested(int (*callback)(void *context, int (*inner)(int)), void *context);
void takes_struct(struct only_here *p, union also_here { int a; } *q);
int qsort_like(void *base, unsigned long n, unsigned long size, int (*compare)(const void *, const void *));
