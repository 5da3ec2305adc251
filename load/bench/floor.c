/* The floor: what the kernel alone charges for the same bytes to the same number of sockets.
 *
 *   floor send   FRAME CONNECTIONS ROUNDS RATE STAMP MARK   ROUNDS times send() to each; RATE rounds a second, 0: at once
 *   floor accept FRAME CONNECTIONS                          accept(), recv() and send() of FRAME for each
 *
 * Prints its port, waits for the connections, then for a line on standard input; prints one line of JSON at the end.
 * At offset STAMP of FRAME the time of each round is written, at MARK what says that it is the last.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static char frame[1 << 20];
static const char last_mark[] = "\xc3\xa9\xd0\xb6";

static long long now_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void must(int fine, const char *what) {
    if (!fine) {
        perror(what);
        exit(1);
    }
}

static int listening(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    must(fd >= 0, "socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    must(bind(fd, (struct sockaddr *)&address, size) == 0, "bind");
    must(listen(fd, 4096) == 0, "listen");
    must(getsockname(fd, (struct sockaddr *)&address, &size) == 0, "getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void send_rounds(int *fds, int count, size_t size, int rounds, double rate, size_t stamp, size_t mark) {
    long long due = now_ns(CLOCK_MONOTONIC);
    for (int round = 0; round < rounds; round++) {
        char digits[24];
        if (rate > 0) {
            struct timespec at = {due / 1000000000LL, due % 1000000000LL};
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
            due += (long long)(1e9 / rate);
        }
        snprintf(digits, sizeof digits, "%lld", 1000000000000000000LL + now_ns(CLOCK_MONOTONIC));
        memcpy(frame + stamp, digits, 19);
        if (round == rounds - 1) memcpy(frame + mark, last_mark, 4);
        for (int i = 0; i < count; i++) must(send(fds[i], frame, size, MSG_NOSIGNAL) == (ssize_t)size, "send");
    }
}

int main(int argc, char **argv) {
    must(argc >= 4, "arguments");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int sending = strcmp(argv[1], "send") == 0, count = atoi(argv[3]), *fds = calloc(count, sizeof *fds);
    FILE *file = fopen(argv[2], "rb");
    must(file != NULL && fds != NULL, argv[2]);
    size_t size = fread(frame, 1, sizeof frame, file);
    int listener = listening();
    long long cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < count; i++) {
        char request[4096];
        must((fds[i] = accept(listener, NULL, NULL)) >= 0, "accept");
        if (sending) continue;
        must(recv(fds[i], request, sizeof request, 0) > 0, "recv");
        must(send(fds[i], frame, size, MSG_NOSIGNAL) == (ssize_t)size, "send");
    }
    if (sending) {
        must(getchar() != EOF, "go");
        cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    }
    long long began = now_ns(CLOCK_MONOTONIC);
    if (sending) send_rounds(fds, count, size, atoi(argv[4]), atof(argv[5]), atoi(argv[6]), atoi(argv[7]));
    printf("{\"cpu_ns\": %lld, \"began_ns\": %lld}\n", now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu, began + 1000000000000000000LL);
    fflush(stdout);
    /* Its sockets stay open until the readers have had everything; then it is killed. */
    for (;;) pause();
}
