/* A web application for tests of routes: keep-alive, slow answers, websockets. One process for each connection.
   It serves the text of /page, and is never well where that is "sick", nor after SIGUSR1; at a stop signal it is gone in the middle of
   whatever it does. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static char page[256];
static volatile sig_atomic_t fell_ill;

static void fall_ill(int signal) {
    fell_ill = signal;
}

static int line(FILE *in, char *to, int size) {
    if (!fgets(to, size, in)) return -1;
    to[strcspn(to, "\r\n")] = 0;
    return (int)strlen(to);
}

static void serve(int connection) {
    FILE *in = fdopen(connection, "r"), *out = fdopen(dup(connection), "w");
    char first[1024], header[1024];
    while (line(in, first, sizeof first) > 0) {
        long body = 0;
        int upgrade = 0;
        while (line(in, header, sizeof header) > 0) {
            if (!strncasecmp(header, "content-length:", 15)) body = atol(header + 15);
            if (!strncasecmp(header, "upgrade:", 8)) upgrade = 1;
        }
        while (body-- > 0 && fgetc(in) != EOF) continue;
        if (upgrade) {
            fputs("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", out);
            fflush(out);
            for (int c; (c = fgetc(in)) != EOF; fflush(out)) fputc(c, out);
            return;
        }
        if (strstr(first, " /slow")) sleep(2);
        int missing = strstr(first, " /missing") != NULL, sick = strstr(first, " /up") && (fell_ill || !strcmp(page, "sick"));
        fprintf(out, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s",
                missing ? "404 Not Found" : sick ? "503 Service Unavailable" : "200 OK", strlen(page), page);
        if (fflush(out)) return;
    }
}

int main(void) {
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, fall_ill);
    FILE *file = fopen("/page", "r");
    if (!file || !fgets(page, sizeof page, file)) return 1;
    page[strcspn(page, "\n")] = 0;
    if (!strcmp(page, "broken")) {
        fputs("the page is broken\n", stderr);
        return 3;
    }
    int listening = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(8080)};
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listening, (struct sockaddr *)&at, sizeof at) || listen(listening, 1024)) return 2;
    for (;;) {
        int connection = accept(listening, NULL, NULL);
        if (connection < 0) continue;
        if (!fork()) {
            close(listening);
            serve(connection);
            _exit(0);
        }
        close(connection);
    }
}
