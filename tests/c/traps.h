/* What FFIs before this one got wrong; `cthunk fuzz-abi --replay` runs every function both ways. */
double f_ten_doubles(double, double, double, double, double, double, double, double, double, double);
float f_ten_floats(float, float, float, float, float, float, float, float, float, float);
double f_both_banks(double, double, double, double, double, double, double, double, double, double,
                    long long, long long, long long, long long, long long,
                    long long, long long, long long, long long, long long);
signed char f_mixed(_Bool, int, unsigned char, double, void *, float, short, signed char, long long, float,
                    unsigned short, double, int, _Bool, unsigned long long, float, signed char, double, short, int);
long long f_integers(int, ...);
void f_integers_variable(long long, long long, long long, long long, long long, long long, long long, long long);
double f_doubles(int, ...);
void f_doubles_variable(double, double, double, double, double, double, double, double, double, double, double, double);
_Bool f_alternating(int, unsigned long long, double, int, ...);
void f_alternating_variable(void *, int, unsigned long long, double, void *, int, unsigned long long, double, void *,
                            int, unsigned long long, double, void *, int, unsigned long long, double);
struct pair { double a, b; };
struct mixed { double a; int b; };
struct large { char bytes[100]; };
struct pair f_last_registers(double, double, double, double, double, double, double, struct pair, double);
struct mixed f_one_bank_left(int, int, int, int, int, int, struct mixed, double);
struct large f_hidden_pointer(int, struct large, double, struct large);
struct bits { int a : 3; unsigned b : 9; long long c : 40; };
struct bits f_bit_fields(struct bits, signed char, struct bits);
