/* Signals that ask a run to save and end. */
#ifndef LAIP_PROGRAMS_TRAIN_SIGNALS_H
#define LAIP_PROGRAMS_TRAIN_SIGNALS_H

#include "base/error.h"

/* From now on SIGTERM, SIGINT, SIGHUP (unless it was ignored, as nohup does) and SIGUSR1 are remembered, and
 * the second of them ends the process at once.  Before any other thread is started. */
bool laip_catch_signals(laip_error *error);
bool laip_signal_caught(void);

#endif
