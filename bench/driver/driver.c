/*
 * The neutral client of the broker benchmarks: librdkafka, and bare sockets where librdkafka would be what is measured.
 * Each command prints one line of JSON.
 *
 *   driver produce BROKERS TOPIC PARTITIONS VALUE_BYTES BATCH_BYTES TOTAL_BYTES
 *   driver consume BROKERS TOPIC PARTITIONS MESSAGES
 *   driver latency BROKERS TOPIC RATE SECONDS
 *   driver requests HOST PORT FRAME_FILE CONNECTIONS SECONDS
 *
 * `requests` sends the frame of the file over each connection, one under way on each, and counts the answers; what they
 * say is looked at by who made the frame.
 *
 * cc -O2 -o driver driver.c -lrdkafka -lpthread
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec + at.tv_nsec / 1e9;
}

static void fail(const char *what) {
  fprintf(stderr, "driver: %s\n", what);
  exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
  char why[512];
  if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) fail(why);
}

static int by_size(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return a < b ? -1 : a > b;
}

/* --- produce */

static volatile long delivered = 0;
static volatile long undelivered = 0;

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
  (void)rk;
  (void)opaque;
  if (message->err) undelivered++;
  else delivered++;
}

static rd_kafka_t *producer(const char *brokers, const char *batch_bytes, const char *linger_ms) {
  char why[512];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", brokers);
  set(conf, "client.id", "bench");
  set(conf, "acks", "all");
  set(conf, "batch.size", batch_bytes);
  set(conf, "batch.num.messages", "1000000");
  set(conf, "linger.ms", linger_ms);
  set(conf, "queue.buffering.max.kbytes", "131072");
  set(conf, "queue.buffering.max.messages", "2000000");
  set(conf, "message.max.bytes", "1100000");
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  if (!rk) fail(why);
  return rk;
}

static void run_produce(char **args) {
  const char *brokers = args[0], *name = args[1];
  int partitions = atoi(args[2]);
  size_t size = strtoul(args[3], NULL, 10);
  long total = (long)(strtod(args[5], NULL) / size);
  rd_kafka_t *rk = producer(brokers, args[4], "50");
  rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
  char *value = malloc(size);
  memset(value, 'x', size);

  /* Connected and warm before the clock starts. */
  for (int p = 0; p < partitions; p++)
    rd_kafka_produce(topic, p, 0, value, size, NULL, 0, NULL);
  if (rd_kafka_flush(rk, 30000)) fail("the first messages were not acknowledged");

  delivered = 0;
  double start = now();
  for (long sent = 0; sent < total;) {
    if (rd_kafka_produce(topic, sent % partitions, 0, value, size, NULL, 0, NULL) == 0) sent++;
    else rd_kafka_poll(rk, 1);
    if (sent % 1000 == 0) rd_kafka_poll(rk, 0);
  }
  if (rd_kafka_flush(rk, 120000)) fail("not everything was acknowledged");
  double seconds = now() - start;
  if (undelivered) fail("a message was not delivered");
  printf("{\"seconds\":%.4f,\"messages\":%ld,\"bytes\":%.0f}\n", seconds, total, (double)total * size);
}

/* --- consume */

static void run_consume(char **args) {
  char why[512];
  int partitions = atoi(args[2]);
  long total = atol(args[3]);
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", args[0]);
  set(conf, "client.id", "bench");
  set(conf, "group.id", "bench-driver");
  set(conf, "enable.auto.commit", "false");
  set(conf, "fetch.message.max.bytes", "1048576");
  set(conf, "queued.max.messages.kbytes", "65536");
  set(conf, "fetch.wait.max.ms", "100");
  rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
  if (!rk) fail(why);
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
  for (int p = 0; p < partitions; p++)
    rd_kafka_topic_partition_list_add(list, args[1], p)->offset = RD_KAFKA_OFFSET_BEGINNING;
  if (rd_kafka_assign(rk, list)) fail("the partitions cannot be read");
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
  rd_kafka_message_t *messages[10000];
  long read = 0;
  double bytes = 0, start = 0, deadline = now() + 120;
  while (read < total) {
    ssize_t count = rd_kafka_consume_batch_queue(queue, 100, messages, 10000);
    for (ssize_t i = 0; i < count; i++) {
      if (!messages[i]->err) {
        if (start == 0) start = now();
        bytes += messages[i]->len;
        read++;
      }
      rd_kafka_message_destroy(messages[i]);
    }
    if (now() > deadline) fail("the messages did not come");
  }
  printf("{\"seconds\":%.4f,\"messages\":%ld,\"bytes\":%.0f}\n", now() - start, read, bytes);
}

/* --- latency: from the call that sends to the message in the consumer's hand */

struct reader {
  rd_kafka_t *rk;
  double *seen;
  long expected;
  long got;
};

