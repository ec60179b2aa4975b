// compiler: gcc -std=gnu11
// target: x86_64-unknown-linux-gnu
// Several declarators in one declaration, abstract declarators, pointers to everything.
int scalar, *pointer, **twice, array[3], matrix[2][5], function(void), (*to_function)(int), *(*returns_pointer)(void);
_Static_assert(sizeof scalar == 4 && sizeof pointer == 8 && sizeof twice == 8, "");
_Static_assert(sizeof array == 12 && sizeof matrix == 40 && sizeof matrix[0] == 20 && sizeof to_function == 8, "");
_Static_assert(__builtin_types_compatible_p(__typeof__(twice), int **), "");
_Static_assert(__builtin_types_compatible_p(__typeof__(function), int(void)), "");
_Static_assert(__builtin_types_compatible_p(__typeof__(to_function), int (*)(int)), "");
_Static_assert(__builtin_types_compatible_p(__typeof__(returns_pointer), int *(*)(void)), "");
int (*array_of_functions[4])(int), (*pointer_to_array)[4], (*(*function_to_function)(int))(double);
_Static_assert(sizeof array_of_functions == 32 && sizeof pointer_to_array == 8 && sizeof *pointer_to_array == 16, "");
_Static_assert(__builtin_types_compatible_p(__typeof__(array_of_functions[0]), int (*)(int)), "");
_Static_assert(__builtin_types_compatible_p(__typeof__(function_to_function(1)), int (*)(double)), "");
_Static_assert(__builtin_types_compatible_p(__typeof__(function_to_function(1)(1.5)), int), "");
void (*signal(int number, void (*handler)(int)))(int);
typedef void (*handler)(int);
handler signal(int, handler);
_Static_assert(__builtin_types_compatible_p(__typeof__(signal), handler(int, handler)), "");
int ((((parenthesised)))), (*((also))), ((f)(int));
_Static_assert(sizeof parenthesised == 4 && sizeof also == 8, "");
_Static_assert(sizeof(int (*)[3]) == 8 && sizeof(int *[3]) == 24 && sizeof(char (*(*)(void))[2]) == 8, "");
_Static_assert(sizeof(int (**)(int (*)(void), ...)) == 8, "");
typedef int row[4], function_type(int, char *);
row rows[2]; function_type declared_by_typedef, *pointer_by_typedef;
_Static_assert(sizeof rows == 32 && sizeof rows[1] == 16, "");
_Static_assert(__builtin_types_compatible_p(__typeof__(declared_by_typedef), int(int, char *)), "");
int typedef unsigned_order; long const typedef extern_order;
extern int open_array[]; extern int open_array[6];
_Static_assert(sizeof open_array == 24, "");
