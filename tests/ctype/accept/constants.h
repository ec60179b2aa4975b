// compiler: gcc -std=gnu11
// target: x86_64-unknown-linux-gnu
// Constant expressions in the target's arithmetic.
_Static_assert(1 + 2 * 3 - 4 / 2 % 3 == 5 && (1 + 2) * 3 == 9 && 10 - 3 - 2 == 5, "");
_Static_assert((1 << 4 | 3) == 19 && (0xff & ~0xf) == 0xf0 && (6 ^ 3) == 5 && 1 << 2 + 1 == 8, "");
_Static_assert(-7 / 2 == -3 && -7 % 2 == -1 && -8 >> 1 == -4, "");
_Static_assert(-1 < 0u == 0 && -1L < 0u && (unsigned)-1 == 4294967295u && -1 > 0ul, "");
_Static_assert(2147483647 + 1u == 2147483648u && 4294967295u + 1u == 0 && 4294967295 + 1 == 4294967296, "");
_Static_assert((1 ? 2 : 3) == 2 && (0 ? 2 : 3) == 3 && (5 ?: 6) == 5 && (1 ? 0 ? 1 : 2 : 3) == 2, "");
_Static_assert((0 && 1 / 0) == 0 && (1 || 1 / 0) == 1 && !0 && !!5 == 1, "");
_Static_assert(sizeof(1 ? 1 : 2.0) == 8 && sizeof('a') == 4 && sizeof(1L) == 8 && sizeof(1u) == 4 && sizeof(1.f) == 4, "");
_Static_assert(sizeof(2147483647) == 4 && sizeof(2147483648) == 8 && sizeof(0xffffffff) == 4 && sizeof(0x100000000) == 8, "");
_Static_assert((char)300 == 44 && (int)3.99 == 3 && (int)-3.99 == -3 && (_Bool)0.5 == 1 && (unsigned char)-1 == 255, "");
_Static_assert((long)(float)16777217 == 16777216 && (int)(1.5f * 2) == 3 && 0.1 + 0.2 != 0.3, "");
_Static_assert('a' == 97 && '\n' == 10 && '\x41' == 65 && '\101' == 65 && '\0' == 0 && '\'' == 39 && '\xff' == -1, "");
_Static_assert(L'a' == 97 && u'\u00e4' == 0xe4 && U'\U0001f600' == 0x1f600 && 'ab' == 24930 && sizeof(L'a') == 4, "");
_Static_assert(sizeof("abc") == 4 && sizeof("a" "b\n" "\x41") == 5 && sizeof(L"ab") == 12 && sizeof(u"ab") == 6 && sizeof(u8"\u00e4") == 3, "");
_Static_assert(0x10 == 16 && 010 == 8 && 0b101 == 5 && 0xAbC == 2748 && 1e3 == 1000 && 0x1.8p1 == 3 && .5 == 0.5 && 5. == 5, "");
_Static_assert(100ULL == 100 && 100llu == 100 && 100lu == 100 && 1.0L == 1 && 1e-3 < 0.01, "");
struct s { char c; struct { int a[4]; } in; };
_Static_assert(__builtin_offsetof(struct s, in.a[2]) == 12 && (long)&((struct s *)0)->in.a[1] == 8, "");
_Static_assert((char *)&((struct s *)16)->in - (char *)16 == 4 && sizeof ((struct s *)0)->in.a == 16, "");
_Static_assert(sizeof(int[3 + 1]) == 16 && sizeof(char[sizeof(int)]) == 4 && _Alignof(int[7]) == 4, "");
_Static_assert(_Generic(1.0f, double: 1, float: 2, default: 3) == 2 && _Generic("x", char *: 4, default: 5) == 4, "");
_Static_assert(__builtin_choose_expr(1, 2, 3.0) == 2 && __builtin_constant_p(3) == 1, "");
_Static_assert((__int128)1 << 100 >> 98 == 4 && (unsigned __int128)-1 > 0 && (unsigned __int128)-1 / 3 * 3 == (unsigned __int128)-1, "");
_Static_assert(__extension__ (1) == 1 && +3 == 3 && - -3 == 3 && ~0 == -1 , "");
int values[(sizeof(long) == 8) ? 3 : 5]; enum { N = 4, M = N * N }; char of_enum[M];
_Static_assert(sizeof values == 12 && sizeof of_enum == 16, "");