static void *read_all(void *given) {
  struct reader *reader = given;
  while (reader->got < reader->expected) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll(reader->rk, 1000);
    if (!message) continue;
    if (!message->err && message->len == sizeof(double)) {
      double sent;
      memcpy(&sent, message->payload, sizeof sent);
      reader->seen[reader->got++] = now() - sent;
    }
    rd_kafka_message_destroy(message);
  }
  return NULL;
}

static void run_latency(char **args) {
  char why[512];
  double rate = atof(args[2]), length = atof(args[3]);
  long total = (long)(rate * length);
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", args[0]);
  set(conf, "client.id", "bench");
  set(conf, "group.id", "bench-driver");
  set(conf, "enable.auto.commit", "false");
  set(conf, "fetch.wait.max.ms", "500");
  rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
  if (!rk) fail(why);
  rd_kafka_poll_set_consumer(rk);
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, args[1], 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
  if (rd_kafka_assign(rk, list)) fail("the partition cannot be read");
  long warm = (long)rate;
  struct reader reader = {rk, calloc(total + warm, sizeof(double)), total + warm, 0};
  pthread_t thread;
  pthread_create(&thread, NULL, read_all, &reader);

  rd_kafka_t *sender = producer(args[0], "1000000", "0");
  rd_kafka_topic_t *topic = rd_kafka_topic_new(sender, args[1], NULL);
  double start = now();
  for (long n = 0; n < total + warm; n++) {
    double due = start + n / rate;
    while (now() < due) rd_kafka_poll(sender, 0), usleep(50);
    double at = now();
    while (rd_kafka_produce(topic, 0, RD_KAFKA_MSG_F_COPY, &at, sizeof at, NULL, 0, NULL)) usleep(50);
  }
  if (rd_kafka_flush(sender, 30000) || undelivered) fail("not everything was acknowledged");
  pthread_join(thread, NULL);
  /* The first second is for waking up. */
  double *seen = reader.seen + warm;
  double sum = 0;
  for (long i = 0; i < total; i++) sum += seen[i];
  qsort(seen, total, sizeof(double), by_size);
  printf("{\"messages\":%ld,\"meanUs\":%.1f,\"p50Us\":%.1f,\"p99Us\":%.1f}\n", total,
         sum / total * 1e6, seen[total / 2] * 1e6, seen[(long)(total * 0.99)] * 1e6);
}

/* --- requests */

struct line {
  int fd;
  size_t written;
  unsigned char head[4];
  size_t head_read;
  long body_left;
};

static void run_requests(char **args) {
  FILE *file = fopen(args[2], "rb");
  if (!file) fail("there is no such frame");
  static char frame[4 * 1024 * 1024];
  size_t size = fread(frame, 1, sizeof frame, file);
  int connections = atoi(args[3]);
  double length = atof(args[4]);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(args[1]))};
  inet_pton(AF_INET, args[0], &to.sin_addr);
  int poll_fd = epoll_create1(0);
  struct line *lines = calloc(connections, sizeof *lines);
  for (int i = 0; i < connections; i++) {
    struct line *line = &lines[i];
    line->fd = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(line->fd, (struct sockaddr *)&to, sizeof to)) fail("cannot connect");
    fcntl(line->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = line};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, line->fd, &event);
  }
  struct epoll_event events[256];
  char scratch[65536];
  long answers = 0;
  double start = now(), warm = start + length / 4, end = start + length, counted = 0;
  while (now() < end) {
    int ready = epoll_wait(poll_fd, events, 256, 100);
    if (counted == 0 && now() > warm) counted = now(), answers = 0;
    for (int e = 0; e < ready; e++) {
      struct line *line = events[e].data.ptr;
      for (;;) {
        if (line->written < size) {
          ssize_t n = write(line->fd, frame + line->written, size - line->written);
          if (n > 0) line->written += n;
          else break;
          if (line->written < size) continue;
        }
        ssize_t n;
        if (line->head_read < 4) {
          n = read(line->fd, line->head + line->head_read, 4 - line->head_read);
          if (n > 0) line->head_read += n;
          if (line->head_read == 4)
            line->body_left = (long)line->head[0] << 24 | line->head[1] << 16 | line->head[2] << 8 | line->head[3];
        } else {
          n = read(line->fd, scratch, line->body_left < (long)sizeof scratch ? line->body_left : (long)sizeof scratch);
          if (n > 0) line->body_left -= n;
          if (line->body_left == 0) {
            answers++;
            line->head_read = 0;
            line->written = 0;
          }
        }
        if (n == 0) fail("the broker has closed a connection");
        if (n < 0) break;
      }
    }
  }
  printf("{\"seconds\":%.4f,\"answers\":%ld}\n", now() - counted, answers);
}

int main(int count, char **args) {
  if (count > 7 && !strcmp(args[1], "produce")) run_produce(args + 2);
  else if (count > 5 && !strcmp(args[1], "consume")) run_consume(args + 2);
  else if (count > 5 && !strcmp(args[1], "latency")) run_latency(args + 2);
  else if (count > 6 && !strcmp(args[1], "requests")) run_requests(args + 2);
  else fail("see the head of driver.c");
  return 0;
}
