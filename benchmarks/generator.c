/* Speaks and listens for a crowd that is connected already. benchmarks/generator.py is its twin.

     generator TABLE

   TABLE has a line for each member: `FD ROOM UNIT OWN LINE`. UNIT is how many bytes one line has
   when it comes (0: count newlines), OWN is 1 when a member's own lines do not come back to it,
   LINE is what it says, in hexadecimal, or `-` if it never speaks.

   Each line of standard input is a task, each line of output its result, as JSON:
     closed W SECONDS      so many lines under way in each room: one that has reached everyone
                           is followed by the next
     open RATE SECONDS     so many lines a second, whatever becomes of them
   A task ends when every line has reached everyone. Latency runs from sending (open: from when
   it was due) to the last member's having read it. `late` is how far the open loop was behind at
   most, `extra` how many bytes came beside the lines. Bytes are counted, not looked at: MSG_TRUNC
   makes the kernel throw them away uncopied.

   It never sleeps while there is a second CPU: to wake a process on the same machine is charged to
   the server's send, which no server pays for clients elsewhere, and how often it has to depends
   on the timing of both. `idle` is how many seconds it had nothing to do. */

#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 1024, READ = 1 << 20, OPEN_RING = 1 << 14 };
static const double STALLED = 5.0;

struct room {
    long sent, low, mask;       /* low: the lines that have reached everyone */
    long *at;                   /* how many members have come so far, by lines, a ring */
    double *times;              /* when each line was sent, a ring */
    int members, speakers, next;
    struct member **speaker;
};

struct member {
    int fd, room, own, asked;
    long unit, read, come;      /* read: bytes of a line that has not come whole */
    char *line;
    size_t line_size, owed, at;
};

static struct member *crowd;
static struct room *rooms;
static int crowd_size, room_count, epoll, patience;
static double *latencies, late, idle;
static long latency_count, latency_room;
static char scratch[READ];

static void fail(const char *what) {
    printf("{\"error\": \"%s\"}\n", what);
    fflush(stdout);
    exit(1);
}

static void *grow(void *at, size_t size) {
    if (!(at = realloc(at, size))) fail("out of memory");
    return at;
}

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

static void watch(struct member *m, int operation, uint32_t what) {
    struct epoll_event event = {.events = what, .data.ptr = m};
    if (epoll_ctl(epoll, operation, m->fd, &event)) fail("epoll_ctl");
}

static void reached_everyone(struct room *r) {
    if (latency_count == latency_room) {
        latency_room = latency_room ? 2 * latency_room : 4096;
        latencies = grow(latencies, latency_room * sizeof *latencies);
    }
    latencies[latency_count++] = now() - r->times[r->low & r->mask];
    r->low++;
}

static void come(struct member *m, long lines) {
    struct room *r = rooms + m->room;
    r->at[m->come & r->mask]--;
    m->come += lines;
    if (m->come > r->sent) fail("more came than was sent: the server says something else, too");
    r->at[m->come & r->mask]++;
    while (r->low < r->sent && !r->at[r->low & r->mask]) reached_everyone(r);
}

static void hear(struct member *m) {
    ssize_t size = recv(m->fd, scratch, READ, MSG_DONTWAIT | (m->unit ? MSG_TRUNC : 0));
    long lines = 0;
    if (size <= 0) {
        if (size < 0 && errno == EAGAIN) return;
        fail("the server closed a connection");
    }
    if (m->unit) {
        m->read += size;
        lines = m->read / m->unit;
        m->read %= m->unit;
    } else
        for (char *p = scratch; (p = memchr(p, '\n', scratch + size - p)); p++) lines++;
    if (lines) come(m, lines);
}

