// Threads that call callbacks, for tests/threads.rs. Its numbers are numbers in every Lua.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef int (*callback)(int thread, int call);

struct job { callback f; int thread, calls; atomic_long sum; pthread_t id; };

static struct job jobs[64];
static int job_count;
static atomic_int finished;

static void *work(void *argument) {
    struct job *job = argument;
    for (int call = 0; call < job->calls; call++) atomic_fetch_add(&job->sum, job->f(job->thread, call));
    atomic_fetch_add(&finished, 1);
    return NULL;
}

// Starts threads that each call `f` so many times.
void start(callback f, int threads, int calls) {
    finished = 0;
    job_count = threads;
    for (int i = 0; i < threads; i++) {
        jobs[i].f = f;
        jobs[i].thread = i;
        jobs[i].calls = calls;
        jobs[i].sum = 0;
        if (pthread_create(&jobs[i].id, NULL, work, &jobs[i])) abort();
    }
}

// How many threads are done.
int done(void) { return atomic_load(&finished); }

// Waits for all threads; returns the sum of what the calls gave back.
double finish(void) {
    long total = 0;
    for (int i = 0; i < job_count; i++) {
        pthread_join(jobs[i].id, NULL);
        total += atomic_load(&jobs[i].sum);
    }
    return (double)total;
}

// Calls `f` once on another thread, and waits for it: nobody can run the Lua state meanwhile.
double call_and_wait(callback f, int x) {
    start(f, 1, 1);
    (void)x;
    return finish();
}

static callback kept;
void keep(callback f) { kept = f; }
int call_kept(int x) { return kept(x, x); }

struct pair { double a; int b; };
struct pair swap(struct pair p) { struct pair q = { p.b, (int)p.a }; return q; }
int slow_add(int a, int b) {
    for (volatile long i = 0; i < 2000000; i++) { }
    return a + b;
}
int length_later(const char *s) {
    for (volatile long i = 0; i < 2000000; i++) { }
    int n = 0;
    while (s[n]) n++;
    return n;
}
