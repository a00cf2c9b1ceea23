#include "search/journal.h"

#include "base/checksum.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[8] = "LAIPJRN1";
enum { HEAD = 8 + 4 + 32, LEAD = 4 + 8, FIXED = 16 + 2 * 4 + 2 * 8 };

static void make_head(char head[HEAD], const laip_index *x)
{
    uint32_t embed = (uint32_t)x->embed;
    memcpy(head, magic, sizeof magic);
    memcpy(head + 8, &embed, sizeof embed);
    memcpy(head + 12, x->fingerprint, 32);
}

static bool write_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        size -= (size_t)n;
    }
    return true;
}

/* The record at data, of at most `left` bytes; its length in all, 0 when it is not whole. */
static size_t parse(const char *data, size_t left, size_t embed, laip_journal_record *r, float *features)
{
    uint32_t length;
    uint64_t sum;
    size_t fixed = FIXED + embed * sizeof(float);
    if (left < LEAD)
        return 0;
    memcpy(&length, data, sizeof length);
    memcpy(&sum, data + 4, sizeof sum);
    data += LEAD;
    if (length > left - LEAD || length < fixed + 2 || data[length - 1] != 0 ||
        laip_checksum(data, length) != sum)
        return 0;
    memcpy(r->hash, data, 16);
    memcpy(r->size, data + 16, sizeof r->size);
    memcpy(&r->bytes, data + 24, sizeof r->bytes);
    memcpy(&r->time, data + 32, sizeof r->time);
    memcpy(features, data + FIXED, embed * sizeof *features);
    r->features = features;
    r->name = data + fixed;
    return LEAD + length;
}

/* Replays the whole records; returns where they end. */
static size_t replay(const char *data, size_t size, size_t embed,
                     void (*each)(void *, const laip_journal_record *), void *context)
{
    float *features = laip_alloc(embed, sizeof *features);
    size_t at = HEAD;
    laip_journal_record r;
    for (size_t n; (n = parse(data + at, size - at, embed, &r, features)) != 0; at += n)
        each(context, &r);
    free(features);
    return at;
}

static bool read_journal(laip_journal *j, const laip_index *x,
                         void (*each)(void *, const laip_journal_record *), void *context)
{
    char *data, head[HEAD];
    size_t size, end = 0;
    int64_t bytes, time;
    make_head(head, x);
    if (lseek(j->fd, 0, SEEK_SET) != 0 || !laip_read_open(dup(j->fd), &data, &size, &bytes, &time))
        return false;
    if (size >= HEAD && memcmp(data, head, HEAD) == 0)
        end = replay(data, size, j->embed, each, context);
    free(data);
    return ftruncate(j->fd, (off_t)end) == 0 && lseek(j->fd, (off_t)end, SEEK_SET) == (off_t)end &&
           (end || write_all(j->fd, head, HEAD));
}

/* The file at path with the lock on it; whoever finished may have taken it away in between. */
static bool open_alone(laip_journal *j, const char *path, laip_error *error)
{
    for (;;) {
        struct stat here, there;
        j->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (j->fd < 0)
            return laip_failure(error, "%s: cannot be written: %s", path, strerror(errno));
        if (flock(j->fd, LOCK_EX | LOCK_NB) != 0) {
            close(j->fd);
            j->fd = -1;
            return laip_bad_input(error, "%s: another process is indexing into it", path);
        }
        if (fstat(j->fd, &here) == 0 && stat(path, &there) == 0 && here.st_ino == there.st_ino)
            return true;
        close(j->fd);
    }
}

bool laip_journal_open(laip_journal *j, const char *path, const laip_index *x,
                       void (*each)(void *, const laip_journal_record *), void *context, laip_error *error)
{
    *j = (laip_journal){.fd = -1, .embed = x->embed};
    if (!open_alone(j, path, error))
        return false;
    if (read_journal(j, x, each, context))
        return true;
    laip_failure(error, "%s: cannot be read or written: %s", path, strerror(errno));
    laip_journal_close(j);
    return false;
}

void laip_journal_add(laip_journal *j, const laip_journal_record *r)
{
    size_t name = strlen(r->name) + 1, features = j->embed * sizeof(float), length = FIXED + features + name;
    char *record = laip_alloc(LEAD + length, 1), *at = record + LEAD;
    uint32_t short_length = (uint32_t)length;
    memcpy(at, r->hash, 16);
    memcpy(at + 16, r->size, sizeof r->size);
    memcpy(at + 24, &r->bytes, sizeof r->bytes);
    memcpy(at + 32, &r->time, sizeof r->time);
    memcpy(at + FIXED, r->features, features);
    memcpy(at + FIXED + features, r->name, name);
    uint64_t sum = laip_checksum(at, length);
    memcpy(record, &short_length, sizeof short_length);
    memcpy(record + 4, &sum, sizeof sum);
    laip_str_add(&j->pending, record, LEAD + length);
    free(record);
}

bool laip_journal_write(laip_journal *j, const char *path, laip_error *error)
{
    bool good = j->fd < 0 || write_all(j->fd, laip_str_text(&j->pending), j->pending.length);
    laip_str_clear(&j->pending);
    return good || laip_failure(error, "%s: cannot be written: %s", path, strerror(errno));
}

void laip_journal_close(laip_journal *j)
{
    if (j->fd >= 0)
        close(j->fd);
    free(j->pending.text);
    *j = (laip_journal){.fd = -1};
}
