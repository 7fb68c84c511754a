/* The machine's limit: a chat in C that does nothing but relay, in one epoll loop.

     loop PORT poll    a send() per member for all that one poll brought
     loop PORT line    a send() per member for each line

   Greets with a line, relays `<c00001> text` to everyone but its sender, ends lines with CRLF.
   Who does not read is kept 1 MiB for; then whole batches are skipped for it. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ = 65536, EVENTS = 1024, KEEP = 1 << 20 };
static const char GREETING[] = "Welcome to this chatroom!\r\n";

struct bytes { char *at; size_t size, room; };

struct member {
    int fd, place, spoke, gone, waits;
    char prefix[16];
    struct bytes in, out;
};

struct line { struct member *by; size_t at, size; };

struct crowd { struct member **at; int size, room; };

static struct crowd here, leaving;
static int connections, epoll;
static struct bytes batch;
static struct line *lines;
static size_t line_count, lines_room;

static void *grow(void *at, size_t size) {
    at = realloc(at, size);
    if (!at) { perror("realloc"); exit(1); }
    return at;
}

static void append(struct bytes *to, const char *from, size_t size) {
    if (to->size + size > to->room) {
        to->room = 2 * (to->size + size);
        to->at = grow(to->at, to->room);
    }
    memcpy(to->at + to->size, from, size);
    to->size += size;
}

static int add(struct crowd *to, struct member *m) {
    if (to->size == to->room) {
        to->room = to->room ? 2 * to->room : 64;
        to->at = grow(to->at, to->room * sizeof *to->at);
    }
    to->at[to->size] = m;
    return to->size++;
}

static void leave(struct member *m) {
    if (!m->gone) add(&leaving, m);
    m->gone = 1;
}

static void drop_first(struct bytes *from, size_t size) {
    memmove(from->at, from->at + size, from->size - size);
    from->size -= size;
}

static void watch(struct member *m, int operation, uint32_t what) {
    struct epoll_event event = {.events = what, .data.ptr = m};
    epoll_ctl(epoll, operation, m->fd, &event);
}

static void welcome(int listener) {
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct member *m = calloc(1, sizeof *m);
        int on = 1;
        if (!m) { close(fd); return; }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        m->fd = fd;
        snprintf(m->prefix, sizeof m->prefix, "<c%05d> ", ++connections % 100000);
        m->place = add(&here, m);
        watch(m, EPOLL_CTL_ADD, EPOLLIN);
        if (send(fd, GREETING, sizeof GREETING - 1, MSG_NOSIGNAL) < 0) leave(m);
    }
}

static void lose(struct member *m) {
    close(m->fd);
    here.at[m->place] = here.at[--here.size];
    here.at[m->place]->place = m->place;
    free(m->in.at);
    free(m->out.at);
    free(m);
}

static void give(struct member *m, const char *data, size_t size) {
    if (m->gone || !size) return;
    if (!m->out.size) {
        ssize_t sent = send(m->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN) { leave(m); return; }
        if (sent == (ssize_t)size) return;
        if (sent > 0) { data += sent; size -= sent; }
    }
    if (m->out.size + size <= KEEP) append(&m->out, data, size);
    if (m->out.size && !m->waits) {
        m->waits = 1;
        watch(m, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    }
}

static void give_kept(struct member *m) {
    ssize_t sent = send(m->fd, m->out.at, m->out.size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) leave(m);
    if (sent > 0) drop_first(&m->out, sent);
    if (!m->out.size) {
        m->waits = 0;
        watch(m, EPOLL_CTL_MOD, EPOLLIN);
    }
}

static void hear(struct member *m) {
    static char data[READ];
    ssize_t size = recv(m->fd, data, sizeof data, 0);
    if (size <= 0) {
        if (size == 0 || errno != EAGAIN) leave(m);
        return;
    }
    append(&m->in, data, size);
    char *from = m->in.at, *end;
    size_t left = m->in.size;
    while ((end = memchr(from, '\n', left))) {
        size_t text = end - from - (end > from && end[-1] == '\r');
        if (line_count == lines_room) {
            lines_room = lines_room ? 2 * lines_room : 64;
            lines = grow(lines, lines_room * sizeof *lines);
        }
        struct line line = {m, batch.size, strlen(m->prefix) + text + 2};
        append(&batch, m->prefix, strlen(m->prefix));
        append(&batch, from, text);
        append(&batch, "\r\n", 2);
        lines[line_count++] = line;
        m->spoke = 1;
        left -= end + 1 - from;
        from = end + 1;
    }
    drop_first(&m->in, m->in.size - left);
    if (m->in.size > READ) leave(m);
}

static void relay_each_line(void) {
    for (size_t i = 0; i < line_count; i++)
        for (int j = 0; j < here.size; j++)
            if (here.at[j] != lines[i].by)
                give(here.at[j], batch.at + lines[i].at, lines[i].size);
}

static void relay_all(void) {
    static struct bytes others;
    for (int j = 0; j < here.size; j++) {
        struct member *m = here.at[j];
        if (!m->spoke) {
            give(m, batch.at, batch.size);
            continue;
        }
        others.size = 0;
        for (size_t i = 0; i < line_count; i++)
            if (lines[i].by != m) append(&others, batch.at + lines[i].at, lines[i].size);
        give(m, others.at, others.size);
    }
}

static int listen_on(int port) {
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 1024)) {
        perror("cannot listen");
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv) {
    if (argc != 3) { fprintf(stderr, "usage: loop PORT poll|line\n"); return 2; }
    int each_line = !strcmp(argv[2], "line"), listener = listen_on(atoi(argv[1]));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN}, events[EVENTS];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct member *m = events[i].data.ptr;
            if (!m) { welcome(listener); continue; }
            if (events[i].events & EPOLLOUT) give_kept(m);
            if (events[i].events & ~EPOLLOUT) hear(m);
        }
        if (line_count) (each_line ? relay_each_line : relay_all)();
        for (size_t i = 0; i < line_count; i++) lines[i].by->spoke = 0;
        line_count = batch.size = 0;
        while (leaving.size) lose(leaving.at[--leaving.size]);
    }
}