/* Sends what the member owes: its line, over and over. */
static void send_owed(struct member *m) {
    static char copies[READ];
    while (m->owed) {
        size_t size = 0;
        while (size < m->owed && size + m->line_size <= READ) {
            memcpy(copies + size, m->line, m->line_size);
            size += m->line_size;
        }
        size -= m->at;
        if (size > m->owed) size = m->owed;
        ssize_t sent = send(m->fd, copies + m->at, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) fail("the server closed a speaker's connection");
        if (sent < 0) sent = 0;
        m->owed -= sent;
        m->at = (m->at + sent) % m->line_size;
        if ((size_t)sent < size) break;
    }
    if (!!m->owed != m->asked) {
        m->asked = !!m->owed;
        watch(m, EPOLL_CTL_MOD, m->asked ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
}

static struct member *speak(struct room *r, double at) {
    struct member *m = r->speaker[r->next++ % r->speakers];
    if (r->sent - r->low >= r->mask) fail("the server is too far behind");
    r->times[r->sent++ & r->mask] = at;
    m->owed += m->line_size;
    if (m->own) come(m, 1);
    return m;
}

static void fill(struct room *r, long most) {
    long lines = most - (r->sent - r->low);
    int first = r->next, speakers = lines < r->speakers ? lines : r->speakers;
    double at = now();
    for (long i = 0; i < lines; i++) speak(r, at);
    for (int i = 0; i < speakers; i++) send_owed(r->speaker[(first + i) % r->speakers]);
    r->next %= r->speakers;
}

static void reset(long ring) {
    for (int i = 0; i < room_count; i++) {
        struct room *r = rooms + i;
        r->sent = r->low = 0;
        r->mask = ring - 1;
        r->at = grow(r->at, ring * sizeof *r->at);
        r->times = grow(r->times, ring * sizeof *r->times);
        memset(r->at, 0, ring * sizeof *r->at);
        r->at[0] = r->members;
    }
    for (int i = 0; i < crowd_size; i++) crowd[i].come = crowd[i].read = 0;
    latency_count = 0;
    late = idle = 0;
}

static int listen_once(void) {
    struct epoll_event events[EVENTS];
    double before = now();
    int count = epoll_wait(epoll, events, EVENTS, patience);
    if (count <= 0) idle += now() - before;
    for (int i = 0; i < count; i++) {
        struct member *m = events[i].data.ptr;
        if (events[i].events & EPOLLOUT) send_owed(m);
        if (events[i].events & ~EPOLLOUT) hear(m);
    }
    return count;
}

static void drain(void) {
    double heard = now();
    for (int i = 0; i < room_count; i++)
        while (rooms[i].low < rooms[i].sent) {
            if (listen_once() > 0) heard = now();
            if (now() - heard > STALLED) fail("stalled: not everyone was given every line");
        }
}

static void closed(long most, double seconds) {
    long ring = 2;
    while (ring < most + 1) ring *= 2;
    reset(ring);
    for (double end = now() + seconds, heard = now(); now() < end;) {
        for (int i = 0; i < room_count; i++)
            if (rooms[i].sent - rooms[i].low < most) fill(rooms + i, most);
        if (listen_once() > 0) heard = now();
        if (now() - heard > STALLED) fail("stalled: not everyone was given every line");
    }
    drain();
}

static void opened(double rate, double seconds) {
    reset(OPEN_RING);
    double begin = now() + 0.01;
    long lines = rate * seconds;
    for (long line = 0; line < lines;) {
        double due = begin + line / rate, at = now();
        if (due > at) {
            listen_once();
            continue;
        }
        if (at - due > late) late = at - due;
        send_owed(speak(rooms + line++ % room_count, due));
    }
    drain();
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double share(double part) {
    long place = latency_count * part;
    return latency_count ? latencies[place < latency_count ? place : latency_count - 1] : 0;
}

static void tell(double seconds) {
    long lines = 0, deliveries = 0, extra = 0;
    for (int i = 0; i < room_count; i++) {
        lines += rooms[i].low;
        deliveries += rooms[i].low * (rooms[i].members - 1);
    }
    for (int i = 0; i < crowd_size; i++) extra += crowd[i].read;
    qsort(latencies, latency_count, sizeof *latencies, by_size);
    printf("{\"lines\": %ld, \"deliveries\": %ld, \"seconds\": %.9f, \"p50\": %.9f, "
           "\"p99\": %.9f, \"late\": %.9f, \"idle\": %.9f, \"extra\": %ld}\n",
           lines, deliveries, seconds, share(0.5), share(0.99), late, idle, extra);
    fflush(stdout);
}

static void read_table(const char *path) {
    static char hex[READ];
    FILE *table = fopen(path, "r");
    int have = 0;
    struct member m = {0};
    if (!table) fail("cannot read the table");
    while (fscanf(table, "%d %d %ld %d %1048575s", &m.fd, &m.room, &m.unit, &m.own, hex) == 5) {
        if (crowd_size == have) crowd = grow(crowd, (have = have ? 2 * have : 64) * sizeof m);
        m.line_size = hex[0] == '-' ? 0 : strlen(hex) / 2;
        m.line = m.line_size ? grow(NULL, m.line_size) : NULL;
        for (size_t i = 0; i < m.line_size; i++) sscanf(hex + 2 * i, "%2hhx", m.line + i);
        if (m.room >= room_count) room_count = m.room + 1;
        crowd[crowd_size++] = m;
    }
    fclose(table);
}

static void gather(void) {
    rooms = calloc(room_count, sizeof *rooms);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    patience = sysconf(_SC_NPROCESSORS_ONLN) < 2;
    for (int i = 0; i < crowd_size; i++) {
        struct member *m = crowd + i;
        struct room *r = rooms + m->room;
        r->members++;
        if (m->line) {
            r->speaker = grow(r->speaker, (r->speakers + 1) * sizeof *r->speaker);
            r->speaker[r->speakers++] = m;
        }
        watch(m, EPOLL_CTL_ADD, EPOLLIN);
    }
}

int main(int argc, char **argv) {
    char task[64];
    double size, seconds;
    if (argc != 2) { fprintf(stderr, "usage: generator TABLE\n"); return 2; }
    read_table(argv[1]);
    gather();
    while (scanf("%63s %lf %lf", task, &size, &seconds) == 3) {
        double begin = now();
        if (!strcmp(task, "closed")) closed(size, seconds);
        else opened(size, seconds);
        tell(now() - begin);
    }
    return 0;
}
