/* wsload.c - a small, neutral WebSocket load generator for Linux (epoll, libc only).
 *
 *   gcc -O2 -march=native -Wall -o wsload wsload.c
 *   ./wsload --help
 *
 * One process drives many client connections from one core and prints ONE JSON object on stdout.
 * It never leaves the loopback range (127.0.0.0/8), and every mode is bounded in time and count.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define MAXPROC 32
#define MAXSTEPS 64
#define RBUF (256 * 1024)

static uint64_t mono_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}
static uint64_t real_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000ull + (uint64_t)t.tv_nsec / 1000;
}
static void die(const char *f, ...) {
    va_list a;
    va_start(a, f);
    fprintf(stderr, "wsload: ");
    vfprintf(stderr, f, a);
    fprintf(stderr, "\n");
    va_end(a);
    exit(2);
}
static void *xmalloc(size_t n) {
    void *p = malloc(n ? n : 1);
    if (!p) die("out of memory");
    return p;
}
static void *xrealloc(void *q, size_t n) {
    void *p = realloc(q, n ? n : 1);
    if (!p) die("out of memory");
    return p;
}

/* ---------------------------------------------------------------- histogram (log-linear, 1.6 %) */
#define HSHIFT 34
typedef struct {
    uint64_t n, sum, max, min;
    uint64_t c[64 + HSHIFT * 64];
} Hist;
static inline void h_add(Hist *h, uint64_t v) {
    unsigned idx;
    if (v < 64) idx = (unsigned)v;
    else {
        unsigned s = 63u - (unsigned)__builtin_clzll(v) - 6u;
        if (s >= HSHIFT) { s = HSHIFT - 1; idx = 64 + s * 64 + 63; }
        else idx = 64 + s * 64 + (unsigned)((v >> s) - 64);
    }
    h->c[idx]++;
    if (!h->n || v < h->min) h->min = v;
    if (v > h->max) h->max = v;
    h->n++;
    h->sum += v;
}
static uint64_t h_q(const Hist *h, double q) {
    if (!h->n) return 0;
    uint64_t want = (uint64_t)(q * (double)h->n + 0.9999999), got = 0;
    if (want < 1) want = 1;
    for (unsigned i = 0; i < 64 + HSHIFT * 64; i++) {
        got += h->c[i];
        if (got >= want) {
            uint64_t v = i < 64 ? i : (((uint64_t)((i - 64) % 64 + 64 + 1)) << ((i - 64) / 64)) - 1;
            return v > h->max ? h->max : v;
        }
    }
    return h->max;
}
static void h_merge(Hist *a, const Hist *b) {
    if (!b->n) return;
    if (!a->n || b->min < a->min) a->min = b->min;
    if (b->max > a->max) a->max = b->max;
    a->n += b->n;
    a->sum += b->sum;
    for (unsigned i = 0; i < 64 + HSHIFT * 64; i++) a->c[i] += b->c[i];
}

/* ---------------------------------------------------------------- counters shared between processes */
typedef struct {
    uint64_t tries, upgraded, ready, e_connect, e_http, e_accept, e_timeout, e_early, e_proto;
    uint64_t lost, closed;
    uint64_t msgs, frames, bytes, wire, text, bin, cont, ping, pong, closef, rsv1, maxframe;
    uint64_t deliv, stamped, badstamp;
    uint64_t pub, pubbytes, acks, pubmiss, pubblocked, resync;
    uint64_t reqs, reqdone, reqmiss, badreply;
    uint64_t churned;
    uint64_t autorep;
} Ctr;
#define NCODE 48
typedef struct {
    Ctr c;      /* live                              */
    Ctr w0, w1; /* at the window's start and its end */
    Hist lat, req, ack, upg, rdy;
    int code[NCODE];
    uint64_t ncode[NCODE];
    int http[NCODE];
    uint64_t nhttp[NCODE];
    int eno[NCODE];
    uint64_t neno[NCODE];
    uint64_t cpu_win_ns, cpu_all_ns, lag_max_us;
    _Atomic uint64_t live_deliv;
    _Atomic int arrived, finished;
    uint64_t t_lastdone;
} Stat;
#define MAXPROBE 8
typedef struct { _Atomic uint64_t stolen_ns, gaps, max_ns, ticks; } Probe;
typedef struct {
    _Atomic uint64_t t0; /* measuring starts (ns, monotonic); 0 = not yet */
    _Atomic int stop;
    Probe probe[MAXPROBE];
    Stat s[MAXPROC];
} Shared;
static Shared *SH;
static Stat *S;
static int procs = 1, me = 0;

static void bump(int *k, uint64_t *n, int v) {
    for (int i = 0; i < NCODE; i++) {
        if (n[i] && k[i] == v) { n[i]++; return; }
        if (!n[i]) { k[i] = v; n[i] = 1; return; }
    }
}

/* ---------------------------------------------------------------- options and templates */
enum { M_IDLE, M_RECEIVE, M_REQUEST, M_PUBLISH, M_CHURN };
static const char *MODE[] = {"idle", "receive", "request", "publish", "churn"};
enum { MM_FRAME, MM_LINES, MM_STAMPS };

typedef struct { char kind; int arg; char *s; size_t n; } Seg;
typedef struct { Seg *v; int n; bool has_t; } Tmpl;
typedef struct { bool expect; Tmpl t; char *sub; size_t subn; int count; } Step;

static struct {
    const char *host, *path, *protocol, *label, *pub_path, *pub_host, *pub_http, *churn_close;
    int port, pub_port, conns, mode, inflight, group, publishers, pipeline, max_requests, src, cpu, msgmode, fanout;
    int pub_window, pub_inflight, max_conn_msgs, opcode, verbose, occurrences;
    double rate, time, warmup, settle, drain, conn_timeout, pub_rate, req_rate;
    bool pub_also, pub_nohello, stamp_sched, mask_zero, noclose, close_rst, no_scan, no_nodelay;
    int rcvbuf;
} O = {.host = "127.0.0.1", .path = "/", .port = 0, .conns = 1, .mode = M_IDLE, .inflight = 128, .group = 1,
       .publishers = 0, .pipeline = 1, .time = 5, .warmup = 1, .settle = 0.3, .drain = 3, .conn_timeout = 60,
       .cpu = -1, .opcode = 1, .pub_inflight = 0};
static Step steps[MAXSTEPS], psteps[MAXSTEPS];
static int nsteps, npsteps;
static Tmpl T_path, T_ppath, T_req, T_pub, T_hdr, T_phdr;
static char **hdrlines; static int nhdr;
static char **varlines; static int nvar;
static char *reply_sub; static int reply_count = 1;
static char *stampkey = "\"t\":"; static size_t stampn = 4;
static char *ar_a[16], *ar_b[16]; static int nar;
static int spids[64], nspid;

static char *unesc(const char *s, size_t *outn) {
    size_t n = strlen(s), j = 0;
    char *o = xmalloc(n + 1);
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\\' && i + 1 < n) {
            char e = s[++i];
            if (e == 'n') o[j++] = '\n';
            else if (e == 'r') o[j++] = '\r';
            else if (e == 't') o[j++] = '\t';
            else if (e == '0') o[j++] = 0;
            else if (e == '\\') o[j++] = '\\';
            else if (e == 'x' && i + 2 < n && isxdigit((unsigned char)s[i + 1]) && isxdigit((unsigned char)s[i + 2])) {
                char h[3] = {s[i + 1], s[i + 2], 0};
                o[j++] = (char)strtol(h, 0, 16);
                i += 2;
            } else { o[j++] = '\\'; o[j++] = e; }
        } else o[j++] = s[i];
    }
    o[j] = 0;
    if (outn) *outn = j;
    return o;
}
/* {i} connection, {n} or {n:8} sequence from 0, {s} from 1, {t} microseconds, {g} group, {m} index inside the group,
 * {v} this connection's line of --vars-file, {v1} {v2}.. its tab-separated fields, {x:120} filler */
static Tmpl compile(const char *src) {
    Tmpl T = {0};
    size_t n;
    char *s = unesc(src, &n);
    T.v = xmalloc(sizeof(Seg) * (n + 2));
    size_t lit = 0;
    for (size_t i = 0; i < n;) {
        if (s[i] == '{') {
            size_t j = i + 1;
            char k = j < n ? s[j] : 0;
            int arg = 0;
            bool ok = false;
            if (k && strchr("instgmvx", k)) {
                j++;
                if (k == 'v') while (j < n && isdigit((unsigned char)s[j])) arg = arg * 10 + (s[j++] - '0');
                else if (j < n && s[j] == ':') { j++; while (j < n && isdigit((unsigned char)s[j])) arg = arg * 10 + (s[j++] - '0'); }
                ok = j < n && s[j] == '}';
            }
            if (ok) {
                if (i > lit) T.v[T.n++] = (Seg){'L', 0, s + lit, i - lit};
                T.v[T.n++] = (Seg){k, arg, 0, 0};
                if (k == 't') T.has_t = true;
                i = lit = j + 1;
                continue;
            }
        }
        i++;
    }
    if (n > lit || !T.n) T.v[T.n++] = (Seg){'L', 0, s + lit, n - lit};
    return T;
}
static char *tb; static size_t tbn, tbcap; /* scratch buffer for rendered templates */
static void tb_put(const char *s, size_t n) {
    if (tbn + n + 32 > tbcap) { tbcap = (tbn + n + 32) * 2; tb = xrealloc(tb, tbcap); }
    memcpy(tb + tbn, s, n);
    tbn += n;
}
static void render(const Tmpl *T, uint32_t id, uint64_t seq, uint64_t t, uint32_t g) {
    char b[48];
    for (int k = 0; k < T->n; k++) {
        const Seg *e = &T->v[k];
        switch (e->kind) {
        case 'L': tb_put(e->s, e->n); break;
        case 'i': tb_put(b, (size_t)snprintf(b, sizeof b, "%0*u", e->arg, id)); break;
        case 'n': tb_put(b, (size_t)snprintf(b, sizeof b, "%0*" PRIu64, e->arg, seq)); break;
        case 's': tb_put(b, (size_t)snprintf(b, sizeof b, "%0*" PRIu64, e->arg, seq + 1)); break;
        case 't': tb_put(b, (size_t)snprintf(b, sizeof b, "%016" PRIu64, t)); break;
        case 'g': tb_put(b, (size_t)snprintf(b, sizeof b, "%u", g)); break;
        case 'm': tb_put(b, (size_t)snprintf(b, sizeof b, "%u", id / (uint32_t)O.group)); break;
        case 'x': for (int q = 0; q < e->arg; q++) tb_put("x", 1); break;
        case 'v': {
            if (!nvar) break;
            const char *l = varlines[id % (uint32_t)nvar];
            if (!e->arg) { tb_put(l, strlen(l)); break; }
            for (int f = 1; f < e->arg && l; f++) { l = strchr(l, '\t'); if (l) l++; }
            if (l) tb_put(l, strcspn(l, "\t"));
        } break;
        }
    }
}
static char **readlines(const char *fn, int *n) {
    FILE *f = fopen(fn, "r");
    if (!f) die("cannot open %s: %s", fn, strerror(errno));
    char **v = 0, *l = 0;
    size_t cap = 0;
    ssize_t k;
    int c = 0, m = 0;
    while ((k = getline(&l, &cap, f)) >= 0) {
        while (k > 0 && (l[k - 1] == '\n' || l[k - 1] == '\r')) l[--k] = 0;
        if (!k) continue;
        if (c == m) { m = m ? m * 2 : 64; v = xrealloc(v, sizeof(char *) * (size_t)m); }
        v[c++] = strdup(l);
    }
    free(l);
    fclose(f);
    if (!c) die("%s is empty", fn);
    *n = c;
    return v;
}

