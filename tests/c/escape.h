struct handle;
struct other;
struct pair { int a, b; };
struct holder { int *p; int n; };

long sum(const int *p, int n) __attribute__((access(read_only, 1, 2)));
long sum_large(const int *p, long n) __attribute__((access(read_only, 1, 2)));
void fill_in(unsigned char *p, unsigned long n, int c) __attribute__((access(write_only, 1, 2)));
void copy_apart(unsigned char *restrict to, const unsigned char *restrict from, unsigned long n) __attribute__((access(write_only, 1, 3), access(read_only, 2, 3)));
void copy_text(char *restrict to, const char *restrict from, unsigned long n) __attribute__((access(write_only, 1, 3), null_terminated_string_arg(2)));
int same(const unsigned char *restrict a, const unsigned char *b) __attribute__((access(read_only, 1), access(read_only, 2)));
int first4(const int p[static 4]);
int must(const int *p) __attribute__((nonnull(1), access(read_only, 1)));
unsigned long text_length(const char *s) __attribute__((null_terminated_string_arg(1)));
int uncontracted(int *p);
int nonnull_only(int *p) __attribute__((nonnull(1)));
int by_value(struct holder h);
int through(struct holder *h) __attribute__((access(read_only, 1)));
int pointers(int **p, int n) __attribute__((access(read_only, 1, 2)));
int anything(void *p);
const int *last(const int *p, int n) __attribute__((access(read_only, 1, 2)));

struct handle *handle_open(void);
struct other *other_open(void);
int handle_get(struct handle *h) __attribute__((trusted(1)));
const char *name(void);
const char *trusted_name(int which) __attribute__((trusted(0)));
const struct pair *trusted_pair(void) __attribute__((trusted(0)));
struct pair *trusted_writable(void) __attribute__((trusted(0)));
int formatted(const char *format, ...) __attribute__((null_terminated_string_arg(1)));

int twice(int x);
int apply(int (*f)(int), int x);
void keep(int (*f)(int));
int call_kept(int x);
int with_buffer(int (*f)(const int *, int));

extern int table_of_four[4];
extern const int constant;
extern const int constants[2];
