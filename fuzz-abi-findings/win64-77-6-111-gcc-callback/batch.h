enum word { WORD_A, WORD_B = 5 };
typedef float vector8 __attribute__((vector_size(8)));
typedef short vector8i __attribute__((vector_size(8)));
typedef double vector16 __attribute__((vector_size(16)));
typedef int vector16i __attribute__((vector_size(16)));
typedef double vector32 __attribute__((vector_size(32)));
struct t0 { int : 1; };
double _Complex f0(int, int, int, struct t0, int);