/* ---------------------------------------------------------------- connections */
enum { C_NONE, C_CONNECT, C_UPGRADE, C_STEPS, C_READY, C_CLOSING, C_DEAD };
typedef struct {
    int fd;
    uint32_t id, gen;
    uint8_t state, pub, wantout, http, fragop, fragmatch, sentclose, failed;
    uint16_t step, stepcnt;
    uint32_t group, replies, nreq, outstanding;
    uint64_t seq, t_start;
    char *in; uint32_t inn, incap;
    char *out; uint32_t outn, outoff, outcap;
    uint64_t *ring; uint32_t rh, rt; /* send times of outstanding requests, oldest first */
    int64_t skip; /* HTTP publisher: body bytes still to skip; -1 chunked */
} Conn;
static Conn *C;
static uint32_t nC, baseC; /* this process's connections, first global id */
static int ep;
static char *R;
static uint32_t next_connect, n_pending, n_ready, n_alive, n_fail;
static uint64_t t_connect0, t_epoch;
static bool started, measuring, stopping, connecting;
static uint32_t rng = 0x9e3779b9;
static uint64_t pub_base, pub_sent_total, pub_t0, pub_lastprog, pub_lastdeliv;
static uint32_t pub_rr;
static uint32_t *idleq, idleh, idlet, idlen; /* paced requests: connections waiting for their turn */
static uint64_t req_t0, req_issued;
static uint32_t req_live; /* connections with requests still to do */
static uint32_t *startq, startn, startpos;

static void conn_begin(Conn *c);
static void conn_ready(Conn *c);
static void request_next(Conn *c);
static uint32_t ringcap = 1;

static inline uint32_t rnd(void) { rng ^= rng << 13; rng ^= rng >> 17; rng ^= rng << 5; return rng; }
static void ep_mod(Conn *c, bool out) {
    struct epoll_event e = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.u64 = ((uint64_t)c->gen << 32) | (uint32_t)(c - C)};
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
    c->wantout = out;
}
static void conn_free(Conn *c) {
    if (c->fd >= 0) {
        close(c->fd);
        c->fd = -1;
    }
    free(c->in); c->in = 0; c->inn = c->incap = 0;
    free(c->out); c->out = 0; c->outn = c->outoff = c->outcap = 0;
    c->gen++;
}
static void conn_dead(Conn *c) { /* the socket is finished, whatever the reason */
    uint8_t st = c->state;
    if (st == C_DEAD || st == C_NONE) return;
    conn_free(c);
    c->state = C_DEAD;
    n_alive--;
    if (st == C_CONNECT || st == C_UPGRADE || st == C_STEPS) { n_pending--; n_fail++; c->failed = 1; }
    else if (st == C_READY) {
        n_ready--;
        if (O.mode == M_REQUEST && req_live && started) req_live--;
        if (!stopping) S->c.lost++;
    } else if (st == C_CLOSING) S->c.closed++;
    if (O.mode == M_CHURN && !stopping) {
        if (st == C_CLOSING) S->c.churned++;
        c->state = C_NONE;
        startq[(startpos + startn++) % nC] = (uint32_t)(c - C);
    }
}
static void conn_fail(Conn *c, uint64_t *ctr) { if (ctr) (*ctr)++; conn_dead(c); }

static void out_put(Conn *c, const void *p, size_t n) {
    if (c->outoff && c->outoff == c->outn) c->outoff = c->outn = 0;
    if (c->outn + n > c->outcap) {
        c->outcap = (uint32_t)((c->outn + n) * 2 + 256);
        c->out = xrealloc(c->out, c->outcap);
    }
    memcpy(c->out + c->outn, p, n);
    c->outn += (uint32_t)n;
}
static void conn_flush(Conn *c) {
    while (c->outoff < c->outn) {
        ssize_t k = send(c->fd, c->out + c->outoff, c->outn - c->outoff, MSG_NOSIGNAL);
        if (k < 0) {
            if (errno == EAGAIN) { if (!c->wantout) ep_mod(c, true); return; }
            if (errno == EINTR) continue;
            bump(S->eno, S->neno, errno);
            conn_fail(c, c->state == C_READY ? 0 : &S->c.e_early);
            return;
        }
        c->outoff += (uint32_t)k;
    }
    if (c->outn > 65536) { free(c->out); c->out = 0; c->outcap = 0; }
    c->outn = c->outoff = 0;
    if (c->wantout) ep_mod(c, false);
}
static void put_frame(Conn *c, int opcode, const char *p, size_t n) {
    uint8_t h[14];
    int hn = 2;
    h[0] = (uint8_t)(0x80 | opcode);
    if (n < 126) h[1] = (uint8_t)(0x80 | n);
    else if (n < 65536) { h[1] = 0x80 | 126; h[2] = (uint8_t)(n >> 8); h[3] = (uint8_t)n; hn = 4; }
    else { h[1] = 0x80 | 127; for (int i = 0; i < 8; i++) h[2 + i] = (uint8_t)((uint64_t)n >> (56 - 8 * i)); hn = 10; }
    uint32_t m = O.mask_zero ? 0 : rnd();
    memcpy(h + hn, &m, 4);
    out_put(c, h, (size_t)hn + 4);
    uint32_t at = c->outn;
    out_put(c, p, n);
    if (m) {
        uint8_t *q = (uint8_t *)c->out + at;
        uint64_t mm = ((uint64_t)m << 32) | m;
        size_t i = 0;
        for (; i + 8 <= n; i += 8) { uint64_t v; memcpy(&v, q + i, 8); v ^= mm; memcpy(q + i, &v, 8); }
        const uint8_t *mb = (const uint8_t *)&m;
        for (; i < n; i++) q[i] ^= mb[i & 3];
    }
}
static void send_frame(Conn *c, int opcode, const char *p, size_t n) { put_frame(c, opcode, p, n); conn_flush(c); }

static void send_close(Conn *c) {
    if (c->sentclose) return;
    c->sentclose = 1;
    uint8_t b[2] = {1000 >> 8, 1000 & 255};
    send_frame(c, 8, (char *)b, 2);
}
static void advance(Conn *c) { /* run the hello/expect steps */
    Step *s = c->pub && npsteps ? psteps : steps;
    int n = c->pub && npsteps ? npsteps : (c->pub && O.pub_nohello) ? 0 : nsteps;
    bool put = false;
    while (c->step < n && !s[c->step].expect) {
        tbn = 0;
        render(&s[c->step].t, c->id, c->step, real_us(), c->group);
        put_frame(c, O.opcode, tb, tbn);
        put = true;
        c->step++;
        c->stepcnt = 0;
    }
    if (put) conn_flush(c);
    if (c->state == C_DEAD || c->state == C_NONE) return;
    if (c->step >= n) conn_ready(c);
}
static void conn_ready(Conn *c) {
    c->state = C_READY;
    n_pending--;
    n_ready++;
    S->c.ready++;
    h_add(&S->rdy, (mono_ns() - c->t_start) / 1000);
    if (O.mode == M_CHURN) {
        c->state = C_CLOSING;
        n_ready--;
        if (O.close_rst) {
            struct linger l = {1, 0};
            setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
            conn_dead(c);
        } else if (c->http) conn_dead(c);
        else send_close(c);
    }
}

