/* What an update of an index has done so far, so that an interrupted one goes on: a file to which a record is
 * appended for every picture that was encoded.  A record that is not whole, which a kill may leave at the
 * end, is cut off; a journal of another network or folder is begun anew.
 *
 *   "LAIPJRN1", then E as u32, the fingerprint (32 bytes); a record: u32 length of what follows the checksum,
 *   u64 checksum of it, then hash (16), width, height (i32), bytes, time (i64), features [E] F32, the name.
 */
#ifndef LAIP_SEARCH_JOURNAL_H
#define LAIP_SEARCH_JOURNAL_H

#include "search/index.h"

typedef struct laip_journal {
    int fd;
    size_t embed;
    laip_str pending;
} laip_journal;

typedef struct laip_journal_record {
    uint8_t hash[16];
    int32_t size[2];
    int64_t bytes, time;
    const char *name;
    const float *features;
} laip_journal_record;

/* Opens or begins it, alone: bad input when another process has it.  Calls each for every whole record. */
bool laip_journal_open(laip_journal *j, const char *path, const laip_index *index,
                       void (*each)(void *context, const laip_journal_record *record), void *context,
                       laip_error *error);
void laip_journal_add(laip_journal *j, const laip_journal_record *record);
/* Writes what was added: all of it is then there whatever becomes of the process. */
bool laip_journal_write(laip_journal *j, const char *path, laip_error *error);
void laip_journal_close(laip_journal *j);

#endif
