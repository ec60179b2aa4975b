struct handle;
struct other;
struct pair { int a, b; };
struct holder { int *p; int n; };

long sum(const int *p, int n) __attribute__((access(read_only, 1, 2)));
long sum_large(const int *p, long n) __attribute__((access(read_only, 1, 2)));
void fill_in(unsigned char *p, unsigned long n, int c) __attribute__((access(write_only, 1, 2)));
void copy_apart(unsigned char *restrict to, const unsigned char *restrict from, unsigned long n) __attribute__((access(write_only, 1, 3), access(read_only, 2, 3)));
void copy_text(char *restrict to, const char *restrict from, unsigned long n) __attribute__((access(write_only, 1, 3), null_terminated_string_arg(2)));
int sum_pair(struct pair p);
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

typedef long *pick(void) __attribute__((trusted(0), nullable(0)));
typedef struct handle *find(void) __attribute__((nullable(0)));
typedef const char *word(void) __attribute__((trusted(0), nullable(0)));
typedef long *bare(void);
typedef struct holder whole(void);
typedef int seen(struct handle *h);
typedef int seen_trusted(struct handle *h) __attribute__((trusted(1)));
typedef long reader(const int *p, int n) __attribute__((access(read_only, 1, 2)));
reader *get_reader(void);
typedef int shown(reader *r) __attribute__((trusted(1)));
int show_reader(shown *f);
long pick_and_read(pick *f);
int find_and_use(find *f);
unsigned long word_length(word *f);
unsigned long word_pair(word *f);
int bare_and_read(bare *f);
int show_handle(seen *f);
int show_trusted(seen_trusted *f);
int apply_whole(whole *f);
int uses(struct other *o) __attribute__((trusted(1)));

int write_after(unsigned char *p, unsigned long n, int (*f)(int)) __attribute__((access(read_write, 1, 2)));
long sum_after(const int *p, int n, int (*f)(int)) __attribute__((access(read_only, 1, 2)));
unsigned long length_after(const char *s, int (*f)(int)) __attribute__((null_terminated_string_arg(1)));

int apply_nonnull(int (*f)(int), int x) __attribute__((nonnull(1)));
int apply_nullable(int (*f)(int), int x) __attribute__((nullable(1)));
int trusted_int(int *p) __attribute__((trusted(1)));
int trusted_or_null(int *p) __attribute__((trusted(1), nullable(1)));
int text_or_null(const char *s) __attribute__((null_terminated_string_arg(1), nullable(1)));
unsigned long length16(const char16_t *s) __attribute__((null_terminated_string_arg(1)));
unsigned long length32(const char32_t *s) __attribute__((null_terminated_string_arg(1)));
unsigned long length_wide(const wchar_t *s) __attribute__((null_terminated_string_arg(1)));
struct bundle { int n; const int *p; struct handle *h; int (*f)(int); };
int take_bundle(struct bundle b) __attribute__((trusted(1)));
int take_bundle_or_null(struct bundle b) __attribute__((trusted(1), nullable(1)));

struct flexible { int n; int data[]; };
int by_value_flexible(struct flexible f);
extern struct flexible flexible_variable;

struct config { int level; const char *title; int (*hook)(int); struct handle *owner; char tag[8]; struct pair pairs[2]; };
extern struct config config;
extern const char *title;
extern int (*hook)(int);
extern struct handle *owner;
extern struct handle *owners[3];
extern struct { long before; struct { char c; struct handle *h; } in[2]; long after; } nest;
struct config *config_of(void) __attribute__((trusted(0)));
int check_config(void);

struct ticket;
struct ticket *ticket_open(void) __attribute__((acquires));
struct ticket *ticket_share(struct ticket *t) __attribute__((acquires, trusted(1)));
struct ticket *ticket_lent(void);
int ticket_get(struct ticket *t) __attribute__((trusted(1)));
int ticket_close(struct ticket *t) __attribute__((releases(1)));
int ticket_close_both(struct ticket *a, struct ticket *b) __attribute__((releases(1), releases(2)));
int ticket_close_or_null(struct ticket *t) __attribute__((releases(1), nullable(1)));
int ticket_close_after(struct ticket *t, int (*f)(int)) __attribute__((releases(1)));
extern struct ticket *ticket_held;
char *text_make(int n) __attribute__((trusted(0), acquires));
void text_free(char *text) __attribute__((releases(1)));
struct other *many(void);