/* one request: start its clock and send it */
static void request_next(Conn *c) {
    if (O.max_requests && c->nreq >= (uint32_t)O.max_requests) return;
    tbn = 0;
    render(&T_req, c->id, c->seq++, real_us(), c->group);
    c->nreq++;
    c->ring[c->rt++ % ringcap] = mono_ns();
    c->outstanding++;
    S->c.reqs++;
    put_frame(c, O.opcode, tb, tbn);
}
static inline bool has(const char *p, size_t n, const char *s, size_t sn) { return sn <= n && memmem(p, n, s, sn) != 0; }
static uint64_t count_occ(const char *p, size_t n, const char *s, size_t sn) {
    uint64_t k = 0;
    const char *e = p + n, *q;
    while ((q = memmem(p, (size_t)(e - p), s, sn))) { k++; p = q + sn; }
    return k;
}
static uint64_t now_rt; /* refreshed once per read() */
static inline uint64_t scan_stamps(const char *p, size_t n, bool all) {
    const char *e = p + n, *q;
    uint64_t k = 0;
    while ((q = memmem(p, (size_t)(e - p), stampkey, stampn))) {
        q += stampn;
        while (q < e && (*q == '"' || *q == '\\' || *q == ' ' || *q == ':')) q++;
        uint64_t v = 0;
        const char *d0 = q;
        while (q < e && (unsigned)(*q - '0') < 10) v = v * 10 + (uint64_t)(*q++ - '0');
        if (q > d0 && v) {
            k++;
            if (measuring) {
                int64_t d = (int64_t)(now_rt - v);
                if (d < -1000 || d > 600000000ll) S->c.badstamp++;
                else { h_add(&S->lat, d < 0 ? 0 : (uint64_t)d); S->c.stamped++; }
            }
        }
        p = q;
        if (!all) break;
    }
    return k;
}
static void on_ack(Conn *c) {
    S->c.acks++;
    if (c->outstanding) {
        c->outstanding--;
        uint64_t t = c->ring[c->rh++ % ringcap];
        if (measuring) h_add(&S->ack, (mono_ns() - t) / 1000);
    }
}
static void on_frame(Conn *c, int b0, char *p, size_t n) {
    int op = b0 & 15;
    bool fin = b0 & 0x80;
    Ctr *k = &S->c;
    k->frames++;
    k->bytes += n;
    if (n > k->maxframe) k->maxframe = n;
    if (unlikely(b0 & 0x40)) k->rsv1++;
    if (unlikely(op >= 8)) {
        if (op == 9) { k->ping++; send_frame(c, 10, p, n > 125 ? 125 : n); }
        else if (op == 10) k->pong++;
        else if (op == 8) {
            k->closef++;
            bump(S->code, S->ncode, n >= 2 ? ((uint8_t)p[0] << 8 | (uint8_t)p[1]) : 1005);
            if (c->state == C_STEPS) k->e_early++;
            if (!c->sentclose) { c->sentclose = 1; send_frame(c, 8, p, n >= 2 ? 2 : 0); }
            if (c->state == C_READY || c->state == C_STEPS || c->state == C_CLOSING) conn_dead(c);
        } else k->e_proto++;
        return;
    }
    if (op == 1) k->text++;
    else if (op == 2) k->bin++;
    else k->cont++;
    uint64_t m = fin ? 1 : 0;
    for (int a = 0; a < nar; a++) {
        size_t an = strlen(ar_a[a]);
        if (n >= an && n <= an + 2 && !memcmp(p, ar_a[a], an)) { k->autorep++; send_frame(c, O.opcode, ar_b[a], strlen(ar_b[a])); return; }
    }
    if (O.msgmode == MM_LINES) {
        m = 0;
        for (const char *q = p, *e = p + n; (q = memchr(q, '\n', (size_t)(e - q))); q++) m++;
        if (fin && n && p[n - 1] != '\n') m++;
    }
    if (c->state == C_STEPS) {
        k->msgs += m;
        Step *s = c->pub && npsteps ? psteps : steps;
        int ns = c->pub && npsteps ? npsteps : nsteps;
        if (c->step < ns && s[c->step].expect) {
            Step *x = &s[c->step];
            int hit = 0;
            if (!x->subn) hit = (int)m;
            else if (O.occurrences) hit = (int)count_occ(p, n, x->sub, x->subn);
            else if (has(p, n, x->sub, x->subn)) { if (fin) hit = 1; else c->fragmatch = 1; }
            else if (fin && c->fragmatch) hit = 1;
            if (fin) c->fragmatch = 0;
            c->stepcnt = (uint16_t)(c->stepcnt + hit);
            if (c->stepcnt >= x->count) { c->step++; c->stepcnt = 0; advance(c); }
        }
        return;
    }
    if (c->state != C_READY) { k->msgs += m; return; }
    if (O.mode == M_REQUEST) {
        k->msgs += m;
        if (!c->outstanding) return;
        int hit;
        if (!reply_sub) hit = (int)m;
        else if (O.occurrences) hit = (int)count_occ(p, n, reply_sub, strlen(reply_sub));
        else if (has(p, n, reply_sub, strlen(reply_sub))) { hit = fin; c->fragmatch = !fin; }
        else { hit = fin && c->fragmatch; if (fin) c->fragmatch = 0; }
        if (!hit) return;
        c->replies += (uint32_t)hit;
        while (c->outstanding && c->replies >= (uint32_t)reply_count) {
            c->replies -= (uint32_t)reply_count;
            uint64_t t = c->ring[c->rh++ % ringcap], now = mono_ns();
            c->outstanding--;
            k->reqdone++;
            S->t_lastdone = now;
            if (measuring) h_add(&S->req, (now - t) / 1000);
            if (O.max_requests && c->nreq >= (uint32_t)O.max_requests) { if (!c->outstanding && req_live) req_live--; }
            else if (O.req_rate > 0) { idleq[idlet++ % idlen] = (uint32_t)(c - C); }
            else if (started) request_next(c);
        }
        if (c->outn > c->outoff) conn_flush(c);
        return;
    }
    if (c->pub && !O.pub_also) { k->msgs += m; if (m) { if (!reply_sub || has(p, n, reply_sub, strlen(reply_sub))) on_ack(c); } return; }
    if (O.mode != M_IDLE && !O.no_scan) {
        uint64_t st = scan_stamps(p, n, O.msgmode != MM_FRAME);
        if (O.msgmode == MM_STAMPS) m = st;
        if (O.mode == M_PUBLISH && T_pub.has_t) k->deliv += st;
        else k->deliv += m;
    } else k->deliv += m;
    k->msgs += m;
}
/* returns the bytes consumed, or -1 once the connection is gone */
static ssize_t parse_frames(Conn *c, char *b, size_t n) {
    size_t o = 0;
    uint32_t gen = c->gen;
    while (n - o >= 2) {
        uint8_t *h = (uint8_t *)b + o;
        size_t hn = 2;
        uint64_t len = h[1] & 127;
        if (unlikely(h[1] & 0x80)) { conn_fail(c, &S->c.e_proto); return -1; }
        if (len == 126) {
            if (n - o < 4) break;
            len = (uint64_t)h[2] << 8 | h[3];
            hn = 4;
        } else if (len == 127) {
            if (n - o < 10) break;
            len = 0;
            for (int i = 0; i < 8; i++) len = len << 8 | h[2 + i];
            hn = 10;
            if (len > (1ull << 30)) { conn_fail(c, &S->c.e_proto); return -1; }
        }
        if (n - o - hn < len) break;
        on_frame(c, h[0], b + o + hn, (size_t)len);
        if (unlikely(c->gen != gen || c->fd < 0)) return -1;
        o += hn + (size_t)len;
    }
    return (ssize_t)o;
}
static size_t need(const char *b, size_t n) { /* total size of the frame that starts at b, 0 if unknown */
    const uint8_t *h = (const uint8_t *)b;
    if (n < 2) return 0;
    uint64_t len = h[1] & 127;
    if (len < 126) return 2 + (size_t)len;
    if (len == 126) return n < 4 ? 0 : 4 + ((size_t)h[2] << 8 | h[3]);
    if (n < 10) return 0;
    len = 0;
    for (int i = 0; i < 8; i++) len = len << 8 | h[2 + i];
    return 10 + (size_t)len;
}
static ssize_t parse_upgrade(Conn *c, char *b, size_t n) {
    char *e = memmem(b, n, "\r\n\r\n", 4);
    if (!e) { if (n > 65536) { conn_fail(c, &S->c.e_http); return -1; } return 0; }
    int code = n > 12 ? atoi(b + 9) : 0;
    if (code != 101) {
        bump(S->http, S->nhttp, code);
        conn_fail(c, &S->c.e_http);
        return -1;
    }
    if (!memmem(b, (size_t)(e - b), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28)) { conn_fail(c, &S->c.e_accept); return -1; }
    S->c.upgraded++;
    h_add(&S->upg, (mono_ns() - c->t_start) / 1000);
    c->state = C_STEPS;
    uint32_t gen = c->gen;
    advance(c);
    if (c->gen != gen || c->fd < 0) return -1;
    return e + 4 - b;
}
static ssize_t parse_http(Conn *c, char *b, size_t n) { /* replies to an HTTP publisher */
    size_t o = 0;
    while (o < n) {
        if (c->skip > 0) {
            size_t k = n - o < (size_t)c->skip ? n - o : (size_t)c->skip;
            o += k;
            c->skip -= (int64_t)k;
            if (!c->skip) on_ack(c);
            continue;
        }
        if (c->skip < 0) {
            char *e = memmem(b + o, n - o, "0\r\n\r\n", 5);
            if (!e) return (ssize_t)(n - o > 4 ? n - 4 : o);
            o = (size_t)(e + 5 - b);
            c->skip = 0;
            on_ack(c);
            continue;
        }
        char *e = memmem(b + o, n - o, "\r\n\r\n", 4);
        if (!e) break;
        int code = atoi(b + o + 9);
        bump(S->http, S->nhttp, code);
        size_t hn = (size_t)(e + 4 - (b + o));
        char *cl = memmem(b + o, hn, "ontent-", 7);
        int64_t len = 0;
        char save = e[0];
        e[0] = 0;
        char *p = strcasestr(b + o, "content-length:");
        if (p) len = atoll(p + 15);
        else if (strcasestr(b + o, "transfer-encoding: chunked")) len = -1;
        e[0] = save;
        (void)cl;
        o += hn;
        c->skip = len;
        if (!len) on_ack(c);
    }
    return (ssize_t)o;
}
static ssize_t parse_any(Conn *c, char *b, size_t n) {
    size_t o = 0;
    if (c->http) return parse_http(c, b, n);
    if (c->state == C_UPGRADE) {
        ssize_t k = parse_upgrade(c, b, n);
        if (k <= 0) return k;
        o = (size_t)k;
    }
    ssize_t k = parse_frames(c, b + o, n - o);
    return k < 0 ? -1 : (ssize_t)o + k;
}
static void on_readable(Conn *c) {
    uint32_t gen = c->gen;
    for (int round = 0; round < 8; round++) {
        char *b;
        size_t room;
        if (c->in) {
            size_t want = c->state == C_UPGRADE || c->http ? c->inn + 4096 : need(c->in, c->inn);
            if (want < c->inn + 16384) want = c->inn + 16384;
            if (want > c->incap) { c->incap = (uint32_t)want; c->in = xrealloc(c->in, want); }
            b = c->in + c->inn;
            room = c->incap - c->inn;
        } else { b = R; room = RBUF; }
        ssize_t k = recv(c->fd, b, room, 0);
        if (k < 0) {
            if (errno == EAGAIN || errno == EINTR) return;
            bump(S->eno, S->neno, errno);
            conn_fail(c, c->state == C_READY || c->state == C_CLOSING ? 0 : &S->c.e_early);
            return;
        }
        if (k == 0) {
            if (c->state == C_UPGRADE || c->state == C_STEPS) S->c.e_early++;
            if (c->state == C_READY) bump(S->code, S->ncode, 1006);
            conn_dead(c);
            return;
        }
        S->c.wire += (uint64_t)k;
        now_rt = real_us();
        size_t have = (size_t)k + (c->in ? c->inn : 0);
        char *base = c->in ? c->in : R;
        ssize_t used = parse_any(c, base, have);
        if (used < 0 || c->gen != gen || c->fd < 0) return;
        size_t left = have - (size_t)used;
        if (base == R) {
            if (left) {
                size_t want = c->state == C_UPGRADE || c->http ? left + 4096 : need(R + used, left);
                if (want < left + 2048) want = left + 2048;
                c->in = xmalloc(want);
                c->incap = (uint32_t)want;
                memcpy(c->in, R + used, left);
                c->inn = (uint32_t)left;
            }
        } else if (left) { if (used) memmove(c->in, c->in + used, left); c->inn = (uint32_t)left; }
        else { free(c->in); c->in = 0; c->inn = c->incap = 0; }
        if ((size_t)k < room) return;
    }
}
static void on_connected(Conn *c) {
    int e = 0;
    socklen_t l = sizeof e;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &e, &l);
    if (e) { bump(S->eno, S->neno, e); conn_fail(c, &S->c.e_connect); return; }
    if (c->http) { ep_mod(c, false); c->state = C_STEPS; conn_ready(c); return; }
    tbn = 0;
    tb_put("GET ", 4);
    render(c->pub && O.pub_path ? &T_ppath : &T_path, c->id, 0, 0, c->group);
    char b[256];
    tb_put(b, (size_t)snprintf(b, sizeof b,
        " HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n", O.host, O.port));
    if (O.protocol) { tb_put("Sec-WebSocket-Protocol: ", 24); tb_put(O.protocol, strlen(O.protocol)); tb_put("\r\n", 2); }
    const Tmpl *ht = c->pub && T_phdr.n ? &T_phdr : &T_hdr;
    if (ht->n) render(ht, c->id, 0, 0, c->group);
    if (nhdr) {
        const char *h = hdrlines[c->id % (uint32_t)nhdr];
        tb_put(h, strlen(h));
        tb_put("\r\n", 2);
    }
    tb_put("\r\n", 2);
    c->state = C_UPGRADE;
    out_put(c, tb, tbn);
    c->wantout = 1;
    conn_flush(c);
}
static void conn_begin(Conn *c) {
    S->c.tries++;
    if (O.mode == M_CHURN) c->id = (uint32_t)(S->c.tries - 1);   /* every connection its own header line and token */
    c->t_start = mono_ns();
    c->step = c->stepcnt = 0;
    c->fragmatch = c->sentclose = c->wantout = 0;
    c->outstanding = c->replies = 0;
    c->rh = c->rt = 0;
    c->http = c->pub && O.pub_http;
    c->skip = 0;
    c->state = C_CONNECT;
    n_pending++;
    n_alive++;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) { bump(S->eno, S->neno, errno); conn_fail(c, &S->c.e_connect); return; }
    int one = 1;
    if (!O.no_nodelay) setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (O.rcvbuf) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &O.rcvbuf, sizeof O.rcvbuf);
    if (O.src > 1) { /* spread over 127.0.0.2 ... so that ephemeral ports suffice */
        struct sockaddr_in a = {.sin_family = AF_INET};
        uint32_t k = (uint32_t)((O.mode == M_CHURN ? S->c.tries : c->id) % (uint64_t)O.src);
        a.sin_addr.s_addr = htonl(0x7f000002u + k);
        setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(c->fd, (struct sockaddr *)&a, sizeof a) < 0) { bump(S->eno, S->neno, errno); conn_fail(c, &S->c.e_connect); return; }
    }
    struct sockaddr_in d = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(c->pub && O.pub_port ? O.pub_port : O.port))};
    inet_pton(AF_INET, c->pub && O.pub_host ? O.pub_host : O.host, &d.sin_addr);
    int r = connect(c->fd, (struct sockaddr *)&d, sizeof d);
    if (r < 0 && errno != EINPROGRESS) { bump(S->eno, S->neno, errno); conn_fail(c, &S->c.e_connect); return; }
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.u64 = ((uint64_t)c->gen << 32) | (uint32_t)(c - C)};
    epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
    c->wantout = 1;
}

