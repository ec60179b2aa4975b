// compiler: g++ -x c++
// target: x86_64-unknown-linux-gnu
// extern "C", as headers have it for C++; references.
extern "C" { int inside(int); extern int variable; typedef int (*callback)(int); }
extern "C" int one(void); extern "C" { extern "C" { void nested(void); } }
int &reference(int &a, const char *&b); 