/* ---------------------------------------------------------------- pacing */
static uint64_t deliv_all(void) {
    uint64_t t = 0;
    for (int i = 0; i < procs; i++) t += i == me ? S->c.deliv : atomic_load_explicit(&SH->s[i].live_deliv, memory_order_relaxed);
    return t;
}
static uint64_t pump_connects(void) { /* returns ns until the next is due, or UINT64_MAX */
    if (!connecting || stopping) return UINT64_MAX;
    uint64_t now = mono_ns();
    while (n_pending < (uint32_t)O.inflight && startn) {
        if (O.rate > 0) {
            uint64_t due = t_connect0 + (uint64_t)((double)next_connect * 1e9 * procs / O.rate);
            if (now < due) return due - now;
        }
        uint32_t i = startq[startpos];
        startpos = (startpos + 1) % nC;
        startn--;
        next_connect++;
        conn_begin(&C[i]);
    }
    return UINT64_MAX;
}
static void pub_one(Conn *c, uint64_t sched_us) {
    uint32_t g = (uint32_t)(pub_sent_total % (uint64_t)O.group);
    uint64_t t = sched_us ? sched_us : real_us();
    tbn = 0;
    render(&T_pub, c->id, pub_sent_total, t, g);
    if (c->http) {
        size_t bn = tbn;
        char *body = xmalloc(bn ? bn : 1);
        memcpy(body, tb, bn);
        tbn = 0;
        const char *sp = strchr(O.pub_http, ' ');
        tb_put(O.pub_http, (size_t)(sp - O.pub_http) + 1);
        render(&T_ppath, c->id, pub_sent_total, t, g);
        char b[160];
        tb_put(b, (size_t)snprintf(b, sizeof b, " HTTP/1.1\r\nHost: %s:%d\r\nContent-Length: %zu\r\n", O.pub_host ? O.pub_host : O.host,
                                   O.pub_port ? O.pub_port : O.port, bn));
        if (T_phdr.n) render(&T_phdr, c->id, 0, 0, g);
        tb_put("\r\n", 2);
        tb_put(body, bn);
        free(body);
        out_put(c, tb, tbn);
    } else put_frame(c, O.opcode, tb, tbn);
    if (O.pub_inflight) { c->ring[c->rt++ % ringcap] = mono_ns(); }
    c->outstanding++;
    pub_sent_total++;
    S->c.pub++;
    S->c.pubbytes += tbn;
}
static Conn *pub_pick(void) {
    uint32_t np = (uint32_t)O.publishers;
    for (uint32_t k = 0; k < np; k++) {
        Conn *c = &C[(pub_rr + k) % np];
        if (c->state != C_READY) continue;
        if (O.pub_inflight && c->outstanding >= (uint32_t)O.pub_inflight) continue;
        if (c->outn - c->outoff > 262144) { S->c.pubblocked++; continue; }
        pub_rr = (pub_rr + k + 1) % np;
        return c;
    }
    return 0;
}
static void pub_flush(void) {
    for (int i = 0; i < O.publishers; i++) if (C[i].state == C_READY && C[i].outn > C[i].outoff && !C[i].wantout) conn_flush(&C[i]);
}
static uint64_t pump_publish(void) {
    if (O.mode != M_PUBLISH || !started || stopping || me != 0) return UINT64_MAX;
    uint64_t now = mono_ns(), wait = UINT64_MAX;
    int done = 0;
    if (O.pub_rate > 0) {
        for (;;) {
            uint64_t due = pub_t0 + (uint64_t)((double)pub_base * 1e9 / O.pub_rate);
            if (now < due) { wait = due - now; break; }
            if (done >= 64) { wait = 0; break; }
            uint64_t lag = (now - due) / 1000;
            if (measuring && lag > S->lag_max_us) S->lag_max_us = lag;
            Conn *c = pub_pick();
            if (!c) { /* every publisher is waiting for its acknowledgement or blocked: slip */
                if (lag > 1000000) { S->c.pubmiss++; pub_base++; continue; }
                wait = 200000;
                break;
            }
            pub_base++;
            pub_one(c, O.stamp_sched ? real_us() - lag : 0);
            done++;
        }
    } else {
        uint64_t d = deliv_all(), fan = O.fanout > 0 ? (uint64_t)O.fanout : 1;
        if (d != pub_lastdeliv) { pub_lastdeliv = d; pub_lastprog = now; }
        int64_t out = (int64_t)(pub_sent_total - pub_base) - (int64_t)(d / fan);
        int64_t win = O.pub_window > 0 ? O.pub_window : 16;
        if (out >= win && now - pub_lastprog > 1000000000ull) { /* deliveries lost: start the count again */
            S->c.resync++;
            pub_base = pub_sent_total - d / fan;
            pub_lastprog = now;
            out = 0;
        }
        while (out < win && done < 256) {
            Conn *c = pub_pick();
            if (!c) break;
            pub_one(c, 0);
            out++;
            done++;
        }
        wait = procs > 1 ? 100000 : 5000000;
    }
    if (done) pub_flush();
    return wait;
}
static uint64_t pump_requests(void) {
    if (O.mode != M_REQUEST || !started || stopping || O.req_rate <= 0) return UINT64_MAX;
    uint64_t now = mono_ns();
    for (int done = 0; done < 256; done++) {
        uint64_t due = req_t0 + (uint64_t)((double)req_issued * 1e9 * procs / O.req_rate);
        if (now < due) return due - now;
        if (idleh == idlet) {
            if (now - due > 1000000000ull) { S->c.reqmiss++; req_issued++; continue; }
            return 1000000;
        }
        Conn *c = &C[idleq[idleh++ % idlen]];
        if (c->state != C_READY) continue;
        req_issued++;
        request_next(c);
        conn_flush(c);
    }
    return 0;
}
#define NEV 512
static void iter(uint64_t max_ns) {
    struct epoll_event ev[NEV];
    uint64_t w = max_ns, x;
    if ((x = pump_connects()) < w) w = x;
    if ((x = pump_publish()) < w) w = x;
    if ((x = pump_requests()) < w) w = x;
    struct timespec ts = {(time_t)(w / 1000000000ull), (long)(w % 1000000000ull)};
    int n = epoll_pwait2(ep, ev, NEV, &ts, 0);
    for (int i = 0; i < n; i++) {
        Conn *c = &C[(uint32_t)ev[i].data.u64];
        if (c->gen != (uint32_t)(ev[i].data.u64 >> 32) || c->fd < 0) continue;
        if (c->state == C_CONNECT) { on_connected(c); continue; }
        if (ev[i].events & EPOLLOUT) { conn_flush(c); if (c->fd < 0 || c->gen != (uint32_t)(ev[i].data.u64 >> 32)) continue; }
        if (ev[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) on_readable(c);
    }
    if (procs > 1) atomic_store_explicit(&S->live_deliv, S->c.deliv, memory_order_relaxed);
}
static void run_until(uint64_t t) {
    for (;;) {
        uint64_t now = mono_ns();
        if (now >= t) return;
        iter(t - now < 50000000ull ? t - now : 50000000ull);
        now = mono_ns();
        if (O.mode == M_CHURN || O.mode == M_IDLE) { /* give up on handshakes that hang */
            static uint64_t last;
            if (now - last > 500000000ull) {
                last = now;
                for (uint32_t i = 0; i < nC; i++) {
                    Conn *c = &C[i];
                    if (c->state >= C_CONNECT && c->state != C_READY && c->state != C_DEAD && now - c->t_start > (uint64_t)(O.conn_timeout * 1e9))
                        conn_fail(c, &S->c.e_timeout);
                }
            }
        }
    }
}

/* ---------------------------------------------------------------- the server's CPU and memory, from /proc */
typedef struct { uint64_t cpu_ns, user_t, sys_t, rss_kb, pss_kb; int nproc, nthread; } Proc;
static int all_pids[4096], n_pids;
static void pid_tree(void) {
    n_pids = 0;
    for (int i = 0; i < nspid; i++) all_pids[n_pids++] = spids[i];
    DIR *d = opendir("/proc");
    if (!d) return;
    static int pid[32768], pp[32768];
    int n = 0;
    struct dirent *e;
    while ((e = readdir(d)) && n < 32768) {
        if (!isdigit((unsigned char)e->d_name[0])) continue;
        char fn[300], b[1024];
        snprintf(fn, sizeof fn, "/proc/%s/stat", e->d_name);
        int f = open(fn, O_RDONLY);
        if (f < 0) continue;
        ssize_t k = read(f, b, sizeof b - 1);
        close(f);
        if (k <= 0) continue;
        b[k] = 0;
        char *q = strrchr(b, ')');
        if (!q) continue;
        pid[n] = atoi(e->d_name);
        if (sscanf(q + 2, "%*c %d", &pp[n]) == 1) n++;
    }
    closedir(d);
    for (int i = 0; i < n_pids; i++)
        for (int j = 0; j < n && n_pids < 4096; j++)
            if (pp[j] == all_pids[i]) {
                bool dup = false;
                for (int k = 0; k < n_pids; k++) dup |= all_pids[k] == pid[j];
                if (!dup) all_pids[n_pids++] = pid[j];
            }
}
static Proc proc_sample(bool mem) {
    Proc P = {0};
    if (!nspid) return P;
    pid_tree();
    for (int i = 0; i < n_pids; i++) {
        char fn[300], b[2048];
        snprintf(fn, sizeof fn, "/proc/%d/task", all_pids[i]);
        DIR *d = opendir(fn);
        if (!d) continue;
        P.nproc++;
        struct dirent *e;
        while ((e = readdir(d))) {
            if (!isdigit((unsigned char)e->d_name[0])) continue;
            snprintf(fn, sizeof fn, "/proc/%d/task/%.20s/schedstat", all_pids[i], e->d_name);
            int f = open(fn, O_RDONLY);
            if (f < 0) continue;
            ssize_t k = read(f, b, sizeof b - 1);
            close(f);
            if (k > 0) { b[k] = 0; P.cpu_ns += strtoull(b, 0, 10); P.nthread++; }
        }
        closedir(d);
        snprintf(fn, sizeof fn, "/proc/%d/stat", all_pids[i]);
        int f = open(fn, O_RDONLY);
        if (f >= 0) {
            ssize_t k = read(f, b, sizeof b - 1);
            close(f);
            if (k > 0) {
                b[k] = 0;
                char *q = strrchr(b, ')');
                uint64_t u = 0, s = 0;
                if (q && sscanf(q + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64, &u, &s) == 2) { P.user_t += u; P.sys_t += s; }
            }
        }
        if (mem) {
            snprintf(fn, sizeof fn, "/proc/%d/smaps_rollup", all_pids[i]);
            FILE *g = fopen(fn, "r");
            if (g) {
                while (fgets(b, sizeof b, g)) {
                    if (!strncmp(b, "Rss:", 4)) P.rss_kb += strtoull(b + 4, 0, 10);
                    else if (!strncmp(b, "Pss:", 4)) P.pss_kb += strtoull(b + 4, 0, 10);
                }
                fclose(g);
            }
        }
    }
    return P;
}
typedef struct { uint64_t steal, busy, slab_kb, tcp_pages; } Sys;
static Sys sys_sample(void) {
    Sys s = {0};
    char b[512];
    FILE *f = fopen("/proc/stat", "r");
    if (f) {
        uint64_t v[8] = {0};
        if (fgets(b, sizeof b, f) && sscanf(b, "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6, v + 7) == 8) {
            s.steal = v[7];
            s.busy = v[0] + v[1] + v[2] + v[5] + v[6];
        }
        fclose(f);
    }
    if ((f = fopen("/proc/meminfo", "r"))) {
        while (fgets(b, sizeof b, f)) if (!strncmp(b, "Slab:", 5)) s.slab_kb = strtoull(b + 5, 0, 10);
        fclose(f);
    }
    if ((f = fopen("/proc/net/sockstat", "r"))) {
        while (fgets(b, sizeof b, f)) { char *m = strstr(b, " mem "); if (!strncmp(b, "TCP:", 4) && m) s.tcp_pages = strtoull(m + 5, 0, 10); }
        fclose(f);
    }
    return s;
}
static uint64_t own_cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* A real-time task per core that wakes every millisecond. How late it wakes tells how long the core was away, which a
 * hypervisor need not report as steal, and which the guest then charges as CPU time to whatever was running. */
static int probe_core[MAXPROBE], nprobe;
static pid_t probe_pid[MAXPROBE];
static void probe_main(int core, Probe *p) {
    cpu_set_t cs;
    CPU_ZERO(&cs);
    CPU_SET((unsigned)core, &cs);
    sched_setaffinity(0, sizeof cs, &cs);
    struct sched_param sp = {.sched_priority = 50};
    sched_setscheduler(0, SCHED_FIFO, &sp);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    uint64_t next = mono_ns(), end = next + 900ull * 1000000000ull;
    for (;;) {
        next += 1000000;
        struct timespec t = {(time_t)(next / 1000000000ull), (long)(next % 1000000000ull)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0);
        uint64_t now = mono_ns(), late = now > next ? now - next : 0;
        atomic_fetch_add(&p->ticks, 1);
        if (late > 250000) {
            atomic_fetch_add(&p->stolen_ns, late + (late > 1000000 ? 500000 : 0)); /* it began half a tick earlier, on average */
            atomic_fetch_add(&p->gaps, 1);
            if (late > p->max_ns) p->max_ns = late;
            next = now;
        }
        if (now > end) _exit(0);
    }
}
/* ---------------------------------------------------------------- output */
static void j_hist(const char *name, const Hist *h) {
    if (!h->n) { printf(",\"%s\":null", name); return; }
    printf(",\"%s\":{\"n\":%" PRIu64 ",\"min\":%" PRIu64 ",\"mean\":%.1f,\"p50\":%" PRIu64 ",\"p90\":%" PRIu64 ",\"p95\":%" PRIu64 ",\"p99\":%" PRIu64 ",\"p999\":%" PRIu64 ",\"max\":%" PRIu64 "}",
           name, h->n, h->min, (double)h->sum / (double)h->n, h_q(h, .5), h_q(h, .9), h_q(h, .95), h_q(h, .99), h_q(h, .999), h->max);
}
static void j_map(const char *name, int nmap, size_t ok, size_t on) {
    int k[NCODE * 4];
    uint64_t v[NCODE * 4];
    int n = 0;
    for (int p = 0; p < nmap; p++) {
        int *kk = (int *)((char *)&SH->s[p] + ok);
        uint64_t *nn = (uint64_t *)((char *)&SH->s[p] + on);
        for (int i = 0; i < NCODE && nn[i]; i++) {
            int j = 0;
            while (j < n && k[j] != kk[i]) j++;
            if (j == n) { if (n == NCODE * 4) break; k[n] = kk[i]; v[n++] = 0; }
            v[j] += nn[i];
        }
    }
    printf(",\"%s\":{", name);
    for (int i = 0; i < n; i++) {
        if (!strcmp(name, "errno")) printf("%s\"%s\":%" PRIu64, i ? "," : "", strerrorname_np(k[i]) ? strerrorname_np(k[i]) : "?", v[i]);
        else printf("%s\"%d\":%" PRIu64, i ? "," : "", k[i], v[i]);
    }
    printf("}");
}

static void usage(void) {
    puts(
"wsload: WebSocket load generator (loopback only). One JSON object on stdout.\n"
"target     --host 127.0.0.1 --port P --path /ws           path and all texts are templates, see below\n"
"           --header 'K: V' (repeat)  --headers-file F (line i mod n for connection i; \\r\\n inside a line parts several)\n"
"           --protocol P (Sec-WebSocket-Protocol)  --opcode text|binary (of what is sent)\n"
"connect    --conns N  --rate R/s (0 = as fast as --inflight allows)  --inflight 128  --connect-timeout 60\n"
"           --src-addrs K (127.0.0.2..; automatic above 25000 connections, and in churn)\n"
"           --procs K (fork; automatic when N exceeds the file limit; connection 0.. and publishers stay in the first)\n"
"hello      --hello TEXT | --hello-file F (a message per line) and --expect SUBSTR [--expect-count K], in order, repeatable:\n"
"           the connection is ready when all are done. '--expect \"\"' is any message. --occurrences counts every occurrence of SUBSTR.\n"
"           --auto-reply 'A=>B' answers a message that is exactly A (e.g. '2=>3', 'PING\\r\\n=>PONG\\r\\n')\n"
"modes      --mode idle|receive|request|publish|churn  --time T --warmup W --settle S --drain D (seconds)\n"
" request   --request TEXT [--reply-substr S] [--reply-count K] [--pipeline D] [--req-rate R/s over all] [--max-requests K each]\n"
" publish   --publishers P (connections 0..P-1) --template TEXT --pub-rate R/s | --pub-window W (closed loop: at most W messages\n"
"           not yet delivered to all; needs --fanout F = deliveries per message, default receivers/groups)\n"
"           --pub-inflight K (wait for the reply to each publish, K outstanding per publisher)  --pub-also-receives\n"
"           --pub-hello/--pub-expect (else as the others) --pub-nohello --pub-path --pub-header --pub-host --pub-port\n"
"           --pub-http POST (publishers are plain HTTP/1.1 keep-alive clients to --pub-path, body = --template)  --stamp-sched\n"
" churn     N slots: connect, wait ready, close, again. --churn-close clean|rst\n"
"groups     --groups G: {g} = i mod G in hello, = n mod G in the publish template\n"
"count      --count frame|lines|stamps   --stamp-key '\"t\":'   --no-scan   (what is a message; where the \xc2\xb5s stamp is)\n"
"server     --server-pid P (repeat; with its descendants): CPU and memory from /proc in the same window\n"
"           --probe K (repeat): a 1 kHz real-time probe on core K tells the time the hypervisor took it away in the window\n"
"other      --cpu K (pin)  --mask zero|random  --no-close  --rcvbuf B  --vars-file F  --label L  -v\n"
"templates  {i} connection {n} {n:8} sequence from 0, {s} from 1, {t} \xc2\xb5s since epoch (16 digits) {g} group {m} index in group\n"
"           {v} line i of --vars-file, {v1} {v2} its tab fields, {x:120} filler; escapes \\n \\r \\t \\0 \\xHH \\\\");
    exit(0);
}
static void add_step(Step *v, int *n, bool expect, const char *s) {
    if (*n >= MAXSTEPS) die("too many steps");
    Step *x = &v[(*n)++];
    memset(x, 0, sizeof *x);
    x->expect = expect;
    x->count = 1;
    if (expect) x->sub = unesc(s, &x->subn);
    else x->t = compile(s);
}

int main(int argc, char **argv) {
    enum { o_host = 256, o_port, o_path, o_header, o_headers, o_proto, o_opcode, o_conns, o_rate, o_inflight, o_ct, o_src, o_procs, o_hello,
           o_hellof, o_expect, o_ec, o_occ, o_ar, o_mode, o_time, o_warmup, o_settle, o_drain, o_request, o_rs, o_rc, o_pipe, o_rr, o_mr,
           o_pubs, o_tmpl, o_prate, o_pwin, o_fan, o_pinf, o_palso, o_phello, o_pexpect, o_pnohello, o_ppath, o_pheader, o_phost, o_pport,
           o_phttp, o_ssched, o_cclose, o_groups, o_count, o_skey, o_noscan, o_spid, o_cpu, o_mask, o_noclose, o_rcvbuf, o_vars, o_label, o_help, o_probe };
    static struct option L[] = {
        {"host", 1, 0, o_host}, {"port", 1, 0, o_port}, {"path", 1, 0, o_path}, {"header", 1, 0, o_header}, {"headers-file", 1, 0, o_headers},
        {"protocol", 1, 0, o_proto}, {"opcode", 1, 0, o_opcode}, {"conns", 1, 0, o_conns}, {"rate", 1, 0, o_rate}, {"inflight", 1, 0, o_inflight},
        {"connect-timeout", 1, 0, o_ct}, {"src-addrs", 1, 0, o_src}, {"procs", 1, 0, o_procs}, {"hello", 1, 0, o_hello}, {"hello-file", 1, 0, o_hellof},
        {"expect", 1, 0, o_expect}, {"ready-substr", 1, 0, o_expect}, {"expect-count", 1, 0, o_ec}, {"ready-count", 1, 0, o_ec}, {"occurrences", 0, 0, o_occ},
        {"auto-reply", 1, 0, o_ar}, {"mode", 1, 0, o_mode}, {"time", 1, 0, o_time}, {"warmup", 1, 0, o_warmup}, {"settle", 1, 0, o_settle},
        {"drain", 1, 0, o_drain}, {"request", 1, 0, o_request}, {"reply-substr", 1, 0, o_rs}, {"reply-count", 1, 0, o_rc}, {"pipeline", 1, 0, o_pipe},
        {"req-rate", 1, 0, o_rr}, {"max-requests", 1, 0, o_mr}, {"publishers", 1, 0, o_pubs}, {"template", 1, 0, o_tmpl}, {"pub-rate", 1, 0, o_prate},
        {"pub-window", 1, 0, o_pwin}, {"fanout", 1, 0, o_fan}, {"pub-inflight", 1, 0, o_pinf}, {"pub-also-receives", 0, 0, o_palso},
        {"pub-hello", 1, 0, o_phello}, {"pub-expect", 1, 0, o_pexpect}, {"pub-nohello", 0, 0, o_pnohello}, {"pub-path", 1, 0, o_ppath},
        {"pub-header", 1, 0, o_pheader}, {"pub-host", 1, 0, o_phost}, {"pub-port", 1, 0, o_pport}, {"pub-http", 1, 0, o_phttp},
        {"stamp-sched", 0, 0, o_ssched}, {"churn-close", 1, 0, o_cclose}, {"groups", 1, 0, o_groups}, {"count", 1, 0, o_count}, {"lines", 0, 0, 'l'},
        {"stamp-key", 1, 0, o_skey}, {"no-scan", 0, 0, o_noscan}, {"server-pid", 1, 0, o_spid}, {"cpu", 1, 0, o_cpu}, {"mask", 1, 0, o_mask},
        {"no-close", 0, 0, o_noclose}, {"rcvbuf", 1, 0, o_rcvbuf}, {"vars-file", 1, 0, o_vars}, {"label", 1, 0, o_label}, {"probe", 1, 0, o_probe}, {"help", 0, 0, o_help}, {0, 0, 0, 0}};
    char *hdr = strdup(""), *phdr = strdup("");
    Step *lastv = steps;
    int *lastn = &nsteps;
    int o;
    while ((o = getopt_long(argc, argv, "vlh", L, 0)) != -1) switch (o) {
        case 'v': O.verbose = 1; break;
        case 'h': case o_help: usage(); break;
        case 'l': O.msgmode = MM_LINES; break;
        case o_host: O.host = optarg; break;
        case o_port: O.port = atoi(optarg); break;
        case o_path: O.path = optarg; break;
        case o_header: { char *h; if (asprintf(&h, "%s%s\\r\\n", hdr, optarg) < 0) die("oom"); hdr = h; } break;
        case o_pheader: { char *h; if (asprintf(&h, "%s%s\\r\\n", phdr, optarg) < 0) die("oom"); phdr = h; } break;
        case o_headers: hdrlines = readlines(optarg, &nhdr); for (int i = 0; i < nhdr; i++) hdrlines[i] = unesc(hdrlines[i], 0); break;
        case o_proto: O.protocol = optarg; break;
        case o_opcode: O.opcode = optarg[0] == 'b' ? 2 : 1; break;
        case o_conns: O.conns = atoi(optarg); break;
        case o_rate: O.rate = atof(optarg); break;
        case o_inflight: O.inflight = atoi(optarg); break;
        case o_ct: O.conn_timeout = atof(optarg); break;
        case o_src: O.src = atoi(optarg); break;
        case o_procs: procs = atoi(optarg); break;
        case o_hello: add_step(steps, &nsteps, false, optarg); lastv = steps; lastn = &nsteps; break;
        case o_hellof: { int n; char **l = readlines(optarg, &n); for (int i = 0; i < n; i++) add_step(steps, &nsteps, false, l[i]); } break;
        case o_expect: add_step(steps, &nsteps, true, optarg); lastv = steps; lastn = &nsteps; break;
        case o_phello: add_step(psteps, &npsteps, false, optarg); lastv = psteps; lastn = &npsteps; break;
        case o_pexpect: add_step(psteps, &npsteps, true, optarg); lastv = psteps; lastn = &npsteps; break;
        case o_ec: if (!*lastn || !lastv[*lastn - 1].expect) add_step(steps, &nsteps, true, ""), lastv = steps, lastn = &nsteps;
                   lastv[*lastn - 1].count = atoi(optarg); break;
        case o_occ: O.occurrences = 1; break;
        case o_ar: { char *q = strstr(optarg, "=>"); if (!q || nar == 16) die("--auto-reply A=>B"); *q = 0; ar_a[nar] = unesc(optarg, 0); ar_b[nar++] = unesc(q + 2, 0); } break;
        case o_mode: { int k = -1; for (int i = 0; i < 5; i++) if (!strcmp(optarg, MODE[i])) k = i; if (k < 0) die("unknown mode %s", optarg); O.mode = k; } break;
        case o_time: O.time = atof(optarg); break;
        case o_warmup: O.warmup = atof(optarg); break;
        case o_settle: O.settle = atof(optarg); break;
        case o_drain: O.drain = atof(optarg); break;
        case o_request: T_req = compile(optarg); break;
        case o_rs: reply_sub = unesc(optarg, 0); break;
        case o_rc: reply_count = atoi(optarg); break;
        case o_pipe: O.pipeline = atoi(optarg); break;
        case o_rr: O.req_rate = atof(optarg); break;
        case o_mr: O.max_requests = atoi(optarg); break;
        case o_pubs: O.publishers = atoi(optarg); break;
        case o_tmpl: T_pub = compile(optarg); break;
        case o_prate: O.pub_rate = atof(optarg); break;
        case o_pwin: O.pub_window = atoi(optarg); break;
        case o_fan: O.fanout = atoi(optarg); break;
        case o_pinf: O.pub_inflight = atoi(optarg); break;
        case o_palso: O.pub_also = true; break;
        case o_pnohello: O.pub_nohello = true; break;
        case o_ppath: O.pub_path = optarg; break;
        case o_phost: O.pub_host = optarg; break;
        case o_pport: O.pub_port = atoi(optarg); break;
        case o_phttp: if (asprintf((char **)&O.pub_http, "%s ", optarg) < 0) die("oom"); break;
        case o_ssched: O.stamp_sched = true; break;
        case o_cclose: O.close_rst = !strcmp(optarg, "rst"); break;
        case o_groups: O.group = atoi(optarg); break;
        case o_count: O.msgmode = !strcmp(optarg, "lines") ? MM_LINES : !strcmp(optarg, "stamps") ? MM_STAMPS : MM_FRAME; break;
        case o_skey: stampkey = unesc(optarg, &stampn); break;
        case o_noscan: O.no_scan = true; break;
        case o_spid: if (nspid < 64) spids[nspid++] = atoi(optarg); break;
        case o_cpu: O.cpu = atoi(optarg); break;
        case o_mask: O.mask_zero = !strcmp(optarg, "zero"); break;
        case o_noclose: O.noclose = true; break;
        case o_rcvbuf: O.rcvbuf = atoi(optarg); break;
        case o_vars: varlines = readlines(optarg, &nvar); break;
        case o_label: O.label = optarg; break;
        case o_probe: if (nprobe < MAXPROBE) probe_core[nprobe++] = atoi(optarg); break;
        default: exit(2);
    }
    if (!strcmp(O.host, "localhost")) O.host = "127.0.0.1";
    struct in_addr ia;
    if (inet_pton(AF_INET, O.host, &ia) != 1 || (ntohl(ia.s_addr) >> 24) != 127) die("loopback addresses only (127.0.0.0/8)");
    if (O.pub_host && (inet_pton(AF_INET, O.pub_host, &ia) != 1 || (ntohl(ia.s_addr) >> 24) != 127)) die("loopback addresses only (127.0.0.0/8)");
    if (O.port <= 0 || O.conns < 1 || O.group < 1) die("--port and --conns are needed (--help)");
    if (O.time > 600 || O.warmup > 600) die("--time and --warmup are at most 600 s");
    T_path = compile(O.path);
    if (O.pub_path) T_ppath = compile(O.pub_path);
    if (*hdr) T_hdr = compile(hdr);
    if (*phdr) T_phdr = compile(phdr);
    if (O.mode == M_PUBLISH) {
        if (O.publishers < 1) O.publishers = 1;
        if (!T_pub.n) T_pub = compile("{\"t\":{t},\"n\":{n}}");
        if (O.publishers > O.conns) die("more publishers than connections");
        if (O.pub_http && !O.pub_path) die("--pub-http needs --pub-path");
        if (O.pub_http && !O.pub_inflight) O.pub_inflight = 1;
        int rec = O.pub_also ? O.conns : O.conns - O.publishers;
        if (!O.fanout) O.fanout = rec / O.group > 0 ? rec / O.group : 1;
    } else O.publishers = 0;
    if (O.mode == M_REQUEST && !T_req.n) T_req = compile("{\"i\":{i},\"n\":{n}}");
    struct rlimit rl;
    getrlimit(RLIMIT_NOFILE, &rl);
    rl.rlim_cur = rl.rlim_max;
    setrlimit(RLIMIT_NOFILE, &rl);
    long lim = (long)rl.rlim_cur - 64;
    while (procs < MAXPROC && (O.conns + procs - 1) / procs > lim) procs++;
    if (procs > MAXPROC || (O.conns + procs - 1) / procs > lim) die("file limit %ld is too low for %d connections", lim, O.conns);
    if (!O.src) O.src = O.conns > 25000 ? O.conns / 20000 + 1 : O.mode == M_CHURN ? 16 : 1;
    ringcap = (uint32_t)(O.mode == M_REQUEST ? (O.pipeline > 0 ? O.pipeline : 1) : O.pub_inflight ? O.pub_inflight : 1);

    SH = mmap(0, sizeof *SH, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (SH == MAP_FAILED) die("mmap");
    signal(SIGPIPE, SIG_IGN);
    Sys y0 = sys_sample();
    Proc p_start = proc_sample(true), p_ready = {0}, p_w0 = {0}, p_w1 = {0}, p_hold = {0};
    Sys y_ready = {0}, y_w0 = {0}, y_w1 = {0};
    uint64_t t_begin = mono_ns();

    for (int k = 0; k < nprobe; k++) {
        pid_t p = fork();
        if (p < 0) die("fork");
        if (!p) probe_main(probe_core[k], &SH->probe[k]);
        probe_pid[k] = p;
    }
    uint64_t pr_ns[MAXPROBE], pr_gaps[MAXPROBE], pr_ns1[MAXPROBE], pr_gaps1[MAXPROBE];
    pid_t kids[MAXPROC] = {0};
    for (int k = 1; k < procs; k++) {
        pid_t p = fork();
        if (p < 0) die("fork");
        if (!p) { me = k; break; }
        kids[k] = p;
    }
    if (O.cpu >= 0) {
        cpu_set_t cs;
        CPU_ZERO(&cs);
        CPU_SET((unsigned)O.cpu, &cs);
        sched_setaffinity(0, sizeof cs, &cs);
    }
    S = &SH->s[me];
    rng ^= (uint32_t)getpid() * 2654435761u;
    baseC = (uint32_t)((uint64_t)O.conns * (uint64_t)me / (uint64_t)procs);
    nC = (uint32_t)((uint64_t)O.conns * (uint64_t)(me + 1) / (uint64_t)procs) - baseC;
    if (!me && (uint32_t)O.publishers > nC) die("too many publishers for --procs");
    C = calloc(nC, sizeof *C);
    R = xmalloc(RBUF);
    startq = xmalloc(sizeof(uint32_t) * (nC + 1));
    ep = epoll_create1(EPOLL_CLOEXEC);
    for (uint32_t i = 0; i < nC; i++) {
        C[i].fd = -1;
        C[i].id = baseC + i;
        C[i].pub = !me && i < (uint32_t)O.publishers;
        C[i].group = C[i].pub ? C[i].id % (uint32_t)O.group : (C[i].id - (uint32_t)O.publishers) % (uint32_t)O.group;
        if (O.mode == M_REQUEST || C[i].pub) C[i].ring = xmalloc(sizeof(uint64_t) * ringcap);
        startq[startn++] = i;
    }
    connecting = true;
    t_connect0 = t_epoch = mono_ns();
    uint64_t t_ready = 0;
    if (O.mode != M_CHURN) {
        uint64_t last = mono_ns(), tl = last + (uint64_t)(O.conn_timeout * 1e9) + (O.rate > 0 ? (uint64_t)(O.conns / O.rate * 1e9) : 0);
        uint32_t seen = 0;
        while (n_ready + n_fail + (uint32_t)S->c.lost < nC) {
            iter(50000000);
            uint64_t now = mono_ns();
            if (O.verbose && now - last > 1000000000ull) { last = now; fprintf(stderr, "wsload[%d]: %u ready, %u pending, %u failed\n", me, n_ready, n_pending, n_fail); }
            if (n_ready != seen) { seen = n_ready; t_ready = now; }
            if (now > tl) {
                for (uint32_t i = 0; i < nC; i++) if (C[i].state >= C_CONNECT && C[i].state < C_READY) conn_fail(&C[i], &S->c.e_timeout);
                break;
            }
        }
        t_ready = mono_ns();
    }
    atomic_store(&S->arrived, 1);
    if (!me) {
        for (;;) {
            bool all = true;
            for (int k = 0; k < procs; k++) all &= atomic_load(&SH->s[k].arrived);
            if (all) break;
            iter(2000000);
        }
        t_ready = mono_ns();
        p_ready = proc_sample(false);
        y_ready = sys_sample();
        atomic_store(&SH->t0, mono_ns() + (uint64_t)(O.settle * 1e9));
    } else while (!atomic_load(&SH->t0)) iter(2000000);
    uint64_t t0 = atomic_load(&SH->t0);
    run_until(t0);
    if (!me) p_hold = proc_sample(true); /* memory with everything connected */

    /* start of the load */
    started = true;
    pub_t0 = req_t0 = mono_ns();
    pub_lastprog = pub_t0;
    pub_base = 0;
    if (O.mode == M_PUBLISH && O.pub_rate <= 0) { pub_lastdeliv = deliv_all(); pub_base = 0; pub_sent_total = 0; S->c.deliv = 0; }
    bool storm = O.mode == M_REQUEST && O.max_requests > 0;
    if (storm) O.warmup = 0;
    uint64_t tw0 = mono_ns() + (uint64_t)(O.warmup * 1e9);
    if (O.mode == M_REQUEST && !storm) {
        idlen = nC * (uint32_t)O.pipeline;
        if (O.req_rate > 0) idleq = xmalloc(sizeof(uint32_t) * idlen);
        for (uint32_t i = 0; i < nC; i++) if (C[i].state == C_READY) {
            req_live++;
            if (O.req_rate > 0) { for (int k = 0; k < O.pipeline; k++) idleq[idlet++ % idlen] = i; continue; }
            for (int k = 0; k < O.pipeline; k++) request_next(&C[i]);
            conn_flush(&C[i]);
            if ((i & 255) == 255) iter(0);
        }
    }
    run_until(tw0);
    /* the window */
    if (!me) { y_w0 = sys_sample(); p_w0 = proc_sample(false); }
    for (int k = 0; k < nprobe && !me; k++) { pr_ns[k] = SH->probe[k].stolen_ns; pr_gaps[k] = SH->probe[k].gaps; SH->probe[k].max_ns = 0; }
    Hist zero;
    memset(&zero, 0, sizeof zero);
    S->lat = S->req = S->ack = zero;
    if (O.mode == M_CHURN) S->rdy = S->upg = zero;
    uint64_t own0 = own_cpu_ns(), tws = mono_ns();
    S->w0 = S->c;
    measuring = true;
    uint64_t twe = tws + (uint64_t)(O.time * 1e9);
    if (storm) {
        for (uint32_t i = 0; i < nC; i++) if (C[i].state == C_READY) req_live++;
        if (O.req_rate > 0) {
            idlen = nC * (uint32_t)O.pipeline;
            idleq = xmalloc(sizeof(uint32_t) * idlen);
            for (uint32_t i = 0; i < nC; i++) if (C[i].state == C_READY) idleq[idlet++ % idlen] = i;
        } else for (uint32_t i = 0; i < nC; i++) if (C[i].state == C_READY) {
            for (int k = 0; k < O.pipeline; k++) request_next(&C[i]);
            conn_flush(&C[i]);
            if ((i & 63) == 63) iter(0);
        }
        while (req_live && mono_ns() < twe) iter(20000000);
    } else run_until(twe);
    measuring = false;
    S->w1 = S->c;
    uint64_t tw1 = mono_ns();
    S->cpu_win_ns = own_cpu_ns() - own0;
    for (int k = 0; k < nprobe && !me; k++) { pr_ns1[k] = SH->probe[k].stolen_ns - pr_ns[k]; pr_gaps1[k] = SH->probe[k].gaps - pr_gaps[k]; }
    if (!me) { p_w1 = proc_sample(false); y_w1 = sys_sample(); }
    double win = (double)(tw1 - tws) / 1e9;
    Proc p_end = {0};
    if (!me) p_end = proc_sample(true);
    for (int k = 0; k < nprobe && !me; k++) { kill(probe_pid[k], SIGKILL); waitpid(probe_pid[k], 0, 0); }

    /* drain */
    stopping = true;
    started = false;
    if (O.mode == M_PUBLISH) {
        uint64_t dl = mono_ns() + (uint64_t)(O.drain * 1e9), lastd = deliv_all(), lastt = mono_ns();
        for (;;) {
            uint64_t now = mono_ns(), d = deliv_all();
            if (d != lastd) { lastd = d; lastt = now; }
            if (now > dl || now - lastt > 700000000ull) break;
            if (!me && d >= pub_sent_total * (uint64_t)O.fanout) break;
            if (me && atomic_load(&SH->stop)) break;
            iter(5000000);
        }
        if (!me) atomic_store(&SH->stop, 1);
    }
    uint32_t alive_end = n_ready;
    if (!O.noclose && O.mode != M_CHURN) {
        for (uint32_t i = 0; i < nC; i++) {
            Conn *c = &C[i];
            if (c->state == C_READY && !c->http) { c->state = C_CLOSING; n_ready--; send_close(c); if ((i & 127) == 127) iter(0); }
        }
        uint64_t dl = mono_ns() + 3000000000ull;
        while (mono_ns() < dl && n_alive > (O.pub_http ? (uint32_t)O.publishers : 0)) iter(20000000);
    }
    S->cpu_all_ns = own_cpu_ns();
    atomic_store(&S->finished, (int)alive_end + 1);
    if (me) { _exit(0); }
    for (int k = 1; k < procs; k++) { int st; waitpid(kids[k], &st, 0); }

    /* report */
    Ctr t = {0}, w = {0};
    static Hist lat, req, ack, upg, rdy;
    uint64_t own = 0, ownall = 0, alive = 0, lastdone = 0;
    for (int k = 0; k < procs; k++) {
        Stat *s = &SH->s[k];
        uint64_t *a = (uint64_t *)&t, *b = (uint64_t *)&s->c, *ww = (uint64_t *)&w, *x0 = (uint64_t *)&s->w0, *x1 = (uint64_t *)&s->w1;
        uint64_t mf = t.maxframe > s->c.maxframe ? t.maxframe : s->c.maxframe;
        for (size_t i = 0; i < sizeof(Ctr) / 8; i++) { a[i] += b[i]; ww[i] += x1[i] - x0[i]; }
        t.maxframe = mf;
        h_merge(&lat, &s->lat); h_merge(&req, &s->req); h_merge(&ack, &s->ack); h_merge(&upg, &s->upg); h_merge(&rdy, &s->rdy);
        own += s->cpu_win_ns;
        ownall += s->cpu_all_ns;
        alive += (uint64_t)(atomic_load(&s->finished) > 0 ? atomic_load(&s->finished) - 1 : 0);
        if (s->t_lastdone > lastdone) lastdone = s->t_lastdone;
    }
    double busy = storm && lastdone > tws ? (double)(lastdone - tws) / 1e9 : win;
    uint64_t scpu = p_w1.cpu_ns - p_w0.cpu_ns;
    printf("{\"mode\":\"%s\",\"label\":\"%s\",\"conns\":%d,\"procs\":%d,\"src_addrs\":%d", MODE[O.mode], O.label ? O.label : "", O.conns, procs, O.src);
    printf(",\"tries\":%" PRIu64 ",\"upgraded\":%" PRIu64 ",\"ready\":%" PRIu64 ",\"alive_at_end\":%" PRIu64 ",\"lost\":%" PRIu64, t.tries, t.upgraded, t.ready, alive, t.lost);
    printf(",\"errors\":{\"connect\":%" PRIu64 ",\"http\":%" PRIu64 ",\"accept\":%" PRIu64 ",\"timeout\":%" PRIu64 ",\"early_close\":%" PRIu64 ",\"protocol\":%" PRIu64 "}", t.e_connect, t.e_http, t.e_accept, t.e_timeout, t.e_early, t.e_proto);
    j_map("http_status", procs, offsetof(Stat, http), offsetof(Stat, nhttp));
    j_map("close_codes", procs, offsetof(Stat, code), offsetof(Stat, ncode));
    j_map("errno", procs, offsetof(Stat, eno), offsetof(Stat, neno));
    if (O.mode != M_CHURN) printf(",\"connect_s\":%.3f,\"connects_per_s\":%.1f", (double)(t_ready - t_connect0) / 1e9, (double)t.ready / ((double)(t_ready - t_connect0) / 1e9));
    j_hist("upgrade_us", &upg);
    j_hist("ready_us", &rdy);
    printf(",\"window_s\":%.4f,\"messages\":%" PRIu64 ",\"messages_per_s\":%.1f,\"frames\":%" PRIu64 ",\"frames_per_s\":%.1f,\"payload_bytes\":%" PRIu64 ",\"wire_bytes\":%" PRIu64 ",\"MB_per_s\":%.2f",
           win, w.msgs, (double)w.msgs / win, w.frames, (double)w.frames / win, w.bytes, w.wire, (double)w.wire / 1e6 / win);
    printf(",\"kinds\":{\"text\":%" PRIu64 ",\"binary\":%" PRIu64 ",\"continuation\":%" PRIu64 ",\"ping\":%" PRIu64 ",\"pong\":%" PRIu64 ",\"close\":%" PRIu64 ",\"compressed\":%" PRIu64 ",\"auto_replies\":%" PRIu64 ",\"largest\":%" PRIu64 "}",
           t.text, t.bin, t.cont, t.ping, t.pong, t.closef, t.rsv1, t.autorep, t.maxframe);
    if (O.mode == M_RECEIVE || O.mode == M_PUBLISH) {
        printf(",\"deliveries\":%" PRIu64 ",\"deliveries_per_s\":%.1f", w.deliv, (double)w.deliv / win);
        j_hist("latency_us", &lat);
        printf(",\"bad_stamps\":%" PRIu64, t.badstamp);
    }
    if (O.mode == M_PUBLISH) {
        printf(",\"published\":%" PRIu64 ",\"published_per_s\":%.1f,\"publish_bytes\":%.0f,\"fanout\":%d,\"groups\":%d", w.pub, (double)w.pub / win, t.pub ? (double)t.pubbytes / (double)t.pub : 0., O.fanout, O.group);
        printf(",\"total_published\":%" PRIu64 ",\"total_delivered\":%" PRIu64 ",\"missing\":%" PRId64 ",\"slipped\":%" PRIu64 ",\"blocked\":%" PRIu64 ",\"window_resyncs\":%" PRIu64 ",\"publish_lag_max_us\":%" PRIu64 ",\"acks\":%" PRIu64,
               t.pub, t.deliv, (int64_t)(t.pub * (uint64_t)O.fanout - t.deliv), t.pubmiss, t.pubblocked, t.resync, S->lag_max_us, w.acks);
        j_hist("ack_us", &ack);
    }
    if (O.mode == M_REQUEST) {
        printf(",\"requests\":%" PRIu64 ",\"replies\":%" PRIu64 ",\"busy_s\":%.4f,\"requests_per_s\":%.1f,\"paced_out\":%" PRIu64, w.reqs, w.reqdone, busy, (double)w.reqdone / busy, t.reqmiss);
        j_hist("request_us", &req);
    }
    if (O.mode == M_CHURN) printf(",\"handshakes\":%" PRIu64 ",\"handshakes_per_s\":%.1f,\"cycles\":%" PRIu64, w.ready, (double)w.ready / win, w.churned);
    printf(",\"client_cpu_s\":%.4f,\"client_cpu_share\":%.3f,\"client_cpu_total_s\":%.4f,\"elapsed_s\":%.3f", (double)own / 1e9, (double)own / 1e9 / win, (double)ownall / 1e9, (double)(mono_ns() - t_begin) / 1e9);
    printf(",\"steal_ticks\":%" PRIu64 ",\"machine_busy_ticks\":%" PRIu64, y_w1.steal - y_w0.steal, y_w1.busy - y_w0.busy);
    printf(",\"probe\":[");
    for (int k = 0; k < nprobe; k++)
        printf("%s{\"core\":%d,\"stolen_ms\":%.1f,\"share\":%.4f,\"gaps\":%" PRIu64 ",\"max_us\":%.0f}", k ? "," : "", probe_core[k], (double)pr_ns1[k] / 1e6, (double)pr_ns1[k] / 1e9 / win, pr_gaps1[k], (double)SH->probe[k].max_ns / 1e3);
    printf("]");
    if (nspid) {
        uint64_t unit = O.mode == M_PUBLISH || O.mode == M_RECEIVE ? w.deliv : O.mode == M_REQUEST ? w.reqdone : O.mode == M_CHURN ? w.ready : 0;
        printf(",\"server\":{\"processes\":%d,\"threads\":%d,\"cpu_s\":%.4f,\"cpu_share\":%.3f,\"user_ticks\":%" PRIu64 ",\"sys_ticks\":%" PRIu64, p_w1.nproc, p_w1.nthread, (double)scpu / 1e9, (double)scpu / 1e9 / win, p_w1.user_t - p_w0.user_t, p_w1.sys_t - p_w0.sys_t);
        double stolen = 0;
        if (nprobe) stolen = (double)pr_ns1[0] * ((double)scpu / 1e9 / win < 1 ? (double)scpu / 1e9 / win : 1);
        if (unit && nprobe) printf(",\"cpu_us_per_unit_less_stolen\":%.4f", ((double)scpu - stolen) / 1e3 / (double)unit);
        if (unit) printf(",\"cpu_us_per_unit\":%.4f,\"unit\":\"%s\"", (double)scpu / 1e3 / (double)unit, O.mode == M_REQUEST ? "request" : O.mode == M_CHURN ? "handshake+close" : "delivery");
        if (O.mode == M_PUBLISH && w.pub) printf(",\"cpu_us_per_publish\":%.3f", (double)scpu / 1e3 / (double)w.pub);
        printf(",\"connect_cpu_us_each\":%.3f", t.ready && O.mode != M_CHURN ? (double)(p_ready.cpu_ns - p_start.cpu_ns) / 1e3 / (double)t.ready : 0.);
        printf(",\"rss_kb_before\":%" PRIu64 ",\"rss_kb_connected\":%" PRIu64 ",\"rss_kb_end\":%" PRIu64 ",\"pss_kb_before\":%" PRIu64 ",\"pss_kb_connected\":%" PRIu64 ",\"pss_kb_end\":%" PRIu64 ",\"rss_bytes_per_conn\":%.0f,\"rss_bytes_per_conn_end\":%.0f}",
               p_start.rss_kb, p_hold.rss_kb, p_end.rss_kb, p_start.pss_kb, p_hold.pss_kb, p_end.pss_kb,
               t.ready ? ((double)p_hold.pss_kb - (double)p_start.pss_kb) * 1024 / (double)t.ready : 0., t.ready ? ((double)p_end.pss_kb - (double)p_start.pss_kb) * 1024 / (double)t.ready : 0.);
    }
    printf(",\"kernel\":{\"slab_kb_before\":%" PRIu64 ",\"slab_kb_connected\":%" PRIu64 ",\"tcp_pages_before\":%" PRIu64 ",\"tcp_pages_connected\":%" PRIu64 "}}\n", y0.slab_kb, y_ready.slab_kb, y0.tcp_pages, y_ready.tcp_pages);
    return 0;
}
